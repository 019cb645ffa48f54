//! The single values of a scenario that are written as text: quantities,
//! money, times, names and paths; plain numbers are in [`super::number`].

use std::ops::Deref;
use std::path::{Component, Path};

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::decode::{Ctx, Decode, Defs};
use super::diagnostic::{alternatives, quote};
use super::tree::{Node, Value, is_number};
use crate::names::nearest;
use crate::units::{Bytes, MilliCpu, Money, Percent, Rate, SimDuration};

/// The text of a number or a string.
pub(super) fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Number(text) | Value::String(text) => Some(text),
        _ => None,
    }
}

/// The text of a plain number.
pub(super) fn number(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Number(text) => Some(text),
        _ => None,
    }
}

/// Reports a word that is none of `words`.
pub(super) fn refuse_word(node: &Node, words: &[&str], ctx: &mut Ctx<'_>) {
    match &node.value {
        Value::String(text) => {
            let message = format!("unknown value {}", quote(text));
            ctx.diags().error(node.span, message).suggest(text, words.iter().copied());
        }
        _ => {
            ctx.mismatch(node, &alternatives(words));
        }
    }
}

/// Whether a text was probably meant to be one of `words`.
pub(super) fn is_misspelt_word(node: &Node, words: &[&str]) -> bool {
    match &node.value {
        Value::String(text) => {
            text.starts_with(|c: char| c.is_ascii_alphabetic())
                && nearest(text, words.iter().copied()).is_some()
        }
        _ => false,
    }
}

/// Whether a node is of a kind named in `union!`.
pub(super) fn is_kind(node: &Node, kind: &str) -> bool {
    match &node.value {
        Value::Number(_) => kind == "number" || kind == "scalar",
        Value::String(_) => kind == "text" || kind == "scalar",
        Value::Seq(_) => kind == "list",
        Value::Map(_) => kind == "map",
        Value::Null | Value::Bool(_) => false,
    }
}

/// Reports a value that is no word and of no accepted kind.
pub(super) fn refuse_kind(node: &Node, words: &[&str], kinds: &[&str], ctx: &mut Ctx<'_>) {
    let only_words = !words.is_empty() && !kinds.contains(&"text") && !kinds.contains(&"map");
    if only_words && matches!(node.value, Value::String(_)) {
        return refuse_word(node, words, ctx);
    }
    let mut forms: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    forms.extend(kinds.iter().map(|kind| {
        match *kind {
            "number" => "a number",
            "text" => "a text",
            "map" => "a map",
            "list" => "a list",
            _ => "a value",
        }
        .to_owned()
    }));
    let expected = match forms.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => forms.concat(),
    };
    ctx.mismatch(node, &expected);
}

/// A leaf that `FromStr` reads from a number or a text.
macro_rules! parsed {
    ($($ty:ty, $what:literal, $schema:expr;)*) => {$(
        impl Decode for $ty {
            fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
                let Some(text) = scalar(node) else {
                    ctx.mismatch(node, $what);
                    return None;
                };
                match text.parse::<$ty>() {
                    Ok(value) => Some(value),
                    Err(e) => {
                        ctx.diags().error(node.span, format!("invalid value {}: {e}", quote(text)));
                        None
                    }
                }
            }
            fn schema(defs: &mut Defs) -> Json {
                defs.define(stringify!($ty), |_| $schema)
            }
        }
    )*};
}

parsed! {
    SimDuration, "a duration such as 90s or 1h30m", json!({
        "description": "A duration with a unit: 250ms, 90s, 10m, 1h30m, 14d, 2w; or 0.",
        "anyOf": [
            { "type": "string", "pattern": r"^\s*([0-9]*\.?[0-9]+\s*(ms|s|m|min|h|d|w)\s*)+$|^0$" },
            { "const": 0 },
        ],
    });
    MilliCpu, "a cpu quantity such as 500m or 2", json!({
        "description": "A Kubernetes cpu quantity: 500m, 2, 0.5.",
        "anyOf": [{ "type": "string" }, { "type": "number", "minimum": 0 }],
    });
    std::net::IpAddr, "an address such as 10.0.0.1", json!({
        "description": "An IPv4 or IPv6 address.",
        "type": "string",
    });
    Percent, "a percentage such as 60%", json!({
        "description": "A percentage with its sign: 60%.",
        "type": "string", "pattern": r"^\s*[0-9]*\.?[0-9]+\s*%\s*$",
    });
}

/// Bytes without a unit below this are most likely a number whose unit is missing.
const SMALL_BYTES: i64 = 1 << 20;

impl Decode for Bytes {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let Some(text) = scalar(node) else {
            ctx.mismatch(node, "a memory quantity such as 512Mi or 2Gi");
            return None;
        };
        match text.parse::<Bytes>() {
            Ok(value) => {
                // Kubernetes takes such a number as bytes, and so does this.
                let bare =
                    text.trim().trim_end_matches('m').ends_with(|c: char| c.is_ascii_digit());
                if bare && (1..SMALL_BYTES).contains(&value.0) {
                    let message =
                        format!("{} is {} bytes: is a unit missing?", quote(text), value.0);
                    ctx.diags()
                        .warning("small-memory", node.span, message)
                        .help("write Mi or Gi after the number");
                }
                Some(value)
            }
            Err(e) => {
                ctx.diags().error(node.span, format!("invalid value {}: {e}", quote(text)));
                None
            }
        }
    }
    fn schema(defs: &mut Defs) -> Json {
        defs.define("Bytes", |_| {
            json!({
                "description": "A Kubernetes memory quantity: 512Mi, 2Gi, 1.5G, or bytes.",
                "anyOf": [{ "type": "string" }, { "type": "number", "minimum": 0 }],
            })
        })
    }
}

/// Money and rates: exact decimals that must not be negative.
macro_rules! decimals {
    ($($ty:ty, $zero:expr, $max:expr;)*) => {$(
        impl Decode for $ty {
            fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
                let Some(text) = scalar(node) else {
                    ctx.mismatch(node, "an amount in USD such as 0.0464");
                    return None;
                };
                match text.parse::<$ty>() {
                    Ok(value) if value < $zero => {
                        let message = format!("{} must not be negative", quote(text));
                        ctx.diags().error(node.span, message);
                        None
                    }
                    Ok(value) if $max.is_some_and(|max| value > max) => {
                        let message = format!("{} is too large: at most 100000 USD", quote(text));
                        ctx.diags().error(node.span, message);
                        None
                    }
                    Ok(value) => Some(value),
                    Err(e) => {
                        ctx.diags().error(node.span, format!("invalid value {}: {e}", quote(text)));
                        None
                    }
                }
            }
            fn schema(defs: &mut Defs) -> Json {
                defs.define("Usd", |_| json!({
                    "description": "An amount in USD: a decimal of at most 12 places.",
                    "anyOf": [
                        { "type": "number", "minimum": 0 },
                        { "type": "string", "pattern": r"^[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$" },
                    ],
                }))
            }
        }
    )*};
}

decimals! {
    Rate, Rate::ZERO, Some(Rate::MOST);
    Money, Money::ZERO, None::<Money>;
}

impl Decode for bool {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        if let Value::Bool(b) = node.value {
            return Some(b);
        }
        let found = ctx.mismatch(node, "`true` or `false`");
        if let Value::String(text) = &node.value {
            match text.to_ascii_lowercase().as_str() {
                "yes" | "on" | "y" => {
                    found.help("YAML 1.2 writes `true`");
                }
                "no" | "off" | "n" => {
                    found.help("YAML 1.2 writes `false`");
                }
                _ => {}
            }
        }
        None
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "boolean" })
    }
}

impl Decode for String {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        match &node.value {
            Value::String(text) if text.is_empty() => {
                ctx.diags().error(node.span, "the text must not be empty");
                None
            }
            Value::String(text) => Some(text.clone()),
            Value::Number(text) => {
                let help = format!("write it in quotes: \"{text}\"");
                ctx.mismatch(node, "a text").help(help);
                None
            }
            Value::Bool(b) => {
                let help = format!("write it in quotes: \"{b}\"");
                ctx.mismatch(node, "a text").help(help);
                None
            }
            _ => {
                ctx.mismatch(node, "a text");
                None
            }
        }
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// A text that may be empty, such as the value of a label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub String);

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Decode for Text {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        match &node.value {
            Value::String(text) if text.is_empty() => Some(Text::default()),
            _ => String::decode(node, ctx).map(Text),
        }
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "string" })
    }
}

/// Processor time of one request, finer than the simulation's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CpuTime {
    /// In microseconds, at least 1.
    pub micros: i64,
}

impl Decode for CpuTime {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        const EXPECTED: &str = "a processor time such as 8ms, 0.5ms or 250us";
        let Value::String(text) = &node.value else {
            ctx.mismatch(node, EXPECTED);
            return None;
        };
        // Units from the longest, so that `ms` is not read as `s`. A unit is
        // worth so many microseconds; the amount is an exact decimal.
        let micros = [("us", 1), ("ms", 1_000), ("s", 1_000_000)]
            .into_iter()
            .find_map(|(unit, worth)| Some((text.trim().strip_suffix(unit)?, worth)))
            .filter(|(amount, _)| is_number(amount.trim()))
            .and_then(|(amount, worth)| Some((amount.trim().parse::<Rate>().ok()?, worth)))
            .and_then(|(amount, worth)| {
                let exact = amount.pico().checked_mul(worth)?;
                (exact % PICO == 0).then_some(exact / PICO)
            })
            .and_then(|micros| i64::try_from(micros).ok())
            .filter(|micros| (1..=MAX_CPU_MICROS).contains(micros));
        if micros.is_none() {
            let message = format!("invalid value {}: expected {EXPECTED}", quote(text));
            ctx.diags().error(node.span, message).help("from 1us to 1 hour, in whole microseconds");
        }
        micros.map(|micros| CpuTime { micros })
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "string", "pattern": r"^\s*[0-9]*\.?[0-9]+\s*(us|ms|s)\s*$" })
    }
}

/// Pico-units in one unit of a [`Rate`].
const PICO: i128 = 1_000_000_000_000;
/// An hour.
const MAX_CPU_MICROS: i64 = 3_600_000_000;

/// The one version of the scenario format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatVersion;

impl Decode for FormatVersion {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        if number(node) == Some("1") {
            return Some(FormatVersion);
        }
        ctx.mismatch(node, "the format version 1");
        None
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "const": 1 })
    }
}

/// A name that also serves as a file name: letters, digits, `.`, `_`, `-`,
/// the first a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(String);

impl Deref for Slug {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Decode for Slug {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let text = String::decode(node, ctx)?;
        let fine = text.len() <= 100
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if fine {
            return Some(Slug(text));
        }
        let message = format!("{} cannot be a name here", quote(&text));
        ctx.diags()
            .error(node.span, message)
            .help("up to 100 letters, digits, `.`, `_` and `-`, starting with a letter or digit");
        None
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" })
    }
}

/// The path of an input file, relative to the scenario's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelPath(String);

impl RelPath {
    /// As it was written.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Decode for RelPath {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let text = String::decode(node, ctx)?;
        let absolute = text.starts_with(['/', '\\', '~'])
            || Path::new(&text)
                .components()
                .any(|c| matches!(c, Component::RootDir | Component::Prefix(_)))
            || text.as_bytes().get(1) == Some(&b':');
        let problem = if text.contains("://") {
            "only local files are read"
        } else if absolute {
            "the path must be relative to the scenario file"
        } else if text.chars().any(char::is_control) {
            "a path must be printable"
        } else {
            return Some(RelPath(text));
        };
        let message = format!("cannot use {}: {problem}", quote(&text));
        ctx.diags().error(node.span, message).help(
            "put the file beside the scenario, so that both can be moved together, \
             and name it by a relative path such as `traces/batch.csv`",
        );
        None
    }
    fn schema(_: &mut Defs) -> Json {
        json!({
            "type": "string", "minLength": 1,
            "description": "A path relative to the scenario file.",
        })
    }
}

impl Decode for Timestamp {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let Value::String(text) = &node.value else {
            ctx.mismatch(node, "a point in time such as 2025-01-06T00:00Z");
            return None;
        };
        // Years that a bill can be about; far ones would overflow sums.
        let range = -2_208_988_800..=7_258_118_400; // 1900 to 2200
        match text.parse::<Timestamp>() {
            Ok(time) if range.contains(&time.as_second()) => Some(time),
            Ok(_) => {
                let message = format!("{} lies outside the years 1900 to 2200", quote(text));
                ctx.diags().error(node.span, message);
                None
            }
            Err(_) => {
                let message = format!("invalid point in time {}", quote(text));
                ctx.diags().error(node.span, message).help(
                    "write date, time and offset from UTC, as in 2025-01-06T00:00Z \
                     or 2025-01-06T01:00+01:00",
                );
                None
            }
        }
    }
    fn schema(_: &mut Defs) -> Json {
        json!({
            "type": "string",
            "description": "Date, time and offset from UTC: 2025-01-06T00:00Z.",
        })
    }
}
