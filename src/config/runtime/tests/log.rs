//! The `log` section.

use super::*;

#[test]
fn a_misspelt_level_is_no_name_of_a_module() {
    for (filter, is_right) in [
        ("info", true),
        ("warn,structured_prompt::kafka=debug", true),
        ("off", true),
        ("INFO", false),
        ("debgu", false),
        ("info,structured_prompt::kafka", false),
        ("structured_prompt=loud", false),
    ] {
        let loaded = load_text(&format!("log: {{ filter: '{filter}' }}\n"), &KEYED);
        assert_eq!(loaded.is_ok(), is_right, "{filter}: {loaded:?}");
        let Err(found) = loaded else { continue };
        assert!(found.starts_with("r.yaml:1:"), "{found}");
        assert!(found.contains("log.filter: this is no log level\n    write error, warn, "), "{found}");
    }
}
