//! Properties: no input panics the loader, and printed trees read back.

use std::path::Path;

use proptest::prelude::*;

use super::tests::{FULL, SMALL, parse};
use super::*;

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Number(n.to_string())),
        "[0-9]{1,3}\\.[0-9]{1,3}".prop_map(Value::Number),
        "[0-9.a-zA-Z%_+-]{0,6}".prop_map(text),
        any::<String>().prop_map(text),
    ]
}

/// Some texts are numbers or words of YAML; quoted they are texts all the
/// same, and that is what is meant here.
fn text(s: String) -> Value {
    Value::String(s)
}

fn node() -> impl Strategy<Value = Node> {
    let span = Span::default();
    leaf().prop_map(move |value| Node { value, span }).prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(move |v| Node { value: Value::Seq(v), span }),
            prop::collection::btree_map("[a-z<.\" :#]{1,5}|[0-9]{1,2}", inner, 0..5).prop_map(
                move |m| Node {
                    value: Value::Map(
                        m.into_iter()
                            .filter(|(name, _)| name != "<<")
                            .map(|(name, n)| (tree::Key { name, span }, n))
                            .collect()
                    ),
                    span,
                }
            ),
        ]
    })
}

/// Pieces that together come close to scenarios.
fn fragments() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            Just(SMALL.to_owned()),
            Just("cases:\n  a:\n    set:\n".to_owned()),
            prop::sample::select(vec![
                "version: 1\n",
                "  ",
                "\t",
                "- ",
                ": ",
                "{",
                "}",
                "[",
                "]",
                "&a ",
                "*a",
                "!!str ",
                "'",
                "\"",
                "|\n",
                ">-\n",
                "#",
                "\r\n",
                "---\n",
                "<<",
                "é",
                "\u{85}",
                "\0",
                "pools:",
                "? ",
                "%",
                ",",
                "time: { start: 2025-01-06T00:00Z }\n",
                "1e9",
                "-",
                "null",
            ])
            .prop_map(str::to_owned),
            any::<String>(),
        ],
        0..30,
    )
    .prop_map(|v| v.concat())
}

fn never_panics(bytes: &[u8]) {
    if let Ok(source) = Source::parse(Path::new("s.yaml"), bytes) {
        let _ = source.resolve_all();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        never_panics(&bytes);
    }

    #[test]
    fn any_pieces_are_survived(text in fragments()) {
        never_panics(text.as_bytes());
    }

    #[test]
    fn damaged_scenarios_are_survived(at in 0..FULL.len(), len in 0usize..40, with in any::<Vec<u8>>()) {
        let mut bytes = FULL.as_bytes().to_vec();
        let end = (at + len).min(bytes.len());
        bytes.splice(at..end, with.into_iter().take(20));
        never_panics(&bytes);
    }

    #[test]
    fn settings_are_survived(text in "[a-z.\"=:{}\\[\\] 0-9é]{0,30}") {
        if let Ok(source) = parse(SMALL).with_overrides(&[text]) {
            let _ = source.resolve_all();
        }
    }

    #[test]
    fn printed_trees_read_back(tree in node()) {
        let yaml = effective_yaml(&tree);
        let mut sources = Sources::default();
        let file = sources.add("t", yaml.clone());
        let mut diags = Diagnostics::new(sources);
        let again = tree::parse(&yaml, file, 0, &mut diags);
        prop_assert!(again.is_some(), "{yaml}\n{}", diags.render(false));
        prop_assert!(again.is_some_and(|again| again.same_as(&tree)), "{yaml}");
    }
}
