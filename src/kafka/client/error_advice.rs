//! What a person can do about what the Kafka client says. It often names no address, and never a setting.

use crate::open_files;

/// An error of the client with the brokers that were asked and, where its words tell, what to do.
pub(crate) fn with_brokers(why: &str, brokers: &[String]) -> String {
    let advice = advice(why).map(|advice| format!("; {advice}")).unwrap_or_default();
    format!("{why} (asked: {}){advice}", brokers.join(", "))
}

fn advice(why: &str) -> Option<&'static str> {
    const BY_WORDS: &[(&[&str], &str)] = &[
        (&["Too many open files"], open_files::ADVICE),
        (
            &["Idempotent producer not supported", "UnsupportedFeature", "Required feature not supported"],
            "this is no listener for clients, perhaps a controller's: write the brokers' own addresses into kafka.brokers",
        ),
        (&["SSL handshake", "certificate", "ssl://"], "check security.protocol and the ssl.* options in kafka.client"),
        (
            &["SASL", "uthentication"],
            "check security.protocol, sasl.mechanism, sasl.username and sasl.password in kafka.client",
        ),
        (
            &["Disconnected while requesting ApiVersion", "before ApiVersion"],
            "the listener may want TLS or SASL: check security.protocol in kafka.client",
        ),
        (&["resolve", "Name or service not known"], "check the host names in kafka.brokers"),
        (
            &["imed out", "TimedOut", "refused", "ransport", "BrokersDown", "brokers down"],
            "check kafka.brokers, and that the brokers run and can be reached from here",
        ),
    ];
    let is_in_it = |words: &&[&str]| words.iter().any(|word| why.contains(word));
    BY_WORDS.iter().find(|(words, _)| is_in_it(words)).map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_brokers_and_an_advice_for_its_kind() {
        let brokers = ["a:9092".to_owned(), "b:9093".to_owned()];
        for (why, advice) in [
            ("Idempotent producer not supported by any of the 1 broker(s) in state UP", "a controller's"),
            (
                "a:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms)",
                "check kafka.brokers",
            ),
            ("Meta data fetch error: OperationTimedOut (Local: Timed out)", "check kafka.brokers"),
            ("a:9092/bootstrap: Failed to resolve 'a:9092': Name or service not known", "host names"),
            ("sasl_plaintext://a:9092/1: SASL authentication error: Authentication failed", "sasl.password"),
            ("ssl://a:9092/bootstrap: SSL handshake failed: certificate verify failed", "ssl.*"),
            ("Failed to create socket: Too many open files", "ulimit -n"),
        ] {
            let said = with_brokers(why, &brokers);
            assert!(
                said.starts_with(why) && said.contains("(asked: a:9092, b:9093)") && said.contains(advice),
                "{said}"
            );
        }
        assert_eq!(with_brokers("x", &brokers), "x (asked: a:9092, b:9093)");
    }
}
