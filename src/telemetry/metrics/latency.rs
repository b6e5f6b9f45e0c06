//! Histograms of latencies. Each bucket names a trace whose latency was in it, as an exemplar: from a slow bucket in a
//! dashboard, one click leads to a slow trace.

use std::time::{Duration, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::{Family, MetricConstructor};

use super::Bounds;
use crate::telemetry::traces::span::TraceId;

/// Upper bounds in seconds, from a cache hit's microseconds to a slow provider's half minute. Alerts compare with those
/// of 2 and 5 seconds.
pub(super) const SECONDS: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// Latencies with these labels.
pub(super) type Latencies<L> = Family<L, HistogramWithExemplars<OfTrace>, Bounds>;

/// The label of an exemplar.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfTrace {
    trace_id: String,
}

/// The trace that an observation belongs to, if it can be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exemplar {
    /// The trace.
    pub trace_id: TraceId,
    /// When it was observed, since the Unix epoch.
    pub at: Duration,
}

/// One histogram of latencies.
#[derive(Debug, Clone)]
pub struct Latency(HistogramWithExemplars<OfTrace>);

impl MetricConstructor<HistogramWithExemplars<OfTrace>> for Bounds {
    fn new_metric(&self) -> HistogramWithExemplars<OfTrace> {
        HistogramWithExemplars::new(self.0.iter().copied())
    }
}

/// Latencies of which none is observed yet.
pub(super) fn latencies<L: Clone + std::hash::Hash + Eq>() -> Latencies<L> {
    Family::new_with_constructor(Bounds(&SECONDS))
}

impl Latency {
    /// The histogram with these labels.
    pub(super) fn of<L: Clone + std::hash::Hash + Eq>(latencies: &Latencies<L>, labels: &L) -> Self {
        Self(latencies.get_or_create_owned(labels))
    }

    /// Counts an observation. It becomes its bucket's exemplar if its trace is recorded.
    pub fn observe(&self, took: Duration, exemplar: Option<Exemplar>) {
        observe(&self.0, took, exemplar);
    }
}

/// Counts an observation in a histogram that was looked up for it.
pub(super) fn observe(histogram: &HistogramWithExemplars<OfTrace>, took: Duration, exemplar: Option<Exemplar>) {
    let at = exemplar.map(|exemplar| UNIX_EPOCH + exemplar.at);
    let label = exemplar.map(|exemplar| OfTrace { trace_id: exemplar.trace_id.to_string() });
    histogram.observe(took.as_secs_f64(), label, at);
}
