//! Pure values. No I/O, no async, no clock.
//!
//! - [`record`], [`event`]: what comes in; [`json`], [`text`]: how it and files are read;
//! - [`answer`], [`attempt`], [`usage`]: what came of it, by which calls, and what those used; [`flag`]: what to note;
//! - [`evidence`]: where the values of an answer stand in the text; [`quotes`]: what a model quotes of it for them;
//!   [`grounding`]: what that means for one record; [`logprobs`]: how likely the values were to the model;
//!   [`agreement`]: whether a second provider says the same; [`calibration`]: how often such values were right;
//! - [`failure`], [`error_code`]: why there is no answer, and who must act;
//! - [`fingerprint`]: which questions are equal; [`answer_key`], [`name_pattern`]: what answers are remembered under,
//!   and how they are found by name; [`health`]: how a part is doing; [`nearest`]: which name may be meant; [`secret`]:
//!   text that is never shown;
//! - [`tenant`], [`api_key`]: whose data it is, and who may ask; [`version`]: which version of a schema is meant;
//! - [`page`]: lists that are read in parts; [`duration`], [`time`]: durations and times as people write them;
//!   [`latency_histogram`]: how long things took.

pub mod agreement;
pub mod answer;
pub mod answer_key;
pub mod api_key;
pub mod attempt;
pub mod calibration;
#[cfg(test)]
pub(crate) mod cpu_time;
pub mod decimals;
pub mod duration;
pub mod error_code;
pub mod event;
pub mod evidence;
pub mod failure;
pub mod fingerprint;
pub mod flag;
pub mod grounding;
pub mod health;
pub mod json;
pub mod latency_histogram;
pub mod logprobs;
pub mod name_pattern;
pub mod nearest;
pub mod page;
pub mod quotes;
pub mod record;
pub mod secret;
pub mod tenant;
pub mod text;
pub mod time;
pub mod usage;
pub mod version;
pub mod violation;
