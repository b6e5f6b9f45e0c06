use std::io::Read as _;

use axum::Router;
use axum::http::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tower::ServiceExt as _;

use super::*;

/// What a kilobyte of JSON looks like.
fn text(bytes: usize) -> String {
    format!("\"{}\"", "Rechnung 4711 ".repeat(bytes)).chars().take(bytes).collect()
}

struct Answer {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks a route that answers with so many bytes of this type.
async fn ask(accept: &str, content_type: &'static str, bytes: usize) -> Answer {
    let router = Router::new().route("/", get(async move || ([(header::CONTENT_TYPE, content_type)], text(bytes))));
    send(router, Request::get("/").header("accept-encoding", accept)).await
}

async fn send(router: Router, request: axum::http::request::Builder) -> Answer {
    let router = router.layer(from_fn_with_state(Tasks::new(Handle::current()), compress));
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer { headers: parts.headers, body: to_bytes(body, usize::MAX).await.unwrap().to_vec() }
}

fn unpacked(encoding: &str, packed: &[u8]) -> String {
    let mut whole = Vec::new();
    match encoding {
        "gzip" => drop(flate2::read::GzDecoder::new(packed).read_to_end(&mut whole).unwrap()),
        "br" => drop(brotli::Decompressor::new(packed, 4096).read_to_end(&mut whole).unwrap()),
        "zstd" => {
            whole.resize(1 << 20, 0);
            let bytes = zstd_safe::decompress(whole.as_mut_slice(), packed).unwrap();
            whole.truncate(bytes);
        }
        _ => whole.extend_from_slice(packed),
    }
    String::from_utf8(whole).unwrap()
}

#[tokio::test]
async fn what_a_client_can_read_it_gets_and_can_read() {
    for encoding in ["gzip", "br", "zstd"] {
        let answer = ask(encoding, "application/json", 100_000).await;
        assert_eq!((answer.header("content-encoding"), answer.header("vary")), (encoding, "accept-encoding"));
        assert!(answer.body.len() < 10_000, "{encoding}: {}", answer.body.len());
        assert_eq!(unpacked(encoding, &answer.body), text(100_000));
    }
}

#[tokio::test]
async fn others_go_on_while_a_large_answer_is_compressed() {
    let mut turns = 0;
    let others = async {
        loop {
            tokio::task::yield_now().await;
            turns += 1;
        }
    };
    tokio::select! {
        biased;
        _ = others => {}
        answer = ask("br", "application/json", 2_000_000) => assert_eq!(answer.header("content-encoding"), "br"),
    }
    // In one thread: nobody had a turn while it was busy with that itself.
    assert!(turns > 10, "{turns}");
}

#[tokio::test]
async fn what_is_always_the_same_is_packed_once_and_says_how() {
    let (page, tasks) = (Precompressed::new(|| text(5000)), Tasks::new(Handle::current()));
    for encoding in ["zstd", "br", "gzip", ""] {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding))]);
        let mut bodies = Vec::new();
        for _ in 0..2 {
            let (parts, body) = page.response(&tasks, &headers).await.into_parts();
            let said = |name| parts.headers.get(name).map_or("", |value| value.to_str().unwrap());
            assert_eq!(said(header::CONTENT_ENCODING), encoding);
            bodies.push(to_bytes(body, usize::MAX).await.unwrap());
        }
        assert_eq!(unpacked(encoding, &bodies[0]), text(5000));
        assert_eq!(bodies[0].as_ptr(), bodies[1].as_ptr(), "the second is the first");
    }
}

#[test]
fn a_large_text_is_neither_made_nor_packed_by_the_thread_that_serves() {
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (page, tasks) = (Precompressed::new(|| text(MANY_BYTES)), Tasks::new(Handle::current()));
        for encoding in ["", "zstd", "br", "gzip"] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding))]);
            let (free, is_freed) = std::sync::mpsc::channel::<()>();
            let only_other_thread = tasks.computation(move || is_freed.recv());
            let at_once = page.response(&tasks, &headers).now_or_never();
            assert!(at_once.is_none(), "{encoding}: it waits for another thread");
            drop(free);
            drop(only_other_thread.await);
            page.response(&tasks, &headers).await;
            assert!(page.response(&tasks, &headers).now_or_never().is_some(), "{encoding}: it is there");
        }
    });
}

#[test]
fn the_client_says_what_it_likes_best_and_the_fastest_is_taken_of_what_is_left() {
    let chosen = |accept: &str| {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_str(accept).unwrap())]);
        choose(&headers).map(Encoding::name)
    };
    assert_eq!(chosen("gzip, deflate, br, zstd"), Some("zstd"));
    assert_eq!(chosen("gzip, deflate, br"), Some("br"));
    assert_eq!(chosen("br;q=0.2, GZIP; q=0.5, *;q=0.1"), Some("gzip"));
    assert_eq!(chosen("zstd;q=0, *"), Some("br"));
    assert_eq!(chosen("gzip, identity"), Some("gzip"));
    for nothing in [
        "",
        "identity",
        "gzip;q=0.5, identity",
        "br;q=0.9, *;q=0.1, identity;q=1",
        "deflate",
        "gzip;q=0",
        "gzip;q=x",
        "*;q=0",
    ] {
        assert_eq!(chosen(nothing), None, "{nothing}");
    }
    assert_eq!(choose(&HeaderMap::new()), None);
}

#[tokio::test]
async fn what_is_small_or_no_text_stays_as_it_is() {
    for (content_type, bytes) in [("application/json", 1024), ("image/png", 100_000), ("font/woff2", 100_000)] {
        let answer = ask("gzip", content_type, bytes).await;
        assert_eq!((answer.header("content-encoding"), answer.header("vary")), ("", ""), "{content_type}");
        assert_eq!(answer.body.len(), bytes);
    }
    for content_type in ["application/problem+json", "text/html; charset=utf-8", "application/openmetrics-text"] {
        assert_eq!(ask("gzip", content_type, 1025).await.header("content-encoding"), "gzip", "{content_type}");
    }
}

#[tokio::test]
async fn caches_are_told_that_another_client_gets_it_otherwise() {
    let answer = ask("identity", "application/json", 2000).await;
    assert_eq!((answer.header("content-encoding"), answer.header("vary")), ("", "accept-encoding"));
    assert_eq!(answer.body.len(), 2000);
}

#[tokio::test]
async fn streams_and_what_is_compressed_already_are_left_alone() {
    let pieces = || {
        let pieces = (0..100).map(|_| Ok::<_, io::Error>(text(100)));
        ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(futures_util::stream::iter(pieces)))
    };
    let packed = || {
        (
            [(header::CONTENT_TYPE, "text/css"), (header::CONTENT_ENCODING, "gzip")],
            Encoding::Gzip.pack(&[0; 1 << 20]).unwrap(),
        )
    };
    let router =
        Router::new().route("/stream", get(async move || pieces())).route("/packed", get(async move || packed()));
    let accept = |path| Request::get(path).header("accept-encoding", "br");
    let stream = send(router.clone(), accept("/stream")).await;
    assert_eq!((stream.header("content-encoding"), stream.body.len()), ("", 10_000));
    assert_eq!(send(router, accept("/packed")).await.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn the_length_is_that_of_what_is_sent() {
    let with_length = || ([(header::CONTENT_TYPE, "text/plain"), (header::CONTENT_LENGTH, "5000")], text(5000));
    let router = Router::new().route("/", get(async move || with_length()));
    let answer = send(router, Request::get("/").header("accept-encoding", "gzip")).await;
    let said = answer.header("content-length");
    assert!(said.is_empty() || said == answer.body.len().to_string(), "{said}");
}
