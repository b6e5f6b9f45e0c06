use axum::body::Body;
use axum::http::Request;

use crate::http::testing::{Api, parts};

#[tokio::test]
async fn the_pages_load_only_what_this_program_has() {
    let api = Api::new(parts(&[]));
    for page in ["/docs", "/redoc"] {
        let answer = api.get(page).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{page}"
        );
        assert!(
            answer.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"),
            "{answer:?}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let links: Vec<_> = answer
            .text
            .split(['"', '\''])
            .skip(1)
            .step_by(2)
            .filter(|text| text.contains('/') && text.contains('.'))
            .collect();
        assert!(links.len() >= 2, "{links:?}");
        for link in links {
            let (status, _, body) = api.download(&format!("/{link}")).await;
            assert!(status == 200 && body.len() > 50, "{page}: {link} {status}");
        }
    }
}

#[tokio::test]
async fn a_page_is_found_with_a_slash_behind_its_name() {
    let api = Api::new(parts(&[]));
    for page in ["/docs", "/redoc"] {
        let answer = api.get(&format!("{page}/")).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (308, page));
    }
}

#[tokio::test]
async fn what_is_compressed_says_so_and_no_other_file_is_there() {
    let api = Api::new(parts(&[]));
    for path in ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/redoc/redoc.standalone.js"] {
        let (_, headers, body) = api.download(path).await;
        assert_eq!(headers["content-encoding"], "gzip", "{path}");
        assert!(body.starts_with(&[0x1f, 0x8b]) && body.len() > 10_000, "{path}: {}", body.len());
    }
    for path in ["/docs/index.html", "/docs/..%2frouter.rs", "/docs/%ff", "/redoc/nothing.js"] {
        assert_eq!(api.get(path).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn the_document_is_served_to_everybody() {
    let answer = Api::new(parts(&[])).get("/openapi.json").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.json()["openapi"], "3.1.0");
    let request = Request::get("/openapi.json").header("accept-encoding", "gzip").body(Body::empty()).unwrap();
    let (_, headers, packed) = Api::new(parts(&[])).send_for_bytes(request).await;
    assert!(headers["content-encoding"] == "gzip" && headers["content-type"] == "application/json", "{headers:?}");
    assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() < answer.text.len() / 4, "{}", packed.len());
}
