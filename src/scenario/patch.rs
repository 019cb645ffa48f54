//! Cases and command-line settings: changes to the tree before it is typed.
//!
//! A path is names joined by dots, `pools.web.fixed.count`; a name that
//! contains a dot stands in quotes, `workload.web.nodeSelector."a.b/c"`. A
//! changed value keeps the span of the place that changed it, so errors
//! point into the case and not at what it replaced. Patches are data: they
//! name nothing but entries of the tree.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::decode::{Ctx, Decode, Defs, Spanned};
use super::diagnostic::{Diagnostics, Span, quote};
use super::tree::{Key, MAX_DEPTH, Node, Value};

/// A path into the tree, each name with the span it was written at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    segments: Vec<Key>,
}

impl Path {
    /// Parses a path written at `span`.
    ///
    /// # Errors
    /// One sentence on what is wrong.
    pub fn parse(text: &str, span: Span, exact: bool) -> Result<Path, String> {
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            let at = text.len() - rest.len();
            let (name, used) = segment(rest)?;
            // Only where the source shows the path as it is can a part of it
            // be pointed at.
            let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let place = if exact {
                Span {
                    start: span.start.saturating_add(narrow(at)),
                    end: span.start.saturating_add(narrow(at + used)),
                    ..span
                }
            } else {
                span
            };
            segments.push(Key { name, span: place });
            if segments.len() >= MAX_DEPTH {
                return Err("the path is too deep".to_owned());
            }
            let after = rest.get(used..).unwrap_or("");
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix('.').ok_or("a dot is missing after a quoted name")?;
        }
        for fixed in ["cases", "sweep"] {
            if segments.first().is_some_and(|s| s.name == fixed) {
                return Err(format!("a case cannot change `{fixed}`"));
            }
        }
        Ok(Path { segments })
    }

    /// The first name.
    #[must_use]
    pub fn head(&self) -> &str {
        self.segments.first().map_or("", |s| &s.name)
    }

    /// Where it was written, as far as that is known.
    #[must_use]
    pub fn span(&self) -> Span {
        match self.segments.as_slice() {
            [first, .., last] => first.span.to(last.span),
            [only] => only.span,
            [] => Span::default(),
        }
    }

    /// Whether one of the two is the other, or a part of it.
    #[must_use]
    pub fn overlaps(&self, other: &Path) -> bool {
        self.segments.iter().zip(&other.segments).all(|(a, b)| a.name == b.name)
    }
}

/// A name as a path writes it: in quotes where it has a dot.
#[must_use]
pub fn written(name: &str) -> Cow<'_, str> {
    if name.contains('.') { format!("\"{name}\"").into() } else { name.into() }
}

/// The first name of a path and how many bytes it takes.
fn segment(text: &str) -> Result<(String, usize), String> {
    if let Some(inner) = text.strip_prefix('"') {
        let end = inner.find('"').ok_or("a quoted name does not end")?;
        let name = inner.get(..end).unwrap_or("");
        if name.is_empty() {
            return Err("a name in the path is empty".to_owned());
        }
        return Ok((name.to_owned(), end + 2));
    }
    let name = text.split('.').next().unwrap_or("");
    if name.is_empty() {
        return Err("a name in the path is empty".to_owned());
    }
    Ok((name.to_owned(), name.len()))
}

/// Paths and the values they get.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Assignments(Vec<(Path, Node)>);

impl Assignments {
    /// Of a single path.
    #[must_use]
    pub fn one(path: Path, value: Node) -> Self {
        Assignments(vec![(path, value)])
    }

    /// Adds others, which are applied after these.
    pub fn append(&mut self, others: Assignments) {
        self.0.extend(others.0);
    }

    /// The paths.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|(path, _)| path)
    }
}

impl FromIterator<(Path, Node)> for Assignments {
    fn from_iter<I: IntoIterator<Item = (Path, Node)>>(iter: I) -> Self {
        Assignments(iter.into_iter().collect())
    }
}

impl Decode for Assignments {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            ctx.mismatch(node, "a map of paths");
            return None;
        };
        let mut out = Some(Vec::with_capacity(entries.len()));
        for (key, value) in entries {
            match (decode_path(&key.name, key.span, ctx), &mut out) {
                (Some(path), Some(list)) => list.push((path, value.clone())),
                _ => out = None,
            }
        }
        out.map(Assignments)
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "object" })
    }
}

/// Paths to delete.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Removals(Vec<Path>);

impl Decode for Removals {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let texts: Vec<Spanned<String>> = Decode::decode(node, ctx)?;
        let paths: Vec<Option<Path>> =
            texts.iter().map(|t| decode_path(&t.value, t.span, ctx)).collect();
        paths.into_iter().collect::<Option<Vec<_>>>().map(Removals)
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "array", "items": { "type": "string", "minLength": 1 } })
    }
}

/// Reads a path written at `span`, or reports why it is none.
pub(super) fn decode_path(text: &str, span: Span, ctx: &mut Ctx<'_>) -> Option<Path> {
    let exact = ctx.diags().sources().text(span) == text;
    match Path::parse(text, span, exact) {
        Ok(path) => Some(path),
        Err(problem) => {
            let message = format!("invalid path {}: {problem}", quote(text));
            ctx.diags().error(span, message).help(
                "join names by dots, as in pools.web.fixed.count; \
                 put a name that contains a dot in double quotes",
            );
            None
        }
    }
}

/// Merges each value into its path (RFC 7396: maps merge, null deletes,
/// anything else replaces). Missing maps on the way are made.
pub fn set(tree: &mut Node, assignments: &Assignments, diags: &mut Diagnostics) {
    for (path, value) in &assignments.0 {
        set_one(tree, path, value, diags);
    }
}

fn set_one(tree: &mut Node, path: &Path, value: &Node, diags: &mut Diagnostics) {
    let Some((last, parents)) = path.segments.split_last() else { return };
    let mut at = tree;
    for segment in parents {
        let Some(entries) = entries_of(at, segment, diags) else { return };
        let index = match entries.iter().position(|(k, _)| k.name == segment.name) {
            Some(index) => index,
            // Deleting what is not there changes nothing.
            None if value.value == Value::Null => return,
            None => {
                let made = Node { value: Value::Map(Vec::new()), span: value.span };
                entries.push((segment.clone(), made));
                entries.len() - 1
            }
        };
        let Some((_, next)) = entries.get_mut(index) else { return };
        at = next;
    }
    let Some(entries) = entries_of(at, last, diags) else { return };
    merge_entry(entries, last, value);
}

/// The entries of a map on the way to `segment`; a null counts as an empty
/// map, anything else is reported.
fn entries_of<'t>(
    at: &'t mut Node,
    segment: &Key,
    diags: &mut Diagnostics,
) -> Option<&'t mut Vec<(Key, Node)>> {
    if at.value == Value::Null {
        at.value = Value::Map(Vec::new());
    }
    let parent = at.describe();
    if let Value::Map(entries) = &mut at.value {
        return Some(entries);
    }
    let message = format!("no {} here: its parent is {parent}", quote(&segment.name));
    diags.error(segment.span, message).help("change the parent as a whole");
    None
}

fn merge_entry(entries: &mut Vec<(Key, Node)>, key: &Key, value: &Node) {
    let index = entries.iter().position(|(k, _)| k.name == key.name);
    if value.value == Value::Null {
        if let Some(index) = index {
            entries.remove(index);
        }
        return;
    }
    let Some((_, slot)) = index.and_then(|i| entries.get_mut(i)) else {
        entries.push((key.clone(), without_nulls(value)));
        return;
    };
    match (&mut slot.value, &value.value) {
        (Value::Map(old), Value::Map(new)) => {
            for (key, value) in new {
                merge_entry(old, key, value);
            }
        }
        _ => *slot = without_nulls(value),
    }
}

/// A value as RFC 7396 adds it where nothing was: nulls in maps vanish.
fn without_nulls(node: &Node) -> Node {
    let value = match &node.value {
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .filter(|(_, n)| n.value != Value::Null)
                .map(|(k, n)| (k.clone(), without_nulls(n)))
                .collect(),
        ),
        other => other.clone(),
    };
    Node { value, span: node.span }
}

/// Swaps the value at each path, which must exist.
pub fn replace(tree: &mut Node, assignments: &Assignments, diags: &mut Diagnostics) {
    for (path, value) in &assignments.0 {
        let Some((entries, index)) = find(tree, path, diags) else { continue };
        if let (Some((key, slot)), Some(last)) = (entries.get_mut(index), path.segments.last()) {
            key.span = last.span;
            *slot = value.clone();
        }
    }
}

/// Deletes each path, which must exist.
pub fn remove(tree: &mut Node, removals: &Removals, diags: &mut Diagnostics) {
    for path in &removals.0 {
        if let Some((entries, index)) = find(tree, path, diags) {
            entries.remove(index);
        }
    }
}

/// The map that holds the last name of a path, and where in it; absence is
/// reported with the nearest name.
fn find<'t>(
    tree: &'t mut Node,
    path: &Path,
    diags: &mut Diagnostics,
) -> Option<(&'t mut Vec<(Key, Node)>, usize)> {
    let (last, parents) = path.segments.split_last()?;
    let mut at = tree;
    for segment in parents {
        let (entries, index) = step(at, segment, diags)?;
        at = &mut entries.get_mut(index)?.1;
    }
    step(at, last, diags)
}

fn step<'t>(
    at: &'t mut Node,
    segment: &Key,
    diags: &mut Diagnostics,
) -> Option<(&'t mut Vec<(Key, Node)>, usize)> {
    let entries = entries_of(at, segment, diags)?;
    let found = entries.iter().position(|(k, _)| k.name == segment.name);
    if found.is_none() {
        diags
            .error(segment.span, format!("there is no {} to change", quote(&segment.name)))
            .suggest(&segment.name, entries.iter().map(|(k, _)| k.name.as_str()));
    }
    found.map(|index| (entries, index))
}
