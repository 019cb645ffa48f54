//! Labels and their keys, with the syntax that the API server demands
//! (kubernetes `apimachinery/pkg/util/validation`, `IsQualifiedName` and
//! `IsValidLabelValue`, 1.31).
//!
//! Values in node affinity stay unchecked: before 1.32 the API server took
//! any, and one that no label can have matches no node.

use std::ops::Deref;

use serde_json::{Value as Json, json};

use super::decode::{Ctx, Decode, Defs, Keyed, Map, Spanned};
use super::diagnostic::{Diagnostics, quote};
use super::leaf::Text;
use super::tree::Node;

/// The label whose value is the name of a node.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// Most characters of a value, and of a key after its prefix.
const MOST: usize = 63;

/// Most characters of a prefix.
const MOST_OF_PREFIX: usize = 253;

const KEY_HELP: &str = "a key is a name of letters, digits, `-`, `_` and `.`, 63 at most, a letter \
                        or digit first and last; a DNS subdomain and `/` may stand before it, as \
                        in `example.com/team`";

const VALUE_HELP: &str = "a value is empty, or letters, digits, `-`, `_` and `.`, 63 at most, a \
                          letter or digit first and last";

/// Labels with their values, in the order written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Labels(Keyed<Spanned<Text>>);

impl Deref for Labels {
    type Target = Map<Spanned<Text>>;
    fn deref(&self) -> &Map<Spanned<Text>> {
        &self.0
    }
}

impl Decode for Labels {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let labels = Keyed::<Spanned<Text>>::decode(node, ctx)?;
        are_valid(&labels, ctx.diags()).then_some(Labels(labels))
    }
    fn schema(_: &mut Defs) -> Json {
        json!({
            "type": "object",
            "properties": { HOSTNAME: { "type": "string" } },
            "additionalProperties": {
                "type": "string",
                "pattern": "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
                "maxLength": MOST,
            },
        })
    }
}

/// The key of a label or a taint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelKey(String);

impl Deref for LabelKey {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Decode for LabelKey {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let key = Spanned::<String>::decode(node, ctx)?;
        check_key(&key, ctx.diags()).then_some(LabelKey(key.value))
    }
    fn schema(defs: &mut Defs) -> Json {
        String::schema(defs)
    }
}

/// The value of a label or a taint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelValue(Text);

impl Deref for LabelValue {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Decode for LabelValue {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let value = Spanned::<Text>::decode(node, ctx)?;
        check_value(&value, ctx.diags()).then_some(LabelValue(value.value))
    }
    fn schema(defs: &mut Defs) -> Json {
        Text::schema(defs)
    }
}

/// Whether the API server takes all of these labels; reports each that it does
/// not.
pub fn are_valid(labels: &Map<Spanned<Text>>, diags: &mut Diagnostics) -> bool {
    let mut fine = true;
    for (key, value) in labels.iter() {
        fine &= check_key(key, diags);
        // DIFFERENCE: nodes are named by pool and number, as in general/3.
        fine &= key.value == HOSTNAME || check_value(value, diags);
    }
    fine
}

/// Whether the API server takes the key of a label; reports it if not.
pub(super) fn check_key(key: &Spanned<String>, diags: &mut Diagnostics) -> bool {
    let Some(problem) = problem_of_key(&key.value) else { return true };
    let message = format!("{} is no key of a label: {problem}", quote(&key.value));
    diags.error(key.span, message).help(KEY_HELP);
    false
}

fn check_value(value: &Spanned<Text>, diags: &mut Diagnostics) -> bool {
    if value.value.is_empty() {
        return true;
    }
    let Some(problem) = problem_of_name(&value.value) else { return true };
    let message = format!("{} is no value of a label: {problem}", quote(&value.value));
    diags.error(value.span, message).help(VALUE_HELP);
    false
}

fn problem_of_key(key: &str) -> Option<String> {
    match key.split_once('/') {
        None => problem_of_name(key),
        Some((_, name)) if name.contains('/') => Some("it has more than one `/`".to_owned()),
        Some((prefix, name)) => problem_of_prefix(prefix).or_else(|| problem_of_name(name)),
    }
}

fn problem_of_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("its name is empty".to_owned());
    }
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    not_among(name, inside).or_else(|| ends(name)).or_else(|| too_long(name, "", MOST))
}

/// A DNS subdomain (RFC 1123): lower case, parts between points.
fn problem_of_prefix(prefix: &str) -> Option<String> {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if prefix.split('.').any(str::is_empty) {
        return Some(format!("its prefix `{prefix}` has an empty part"));
    }
    not_among(prefix, inside)
        .or_else(|| prefix.split('.').find_map(ends))
        .map(|problem| format!("in its prefix {problem}"))
        .or_else(|| too_long(prefix, " before `/`", MOST_OF_PREFIX))
}

fn not_among(text: &str, inside: impl Fn(char) -> bool) -> Option<String> {
    let odd = text.chars().find(|c| !inside(*c))?;
    Some(format!("{} is not allowed", quote(&odd.to_string())))
}

fn ends(text: &str) -> Option<String> {
    let odd = |c: &char| !c.is_ascii_alphanumeric();
    let first = text.chars().next().filter(odd).map(|c| format!("`{c}` is first"));
    first.or_else(|| text.chars().next_back().filter(odd).map(|c| format!("`{c}` is last")))
}

fn too_long(text: &str, at: &str, most: usize) -> Option<String> {
    let length = text.len();
    (length > most).then(|| format!("it has {length} characters{at}, and {most} are allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_api_server() {
        let long = "a".repeat(63);
        let prefix = format!("{}.{}", "a".repeat(63), "b".repeat(189));
        assert_eq!(prefix.len(), 253);
        for key in [
            "app",
            "App_v1.2-x",
            "1",
            "a",
            "app.kubernetes.io/name",
            "x-y.z0/A",
            &long,
            &format!("{prefix}/{long}"),
        ] {
            assert_eq!(problem_of_key(key), None, "{key}");
        }
        for (key, says) in [
            ("", "its name is empty"),
            ("a/", "its name is empty"),
            ("/a", "its prefix `` has an empty part"),
            ("a/b/c", "it has more than one `/`"),
            ("a..b/c", "its prefix `a..b` has an empty part"),
            ("A.b/c", "in its prefix `A` is not allowed"),
            ("a_b/c", "in its prefix `_` is not allowed"),
            ("-a/c", "in its prefix `-` is first"),
            ("a-.b/c", "in its prefix `-` is last"),
            ("-app", "`-` is first"),
            ("app.", "`.` is last"),
            ("my app", "` ` is not allowed"),
            ("größe", "`ö` is not allowed"),
            (&format!("{long}a"), "it has 64 characters, and 63 are allowed"),
            (&format!("{prefix}c/a"), "it has 254 characters before `/`, and 253 are allowed"),
        ] {
            assert_eq!(problem_of_key(key).as_deref(), Some(says), "{key}");
        }
    }
}
