//! YAML text into a tree of values that know where they were written.
//!
//! YAML 1.2 core schema, strictly: a duplicate key is an error, and so are
//! tags, merge keys, directives and further documents, none of which a
//! scenario needs. A number keeps its source text, so that `0.02` stays an
//! exact decimal. JSON is accepted, because YAML contains it.
//!
//! The event parser is the one inside serde-saphyr. Its typed interface stops
//! at the first error and turns numbers into floats; events let this module
//! report every duplicate key and keep every digit.
//!
//! Bounds against hostile input: [`MAX_BYTES`], [`MAX_DEPTH`], and
//! [`MAX_NODES`] after aliases are expanded.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle};

use super::diagnostic::{Diagnostics, Span, quote};

/// Largest accepted text.
pub const MAX_BYTES: usize = 16 << 20;
/// Deepest accepted nesting.
pub const MAX_DEPTH: usize = 64;
/// Most values in a tree once aliases are expanded.
pub const MAX_NODES: usize = 1 << 18;

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it was written; for a map or list, all of it.
    pub span: Span,
}

/// What YAML can say.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A decimal number as it was written.
    Number(String),
    /// Text, quoted or not.
    String(String),
    /// A list.
    Seq(Vec<Node>),
    /// A map in the order written, no key twice.
    Map(Vec<(Key, Node)>),
}

/// The key of a map entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The name.
    pub name: String,
    /// Where it was written.
    pub span: Span,
}

impl Node {
    /// What this is, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(b) => format!("`{b}`"),
            Value::Number(text) => format!("the number {}", quote(text)),
            Value::String(text) => format!("the text {}", quote(text)),
            Value::Seq(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }

    /// Whether two trees say the same, wherever it was written.
    #[must_use]
    pub fn same_as(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Value::Seq(a), Value::Seq(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_as(b))
            }
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|((ka, a), (kb, b))| ka.name == kb.name && a.same_as(b))
            }
            (a, b) => a == b,
        }
    }
}

/// Parses `text`, which starts at byte `offset` of source `file`. Reports
/// every duplicate key and then the first error of syntax. `None` when
/// nothing useful came out; an empty text is an empty map.
pub fn parse(text: &str, file: u32, offset: usize, diags: &mut Diagnostics) -> Option<Node> {
    let whole = span_of(file, offset, offset + text.len());
    if text.len() > MAX_BYTES {
        diags
            .error(Span { end: whole.start, ..whole }, "the text is larger than 16 MiB")
            .help("keep traces and demand curves in files of their own");
        return None;
    }
    let options = serde_saphyr::granit_parser::options! {
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder {
        file,
        offset,
        diags,
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
        documents: 0,
        root: None,
        broken: false,
        found: 0,
    };
    for event in parser {
        match event {
            Ok((event, span)) => {
                if builder.event(event, &span).is_none() {
                    builder.broken = true;
                    break;
                }
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0);
                // A caret needs a character to stand under.
                let at = at.min(text.len());
                let len = text.get(at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
                let span = span_of(file, offset + at, offset + at + len);
                let message = format!("not valid YAML: {}", error.info());
                let found = builder.diags.error(span, message);
                let line = text.get(..at).and_then(|t| t.rsplit('\n').next()).unwrap_or("");
                if text.get(at..).is_some_and(|t| t.starts_with('\t'))
                    || line.trim_start_matches(' ').starts_with('\t')
                {
                    found.help("YAML indents with spaces, never with tabs");
                }
                builder.broken = true;
                break;
            }
        }
    }
    if builder.broken {
        return None;
    }
    let empty = Node { value: Value::Null, span: Span { end: whole.start, ..whole } };
    Some(builder.root.unwrap_or(empty))
}

fn span_of(file: u32, start: usize, end: usize) -> Span {
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file, start: narrow(start), end: narrow(end) }
}

/// A collection under construction.
struct Open {
    span: Span,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    Seq(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, names: HashMap<String, Span>, key: Option<Key>, skip: bool },
}

struct Builder<'a> {
    file: u32,
    offset: usize,
    diags: &'a mut Diagnostics,
    stack: Vec<Open>,
    /// Finished anchored values by the parser's id.
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
    /// Something was reported: the tree must not be used.
    broken: bool,
    /// Duplicate keys and tags so far; a text full of them is given up.
    found: usize,
}

/// Duplicate keys and tags after which the rest of a text is not read.
const MAX_FOUND: usize = 50;

impl Builder<'_> {
    /// `None` stops the parse.
    fn event(&mut self, event: Event<'_>, at: &granit_parser::Span) -> Option<()> {
        let span = self.span(at);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.error(span, "a scenario is a single YAML document");
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                let value = resolve(&text, style);
                self.finish(Node { value, span }, anchor, 1)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                self.open(Open { span, anchor, kind: Kind::Seq(Vec::new()) })?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                let kind = Kind::Map {
                    entries: Vec::new(),
                    names: HashMap::new(),
                    key: None,
                    skip: false,
                };
                self.open(Open { span, anchor, kind })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Alias(id) => {
                let Some((node, count)) = self.anchors.get(&id).cloned() else {
                    self.error(span, "an alias cannot stand inside the value it names");
                    return None;
                };
                if self.stack.len() + depth(&node) > MAX_DEPTH {
                    self.error(span, "nested too deeply: more than 64 levels");
                    return None;
                }
                self.finish(node, 0, count)?;
            }
            Event::UnresolvedAlias(name) => {
                self.error(span, &format!("no anchor is named {}", quote(&name)));
                return None;
            }
            _ => {}
        }
        (self.found < MAX_FOUND).then_some(())
    }

    fn span(&self, at: &granit_parser::Span) -> Span {
        let start = at.start.byte_offset().unwrap_or(0);
        let end = at.end.byte_offset().unwrap_or(start).max(start);
        span_of(self.file, self.offset + start, self.offset + end)
    }

    fn error(&mut self, span: Span, message: &str) {
        self.broken = true;
        self.diags.error(span, message);
    }

    fn refuse_tag(&mut self, tagged: bool, span: Span) {
        if tagged {
            self.found += 1;
            self.error(span, "YAML tags such as `!!str` are not used here");
        }
    }

    fn open(&mut self, open: Open) -> Option<()> {
        if self.stack.len() >= MAX_DEPTH {
            self.error(open.span, "nested too deeply: more than 64 levels");
            return None;
        }
        self.stack.push(open);
        Some(())
    }

    fn close(&mut self, end: Span) -> Option<()> {
        let open = self.stack.pop()?;
        // A block collection ends where its last value does, not where the
        // parser notices.
        let (value, last) = match open.kind {
            Kind::Seq(items) => {
                let last = items.last().map(|n| n.span);
                (Value::Seq(items), last)
            }
            Kind::Map { entries, .. } => {
                let last = entries.last().map(|(k, n)| k.span.to(n.span));
                (Value::Map(entries), last)
            }
        };
        let last = last.filter(|l| l.start >= open.span.start).unwrap_or(open.span);
        let span = if end.end > end.start { open.span.to(end) } else { open.span.to(last) };
        self.finish(Node { value, span }, open.anchor, 1)
    }

    /// Puts a finished value (of `count` new values) where it belongs.
    fn finish(&mut self, node: Node, anchor: usize, count: usize) -> Option<()> {
        // A copy kept for aliases counts as well.
        let kept = if anchor > 0 { weight(&node) } else { 0 };
        self.nodes += count + kept;
        if self.nodes > MAX_NODES {
            self.error(node.span, "more than 262144 values");
            return None;
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), kept));
        }
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        match &mut open.kind {
            Kind::Seq(items) => items.push(node),
            Kind::Map { names, key: slot @ None, skip, .. } => {
                let span = node.span;
                let name = match node.value {
                    Value::String(text) | Value::Number(text) => text,
                    Value::Bool(b) => b.to_string(),
                    Value::Null => {
                        self.error(span, "a key must not be empty");
                        return None;
                    }
                    Value::Seq(_) | Value::Map(_) => {
                        self.error(span, "a key must be a name, not a list or a map");
                        return None;
                    }
                };
                // Looked up only, never walked: its order cannot show.
                let first = names.get(&name).copied();
                *skip = first.is_some();
                if first.is_none() {
                    names.insert(name.clone(), span);
                }
                let merge = name == "<<";
                *slot = Some(Key { name: name.clone(), span });
                if let Some(first) = first {
                    let line = self.diags.sources().place(first).line;
                    self.broken = true;
                    self.found += 1;
                    self.diags
                        .error(span, format!("duplicate key {}", quote(&name)))
                        .label(format!("already given in line {line}"));
                }
                if merge {
                    self.broken = true;
                    self.diags
                        .error(span, "YAML merge keys are not used here")
                        .help("describe differences as `cases` with `set`");
                }
            }
            Kind::Map { entries, key, skip, .. } => {
                if let Some(key) = key.take().filter(|_| !*skip) {
                    entries.push((key, node));
                }
            }
        }
        Some(())
    }
}

/// How many values an alias adds; long texts weigh more, so that expanding
/// them is bounded too.
fn weight(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(text) | Value::String(text) => 1 + text.len() / 64,
        Value::Seq(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Map(entries) => {
            1 + entries.iter().map(|(k, n)| 1 + k.name.len() / 64 + weight(n)).sum::<usize>()
        }
    }
}

fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Seq(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => 1 + entries.iter().map(|(_, n)| depth(n)).max().unwrap_or(0),
        _ => 0,
    }
}

/// The YAML 1.2 core schema without `0x`, `0o`, `.inf` and `.nan`, which stay
/// text and are refused wherever a number is wanted.
fn resolve(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::String(text.to_owned()),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
pub(super) fn is_number(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['-', '+']).unwrap_or(e))),
        None => (body, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((w, f)) => (w, Some(f)),
        None => (mantissa, None),
    };
    let mantissa_ok = match fraction {
        None | Some("") => digits(whole),
        Some(f) => digits(f) && (whole.is_empty() || digits(whole)),
    };
    mantissa_ok && exponent.is_none_or(digits)
}

/// Canonical YAML of a tree: block style, two spaces, quotes only where the
/// text would read as something else.
#[must_use]
pub fn effective_yaml(node: &Node) -> String {
    let mut out = String::new();
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => write_map(&mut out, entries, 0),
        Value::Seq(items) if !items.is_empty() => write_seq(&mut out, items, 0),
        _ => {
            write_scalar(&mut out, node);
            out.push('\n');
        }
    }
    out
}

fn write_map(out: &mut String, entries: &[(Key, Node)], indent: usize) {
    for (i, (key, node)) in entries.iter().enumerate() {
        if i > 0 {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        write_text(out, &key.name);
        out.push(':');
        write_nested(out, node, indent + 2);
    }
}

fn write_seq(out: &mut String, items: &[Node], indent: usize) {
    for (i, node) in items.iter().enumerate() {
        if i > 0 {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push('-');
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                out.push(' ');
                write_map(out, entries, indent + 2);
            }
            Value::Seq(items) if !items.is_empty() => {
                out.push(' ');
                write_seq(out, items, indent + 2);
            }
            _ => {
                out.push(' ');
                write_scalar(out, node);
                out.push('\n');
            }
        }
    }
}

fn write_nested(out: &mut String, node: &Node, indent: usize) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            write_map(out, entries, indent);
        }
        Value::Seq(items) if !items.is_empty() => {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            write_seq(out, items, indent);
        }
        _ => {
            out.push(' ');
            write_scalar(out, node);
            out.push('\n');
        }
    }
}

fn write_scalar(out: &mut String, node: &Node) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(text) => out.push_str(text),
        Value::String(text) => write_text(out, text),
        Value::Seq(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
    }
}

/// Text as a scenario can hold it anywhere: see `write_text`.
#[must_use]
pub fn yaml_text(text: &str) -> String {
    let mut out = String::new();
    write_text(&mut out, text);
    out
}

/// Text as a plain scalar where every YAML reader takes it for text, also
/// those of YAML 1.1 (`yes`, `12:30`), else in double quotes.
fn write_text(out: &mut String, text: &str) {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./*%+@()".contains(c);
    let word = text.to_ascii_lowercase();
    let special =
        ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&word.as_str());
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(safe)
        && !special
        || looks_like_duration(text);
    if plain {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || ('\u{2028}'..='\u{2029}').contains(&c) || c == '\u{feff}' => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Digits and a unit, as in `500m`, `1h30m`, `1Gi` or `60%`: text for every
/// reader of YAML, and the values that scenarios mostly hold.
fn looks_like_duration(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    unit.len() < text.len()
        && text.starts_with(|c: char| c.is_ascii_digit())
        && !unit.is_empty()
        && !unit.starts_with(['e', 'E', 'x', 'o', 'b', '_'])
        && unit.chars().all(|c| c.is_ascii_alphanumeric() || c == '%')
}
