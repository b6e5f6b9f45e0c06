//! Records and results as a support desk has them, as many as are wanted.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use structured_prompt::delivery::outcome::{RecordOutcome, Settled};
use structured_prompt::domain::answer::CacheHit;
use structured_prompt::domain::event::{Data, Event};
use structured_prompt::domain::record::{Header, Outgoing, Position, Record};
use structured_prompt::telemetry::traces::trace::Trace;

/// A ticket and its result: digits, names and words differ from one to the next.
pub struct Ticket {
    random: fastrand::Rng,
    number: u64,
}

impl Ticket {
    pub fn new(number: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(number), number }
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| self.random.digit(16)).collect()
    }

    fn words(&mut self, count: usize) -> String {
        const WORDS: &str = "parcel refund invoice customer asks where the order is since Monday was charged twice for a \
                             subscription broken screen returns address wrong late wants replacement cannot log in";
        let all: Vec<&str> = WORDS.split_whitespace().collect();
        let words: Vec<&str> = (0..count).map(|_| all[self.random.usize(..all.len())]).collect();
        words.join(" ")
    }

    pub fn record(&self) -> (Record, Event) {
        let id = format!("ticket-{}", self.number);
        let position = Position {
            topic: Arc::from("support.tickets"),
            partition: (self.number % 12) as i32,
            offset: self.number as i64,
        };
        let event = Event {
            id: id.clone(),
            source: "/shop/support".to_owned(),
            kind: "com.example.ticket".to_owned(),
            subject: None,
            time: None,
            data_content_type: None,
            data_schema: None,
            extensions: Default::default(),
            data: Data::Absent,
        };
        let timestamp_ms = Some(1_800_000_000_000 + self.number as i64);
        let record = Record { position, timestamp_ms, key: None, value: Some(Bytes::from(id)), headers: Vec::new() };
        (record, event)
    }

    pub fn settled(&mut self) -> Settled {
        let (order, start) = (self.random.u32(10_000..99_999), self.random.u32(10..90));
        let value = json!({
            "intent": "delivery_problem", "urgency": "high", "sentiment": "negative", "summary": self.words(14),
            "product": null, "order_id": format!("A-{order}"), "customer_email": null, "amount": start + 7,
            "currency": "EUR", "language": "en", "requires_human": true,
        });
        let evidence = json!({
            "/intent": { "evidence": "judged" }, "/summary": { "evidence": "judged" },
            "/product": { "evidence": "absent" }, "/language": { "evidence": "judged" },
            "/order_id": { "evidence": "exact", "source": "/body", "spans": [[start, start + 7]] },
            "/amount": { "evidence": "normalized", "source": "/body", "spans": [[start + 20, start + 25]] },
        });
        let (trace, id, response) = (self.hex(32), self.hex(32), self.hex(24));
        let (input, output) = (self.random.u32(300..900), self.random.u32(60..120));
        let cost = f64::from(input + 4 * output) / 1e5;
        let log = json!([{
            "step": "ask", "provider": "gpt", "input_tokens": input, "output_tokens": output, "cost_usd": cost,
            "model": "gpt-4.1-2025-04-14", "response_id": format!("chatcmpl-{response}"),
        }]);
        let number = self.number;
        let headers = [
            ("traceparent", format!("00-{trace}-{}-01", self.hex(16))),
            ("ce_traceparent", format!("00-{trace}-{}-01", self.hex(16))),
            ("content-type", "application/json".to_owned()),
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", format!("{}-{}-5{}-9{}-{}", &id[..8], &id[8..12], &id[13..16], &id[17..20], &id[20..])),
            ("ce_source", "/structured-prompt/support-triage".to_owned()),
            ("ce_type", "com.structuredprompt.result.v1".to_owned()),
            ("ce_time", format!("2027-01-15T08:{:02}:{:02}.{:03}Z", number / 60 % 60, number % 60, number % 997)),
            ("ce_dataschema", "urn:structured-prompt:schema:support-intent:5f0c6b1d9e27".to_owned()),
            ("ce_causationid", format!("ticket-{number}")),
            ("ce_causationsource", "/shop/support".to_owned()),
            ("ce_correlationid", format!("ticket-{number}")),
            ("ce_provider", "gpt".to_owned()),
            ("ce_model", "gpt-4.1-2025-04-14".to_owned()),
            ("ce_validation", "passed".to_owned()),
            ("ce_confidence", format!("0.{}", self.random.u32(60..99))),
            ("ce_confidencefactors", "validation=1.00 ladder=1.00 grounding=0.93".to_owned()),
            ("ce_grounded", "0.93".to_owned()),
            ("ce_fieldevidence", evidence.to_string()),
            ("ce_attempts", "1".to_owned()),
            ("ce_attemptlog", log.to_string()),
            ("ce_inputtokens", input.to_string()),
            ("ce_outputtokens", output.to_string()),
            ("ce_costusd", format!("{cost:.6}")),
            ("ce_cachehit", "none".to_owned()),
            ("ce_promptversion", "1b7d33a0c4f2".to_owned()),
            ("ce_schemaversion", "5f0c6b1d9e27".to_owned()),
            ("ce_confighash", "c0d1e5f96a83".to_owned()),
        ];
        let headers = headers.map(|(name, value)| Header::text(name, value)).into();
        let (cache_hit, confidence) = (CacheHit::None, 0.93);
        let outcome = RecordOutcome::Result { is_for_review: false, cache_hit, confidence, reference_usd: cost };
        let outgoing =
            Outgoing { key: None, value: Some(Bytes::from(value.to_string())), headers, timestamp_ms: Some(1) };
        Settled { outgoing, topic: None, outcome, is_pointer: false, detail: None, trace: Trace::default() }
    }
}
