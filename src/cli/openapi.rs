//! `openapi`: the document that describes the HTTP API.

use std::io::{self, Write};

use super::Exit;
use crate::http::openapi::document;

/// Print the OpenAPI document of the HTTP API, as a running service has it at /openapi.json
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Prints the document to `out`.
///
/// # Errors
/// Only when it cannot be written.
pub fn run(Args {}: &Args, out: &mut dyn Write) -> io::Result<Exit> {
    out.write_all(document().as_bytes())?;
    Ok(Exit::Done)
}
