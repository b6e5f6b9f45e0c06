//! Exit codes only.

use std::process::ExitCode;

fn main() -> ExitCode {
    structured_prompt::cli::main()
}
