//! Text in, text out: what is asked, and what the answer says.

pub mod definition;
pub mod fold;
pub mod language;
pub mod library;
pub mod meta;
pub mod normalise;
pub mod parse;
pub mod patterns;
pub mod template;
