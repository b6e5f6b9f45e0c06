use std::collections::HashMap;

use super::*;

fn read_all(variables: &[(&'static str, &'static str)]) -> Result<Option<TraceSettings>, Vec<VariableError>> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    read(|name| variables.get(name).copied())
}

fn settings(variables: &[(&'static str, &'static str)]) -> TraceSettings {
    read_all(variables).unwrap().expect("traces are on")
}

fn wrong(variables: &[(&'static str, &'static str)]) -> Vec<String> {
    read_all(variables).unwrap_err().into_iter().map(|error| error.variable).collect()
}

#[test]
fn traces_are_off_until_an_endpoint_or_an_exporter_is_named() {
    assert_eq!(read_all(&[]), Ok(None));
    assert_eq!(read_all(&[("OTEL_SERVICE_NAME", "x"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]), Ok(None));
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
    assert_eq!(settings(&[endpoint]).endpoint, "http://collector:4318/v1/traces");
    assert_eq!(settings(&[("OTEL_TRACES_EXPORTER", "otlp")]).endpoint, "http://localhost:4318/v1/traces");
    assert_eq!(read_all(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
    assert_eq!(read_all(&[endpoint, ("OTEL_SDK_DISABLED", "True")]), Ok(None));
}

#[test]
fn variables_of_traces_go_before_those_of_all_signals() {
    let settings = settings(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces/take"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Bearer%20canary, x-team = blue"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ]);
    assert_eq!(settings.endpoint, "https://traces/take");
    let headers: Vec<_> = settings.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("authorization", "Bearer canary"), ("x-team", "blue")]);
    assert_eq!(settings.timeout, Duration::from_millis(2500));
    assert!(settings.is_compressed);
    assert!(!format!("{settings:?}").contains("canary"));
}

#[test]
fn a_credential_in_an_endpoint_is_refused_or_left_out_of_logs() {
    for url in ["https://team:canary@collector", "https://canary@collector:4318"] {
        let errors = read_all(&[("OTEL_EXPORTER_OTLP_ENDPOINT", url)]).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert!(errors[0].help.contains("OTEL_EXPORTER_OTLP_HEADERS") && !format!("{errors:?}").contains("canary"));
    }
    let asked = settings(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector/otlp/?key=canary")]);
    assert_eq!(asked.endpoint, "https://collector/otlp/v1/traces?key=canary");
    assert_eq!(asked.collector(), "https://collector/otlp/v1/traces");
}

#[test]
fn the_service_has_the_name_that_the_user_gives_it() {
    let on = ("OTEL_TRACES_EXPORTER", "otlp");
    let name = |settings: TraceSettings| {
        let mut names = settings.resource.into_iter().filter(|(name, _)| name == "service.name");
        let (_, first) = names.next().unwrap();
        assert_eq!(names.next(), None, "one name");
        first
    };
    assert_eq!(name(settings(&[on])), "structured-prompt");
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=test");
    assert_eq!(name(settings(&[on, attributes])), "a");
    assert_eq!(name(settings(&[on, attributes, ("OTEL_SERVICE_NAME", "b")])), "b");
    let environment = ("deployment.environment.name".to_owned(), "test".to_owned());
    assert!(settings(&[on, attributes]).resource.contains(&environment));
}

#[test]
fn samplers_are_those_of_the_specification() {
    let sampler = |name, share| {
        settings(&[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", share)])
            .sampler
    };
    assert_eq!(sampler("parentbased_traceidratio", "0.05"), Sampler { ratio: 0.05, follows_parent: true });
    assert_eq!(sampler("traceidratio", "0.5"), Sampler { ratio: 0.5, follows_parent: false });
    assert_eq!(sampler("always_off", "1"), Sampler { ratio: 0.0, follows_parent: false });
    assert_eq!(sampler("always_on", "0"), Sampler { ratio: 1.0, follows_parent: false });
    assert_eq!(sampler("parentbased_always_off", "1"), Sampler { ratio: 0.0, follows_parent: true });
}

#[test]
fn everything_that_is_wrong_is_said_at_once_without_values_that_may_be_secret() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "canary"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "5"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
    ];
    assert_eq!(
        wrong(&variables),
        [
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_HEADERS",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
            "OTEL_TRACES_SAMPLER_ARG",
            "OTEL_BSP_MAX_QUEUE_SIZE",
        ]
    );
    assert!(!format!("{:?}", read_all(&variables)).contains("canary"));
    assert_eq!(wrong(&[("OTEL_TRACES_EXPORTER", "jaeger")]), ["OTEL_TRACES_EXPORTER"]);
    assert_eq!(wrong(&[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_TRACES_SAMPLER", "xray")]), ["OTEL_TRACES_SAMPLER"]);
}
