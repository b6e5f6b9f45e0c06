use super::*;

fn kind_of(text: &str) -> Kind {
    kind(&Diagnostics::new(None).tree(text).unwrap())
}

#[test]
fn every_top_level_key_tells_what_a_file_is() {
    for key in CONNECTOR_KEYS {
        assert_eq!(kind_of(&format!("{key}: {{}}")), Kind::Connector, "{key}");
    }
    for key in RUNTIME_KEYS {
        assert_eq!(kind_of(&format!("{key}: {{}}")), Kind::Runtime, "{key}");
    }
    assert_eq!(kind_of("stoer: { url: none }"), Kind::Runtime, "a slip");
    assert_eq!(kind_of("naem: x\nsource: {}\nstore: {}"), Kind::Connector, "most of them");
    assert_eq!(kind_of("hello: 1"), Kind::Unclear);
}

#[test]
fn the_keys_are_those_that_are_read() {
    let known = |read: &dyn Fn(&Diagnostics)| {
        let diagnostics = Diagnostics::new(None);
        read(&diagnostics);
        diagnostics.known().into_iter().filter(|key| !key.contains('.')).collect::<Vec<_>>()
    };
    let empty = Node::empty();
    let (mut connector_keys, mut runtime_keys) = (CONNECTOR_KEYS, RUNTIME_KEYS);
    connector_keys.sort_unstable();
    runtime_keys.sort_unstable();
    let connector = known(&|diagnostics| {
        drop(connector::read(diagnostics, Path::new("c.yaml"), &empty, &RuntimeDefaults::default()))
    });
    assert_eq!(connector, connector_keys);
    let runtime = known(&|diagnostics| drop(runtime::check(diagnostics, None, Node::empty(), &Environment::default())));
    assert_eq!(runtime, runtime_keys);
}
