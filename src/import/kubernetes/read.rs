//! Files to API objects: JSON or YAML, one object or several, lists of any
//! kind.
//!
//! Items of a list are reduced to the fields that are read as soon as they are
//! parsed, so that memory holds the file's bytes, one object as a tree and the
//! reduced ones.

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::objects::{
    BudgetObject, NamespaceObject, NodeObject, OwnerObject, PodObject, PriorityObject,
    ServiceObject,
};
use super::quote;
use crate::error::{Error, Result};
use crate::import::cluster::OwnerKind;
use crate::text;

/// Largest file, unpacked: about 100,000 pods as kubectl prints them.
const MAX_BYTES: u64 = 1 << 30;

/// An object with where it came from.
#[derive(Debug)]
pub(super) struct Found {
    /// The file as the user named it, and the place in it.
    pub(super) place: String,
    /// What it is.
    pub(super) object: Object,
}

/// What is read of an object.
#[derive(Debug)]
pub(super) enum Object {
    /// A Node.
    Node(Box<NodeObject>),
    /// A Pod.
    Pod(Box<PodObject>),
    /// What owns pods.
    Owner(OwnerKind, Box<OwnerObject>),
    /// A Namespace.
    Namespace(Box<NamespaceObject>),
    /// A Service.
    Service(Box<ServiceObject>),
    /// A PodDisruptionBudget.
    Budget(Box<BudgetObject>),
    /// A PriorityClass.
    Priority(Box<PriorityObject>),
    /// A kind that is read, in a version that is not.
    OtherVersion {
        /// Its kind.
        kind: String,
        /// Its version.
        api_version: String,
    },
    /// Any other kind.
    Other {
        /// Its kind.
        kind: String,
    },
}

/// The objects of one file.
///
/// # Errors
/// When it cannot be read, is too large, is cut off, or holds something else
/// than API objects.
pub(super) fn file(path: &Path, shown: &str) -> Result<Vec<Found>> {
    let mut bytes = Vec::new();
    text::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::read(path, &e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::input(format!(
            "`{shown}` is larger than 1 GiB; print nodes and pods only, or one namespace at a time"
        )));
    }
    parse(&bytes, shown)
}

/// The objects of a text; see [`file`].
///
/// # Errors
/// As [`file`].
pub(super) fn parse(bytes: &[u8], shown: &str) -> Result<Vec<Found>> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::input(format!(
            "`{shown}` is UTF-16 text, as PowerShell's `>` writes it; write it with `| Out-File \
             -Encoding utf8`"
        )));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    let documents = match first {
        None => {
            return Err(Error::input(format!(
                "`{shown}` is empty; did the `kubectl get` that wrote it fail?"
            )));
        }
        Some(b'{' | b'[') => json(bytes, shown)?,
        Some(_) => yaml(bytes, shown)?,
    };
    let several = documents.len() > 1;
    let mut found = Vec::new();
    for (i, document) in documents.into_iter().enumerate() {
        let document_place =
            if several { format!("{shown}: document {}", i + 1) } else { shown.to_owned() };
        document.into_objects(&document_place, &mut found)?;
    }
    Ok(found)
}

fn json(bytes: &[u8], shown: &str) -> Result<Vec<Document>> {
    let stream = serde_json::Deserializer::from_slice(bytes).into_iter::<Document>();
    stream
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| bad_syntax(shown, "JSON", e.line() as u64, e.column() as u64, &e, e.is_eof()))
}

fn yaml(bytes: &[u8], shown: &str) -> Result<Vec<Document>> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_events: 1 << 28,
            max_nodes: 1 << 28,
            max_documents: 1 << 20,
            max_total_scalar_bytes: 1 << 30,
        },
    };
    serde_saphyr::from_slice_multiple_with_options(bytes, options).map_err(|e| {
        let (line, column) = e.location().map_or((0, 0), |at| (at.line(), at.column()));
        let text = e.to_string();
        let first = text.lines().next().unwrap_or_default();
        bad_syntax(shown, "YAML", line, column, &first, false)
    })
}

fn bad_syntax(
    shown: &str,
    language: &str,
    line: u64,
    column: u64,
    cause: &dyn fmt::Display,
    cut: bool,
) -> Error {
    let place = if line > 0 { format!("{shown}:{line}:{column}") } else { shown.to_owned() };
    let remedy = if cut {
        "the file ends in the middle of an object: it was cut off; write it again"
    } else {
        "give the output of `kubectl get nodes,pods -A -o json`, as it is"
    };
    Error::input(format!(
        "{place}: not {language} of Kubernetes objects: {cause}\n  = help: {remedy}"
    ))
}

/// One document of a file.
#[derive(Debug, Default)]
struct Document {
    api_version: String,
    kind: String,
    items: Option<Vec<Item>>,
    /// A single object, or what a foreign file holds.
    rest: serde_json::Map<String, Value>,
}

/// An item of a list, reduced where its kind was known already.
#[derive(Debug)]
enum Item {
    Object(Typed),
    /// One whose kind only the list tells.
    Unnamed(Value),
}

type Typed = std::result::Result<Object, String>;

impl Document {
    fn into_objects(self, place: &str, found: &mut Vec<Found>) -> Result<()> {
        if let Some(items) = self.items {
            let item_kind = self.kind.strip_suffix("List").unwrap_or(&self.kind);
            for (i, item) in items.into_iter().enumerate() {
                let place = format!("{place}: items[{i}]");
                let typed = match item {
                    Item::Object(typed) => typed,
                    Item::Unnamed(value) => typed(value, item_kind, &self.api_version),
                };
                let object = typed.map_err(|e| Error::input(format!("{place}: {e}")))?;
                found.push(Found { place, object });
            }
            return Ok(());
        }
        if self.rest.is_empty() && self.kind.is_empty() {
            // An empty document between two `---`.
            return Ok(());
        }
        if self.kind.is_empty() {
            let keys: Vec<&str> = self.rest.keys().take(4).map(String::as_str).collect();
            return Err(Error::input(format!(
                "{place}: no Kubernetes object: it has no `kind`, but {}\n  = help: give the \
                 output of `kubectl get nodes,pods -A -o json`",
                keys.iter().map(|k| quote(k)).collect::<Vec<_>>().join(", ")
            )));
        }
        let typed = typed(Value::Object(self.rest), &self.kind, &self.api_version);
        let object = typed.map_err(|e| Error::input(format!("{place}: {e}")))?;
        found.push(Found { place: place.to_owned(), object });
        Ok(())
    }
}

/// The fields that are read of an object of that kind.
fn typed(value: Value, kind: &str, api_version: &str) -> Typed {
    let wanted = match kind {
        "Node" | "Pod" | "ReplicationController" | "Namespace" | "Service" => "v1",
        "PodDisruptionBudget" => "policy/v1",
        "PriorityClass" => "scheduling.k8s.io/v1",
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => "apps/v1",
        "Job" | "CronJob" => "batch/v1",
        _ => return Ok(Object::Other { kind: kind.to_owned() }),
    };
    let name = name_of(&value);
    if !api_version.is_empty() && api_version != wanted {
        if matches!(kind, "Node" | "Pod") {
            return Err(format!(
                "{kind}{name} is of version {}; only v1 is read: print it with a kubectl of this \
                 cluster's version",
                quote(api_version)
            ));
        }
        let (kind, api_version) = (kind.to_owned(), api_version.to_owned());
        return Ok(Object::OtherVersion { kind, api_version });
    }
    let bad = |e: String| format!("{kind}{name} cannot be read: {e}");
    match kind {
        "Node" => reduced(value).map(Object::Node).map_err(bad),
        "Pod" => reduced(value).map(Object::Pod).map_err(bad),
        "Namespace" => reduced(value).map(Object::Namespace).map_err(bad),
        "Service" => reduced(value).map(Object::Service).map_err(bad),
        "PodDisruptionBudget" => reduced(value).map(Object::Budget).map_err(bad),
        "PriorityClass" => reduced(value).map(Object::Priority).map_err(bad),
        _ => reduced(value).map(|o| Object::Owner(OwnerKind::of(kind), o)).map_err(bad),
    }
}

fn reduced<T: DeserializeOwned>(value: Value) -> std::result::Result<Box<T>, String> {
    serde_json::from_value(value).map(Box::new).map_err(|e| e.to_string())
}

/// Namespace and name of an object, for messages.
fn name_of(value: &Value) -> String {
    let text = |key: &str| value.get("metadata").and_then(|m| m.get(key)).and_then(Value::as_str);
    match (text("namespace"), text("name")) {
        (Some(namespace), Some(name)) => {
            format!(" {}", quote(&format!("{namespace}/{name}")))
        }
        (None, Some(name)) => format!(" {}", quote(name)),
        _ => String::new(),
    }
}

/// Reduces an item that names its kind, or shows it by what it holds.
fn item(value: Value) -> Item {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    let has = |outer: &str, inner: &str| value.get(outer).is_some_and(|v| v.get(inner).is_some());
    if !kind.is_empty() {
        Item::Object(typed(value, &kind, &api_version))
    } else if has("spec", "containers") {
        Item::Object(typed(value, "Pod", &api_version))
    } else if has("status", "nodeInfo") {
        Item::Object(typed(value, "Node", &api_version))
    } else {
        Item::Unnamed(value)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an API object or a list of them")
            }

            fn visit_unit<E>(self) -> std::result::Result<Document, E> {
                Ok(Document::default())
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Document, A::Error> {
                let mut document = Document::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "items" => document.items = map.next_value_seed(Items)?,
                        "kind" => document.kind = text_value(map.next_value()?),
                        "apiVersion" => document.api_version = text_value(map.next_value()?),
                        _ => {
                            let value = map.next_value()?;
                            document.rest.insert(key, value);
                        }
                    }
                }
                Ok(document)
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                seq: A,
            ) -> std::result::Result<Document, A::Error> {
                let items = Items.visit_seq(seq)?;
                Ok(Document { items, ..Document::default() })
            }
        }
        input.deserialize_any(Whole)
    }
}

fn text_value(value: Value) -> String {
    match value {
        Value::String(text) => text,
        _ => String::new(),
    }
}

/// Reads `items`, reducing one after another.
struct Items;

impl<'de> DeserializeSeed<'de> for Items {
    type Value = Option<Vec<Item>>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        input: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Option<Vec<Item>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of API objects")
    }

    fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(Some(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut seq: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(value) = seq.next_element::<Value>()? {
            items.push(item(value));
        }
        Ok(Some(items))
    }
}
