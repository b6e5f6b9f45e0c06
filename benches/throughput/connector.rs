//! The connector as its users run it: the release binary with a configuration and a connector file.

use std::path::Path;
use std::process::Command;

use crate::contender::Job;

/// The command that runs the connector for a job.
pub fn command(binary: &Path, job: &Job<'_>) -> Command {
    let (runtime, connector) = (job.directory.join("structured-prompt.yaml"), job.directory.join("connector.yaml"));
    std::fs::write(&runtime, runtime_configuration(job)).expect("a file");
    std::fs::write(&connector, connector_file(job)).expect("a file");
    let mut command = Command::new(binary);
    command.arg("run").arg("--config").arg(runtime).arg("--connectors").arg(connector).env("TMPDIR", job.directory);
    for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("STRUCTURED_PROMPT_")) {
        command.env_remove(variable);
    }
    command
}

fn runtime_configuration(job: &Job<'_>) -> String {
    let store =
        if job.scenario.journal { format!("sqlite://{}/store.db", job.directory.display()) } else { "none".into() };
    format!(
        "kafka: {{ brokers: [\"{}\"] }}\n\
         http: {{ listen: \"127.0.0.1:0\", max_connections: 64 }}\n\
         store: {{ url: \"{store}\" }}\n\
         providers:\n  stub: {{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: 60s }}\n\
         routing: {{ fallback: [stub] }}\n\
         log: {{ format: json }}\n",
        job.brokers.replace(',', "\", \""),
        job.base_url
    )
}

fn connector_file(job: &Job<'_>) -> String {
    format!(
        "name: {group}\n\
         source: {{ kafka: {{ topics: [{source}], format: cloudevents }} }}\n\
         prompt: {{ inline: \"Sort this: {{{{ data.body }}}}\" }}\n\
         schema: support-intent\n\
         options: {{ provider: stub }}\n\
         delivery: {{ guarantee: {guarantee}, max_in_flight: {in_flight} }}\n\
         sink: {{ kafka: {{ topic: {sink}, format: cloudevents }} }}\n\
         dead_letter: {{ kafka: {{ topic: {dead_letters} }} }}\n",
        group = job.group,
        source = job.source,
        guarantee = job.scenario.guarantee.as_str(),
        in_flight = job.scenario.load.in_flight,
        sink = job.sink,
        dead_letters = job.dead_letters,
    )
}
