use std::time::UNIX_EPOCH;

use super::*;

#[test]
fn every_form_of_hint_is_read() {
    // 2015-10-21 07:28:00 UTC.
    let now = UNIX_EPOCH + Duration::from_secs(1_445_412_480);
    let read = |pairs: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        pause(&headers, now).map(|d| d.as_millis())
    };
    assert_eq!(read(&[]), None);
    assert_eq!(read(&[("retry-after", "7")]), Some(7000));
    assert_eq!(read(&[("retry-after", " 1.5 ")]), Some(1500));
    assert_eq!(read(&[("retry-after", "7"), ("retry-after-ms", "250")]), Some(250));
    assert_eq!(read(&[("retry-after", "Wed, 21 Oct 2015 07:28:09 GMT")]), Some(9000));
    assert_eq!(read(&[("retry-after", "Wed, 21 Oct 2015 07:27:00 GMT")]), Some(0));
    let skewed = [("date", "Wed, 21 Oct 2015 09:00:00 GMT"), ("retry-after", "Wed, 21 Oct 2015 09:00:05 GMT")];
    assert_eq!(read(&skewed), Some(5000));
    assert_eq!(read(&[("retry-after", "99999999")]), Some(3_600_000));
    for nonsense in ["", "-3", "NaN", "inf", "1e400", "soon", "Wed, 99 Oct 2015"] {
        assert_eq!(read(&[("retry-after", nonsense)]), None, "{nonsense:?}");
    }
    let openai = |reset| read(&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", reset)]);
    assert_eq!(openai("6m30s"), Some(390_000));
    assert_eq!(openai("120ms"), Some(120));
    assert_eq!(openai("1h2.5s"), Some(3_600_000), "capped");
    for nonsense in ["", "s", "6", "6x", "6m3"] {
        assert_eq!(openai(nonsense), None, "{nonsense:?}");
    }
    let left = [("x-ratelimit-remaining-tokens", "7"), ("x-ratelimit-reset-tokens", "6m30s")];
    assert_eq!(read(&left), None, "something is left");
    let anthropic = [
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", "2015-10-21T07:28:20Z"),
    ];
    assert_eq!(read(&anthropic), Some(20_000));
}
