use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::domain::answer::Usage;
use crate::domain::cpu_time::CpuTime;
use crate::domain::failure::Code;

/// What a large process has: a hundred connectors with six partitions each, five providers, and some of everything that
/// happens to them.
fn large_process() -> Metrics {
    let metrics = Metrics::default();
    for provider in 0..5 {
        let provider = metrics.provider(&format!("provider-{provider}"));
        provider.call(Ok(Usage::default()), 0.01, Duration::from_millis(700), None);
    }
    for connector in 0..100 {
        let name = format!("connector-{connector}");
        let (of, caller, fields) = (metrics.connector(&name), metrics.caller(&name), metrics.fields(&name));
        let trace_id = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.into();
        of.record_seconds.observe(Duration::from_millis(3), Some(Exemplar { trace_id, at: Duration::from_secs(1) }));
        (0..6).for_each(|partition| of.set_lag("tickets", partition, 7));
        of.dead_letter(Code::AnswerInvalid);
        caller.decided("priority", "provider-0");
        ["ask", "retry"].into_iter().for_each(|step| caller.step(step));
        caller.budget(1.0, 10.0);
        for field in ["/intent", "/urgency", "/order_id"] {
            ["exact", "judged", "absent"].into_iter().for_each(|state| fields.evidence(field, state));
        }
    }
    metrics
}

fn samples(text: &str) -> usize {
    text.lines().filter(|line| !line.starts_with('#')).count()
}

#[test]
fn a_hundred_connectors_have_fewer_than_ten_thousand_series_which_are_written_soon() {
    let metrics = large_process();
    for format in [TextFormat::OpenMetrics, TextFormat::Classic] {
        let began_at = CpuTime::now();
        let text = metrics.encode(format).unwrap();
        let took = began_at.elapsed();
        let series = samples(&text);
        assert!((8_000..10_000).contains(&series), "{series} series");
        // A bound for a program that is not optimised.
        assert!(took < Duration::from_millis(400), "{series} series took {took:?}");
    }
}

#[test]
fn both_formats_have_the_same_samples_in_the_same_order() {
    let metrics = large_process();
    let names = |format| -> Vec<String> {
        let text = metrics.encode(format).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.filter_map(|line| line.split(['{', ' ']).next().map(str::to_owned)).collect()
    };
    assert_eq!(names(TextFormat::OpenMetrics), names(TextFormat::Classic));
}

#[test]
fn counters_of_errors_are_there_before_the_first_error() {
    let metrics = Metrics::default();
    let (_provider, _connector) = (metrics.provider("claude"), metrics.connector("tickets"));
    let text = metrics.encode(TextFormat::Classic).unwrap();
    for line in [
        "sp_provider_calls_total{provider=\"claude\",status=\"provider_timeout\"} 0",
        "sp_provider_calls_total{provider=\"claude\",status=\"ok\"} 0",
        "sp_provider_breaker_changes_total{provider=\"claude\",state=\"opened\"} 0",
        "sp_commits_total{connector=\"tickets\",status=\"error\"} 0",
        "sp_connector_restarts_total{connector=\"tickets\"} 0",
        "sp_intake_paused{connector=\"tickets\",reason=\"budget\"} 0",
        "sp_journal_errors_total 0",
    ] {
        assert!(text.lines().any(|is| is == line), "{line}: {text}");
    }
}

#[test]
fn a_name_has_its_prefix_once_and_every_metric_has_help() {
    let text = large_process().encode(TextFormat::Classic).unwrap();
    let mut described: BTreeMap<&str, usize> = BTreeMap::new();
    for name in text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()) {
        *described.entry(name).or_default() += 1;
        assert!(name.starts_with("sp_") != name.starts_with("process_") && !name.starts_with("sp_sp_"), "{name}");
    }
    assert!(described.len() > 40 && described.values().all(|times| *times == 1), "{described:?}");
}
