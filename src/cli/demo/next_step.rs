//! The next command to type, for one's own file and key.

use std::io::{self, Write};
use std::path::Path;

use super::Args;
use super::show::title;

/// A provider whose key most people have, with its variable.
const PROVIDER: &str = "gpt";
const VARIABLE: &str = "OPENAI_API_KEY";

pub(super) fn write(out: &mut dyn Write, number: Option<u8>, args: &Args) -> io::Result<()> {
    let program = std::env::args().next().unwrap_or_else(|| "structured-prompt".to_owned());
    let shown = |path: &Option<std::path::PathBuf>, default: &str| {
        path.as_deref().unwrap_or(Path::new(default)).display().to_string()
    };
    let (connector, input) = (shown(&args.connector, "my.yaml"), shown(&args.input, "my.jsonl"));
    title(out, number, if number.is_some() { "NEXT: YOUR OWN FILE, YOUR OWN KEY" } else { "NEXT" })?;
    match (&args.connector, &args.input) {
        (None, None) => {
            writeln!(out, "   One event a line, each a CloudEvent; offline first, then the same with a model:\n")?;
            writeln!(
                out,
                "   echo '{{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/me\",\"type\":\"ticket\",\"data\":{{\"body\":\"My \
                 refund is late.\"}}}}' > {input}"
            )?;
            writeln!(out, "   {program} demo --input {input}")?;
            writeln!(out, "   {VARIABLE}=… {program} demo --input {input} --provider {PROVIDER}\n")?;
            writeln!(out, "   With a connector of your own (the README has one of 20 lines to begin with):\n")?;
            writeln!(out, "   {program} lint {connector}")?;
            writeln!(
                out,
                "   {VARIABLE}=… {program} demo --connector {connector} --input {input} --provider {PROVIDER}"
            )?;
        }
        (Some(_), _) if args.provider.is_some() || args.config.is_some() => {
            writeln!(out, "   against your own cluster, whose topics must exist:\n")?;
            let config = args.config.as_ref().map(|path| format!(" --config {}", path.display())).unwrap_or_default();
            writeln!(out, "   export STRUCTURED_PROMPT_KAFKA__BROKERS=localhost:9092")?;
            writeln!(out, "   {program} run --connectors {connector}{config}")?;
        }
        (None, _) if args.provider.is_some() || args.config.is_some() => {
            let provider = args.provider.as_ref().map(|name| format!(" --provider {name}")).unwrap_or_default();
            let config = args.config.as_ref().map(|path| format!(" --config {}", path.display())).unwrap_or_default();
            writeln!(
                out,
                "   the same with a connector of your own (the README has one of 20 lines to begin with):\n"
            )?;
            writeln!(out, "   {program} lint {connector}")?;
            writeln!(out, "   {program} demo --connector {connector} --input {input}{provider}{config}")?;
        }
        (own, _) => {
            let own = own.as_ref().map(|_| format!(" --connector {connector}")).unwrap_or_default();
            let input = args.input.as_ref().map(|_| format!(" --input {input}")).unwrap_or_default();
            writeln!(out, "   the same with a model, which costs money:\n")?;
            writeln!(out, "   {VARIABLE}=… {program} demo{own}{input} --provider {PROVIDER}")?;
        }
    }
    Ok(())
}
