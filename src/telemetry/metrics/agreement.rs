//! The handles for what a second provider is asked about answers.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::FloatCounter;
use crate::domain::answer::Usage;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Comparisons {
    connector: String,
    provider: String,
    reason: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ComparedFields {
    connector: String,
    field: String,
    reason: &'static str,
    agreed: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Payments {
    connector: String,
    provider: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    connector: String,
    provider: String,
    direction: &'static str,
}

/// Those of all connectors.
#[derive(Debug, Clone, Default)]
pub(super) struct AllAgreementMetrics {
    comparisons: Family<Comparisons, Counter>,
    fields: Family<ComparedFields, Counter>,
    tokens: Family<Tokens, Counter>,
    cost_usd: Family<Payments, FloatCounter>,
}

/// Those of one connector.
#[derive(Debug, Clone)]
pub struct AgreementMetrics {
    connector: String,
    all: AllAgreementMetrics,
}

impl AllAgreementMetrics {
    pub(super) fn of(&self, connector: &str) -> AgreementMetrics {
        AgreementMetrics { connector: connector.to_owned(), all: self.clone() }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Answers that a second provider was to be asked about, by why and by what came of it";
        registry.register("agreement_comparisons", help, self.comparisons.clone());
        let help = "Fields of compared answers, by whether both providers gave the same";
        registry.register("agreement_fields", help, self.fields.clone());
        let help = "Tokens of the calls of second providers, which are among those of the provider";
        registry.register("agreement_tokens", help, self.tokens.clone());
        let help = "Cost of the calls of second providers, which is part of the connector's, in US dollars";
        registry.register("agreement_cost_usd", help, self.cost_usd.clone());
    }
}

impl AgreementMetrics {
    /// Counts an answer that this provider was to be asked about.
    pub fn compared(&self, provider: &str, reason: &'static str, outcome: &'static str) {
        let (connector, provider) = (self.connector.clone(), provider.to_owned());
        self.all.comparisons.get_or_create(&Comparisons { connector, provider, reason, outcome }).inc();
    }

    /// Counts a field of the schema in two answers.
    pub fn field(&self, field: &str, reason: &'static str, is_same: bool) {
        let (connector, field) = (self.connector.clone(), field.to_owned());
        let agreed = if is_same { "true" } else { "false" };
        self.all.fields.get_or_create(&ComparedFields { connector, field, reason, agreed }).inc();
    }

    /// Adds what a call of this provider used, and what it cost in US dollars.
    pub fn paid(&self, provider: &str, usage: Usage, usd: f64) {
        let (connector, provider) = (self.connector.clone(), provider.to_owned());
        for (direction, tokens) in [("input", usage.input_tokens), ("output", usage.output_tokens)] {
            let labels = Tokens { connector: connector.clone(), provider: provider.clone(), direction };
            self.all.tokens.get_or_create(&labels).inc_by(tokens);
        }
        self.all.cost_usd.get_or_create(&Payments { connector, provider }).inc_by(usd);
    }
}
