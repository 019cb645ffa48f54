//! From tree to typed values, collecting every error on the way.
//!
//! A type that can stand in a scenario implements [`Decode`]: how to read it
//! and what its JSON Schema is, side by side, so that the two cannot drift.
//! Maps with fixed keys implement [`Record`] through the macros of
//! `record.rs`. `None` always means: already reported.

use std::ops::Deref;

use serde_json::{Value as Json, json};

use super::diagnostic::{Diagnostics, Span, alternatives, quote};
use super::tree::{Key, Node, Value};
use crate::names::nearest;

/// A value a scenario can hold.
pub trait Decode: Sized {
    /// Reads the value, reporting whatever is wrong; `None` if it is unusable.
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self>;

    /// The value of a key that is not there, if it may be absent.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// The JSON Schema fragment for this value.
    fn schema(defs: &mut Defs) -> Json;
}

/// What decoding carries along: where to report, and the key that holds the
/// value at hand.
pub struct Ctx<'a> {
    diags: &'a mut Diagnostics,
    owner: Option<(Span, String)>,
}

impl<'a> Ctx<'a> {
    /// A context that reports into `diags`.
    pub fn new(diags: &'a mut Diagnostics) -> Self {
        Ctx { diags, owner: None }
    }

    /// Where findings go.
    pub fn diags(&mut self) -> &mut Diagnostics {
        self.diags
    }

    /// Decodes the value under `key`.
    pub fn under<T: Decode>(&mut self, key: &Key, node: &Node) -> Option<T> {
        self.owned(key.span, quote(&key.name), node)
    }

    /// Decodes a value whose holder is at `span` and called `title`.
    fn owned<T: Decode>(&mut self, span: Span, title: String, node: &Node) -> Option<T> {
        let outer = self.owner.replace((span, title));
        let value = T::decode(node, self);
        self.owner = outer;
        value
    }

    /// "expected X, found Y" at the node.
    pub fn mismatch(&mut self, node: &Node, expected: &str) -> &mut super::diagnostic::Diagnostic {
        let message = format!("expected {expected}, found {}", node.describe());
        // A value that is not there has no text to point at.
        let unwritten = node.span.start >= node.span.end;
        let span = self.owner.as_ref().filter(|_| unwritten).map_or(node.span, |(span, _)| *span);
        let found = self.diags.error(span, message);
        if node.value == Value::Null {
            found.help("give the key a value, or remove it");
        }
        found
    }

    /// The entries of a map with fixed keys, or a report.
    fn fields<'n>(&mut self, node: &'n Node, known: Vec<&'static str>) -> Option<Fields<'n>> {
        let Value::Map(entries) = &node.value else {
            let expected = if known.len() <= 6 {
                format!("a map with {}", alternatives(&known))
            } else {
                "a map".to_owned()
            };
            self.mismatch(node, &expected);
            return None;
        };
        let (owner, title) = self
            .owner
            .clone()
            .unwrap_or((Span { end: node.span.start, ..node.span }, "the scenario".to_owned()));
        Some(Fields {
            entries,
            used: vec![false; entries.len()],
            known,
            owner,
            title,
            choice_failed: false,
        })
    }
}

/// Unknown keys of one map that are compared with the known ones: comparing
/// is slow, and nobody misspells more.
const MAX_SUGGESTED: usize = 200;

/// A map with fixed keys, while its entries are taken.
pub struct Fields<'n> {
    entries: &'n [(Key, Node)],
    used: Vec<bool>,
    known: Vec<&'static str>,
    owner: Span,
    title: String,
    choice_failed: bool,
}

impl<'n> Fields<'n> {
    /// The key that holds the map.
    #[must_use]
    pub fn owner(&self) -> Span {
        self.owner
    }

    fn take(&mut self, name: &str) -> Option<(&'n Key, &'n Node)> {
        let at = self.entries.iter().position(|(k, _)| k.name == name)?;
        if let Some(used) = self.used.get_mut(at) {
            *used = true;
        }
        self.entries.get(at).map(|(k, n)| (k, n))
    }

    /// Whether some unknown key was probably meant to be one of `names`; its
    /// own report is enough then.
    fn has_misspelt(&self, names: &[&'static str]) -> bool {
        self.entries.iter().take(MAX_SUGGESTED).any(|(k, _)| {
            !self.known.contains(&k.name.as_str())
                && nearest(&k.name, self.known.iter().copied())
                    .is_some_and(|near| names.contains(&near))
        })
    }

    /// Decodes the value of `name`, or what its absence means.
    pub fn field<T: Decode>(&mut self, name: &'static str, ctx: &mut Ctx<'_>) -> Option<T> {
        if let Some((key, node)) = self.take(name) {
            return ctx.under(key, node);
        }
        let absent = T::absent();
        if absent.is_none() && !self.has_misspelt(&[name]) {
            let message = format!("{} needs the key `{name}`", self.title);
            ctx.diags.error(self.owner, message);
        }
        absent
    }

    /// As [`Fields::field`] with a value for the absent key.
    pub fn field_or<T: Decode>(
        &mut self,
        name: &'static str,
        ctx: &mut Ctx<'_>,
        default: impl FnOnce() -> T,
    ) -> Option<T> {
        match self.take(name) {
            Some((key, node)) => ctx.under(key, node),
            None => Some(default()),
        }
    }

    /// Which one of `names` is there; exactly one must be.
    pub fn choose(&mut self, names: &[&'static str], ctx: &mut Ctx<'_>) -> Option<&'static str> {
        let present: Vec<(&'static str, Span)> = names
            .iter()
            .filter_map(|name| {
                self.entries.iter().find(|(k, _)| k.name == *name).map(|(k, _)| (*name, k.span))
            })
            .collect();
        match *present.as_slice() {
            [(only, _)] => return Some(only),
            [] if self.has_misspelt(names) => {}
            [] => {
                let message = format!("{} needs one of {}", self.title, alternatives(names));
                ctx.diags.error(self.owner, message);
            }
            [(first, _), (second, span), ..] => {
                for (name, _) in &present {
                    let _ = self.take(name);
                }
                let message = format!("`{first}` and `{second}` exclude each other");
                ctx.diags
                    .error(span, message)
                    .help(format!("give exactly one of {}", alternatives(names)));
            }
        }
        self.choice_failed = true;
        None
    }

    /// Reports keys that nobody took; whether there were none.
    fn finish(self, ctx: &mut Ctx<'_>) -> bool {
        let mut fine = !self.choice_failed;
        let left = self.entries.iter().zip(&self.used).filter(|(_, used)| !**used);
        for (nth, ((key, _), _)) in left.enumerate() {
            if self.known.contains(&key.name.as_str()) {
                if !self.choice_failed {
                    let message = format!("`{}` does not apply to this kind", key.name);
                    ctx.diags.error(key.span, message);
                }
            } else {
                let message = format!("unknown key {} in {}", quote(&key.name), self.title);
                let found = ctx.diags.error(key.span, message);
                if nth < MAX_SUGGESTED {
                    found.suggest(&key.name, self.known.iter().copied());
                }
            }
            fine = false;
        }
        fine
    }
}

/// A map with fixed keys, alone or spread into another such map.
pub trait Record: Sized {
    /// All keys this record reads.
    fn keys() -> Vec<&'static str>;
    /// Takes its keys out of the map.
    fn decode_fields(fields: &mut Fields<'_>, ctx: &mut Ctx<'_>) -> Option<Self>;
    /// Adds its properties.
    fn describe(object: &mut ObjectSchema, defs: &mut Defs);
}

impl<T: Record> Record for Box<T> {
    fn keys() -> Vec<&'static str> {
        T::keys()
    }
    fn decode_fields(fields: &mut Fields<'_>, ctx: &mut Ctx<'_>) -> Option<Self> {
        T::decode_fields(fields, ctx).map(Box::new)
    }
    fn describe(object: &mut ObjectSchema, defs: &mut Defs) {
        T::describe(object, defs);
    }
}

/// [`Decode::decode`] of every [`Record`].
pub fn decode_record<T: Record>(node: &Node, ctx: &mut Ctx<'_>) -> Option<T> {
    let mut fields = ctx.fields(node, T::keys())?;
    let value = T::decode_fields(&mut fields, ctx);
    let complete = fields.finish(ctx);
    value.filter(|_| complete)
}

/// [`Decode::schema`] of every [`Record`]: a definition and a reference.
pub fn record_schema<T: Record>(name: &str, doc: &str, defs: &mut Defs) -> Json {
    defs.define(name, |defs| {
        let mut object = ObjectSchema::default();
        T::describe(&mut object, defs);
        object.into_json(doc)
    })
}

/// Named definitions of a schema under construction.
#[derive(Debug, Default)]
pub struct Defs(serde_json::Map<String, Json>);

impl Defs {
    /// A reference to the definition `name`, which `make` fills on first use.
    pub fn define(&mut self, name: &str, make: impl FnOnce(&mut Defs) -> Json) -> Json {
        if !self.0.contains_key(name) {
            // Before `make`, so that a type may contain itself.
            self.0.insert(name.to_owned(), Json::Null);
            let body = make(self);
            self.0.insert(name.to_owned(), body);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// All definitions.
    #[must_use]
    pub fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}

/// The schema of a map with fixed keys under construction.
#[derive(Debug, Default)]
pub struct ObjectSchema {
    properties: serde_json::Map<String, Json>,
    required: Vec<&'static str>,
    choices: Vec<Json>,
}

impl ObjectSchema {
    /// Adds a key.
    pub fn property(&mut self, name: &'static str, schema: Json, doc: &str, required: bool) {
        self.properties.insert(name.to_owned(), described(schema, doc));
        if required {
            self.required.push(name);
        }
    }

    /// Adds a group of keys of which exactly one must be there; each with
    /// the keys that only apply beside it.
    pub fn choice(&mut self, variants: Vec<(&'static str, ObjectSchema)>) {
        let companions: Vec<String> =
            variants.iter().flat_map(|(_, extra)| extra.properties.keys().cloned()).collect();
        let mut alternatives = Vec::new();
        for (name, extra) in variants {
            let mut required = vec![name];
            required.extend(&extra.required);
            let foreign: serde_json::Map<String, Json> = companions
                .iter()
                .filter(|key| !extra.properties.contains_key(*key))
                .map(|key| (key.clone(), Json::Bool(false)))
                .collect();
            let mut one = json!({ "required": required });
            if let (Some(object), false) = (one.as_object_mut(), foreign.is_empty()) {
                object.insert("properties".to_owned(), Json::Object(foreign));
            }
            alternatives.push(one);
            self.properties.extend(extra.properties);
            self.choices.extend(extra.choices);
        }
        self.choices.push(json!({ "oneOf": alternatives }));
    }

    fn into_json(self, doc: &str) -> Json {
        let mut out = json!({ "type": "object" });
        if let Some(object) = out.as_object_mut() {
            if !doc.is_empty() {
                object.insert("description".to_owned(), Json::from(doc));
            }
            object.insert("properties".to_owned(), Json::Object(self.properties));
            object.insert("additionalProperties".to_owned(), Json::Bool(false));
            if !self.required.is_empty() {
                object.insert("required".to_owned(), Json::from(self.required));
            }
            if !self.choices.is_empty() {
                object.insert("allOf".to_owned(), Json::Array(self.choices));
            }
        }
        out
    }
}

/// A schema with a description; beside a `$ref` too, which the 2020-12 draft
/// allows.
pub fn described(mut schema: Json, doc: &str) -> Json {
    if let (Some(object), false) = (schema.as_object_mut(), doc.is_empty()) {
        object.insert("description".to_owned(), Json::from(doc));
    }
    schema
}

/// The lines of a doc comment as one paragraph.
#[must_use]
pub fn doc_text(lines: &[&str]) -> String {
    let words: Vec<&str> = lines.iter().map(|l| l.trim()).filter(|l| !l.is_empty()).collect();
    words.join(" ").replace('`', "")
}

/// A value and where it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Decode> Decode for Spanned<T> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        T::decode(node, ctx).map(|value| Spanned { value, span: node.span })
    }
    fn schema(defs: &mut Defs) -> Json {
        T::schema(defs)
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        T::decode(node, ctx).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn schema(defs: &mut Defs) -> Json {
        T::schema(defs)
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        T::decode(node, ctx).map(Box::new)
    }
    fn schema(defs: &mut Defs) -> Json {
        T::schema(defs)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let Value::Seq(items) = &node.value else {
            ctx.mismatch(node, "a list");
            return None;
        };
        let mut out = Some(Vec::with_capacity(items.len()));
        for item in items {
            let title = "this item of the list".to_owned();
            match (ctx.owned(first_of(item), title, item), &mut out) {
                (Some(value), Some(list)) => list.push(value),
                _ => out = None,
            }
        }
        out
    }
    fn schema(defs: &mut Defs) -> Json {
        json!({ "type": "array", "items": T::schema(defs) })
    }
}

/// Where a list's item begins, for what it lacks.
fn first_of(item: &Node) -> Span {
    match &item.value {
        Value::Map(entries) => entries.first().map_or(item.span, |(k, _)| k.span),
        _ => item.span,
    }
}

/// A list with at least one item.
#[derive(Debug, Clone, PartialEq)]
pub struct NonEmpty<T>(pub Vec<T>);

impl<T> Deref for NonEmpty<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Decode> Decode for NonEmpty<T> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let items: Vec<T> = Decode::decode(node, ctx)?;
        if items.is_empty() {
            ctx.diags.error(node.span, "the list needs at least one item");
            return None;
        }
        Some(NonEmpty(items))
    }
    fn schema(defs: &mut Defs) -> Json {
        json!({ "type": "array", "items": T::schema(defs), "minItems": 1 })
    }
}

/// One value, or a list of at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Deref for OneOrMany<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Decode> Decode for OneOrMany<T> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        if matches!(node.value, Value::Seq(_)) {
            return NonEmpty::decode(node, ctx).map(|list| OneOrMany(list.0));
        }
        T::decode(node, ctx).map(|one| OneOrMany(vec![one]))
    }
    fn schema(defs: &mut Defs) -> Json {
        json!({ "anyOf": [T::schema(defs), NonEmpty::<T>::schema(defs)] })
    }
}

/// Named entries in the order written, at least `MIN` of them.
///
/// Names appear in paths, file names and reports: at most 253 printable
/// characters, without `/`, `\` and `..`.
#[derive(Debug, Clone, PartialEq)]
pub struct Map<T, const MIN: usize = 0> {
    entries: Vec<(Spanned<String>, T)>,
}

impl<T, const MIN: usize> Default for Map<T, MIN> {
    fn default() -> Self {
        Map { entries: Vec::new() }
    }
}

impl<T, const MIN: usize> Map<T, MIN> {
    /// Adds an entry that no file names; names are unique by the caller's care.
    pub(super) fn push(&mut self, name: &str, value: T) {
        let nowhere = Span { file: 0, start: 0, end: 0 };
        self.entries.push((Spanned { value: name.to_owned(), span: nowhere }, value));
    }

    /// The entries in the order written.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Spanned<String>, &T)> {
        self.entries.iter().map(|(k, v)| (k, v))
    }

    /// The names in the order written.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(k, _)| k.value.as_str())
    }

    /// The entry of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.entries.iter().find(|(k, _)| k.value == name).map(|(_, v)| v)
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Longest name, as in Kubernetes.
const MAX_NAME: usize = 253;

fn name_problem(name: &str, paths: bool) -> Option<&'static str> {
    if name.trim().is_empty() {
        Some("a name must not be empty")
    } else if name.len() > MAX_NAME {
        Some("a name has at most 253 bytes")
    } else if name.chars().any(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c)) {
        Some("a name must be printable")
    } else if paths && (name.contains(['/', '\\']) || name.contains("..")) {
        Some("a name must not contain `/`, `\\` or `..`")
    } else {
        None
    }
}

fn decode_entries<T: Decode>(
    node: &Node,
    ctx: &mut Ctx<'_>,
    paths: bool,
) -> Option<Vec<(Spanned<String>, T)>> {
    let Value::Map(entries) = &node.value else {
        ctx.mismatch(node, "a map of names");
        return None;
    };
    let mut out = Some(Vec::with_capacity(entries.len()));
    for (key, node) in entries {
        let problem = name_problem(&key.name, paths);
        if let Some(problem) = problem {
            ctx.diags.error(key.span, problem);
        }
        match (ctx.under(key, node), problem, &mut out) {
            (Some(value), None, Some(list)) => {
                list.push((Spanned { value: key.name.clone(), span: key.span }, value));
            }
            _ => out = None,
        }
    }
    out
}

impl<T: Decode, const MIN: usize> Decode for Map<T, MIN> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let entries = decode_entries(node, ctx, true)?;
        if entries.len() < MIN {
            let owner = ctx.owner.clone();
            let (span, title) = owner.unwrap_or((node.span, "the map".to_owned()));
            ctx.diags.error(span, format!("{title} needs at least one entry"));
            return None;
        }
        Some(Map { entries })
    }
    fn schema(defs: &mut Defs) -> Json {
        let mut out = json!({
            "type": "object",
            "propertyNames": { "pattern": r"^(?!.*\.\.)[^/\\]{1,253}$" },
            "additionalProperties": T::schema(defs),
        });
        if let (Some(object), true) = (out.as_object_mut(), MIN > 0) {
            object.insert("minProperties".to_owned(), Json::from(MIN));
        }
        out
    }
}

/// Entries under keys of Kubernetes, such as `kubernetes.io/arch` or
/// `nvidia.com/gpu`, in the order written.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyed<T>(Map<T>);

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Keyed(Map::default())
    }
}

impl<T> Deref for Keyed<T> {
    type Target = Map<T>;
    fn deref(&self) -> &Map<T> {
        &self.0
    }
}

impl<T: Decode> Decode for Keyed<T> {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        decode_entries(node, ctx, false).map(|entries| Keyed(Map { entries }))
    }
    fn schema(defs: &mut Defs) -> Json {
        json!({ "type": "object", "additionalProperties": T::schema(defs) })
    }
}
