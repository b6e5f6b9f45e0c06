//! Numbers on their whole way: from the record into the prompt, through validation into the result, from the cache, and
//! back in the dead letter.

use bytes::Bytes;

use super::*;
use crate::codec::dead_letter::{self, DeadLetterOrigin};
use crate::codec::result_event::{Origin, ResultEvent, Versions};
use crate::codec::{cloudevents, kafka_binary, trace};
use crate::domain::event::Event;
use crate::domain::json;
use crate::domain::record::{Header, Position, Record};

const DATA: &str = r#"{"account":900719925474099300000,"price":1.10,"list":[1E5,-0,1e-400,0.12345678901234567]}"#;
const ANSWER: &str =
    r#"{"iban":500105175407324931000123,"total":0.10,"parts":[1.0,-0,1E5,1e-400,0.12345678901234567]}"#;

fn numbers() -> SpecSettings {
    let schema = r#"{
        "type": "object",
        "properties": {
            "iban": { "type": "integer", "minimum": 500105175407324931000123, "maximum": 500105175407324931000123 },
            "total": { "type": "number", "enum": [0.1, 18446744073709551616] },
            "parts": { "type": "array", "items": { "type": "number" } }
        },
        "required": ["iban", "total"]
    }"#;
    let schema = Schema::compile("numbers", "1.0.0", json::parse(schema).unwrap()).unwrap();
    let template = Template::inline("{{ data.account }} {{ data.price }} {{ data.list }}").unwrap();
    settings().with(|it| {
        it.template = Arc::new(template);
        it.schema = Arc::new(schema);
    })
}

fn record(data: &str) -> Record {
    let value = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{data}}}"#);
    Record {
        position: Position { topic: "in".into(), partition: 0, offset: 7 },
        key: None,
        value: Some(Bytes::from(value)),
        headers: vec![Header::text("content-type", "application/cloudevents+json")],
        timestamp_ms: None,
    }
}

async fn outcome(test: &Test, record: &Record) -> (Event, Result<Answered, Failure>) {
    let event = cloudevents::decode(record).unwrap();
    let answered = test.asking.attempt(event.data.clone()).await;
    (event, answered)
}

#[tokio::test]
async fn an_answer_is_published_with_its_digits_also_from_the_cache() {
    let test = Test::new(numbers(), [FakeModel::says(ANSWER)]);
    let versions = Versions { schema_uri: "urn:x", schema: "1.0.0", prompt: "1", config_hash: "0" };
    let origin = Origin::new("c", versions);
    for hit in [CacheHit::None, CacheHit::Memory] {
        let record = record(DATA);
        let (event, answered) = outcome(&test, &record).await;
        let answered = answered.unwrap();
        assert_eq!(answered.cache_hit, hit);
        let result =
            ResultEvent::new(&trace::context(&record, Some(&event)), &event, &answered, &origin, Duration::ZERO);
        let published = kafka_binary::encode(&record, result);
        assert_eq!(published.value.as_deref(), Some(ANSWER.as_bytes()));
    }
}

#[tokio::test]
async fn questions_that_differ_in_one_digit_are_two() {
    let test = Test::new(numbers(), [FakeModel::says(ANSWER), FakeModel::says(ANSWER)]);
    for data in [DATA.to_owned(), DATA.replace("4567]", "4568]")] {
        let (_, answered) = outcome(&test, &record(&data)).await;
        assert_eq!(answered.unwrap().cache_hit, CacheHit::None);
    }
}

#[tokio::test]
async fn an_answer_that_is_wrong_in_its_last_digit_is_invalid_and_the_letter_is_the_original() {
    let wrong = ANSWER.replace("123,", "124,");
    let test = Test::new(numbers(), [FakeModel::says(&wrong), FakeModel::says(&wrong), FakeModel::says(&wrong)]);
    let record = record(DATA);
    let (_, answered) = outcome(&test, &record).await;
    let failure = answered.unwrap_err();
    assert_eq!(failure.code, Code::AnswerInvalid);
    let letter = dead_letter::encode(&record, &failure, &DeadLetterOrigin { connector: "c" }, Duration::ZERO);
    assert_eq!(letter.value, record.value);
}
