//! The `kafka` section.

use std::collections::BTreeMap;
use std::path::Path;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::{Node, Origin, Value};
use crate::config::secret_file;
use crate::config::section::Section;
use crate::config::values::{Problem, broker, text};
use crate::file_watch::current_secret::CurrentSecret;
use crate::kafka::settings::KafkaSettings;

const DEFAULT_BROKER: &str = "127.0.0.1:9092";

/// librdkafka options that are not the user's, and why.
const OWNED: &[(&str, &str)] = &[
    ("acks", "a result counts only when all replicas have it, or a committed offset could outlive its result"),
    ("request.required.acks", "a result counts only when all replicas have it (see acks)"),
    ("auto.offset.reset", "a new group starts at the beginning, so that no event is skipped"),
    ("bootstrap.servers", "write kafka.brokers"),
    ("metadata.broker.list", "write kafka.brokers"),
    ("enable.auto.commit", "offsets are committed only after results are acknowledged"),
    ("enable.auto.offset.store", "offsets are stored only after results are acknowledged"),
    ("enable.idempotence", "without it a retry can reorder or repeat results"),
    ("delivery.timeout.ms", "an outage is waited out, or a record would lose its place in the order"),
    ("enable.partition.eof", "the consumer decides what it is told"),
    ("group.id", "write source.kafka.group in the connector file"),
    ("isolation.level", "events of aborted transactions must not be answered"),
    ("message.timeout.ms", "an outage is waited out, or a record would lose its place in the order"),
    ("plugin.library.paths", "it loads native code into the process"),
    ("transaction.timeout.ms", "the program's own time limits are built on it"),
    ("transactional.id", "each connector's producer has its own"),
    ("partition.assignment.strategy", "the delivery promise is built on cooperative-sticky"),
];

/// librdkafka options that hold a secret, which a file must not.
const SECRET: &[&str] = &[
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.client.secret",
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
];

/// What names the file of a secret, behind the option's own name.
const FILE: &str = ".file";

pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>, base: &Path) -> KafkaSettings {
    let brokers = section.list("brokers", broker);
    let (mut client, mut secrets) = (BTreeMap::new(), BTreeMap::new());
    for (entry, mut location, _) in section.names("client", "<option>") {
        // librdkafka's names have dots, which environment variables cannot have; none has an underscore.
        let by_variable = matches!(entry.key_origin, Origin::Variable(_));
        let option = if by_variable { entry.key.replace('_', ".") } else { entry.key.clone() };
        if by_variable {
            location.path = format!("kafka.client.{option}");
        }
        if let Some(secret) = option.strip_suffix(FILE).filter(|option| SECRET.contains(option)) {
            let in_file = secret_in_file(diagnostics, secret, &entry.node, &location, base);
            secrets.extend(in_file.map(|value| (secret.to_owned(), value)));
            continue;
        }
        let value = not_in_a_file(&option, &entry.node).and_then(|()| option_value(&option, &entry.node));
        match value {
            Ok(value) => drop(client.insert(option, value)),
            Err(problem) => diagnostics.note(&location, problem),
        }
    }
    section.finish();
    let brokers = brokers.map_or_else(
        || vec![DEFAULT_BROKER.to_owned()],
        |brokers| brokers.into_iter().map(|(broker, _)| broker).collect(),
    );
    client.retain(|option, _| !secrets.contains_key(option));
    KafkaSettings { brokers, client, secrets }
}

/// Files are copied, committed and shown, so a secret comes from the environment.
fn not_in_a_file(option: &str, node: &Node) -> Result<(), Problem> {
    if !SECRET.contains(&option) || matches!(node.origin, Origin::Variable(_)) {
        return Ok(());
    }
    let variable = option.to_ascii_uppercase().replace('.', "_");
    let help = format!(
        "take it out; set {option}{FILE} to a file that holds it, or the environment variable \
         STRUCTURED_PROMPT_KAFKA__CLIENT__{variable}"
    );
    Err(Problem::new("a secret must not stand in a file", help))
}

/// The value of an option, which stands in a file of its own.
fn secret_in_file(
    diagnostics: &Diagnostics,
    option: &str,
    node: &Node,
    location: &Location,
    base: &Path,
) -> Option<CurrentSecret> {
    let written = text(node).map_err(|problem| diagnostics.note(location, problem)).ok()?;
    let path = secret_file::path(node, written, base);
    let option = option.to_owned();
    // What the client said of a value that it refuses later would quote it.
    let check =
        move |value: &str| taken(&option, value).map_err(|problem| format!("{}; {}", problem.message, problem.help));
    secret_file::read(diagnostics, (location.path.clone(), location), path, Box::new(check))
}

/// Checks an option. Its value may be a password and appears in no finding.
fn option_value(option: &str, node: &Node) -> Result<String, Problem> {
    if let Some((_, reason)) = OWNED.iter().find(|(owned, _)| *owned == option) {
        return Err(Problem::new("this option is not yours to set", format!("take it out: {reason}")));
    }
    let value = match &node.value {
        // librdkafka reads all of its options from texts, and some of them are no more than that: `client.id: 0042`.
        Value::Text { text, .. } | Value::Number { text } | Value::Bool { text, .. } => text.clone(),
        found @ (Value::Null | Value::List(_) | Value::Map(_)) => {
            return Err(Problem::expected("text, a number, true or false", found).help("or take the option out"));
        }
    };
    taken(option, &value).map(|()| value)
}

/// Whether the client library takes this value of an option.
fn taken(option: &str, value: &str) -> Result<(), Problem> {
    let mut alone = ClientConfig::new();
    alone.set(option, value);
    // The error's own words may quote the value. Some options need a second one (a certificate its key), which the
    // client checks when it is built; here only the name and the form of the value are judged.
    match alone.create_native_config() {
        Ok(_) => Ok(()),
        Err(KafkaError::ClientConfig(kind, ..)) => Err(refused(kind)),
        Err(_) => Err(Problem::new("librdkafka refuses this option", "see CONFIGURATION.md of librdkafka")),
    }
}

fn refused(kind: RDKafkaConfRes) -> Problem {
    const WHERE: &str = "CONFIGURATION.md of librdkafka lists all options and their values";
    if kind == RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN {
        Problem::new("librdkafka has no such option", WHERE)
    } else {
        Problem::new("librdkafka refuses the value of this option", WHERE)
    }
}
