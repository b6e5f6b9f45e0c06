//! The one pipeline behind every door: resolve ▶ accept ▶ recall ▶ ask ▶ approve ▶ score.
//!
//! [`run`] has the life of a request on one screen; every other file here is one stage of it. Decoding and encoding belong
//! to the door a request came through, because they depend on its wire format.

pub mod accept;
pub mod approve;
pub mod ask;
pub mod recall;
pub mod route;
pub mod run;
pub mod score;
pub mod settings;
