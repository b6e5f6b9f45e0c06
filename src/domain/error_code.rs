//! One code for each reason why a request has no answer, and from the code who must act.

use std::fmt;

/// The stage of the pipeline in which a record failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Bytes to event.
    Decode,
    /// Event to prompt: template and parameters.
    Resolve,
    /// Limits and patterns on the prompt.
    Accept,
    /// The provider call.
    Ask,
    /// Parsing and validation of the answer.
    Approve,
    /// Confidence.
    Score,
    /// Writing the outcome to its topic.
    Publish,
}

impl Stage {
    /// Every stage, in the order of the pipeline.
    pub const ALL: [Self; 7] =
        [Self::Decode, Self::Resolve, Self::Accept, Self::Ask, Self::Approve, Self::Score, Self::Publish];

    /// The name that users see (`sp-stage`, metric label `stage`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Resolve => "resolve",
            Self::Accept => "accept",
            Self::Ask => "ask",
            Self::Approve => "approve",
            Self::Score => "score",
            Self::Publish => "publish",
        }
    }
}

/// Who must act, and whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The sender: the same record will fail again.
    Invalid,
    /// Nobody yet: the model did not give a usable answer to this record.
    Refused,
    /// The operator or time: a dependency is gone. Never the record's fault, so never a dead letter.
    Unavailable,
    /// We: a defect in this program.
    Bug,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $stage:ident, $kind:ident;)*) => {
        /// A stable error code. Each has a section in `docs/errors.md`; names never change meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, in the order of the pipeline.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The name that users see (`sp-error-code`, metric label `code`).
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The stage that raises it.
            pub fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage,)* }
            }

            /// Who must act.
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }
        }
    };
}

codes! {
    /// Neither binary nor structured mode could be recognised.
    NotACloudEvent = "not_a_cloudevent", Decode, Invalid;
    /// `id`, `source`, `type` or `specversion` is missing or empty.
    MissingAttribute = "missing_attribute", Decode, Invalid;
    /// An attribute's name or value breaks the CloudEvents type system.
    InvalidAttribute = "invalid_attribute", Decode, Invalid;
    /// `specversion` is not 1.0.
    UnsupportedSpecVersion = "unsupported_specversion", Decode, Invalid;
    /// The value is not JSON, or not what its content type says.
    InvalidJson = "invalid_json", Decode, Invalid;
    /// JSON nested deeper than 127 levels.
    JsonTooDeep = "json_too_deep", Decode, Invalid;
    /// Text that is not UTF-8.
    InvalidUtf8 = "invalid_utf8", Decode, Invalid;
    /// A record without a value that is not an event either.
    Tombstone = "tombstone", Decode, Invalid;
    /// More headers than the limit.
    TooManyHeaders = "too_many_headers", Decode, Invalid;
    /// A header whose name cannot be read.
    InvalidHeader = "invalid_header", Decode, Invalid;
    /// The value is larger than the limit.
    EventTooLarge = "event_too_large", Decode, Invalid;
    /// Another record had the same `source` and `id` and another value.
    IdConflict = "id_conflict", Accept, Invalid;
    /// The prompt template could not be rendered with this event.
    TemplateFailed = "template_failed", Resolve, Invalid;
    /// Nothing is left of the prompt after normalisation.
    PromptEmpty = "prompt_empty", Accept, Invalid;
    /// The prompt is longer than the limit.
    PromptTooLong = "prompt_too_long", Accept, Invalid;
    /// An injection pattern was found and the policy is to reject.
    SuspiciousInput = "suspicious_input", Accept, Invalid;
    /// The provider declined to answer this prompt.
    ProviderRefused = "provider_refused", Ask, Refused;
    /// The provider answered that this request is malformed or too long for the model.
    ProviderRejected = "provider_rejected", Ask, Refused;
    /// What the provider sent is no answer in its own wire format, in every attempt.
    ProviderMalformed = "provider_malformed", Ask, Refused;
    /// The provider failed on this record again and again while it answered others.
    ProviderFailed = "provider_failed", Ask, Refused;
    /// No answer within the time limit, in every attempt.
    ProviderTimeout = "provider_timeout", Ask, Refused;
    /// The provider cannot be reached or fails on its side.
    ProviderUnavailable = "provider_unavailable", Ask, Unavailable;
    /// The process has no file left to open a connection with.
    TooManyOpenFiles = "too_many_open_files", Ask, Unavailable;
    /// The provider has more to do than it can.
    ProviderOverloaded = "provider_overloaded", Ask, Unavailable;
    /// The provider asks for a pause.
    ProviderRateLimited = "provider_rate_limited", Ask, Unavailable;
    /// The provider does not accept the key, or does not know the model.
    ProviderUnauthorized = "provider_unauthorized", Ask, Unavailable;
    /// The account's money or quota is used up.
    ProviderQuotaExhausted = "provider_quota_exhausted", Ask, Unavailable;
    /// The connector's budget is spent.
    BudgetExhausted = "budget_exhausted", Ask, Unavailable;
    /// There was no answer within the time that the request had.
    DeadlineExceeded = "deadline_exceeded", Ask, Refused;
    /// Another call for this record would exceed its ceiling of tokens or cost.
    RecordCeiling = "record_ceiling", Ask, Refused;
    /// Answers are replayed, and there is no recorded one to this question.
    NotRecorded = "not_recorded", Ask, Refused;
    /// The answer was cut at the token limit.
    AnswerTruncated = "answer_truncated", Approve, Refused;
    /// The answer contains no JSON.
    AnswerNotJson = "answer_not_json", Approve, Refused;
    /// The answer is JSON but never became valid against the schema.
    AnswerInvalid = "answer_invalid", Approve, Refused;
    /// A value of the answer does not stand in the record's text and the policy is to dead-letter.
    Ungrounded = "ungrounded", Score, Refused;
    /// The confidence is below the threshold and the policy is to dead-letter.
    LowConfidence = "low_confidence", Score, Refused;
    /// A person who reviewed the result rejected it.
    RejectedByReviewer = "rejected_by_reviewer", Score, Refused;
    /// The result is larger than the output topic accepts.
    ResultTooLarge = "result_too_large", Publish, Invalid;
    /// The output topic refused the result for another reason than its size.
    ResultRejected = "result_rejected", Publish, Invalid;
    /// The topic that the connector chose for the result is none of those that it may write to.
    TopicNotAllowed = "topic_not_allowed", Publish, Invalid;
    /// A stage panicked on this record.
    InternalError = "internal_error", Resolve, Bug;
    /// Process after process died while it worked on this record.
    ProcessAborted = "process_aborted", Resolve, Bug;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
