//! The `http` section.

use super::*;
use crate::http::settings::{CorsSettings, Origins};

fn cors(written: &str) -> Result<Option<CorsSettings>, String> {
    load_text(&format!("http: {{ cors: {written} }}"), &KEYED).map(|config| config.http.cors)
}

#[test]
fn pages_of_the_origins_that_are_named_may_ask() {
    let settings = cors("{ origins: ['https://app.example.com', 'http://localhost:3000'], credentials: true }");
    let settings = settings.unwrap().unwrap();
    assert!(matches!(&settings.origins, Origins::These(origins) if origins.len() == 2), "{settings:?}");
    assert!(settings.credentials && settings.max_age == Duration::from_secs(600));
    assert_eq!(cors("{ origins: ['*'] }").unwrap().unwrap().origins, Origins::Any);
    assert_eq!(cors("{}").unwrap(), None, "none may unless told");
    let environment = [KEYED[0], ("STRUCTURED_PROMPT_HTTP__CORS__ORIGINS", "https://a.example, https://b.example")];
    let of_environment = load_text("", &environment).unwrap().http.cors.unwrap();
    assert!(matches!(&of_environment.origins, Origins::These(origins) if origins.len() == 2), "{of_environment:?}");
}

#[test]
fn what_is_no_origin_is_refused() {
    for wrong in [
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/x",
        "HTTPS://app.example.com",
        "null",
        "ftp://a",
        "https://u@a",
        "https://A.example",
    ] {
        let found = cors(&format!("{{ origins: ['{wrong}'] }}")).unwrap_err();
        assert!(found.contains("http.cors.origins[0]: this is not an origin"), "{wrong}: {found}");
    }
}

#[test]
fn any_page_may_not_ask_in_the_name_of_its_visitor() {
    let found = cors("{ origins: ['*'], credentials: true }").unwrap_err();
    assert!(found.contains("http.cors.credentials: with credentials any web page"), "{found}");
}
