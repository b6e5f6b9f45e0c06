use super::*;

#[test]
fn traces_are_read_from_the_standard_variables_and_mistakes_in_them_are_findings() {
    assert_eq!(load_text("", &KEYED).unwrap().traces, None);
    let [key] = KEYED;
    let on = load_text("", &[key, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")]).unwrap();
    assert_eq!(on.traces.unwrap().endpoint, "http://collector:4318/v1/traces");
    let wrong = [key, ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"), ("OTEL_TRACES_SAMPLER", "xray")];
    let findings = load_text("", &wrong).unwrap_err();
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT: this is not an http or https URL\n    write for example http://";
    assert!(
        findings.contains(endpoint) && findings.contains("OTEL_TRACES_SAMPLER: there is no sampler xray"),
        "{findings}"
    );
}
