//! The standard environment variables of OpenTelemetry, as far as they concern traces.
//!
//! Traces are on when an endpoint is named, or `OTEL_TRACES_EXPORTER` says `otlp`. Then a variable with a value that we
//! cannot follow is an error: whoever has set it expects something else than what would happen.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;

use super::sampler::Sampler;
use crate::domain::secret::Secret;

/// Name of the service where the user gives none.
const SERVICE_NAME: &str = "structured-prompt";
/// Where a collector listens that stands on the same machine.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318";
/// The path that belongs to an endpoint for all signals.
const TRACES_PATH: [&str; 2] = ["v1", "traces"];
/// Of the batch processor, in the specification of OpenTelemetry.
const DEFAULT_QUEUE_SPANS: usize = 2048;
const DEFAULT_BATCH_SPANS: usize = 512;
const DEFAULT_DELAY: Duration = Duration::from_secs(5);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How traces are exported.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSettings {
    /// Where to. Logs have [`Self::collector`].
    pub endpoint: String,
    /// Headers of each export, which may be credentials.
    pub headers: Vec<(String, Secret)>,
    /// How long the collector may take to answer.
    pub timeout: Duration,
    /// Whether exports are compressed with gzip.
    pub is_compressed: bool,
    /// Which traces are exported.
    pub sampler: Sampler,
    /// What the process is called.
    pub resource: Vec<(String, String)>,
    /// Spans that wait for their export at most.
    pub queue_spans: usize,
    /// Spans in one export, but for the rest of a trace.
    pub batch_spans: usize,
    /// How long an export waits for more spans.
    pub delay: Duration,
    /// Whether prompts and answers are exported.
    pub has_texts: bool,
}

impl TraceSettings {
    /// The collector as logs name it: without a query, which may have a key.
    pub fn collector(&self) -> &str {
        self.endpoint.split(['?', '#']).next().unwrap_or_default()
    }
}

/// A variable that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableError {
    /// Its name.
    pub variable: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub help: &'static str,
}

/// Reads the variables; `None` where traces are off.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn read<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Option<TraceSettings>, Vec<VariableError>> {
    let mut variables = Variables { get, errors: Vec::new() };
    if !variables.are_on() {
        return if variables.errors.is_empty() { Ok(None) } else { Err(variables.errors) };
    }
    variables.check_protocol();
    let settings = TraceSettings {
        endpoint: variables.endpoint(),
        headers: variables.headers(),
        timeout: variables.of_traces("TIMEOUT", Variables::milliseconds).unwrap_or(DEFAULT_TIMEOUT),
        is_compressed: variables.of_traces("COMPRESSION", Variables::compression).unwrap_or(false),
        sampler: variables.sampler(),
        resource: variables.resource(),
        queue_spans: variables.count("OTEL_BSP_MAX_QUEUE_SIZE").unwrap_or(DEFAULT_QUEUE_SPANS),
        batch_spans: variables.count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE").unwrap_or(DEFAULT_BATCH_SPANS),
        delay: variables.milliseconds("OTEL_BSP_SCHEDULE_DELAY").unwrap_or(DEFAULT_DELAY),
        has_texts: variables.flag("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"),
    };
    if variables.errors.is_empty() { Ok(Some(settings)) } else { Err(variables.errors) }
}

struct Variables<G> {
    get: G,
    errors: Vec<VariableError>,
}

impl<'a, G: Fn(&str) -> Option<&'a str>> Variables<G> {
    fn are_on(&mut self) -> bool {
        if self.flag("OTEL_SDK_DISABLED") {
            return false;
        }
        let endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
        match (self.get)("OTEL_TRACES_EXPORTER") {
            None => endpoints.iter().any(|name| (self.get)(name).is_some()),
            Some("otlp") => true,
            Some("none") => false,
            Some(other) => {
                self.wrong("OTEL_TRACES_EXPORTER", format!("there is no exporter {other}"), "write otlp or none");
                false
            }
        }
    }

    fn check_protocol(&mut self) {
        for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            match (self.get)(name) {
                None => {}
                Some("http/protobuf") => return,
                Some(other) => {
                    let help = "write http/protobuf, and name the port where the collector takes it, usually 4318";
                    return self.wrong(name, format!("traces cannot be exported as {other}"), help);
                }
            }
        }
    }

    fn endpoint(&mut self) -> String {
        const OF_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        const OF_ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let (name, text) = match (self.get)(OF_TRACES) {
            Some(text) => (OF_TRACES, text),
            None => (OF_ALL, (self.get)(OF_ALL).unwrap_or(DEFAULT_ENDPOINT)),
        };
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        let Some(mut url) = Url::parse(text).ok().filter(is_web) else {
            self.wrong(name, "this is not an http or https URL".to_owned(), "write for example http://collector:4318");
            return String::new();
        };
        if !url.username().is_empty() || url.password().is_some() {
            let help = "put them into OTEL_EXPORTER_OTLP_HEADERS, as authorization=Basic%20…";
            self.wrong(name, "this URL has a user name or a password".to_owned(), help);
        }
        if name == OF_ALL
            && let Ok(mut path) = url.path_segments_mut()
        {
            path.pop_if_empty().extend(TRACES_PATH);
        }
        url.into()
    }

    fn headers(&mut self) -> Vec<(String, Secret)> {
        let pairs = self.of_traces("HEADERS", Self::pairs).unwrap_or_default();
        pairs.into_iter().map(|(name, value)| (name, Secret::new(value))).collect()
    }

    fn sampler(&mut self) -> Sampler {
        const NAME: &str = "OTEL_TRACES_SAMPLER";
        let all = Sampler::default();
        match (self.get)(NAME) {
            None | Some("parentbased_always_on") => all,
            Some("parentbased_always_off") => Sampler { ratio: 0.0, ..all },
            Some("parentbased_traceidratio") => Sampler { ratio: self.ratio(), ..all },
            Some("always_on") => Sampler { follows_parent: false, ..all },
            Some("always_off") => Sampler { ratio: 0.0, follows_parent: false },
            Some("traceidratio") => Sampler { ratio: self.ratio(), follows_parent: false },
            Some(other) => {
                let help = "write parentbased_traceidratio, traceidratio, always_on, always_off, parentbased_always_on or \
                            parentbased_always_off";
                self.wrong(NAME, format!("there is no sampler {other}"), help);
                all
            }
        }
    }

    fn ratio(&mut self) -> f64 {
        const NAME: &str = "OTEL_TRACES_SAMPLER_ARG";
        let ratio = self.parsed::<f64>(NAME, "write a share from 0 to 1, for example 0.05").unwrap_or(1.0);
        if !(0.0..=1.0).contains(&ratio) {
            self.wrong(NAME, format!("{ratio} is not a share"), "write a share from 0 to 1, for example 0.05");
        }
        ratio
    }

    /// The user's attributes behind the ones that we know, which they may replace.
    fn resource(&mut self) -> Vec<(String, String)> {
        let given = self.pairs("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        let name = (self.get)("OTEL_SERVICE_NAME").map(str::to_owned);
        let mut resource = vec![
            ("service.name".to_owned(), SERVICE_NAME.to_owned()),
            ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ];
        for (name, value) in given.into_iter().chain(name.map(|name| ("service.name".to_owned(), name))) {
            resource.retain(|(known, _)| *known != name);
            resource.push((name, value));
        }
        resource
    }

    /// A variable of all signals, or the one of traces that goes before it.
    fn of_traces<T>(&mut self, name: &str, read: fn(&mut Self, &str) -> Option<T>) -> Option<T> {
        let of_traces = format!("OTEL_EXPORTER_OTLP_TRACES_{name}");
        if (self.get)(&of_traces).is_some() {
            return read(self, &of_traces);
        }
        read(self, &format!("OTEL_EXPORTER_OTLP_{name}"))
    }

    fn compression(&mut self, name: &str) -> Option<bool> {
        match (self.get)(name)? {
            "gzip" => Some(true),
            "none" => Some(false),
            other => {
                self.wrong(name, format!("there is no compression {other}"), "write gzip or none");
                None
            }
        }
    }

    /// `name=value` with commas between them; values are percent-encoded.
    fn pairs(&mut self, name: &str) -> Option<Vec<(String, String)>> {
        let text = (self.get)(name)?;
        let mut pairs = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    pairs.push((key.trim().to_owned(), percent_decoded(value.trim())));
                }
                // Without the text, which may be a credential.
                _ => self.wrong(name, "a part has no name before its =".to_owned(), "write name=value,name=value"),
            }
        }
        Some(pairs)
    }

    fn milliseconds(&mut self, name: &str) -> Option<Duration> {
        self.parsed(name, "write a number of milliseconds").map(Duration::from_millis)
    }

    fn count(&mut self, name: &str) -> Option<usize> {
        const HELP: &str = "write a number above 0";
        let count = self.parsed::<usize>(name, HELP)?;
        if count == 0 {
            self.wrong(name, "nothing could be exported".to_owned(), HELP);
        }
        Some(count)
    }

    /// `true` in any case; everything else is false, as the specification wants it.
    fn flag(&self, name: &str) -> bool {
        (self.get)(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str, help: &'static str) -> Option<T> {
        let parsed = (self.get)(name)?.trim().parse();
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(name, error.to_string(), help);
                None
            }
        }
    }

    fn wrong(&mut self, variable: &str, problem: String, help: &'static str) {
        self.errors.push(VariableError { variable: variable.to_owned(), problem, help });
    }
}

/// A text in which `%20` is a space. What is no such sequence stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *byte == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(encoded) => {
                decoded.push(encoded);
                rest = &after[2..];
            }
            None => {
                decoded.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests;
