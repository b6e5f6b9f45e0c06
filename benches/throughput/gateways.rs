//! S4: what a gateway adds to a call. Requests are sent at a constant rate, whatever becomes of those before them, and
//! each is timed from the moment at which it was due, so that a stall is seen by all that come due within it.
//!
//! - [`client`]: HTTP with nothing around it; [`open_loop`]: the rate;
//! - [`gateway`]: who is asked, and how each is started; [`messages`]: the requests;
//! - [`overhead`]: the same requests to the provider itself and to each gateway, in turns;
//! - [`capacity`]: the highest rate, remembered answers, and a batch;
//! - [`report`]: the figures.

mod capacity;
mod client;
mod gateway;
mod messages;
mod open_loop;
mod overhead;
pub mod report;

use std::path::PathBuf;

use gateway::Gateway;
use report::Gateways;

/// As the command line has it.
pub const NAME: &str = "S4";

/// The peers, where they could be had.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Peers {
    /// Interpreter with the LiteLLM proxy.
    #[arg(long, value_name = "FILE")]
    litellm: Option<PathBuf>,
    /// node_modules with the Portkey gateway.
    #[arg(long, value_name = "DIRECTORY")]
    portkey: Option<PathBuf>,
    /// Interpreter with TensorZero's embedded gateway.
    #[arg(long, value_name = "FILE")]
    tensorzero: Option<PathBuf>,
}

/// Measures all of it. `directory` is for logs and databases.
pub fn measure(directory: PathBuf, binary: PathBuf, peers: Peers, repeats: usize, seconds: u32) -> Gateways {
    println!("{NAME}: what a gateway adds to a call");
    let missing = [("LiteLLM", &peers.litellm), ("Portkey", &peers.portkey), ("TensorZero", &peers.tensorzero)];
    let missing = missing.iter().filter(|(_, path)| path.is_none()).map(|(name, _)| *name).collect();
    let ours = [Gateway::Analyze(binary.clone()), Gateway::ChatCompletions(binary.clone())];
    let others = [
        peers.litellm.map(Gateway::LiteLlm),
        peers.portkey.map(Gateway::Portkey),
        peers.tensorzero.map(Gateway::TensorZero),
    ];
    let gateways: Vec<Gateway> = ours.into_iter().chain(others.into_iter().flatten()).collect();
    let overheads = overhead::measure(&directory, &gateways, repeats, seconds);
    let capacity = capacity::measure(&directory, &binary, seconds);
    Gateways { overheads, capacity, missing }
}
