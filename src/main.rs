//! Exit codes, and the allocator.

use std::process::ExitCode;

/// Records and calls are many small allocations that are made on one thread and freed on another, which this one takes
/// less time for than the system's. The C libraries use it too. Huge pages are off: they saved no time and cost a fifth
/// more memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    structured_prompt::cli::main()
}
