//! Which values are in force, and how cases differ, as text.

use super::model::{Change, Origin, Setting};
use crate::scenario::patch::written;
use crate::scenario::{Node, Value};

/// The settings that a scenario states: every leaf of its tree by its path.
pub(super) fn stated(tree: &Node) -> Vec<Setting> {
    let mut settings = Vec::new();
    collect(tree, &mut String::new(), &mut settings);
    settings
}

fn collect(node: &Node, path: &mut String, out: &mut Vec<Setting>) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let before = path.len();
                push(path, &key.name);
                collect(value, path, out);
                path.truncate(before);
            }
        }
        _ => out.push(Setting {
            path: path.clone(),
            value: inline(node),
            origin: Origin::Scenario,
            note: String::new(),
        }),
    }
}

/// Appends a name to a path.
fn push(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(&written(name));
}

/// The path of names that lie within one another.
pub(super) fn path(names: &[&str]) -> String {
    let mut path = String::new();
    for name in names {
        push(&mut path, name);
    }
    path
}

/// The entry of a map; `None` for anything else.
pub(super) fn entry<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|(k, _)| k.name == name).map(|(_, n)| n),
        _ => None,
    }
}

/// How `to` differs from `from`, at the deepest paths that both have.
pub(super) fn changes(from: &Node, to: &Node) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(from, to, &mut String::new(), &mut changes);
    changes
}

fn compare(from: &Node, to: &Node, path: &mut String, out: &mut Vec<Change>) {
    let (Value::Map(old), Value::Map(new)) = (&from.value, &to.value) else {
        if !from.same_as(to) {
            let text = |node| Some(inline(node));
            out.push(Change { path: path.clone(), from: text(from), to: text(to) });
        }
        return;
    };
    let before = path.len();
    for (key, value) in old {
        push(path, &key.name);
        match entry(to, &key.name) {
            Some(other) => compare(value, other, path, out),
            None => {
                out.push(Change { path: path.clone(), from: Some(inline(value)), to: None });
            }
        }
        path.truncate(before);
    }
    for (key, value) in new.iter().filter(|(key, _)| entry(from, &key.name).is_none()) {
        push(path, &key.name);
        out.push(Change { path: path.clone(), from: None, to: Some(inline(value)) });
        path.truncate(before);
    }
}

/// A value on one line, in YAML's flow style.
pub(super) fn inline(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::Number(text) | Value::String(text) => text.clone(),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Map(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(k, v)| format!("{}: {}", k.name, inline(v))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}
