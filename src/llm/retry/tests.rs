use std::cell::RefCell;
use std::time::UNIX_EPOCH;

use tokio::time::Instant;

use super::*;

fn unavailable() -> Failure {
    Failure::new(Code::ProviderUnavailable, "503")
}

fn timed_out() -> Failure {
    Failure::new(Code::ProviderTimeout, "slow")
}

fn limited(seconds: u64) -> Failure {
    Failure::new(Code::ProviderRateLimited, "429").retry_after(Some(Duration::from_secs(seconds)))
}

/// Runs a script of attempts; gives the result and when each attempt began.
async fn play(max_retries: u32, script: Vec<Result<u8, Attempt>>) -> (Result<u8, Failure>, Vec<Duration>) {
    let start = Instant::now();
    let begun = RefCell::new(Vec::new());
    let script = RefCell::new(script.into_iter());
    let result = run(max_retries, || {
        begun.borrow_mut().push(start.elapsed());
        let next = script.borrow_mut().next().expect("more attempts than the script has");
        async move { next }
    })
    .await;
    (result, begun.into_inner())
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_followed_by_at_most_max_retries_further_attempts() {
    for max_retries in 0..4 {
        let script = vec![Err(Attempt::Transient(unavailable())); 9];
        let (result, begun) = play(max_retries, script).await;
        assert_eq!(result, Err(unavailable().after(max_retries + 1)));
        assert_eq!(begun.len(), max_retries as usize + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn success_ends_it() {
    let (result, begun) = play(2, vec![Err(Attempt::Transient(unavailable())), Ok(7)]).await;
    assert_eq!((result, begun.len()), (Ok(7), 2));
}

#[tokio::test(start_paused = true)]
async fn a_final_failure_is_not_repeated() {
    let (result, begun) = play(5, vec![Err(Attempt::Final(unavailable()))]).await;
    assert_eq!((result, begun.len()), (Err(unavailable().after(1)), 1));
}

#[tokio::test(start_paused = true)]
async fn backoff_is_jittered_under_a_ceiling_that_doubles_to_eight_seconds() {
    let mut longest = [Duration::ZERO; 7];
    for _ in 0..200 {
        let (_, begun) = play(7, vec![Err(Attempt::Transient(unavailable())); 8]).await;
        for (i, pair) in begun.windows(2).enumerate() {
            longest[i] = longest[i].max(pair[1] - pair[0]);
        }
    }
    for (longest, ceiling) in longest.iter().zip([0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]) {
        // A millisecond is the resolution of tokio's timer.
        assert!(longest.as_secs_f64() <= ceiling + 0.001, "{longest:?} of {ceiling}");
        assert!(longest.as_secs_f64() > ceiling * 0.8, "{longest:?} of {ceiling}: no full jitter");
    }
}

#[tokio::test(start_paused = true)]
async fn the_provider_is_not_asked_before_the_pause_that_it_named() {
    for _ in 0..50 {
        let (result, begun) = play(2, vec![Err(Attempt::Transient(limited(4))), Ok(1)]).await;
        assert_eq!(result, Ok(1));
        assert!(begun[1] >= Duration::from_secs(4) && begun[1] <= Duration::from_millis(5001), "{begun:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_pause_is_handed_back_at_once() {
    let (result, begun) = play(2, vec![Err(Attempt::Transient(limited(11)))]).await;
    assert_eq!(result, Err(limited(11).after(1)));
    assert_eq!(begun, [Duration::ZERO]);
}

#[tokio::test(start_paused = true)]
async fn the_last_pause_is_handed_back_when_the_retries_are_spent() {
    let (result, _) = play(1, vec![Err(Attempt::Transient(limited(2))), Err(Attempt::Transient(limited(3)))]).await;
    assert_eq!(result, Err(limited(3).after(2)));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_reported_only_if_every_attempt_timed_out() {
    let transient = |f: Failure| Err(Attempt::Transient(f));
    let (result, _) = play(1, vec![transient(timed_out()), transient(timed_out())]).await;
    assert_eq!(result, Err(timed_out().after(2)));
    let (result, _) = play(2, vec![transient(limited(1)), transient(timed_out()), transient(timed_out())]).await;
    assert_eq!(result, Err(limited(1).retry_after(None).after(3)));
    let (result, _) = play(1, vec![transient(timed_out()), transient(unavailable())]).await;
    assert_eq!(result, Err(unavailable().after(2)));
}

#[tokio::test(start_paused = true)]
async fn an_adapted_request_is_sent_at_once_and_costs_no_retry_but_not_for_ever() {
    let adapted = || Err(Attempt::Adapted(unavailable()));
    let (result, begun) = play(0, vec![adapted(), adapted(), Ok(3)]).await;
    assert_eq!((result, begun), (Ok(3), vec![Duration::ZERO; 3]));
    let (result, _) = play(0, (0..20).map(|_| adapted()).collect()).await;
    assert_eq!(result, Err(unavailable().after(MAX_ADAPTATIONS + 1)));
}

#[test]
fn every_form_of_retry_after_is_read() {
    // 2015-10-21 07:28:00 UTC.
    let now = UNIX_EPOCH + Duration::from_secs(1_445_412_480);
    let read = |pairs: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        retry_after(&headers, now).map(|d| d.as_millis())
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
}
