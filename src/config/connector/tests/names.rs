//! Schemas and templates by name, which the store may have.

use super::*;

const STORED: &str = "name: n\nsource: { kafka: { topics: [in] } }\n\
    prompt: { template: order, parameters: { text: '{{ data.x }}' } }\nschema: order@1\n\
    sink: { kafka: { topic: out } }\ndead_letter: { kafka: { topic: dlq } }\n";

#[test]
fn a_name_that_is_not_built_in_is_looked_up_in_the_store() {
    let read = one(STORED);
    assert_eq!((read.schema.stored_name(), read.template.stored_name()), (Some("order@1"), Some("order")));
    assert_eq!(read.parameters["text"], "{{ data.x }}");
    let built_in = one(&STORED.replace("order@1", "invoice"));
    assert_eq!(built_in.schema.known().map(|schema| schema.name().to_owned()).as_deref(), Some("invoice"));
    assert_eq!(built_in.schema.stored_name(), None);
    let hash = |text: &str| one(text).config_hash;
    assert_eq!(hash(STORED), hash(STORED));
    assert_ne!(hash(STORED), hash(&STORED.replace("order@1", "order@2")));
    assert_ne!(hash(STORED), hash(&STORED.replace("data.x", "data.y")));
}

#[test]
fn without_a_store_there_are_the_built_in_names_only() {
    let defaults = RuntimeDefaults { has_store: false, ..defaults() };
    let found =
        read_text(Path::new("c.yaml"), &STORED.replace("order@1", "invocie"), &defaults).unwrap_err().to_string();
    assert!(found.contains("there is no schema `invocie`") && found.contains("did you mean `invoice`?"), "{found}");
    assert!(found.contains("no built-in template is called \"order\""), "{found}");
}

#[test]
fn what_fills_a_stored_template_is_checked_all_the_same() {
    let found = findings(&STORED.replace("{{ data.x }}", "{{ dta.x }}"));
    assert!(found.contains("prompt.parameters.text") && found.contains("did you mean data?"), "{found}");
    assert!(findings(&STORED.replace("order@1", "order@x")).contains("there is no schema `order@x`"));
}
