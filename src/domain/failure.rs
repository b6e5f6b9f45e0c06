//! Why a request has no answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::attempt::{self, Attempt};
pub use crate::domain::error_code::{Code, Kind, Stage};
use crate::domain::violation::Violation;

/// Why there is no answer. `detail` says what was found and what to do; it never contains prompt text or secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The stable code.
    pub code: Code,
    /// One sentence for a person.
    pub detail: String,
    /// How the answer breaks its schema, where that is the reason. Their number and size are bounded.
    pub violations: Arc<[Violation]>,
    /// What was tried before giving up, in order.
    pub attempt_log: Arc<[Attempt]>,
    /// For [`Kind::Unavailable`]: when the dependency said it may be asked again.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure with no calls made.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let (violations, attempt_log) = (Arc::default(), Arc::default());
        Self { code, detail: detail.into(), violations, attempt_log, retry_after: None }
    }

    /// The failure of a request on which a stage panicked.
    pub fn defect() -> Self {
        let detail = "a stage of the pipeline panicked on this record; please report it with the version and this record's shape";
        Self::new(Code::InternalError, detail)
    }

    /// The failure of a request whose time is up.
    pub fn deadline_exceeded() -> Self {
        let detail =
            "there was no valid answer within the time that the request had; give it more, or ask a faster model";
        Self::new(Code::DeadlineExceeded, detail)
    }

    /// The same failure with the places at which the answer breaks its schema.
    #[must_use]
    pub fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.violations = violations.into();
        self
    }

    /// The same failure after these attempts.
    #[must_use]
    pub fn after(mut self, attempt_log: impl Into<Arc<[Attempt]>>) -> Self {
        self.attempt_log = attempt_log.into();
        self
    }

    /// Provider calls that were made.
    pub fn attempts(&self) -> u32 {
        attempt::calls(&self.attempt_log)
    }

    /// The same failure with the pause that the dependency asked for.
    #[must_use]
    pub fn retry_after(mut self, pause: Option<Duration>) -> Self {
        self.retry_after = pause;
        self
    }

    /// The same failure as one of the dependency: nobody else is to blame, and it may pass. Detail and pause stay.
    #[must_use]
    pub fn as_unavailable(self) -> Self {
        match self.kind() {
            Kind::Unavailable => self,
            Kind::Invalid | Kind::Refused | Kind::Bug => Self { code: Code::ProviderUnavailable, ..self },
        }
    }

    /// Who must act.
    pub fn kind(&self) -> Kind {
        self.code.kind()
    }

    /// Whether everybody who asks the same question of the same providers would fail in the same way. What only this
    /// request had too little of (money, tokens, time) says nothing to another one.
    pub fn is_shared(&self) -> bool {
        let is_own = matches!(
            self.code,
            Code::RecordCeiling
                | Code::BudgetExhausted
                | Code::DeadlineExceeded
                | Code::Ungrounded
                | Code::LowConfidence
                | Code::RejectedByReviewer
                | Code::InternalError
                | Code::ProcessAborted
        );
        !is_own
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Failure {}
