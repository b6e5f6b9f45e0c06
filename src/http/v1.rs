//! The resources of the API, one file each.
//!
//! - [`analyze`]: one prompt, one answer; [`analyzer`]: how it comes about;
//! - [`batch`]: many at once; [`batch_request`]: what such a request says;
//! - [`cache`]: remembered answers as a whole; [`providers`], [`provider_list`]: who can be asked;
//! - [`requests`]: what was asked before; [`usage`]: how much, and what it cost;
//! - [`openai`]: the same in OpenAI's format;
//! - [`schemas`], [`templates`]: what teams keep, and [`catalog`]: what both have in common; [`named`]: what requests name;
//! - [`prompt_request`]: what a request says; [`request_schemas`]: the same for the OpenAPI document; [`specs`]: the
//!   specification that a request comes to;
//! - [`structured_response`]: the answer; [`field_evidence`]: where its values stand; [`xml`]: its data as XML; [`outcome`]: what the request log learns of it.

pub mod analyze;
pub mod analyzer;
pub mod batch;
pub mod batch_request;
pub mod cache;
pub mod catalog;
pub mod field_evidence;
pub mod named;
pub mod openai;
pub mod outcome;
pub mod prompt_request;
pub mod provider_list;
pub mod providers;
pub mod request_schemas;
pub mod requests;
pub mod schemas;
pub mod specs;
pub mod structured_response;
pub mod templates;
pub mod usage;
pub mod xml;
