//! The one pipeline behind every door: resolve ▶ accept ▶ recall ▶ ask ▶ approve ▶ ground ▶ compare ▶ score.
//!
//! [`engine`] has the life of a request on one screen. Decoding and encoding belong to the door that a request came
//! through, because they depend on its wire format.
//!
//! - [`request`]: a request, and the question that it comes to; [`spec`]: what is asked, and of whom; [`caller`]: who
//!   asks, and pays; [`spec_cache`]: specifications that requests bring along, found again by their content
//! - [`definitions`]: schemas and templates by name
//! - [`accept`], [`recall`], [`ask`], [`approve`], [`ground`], `compare`, [`score`]: one stage each
//! - [`agreement`]: which answers are compared with those of a second provider, and how
//! - [`patience`]: waiting for providers, and for how long; [`gate`]: whether anybody may be asked
//! - [`route`]: who is asked; [`budget`]: what a caller may spend

pub mod accept;
pub mod agreement;
pub mod approve;
pub mod ask;
pub mod budget;
pub mod caller;
mod compare;
pub mod definitions;
pub mod engine;
pub mod estimate;
pub mod gate;
pub mod ground;
pub mod patience;
pub mod recall;
pub mod request;
pub mod route;
pub mod score;
pub mod spec;
pub mod spec_cache;

#[cfg(test)]
pub(crate) mod testing;
