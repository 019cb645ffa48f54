//! The `sweep` block: which cases, which settings take which values, how many
//! seeds.
//!
//! ```yaml
//! sweep:
//!   over: [today, spot]
//!   axes:
//!     pools.batch.asg.max: [10, 20, 40]
//!     commitments.extra.usd-per-hour: { from: 0, to: 20, step: 2.5 }
//!   seeds: 10
//! ```
//!
//! An axis is a path as `--set` takes it; each of its values is merged into
//! that path after the case. Values keep the place they were written at, so
//! that whatever is wrong with one points into this block.

use serde_json::{Value as Json, json};

use super::decode::{Ctx, Decode, Defs, NonEmpty, Spanned};
use super::diagnostic::{Span, quote};
use super::leaf::scalar;
use super::number::Int;
use super::patch::{Path, decode_path};
use super::record::record;
use super::tree::{Node, Value, is_number};
use crate::units::Rate;

/// Most values of one axis.
pub const MAX_VALUES: usize = 10_000;
/// What all cells have in common, so that no axis may change it.
const FIXED: [&str; 4] = ["version", "name", "seed", "seeds"];

record! {
    /// What plimsoll sweep runs: cases × axes × seeds.
    #[derive(Default)]
    pub struct Sweep {
        /// Which cases, the first of which is the baseline; all unless stated.
        "over" => over: Option<NonEmpty<Spanned<String>>>,
        /// Settings and the values they take. The first value of each belongs to the baseline.
        "axes" => axes: Axes = Axes::default(),
        /// How many seeds a sweep runs; those of the scenario unless stated.
        "seeds" => seeds: Option<Spanned<Int<1, 10_000>>>,
    }
}

/// Settings that vary, in the order written. No two overlap.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axes(pub Vec<Axis>);

/// A setting that varies.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The path as written.
    pub name: Spanned<String>,
    /// Where in a scenario.
    pub path: Path,
    /// Its values, at least one, no two alike.
    pub values: Vec<Node>,
}

impl Decode for Axes {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            ctx.mismatch(node, "a map from paths to values");
            return None;
        };
        let mut axes = Some(Vec::with_capacity(entries.len()));
        let mut seen: Vec<(&str, Path)> = Vec::new();
        for (key, node) in entries {
            let values = ctx.under::<AxisValues>(key, node);
            let path = decode_path(&key.name, key.span, ctx)
                .filter(|path| may_vary(path, &seen, key.span, ctx));
            if let Some(path) = &path {
                seen.push((&key.name, path.clone()));
            }
            match (values, path, &mut axes) {
                (Some(values), Some(path), Some(axes)) => axes.push(Axis {
                    name: Spanned { value: key.name.clone(), span: key.span },
                    path,
                    values: values.0,
                }),
                _ => axes = None,
            }
        }
        axes.map(Axes)
    }
    fn schema(defs: &mut Defs) -> Json {
        json!({ "type": "object", "additionalProperties": AxisValues::schema(defs) })
    }
}

fn may_vary(path: &Path, seen: &[(&str, Path)], span: Span, ctx: &mut Ctx<'_>) -> bool {
    if let Some(fixed) = FIXED.iter().find(|f| **f == path.head()) {
        ctx.diags()
            .error(span, format!("an axis cannot vary `{fixed}`"))
            .help("all cells of a sweep have it in common");
        return false;
    }
    if let Some((other, _)) = seen.iter().find(|(_, other)| path.overlaps(other)) {
        ctx.diags()
            .error(span, format!("this axis overlaps the axis {}", quote(other)))
            .help("no two axes may set the same path or a part of it");
        return false;
    }
    true
}

/// The values of an axis.
struct AxisValues(Vec<Node>);

impl Decode for AxisValues {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let values = match &node.value {
            Value::Seq(items) => items.clone(),
            Value::Map(_) => Steps::decode(node, ctx)?.values(node.span, ctx)?,
            _ => {
                ctx.mismatch(node, "a list of values, or a map with `from`, `to` and `step`");
                return None;
            }
        };
        let mut fine = true;
        if values.is_empty() {
            ctx.diags().error(node.span, "an axis needs at least one value");
            fine = false;
        }
        if values.len() > MAX_VALUES {
            let message = format!("an axis has at most {MAX_VALUES} values");
            ctx.diags().error(node.span, message);
            return None;
        }
        for (at, value) in values.iter().enumerate() {
            if values.iter().take(at).any(|before| before.same_as(value)) {
                let message = format!("{} stands in this axis twice", value.describe());
                ctx.diags().error(value.span, message);
                fine = false;
            }
        }
        fine.then_some(AxisValues(values))
    }
    fn schema(defs: &mut Defs) -> Json {
        json!({ "anyOf": [{ "type": "array", "minItems": 1 }, Steps::schema(defs)] })
    }
}

record! {
    /// Values at equal distances, both ends included.
    pub struct Steps {
        /// The first value, perhaps with a unit: 0, 5m, 10%.
        "from" => from: Spanned<Amount>,
        /// The last value; the steps must hit it.
        "to" => to: Spanned<Amount>,
        /// The distance between two values.
        "step" => step: Spanned<Amount>,
    }
}

/// A decimal, perhaps with a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    number: Rate,
    unit: String,
}

impl Decode for Amount {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        const EXPECTED: &str = "a number, perhaps with a unit, such as 2.5, 5m or 10%";
        let Some(text) = scalar(node) else {
            ctx.mismatch(node, EXPECTED);
            return None;
        };
        let text = text.trim();
        let digits = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
        // An exponent belongs to the number.
        let number = if is_number(text) { text } else { digits };
        let unit = text.get(number.len()..).unwrap_or_default();
        match number.parse::<Rate>() {
            Ok(value) if is_number(number) => Some(Amount { number: value, unit: unit.to_owned() }),
            _ => {
                let message = format!("invalid value {}: expected {EXPECTED}", quote(text));
                ctx.diags().error(node.span, message).help("or list the values one by one");
                None
            }
        }
    }
    fn schema(_: &mut Defs) -> Json {
        json!({ "anyOf": [
            { "type": "number" },
            { "type": "string", "pattern": r"^\s*[-+]?[0-9]*\.?[0-9]+\s*([A-Za-z]*|%)\s*$" },
        ] })
    }
}

impl Steps {
    /// The values, or a report.
    fn values(&self, span: Span, ctx: &mut Ctx<'_>) -> Option<Vec<Node>> {
        let Steps { from, to, step } = self;
        let ends = [from, to, step];
        let unit = ends.iter().map(|a| a.unit.as_str()).find(|u| !u.is_empty()).unwrap_or("");
        // Zero needs no unit.
        let odd = ends.iter().find(|a| a.unit != unit && a.number.pico() != 0);
        if let Some(odd) = odd {
            let message = if odd.unit.is_empty() {
                format!("the unit {} is missing", quote(unit))
            } else {
                format!("the unit {} differs from {}", quote(&odd.unit), quote(unit))
            };
            ctx.diags().error(odd.span, message).help("give `from`, `to` and `step` one unit");
            return None;
        }
        let (first, last, by) = (from.number.pico(), to.number.pico(), step.number.pico());
        if by <= 0 {
            ctx.diags().error(step.span, "the step must be above zero");
            return None;
        }
        if last < first {
            ctx.diags().error(to.span, "`to` lies below `from`");
            return None;
        }
        let whole = last.checked_sub(first)?;
        if whole % by != 0 {
            let near = Rate::from_pico(first + whole / by * by);
            let message = format!(
                "the steps do not hit `to`: the last one within is {near}{unit}, not {}{unit}",
                to.number
            );
            ctx.diags().error(step.span, message).help("choose a step that divides the range");
            return None;
        }
        let count = whole / by;
        if count >= MAX_VALUES as i128 {
            let message = format!("{} values: an axis has at most {MAX_VALUES}", count + 1);
            ctx.diags().error(step.span, message);
            return None;
        }
        let value = |i: i128| {
            let text = Rate::from_pico(first + i * by).to_string();
            let value =
                if unit.is_empty() { Value::Number(text) } else { Value::String(text + unit) };
            Node { value, span }
        };
        Some((0..=count).map(value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Source;
    use std::path::Path as FilePath;

    const BASE: &str = "version: 1\nname: t\nregion: us-east-1\nworkload: {}\npools: {}\n";

    fn axes(sweep: &str) -> Vec<(String, Vec<String>)> {
        let text = format!("{BASE}sweep:\n  axes:\n{sweep}");
        let source = Source::parse(FilePath::new("s.yaml"), text.as_bytes()).expect("parses");
        let sweep = source.sweep().expect("a sweep");
        let value = |n: &Node| scalar(n).unwrap_or("?").to_owned();
        sweep
            .axes
            .0
            .iter()
            .map(|a| (a.name.value.clone(), a.values.iter().map(value).collect()))
            .collect()
    }

    fn refused(sweep: &str) -> String {
        let text = format!("{BASE}sweep:\n{sweep}");
        let error = Source::parse(FilePath::new("s.yaml"), text.as_bytes()).expect_err("refused");
        assert!(error.is_input());
        error.to_string()
    }

    #[test]
    fn steps_are_exact_decimals_with_their_unit() {
        let found = axes(
            "    a.b: { from: 0, to: 1, step: 0.1 }\n    c: { from: 0, to: 10m, step: 5m }\n    \
             d: { from: 50%, to: 80%, step: 15% }\n    e: [0s, Never, 1]\n    \
             f: { from: -1, to: 1, step: 1 }\n",
        );
        let texts = |v: &[&str]| v.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(found[0].0, "a.b");
        let tenths = ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"];
        assert_eq!(found[0].1, texts(&tenths));
        assert_eq!(found[1].1, texts(&["0m", "5m", "10m"]));
        assert_eq!(found[2].1, texts(&["50%", "65%", "80%"]));
        assert_eq!(found[3].1, texts(&["0s", "Never", "1"]));
        assert_eq!(found[4].1, texts(&["-1", "0", "1"]));
    }

    #[test]
    fn every_mistake_is_found_at_its_place() {
        let said = refused(
            "  axes:\n    pools.a.asg.max: { from: 0, to: 20, step: 3 }\n    pools.a: [1]\n    \
             seeds: [1, 2]\n    x: []\n    y: [1, 1]\n    z: { from: 1m, to: 2h, step: 1m }\n    \
             v: { from: 3, to: 2, step: 1 }\n    w: { from: 0, to: 2, step: 0 }\n    u: 5\n    \
             t: { from: 0, to: 1e9, step: 1 }\n    \"a..b\": [1]\n  sedes: 3\n",
        );
        for (place, words) in [
            ("s.yaml:8:47", "the steps do not hit `to`: the last one within is 18, not 20"),
            ("s.yaml:9:5", "this axis overlaps the axis `pools.a.asg.max`"),
            ("s.yaml:10:5", "an axis cannot vary `seeds`"),
            ("s.yaml:11:8", "an axis needs at least one value"),
            ("s.yaml:12:12", "the number `1` stands in this axis twice"),
            ("s.yaml:13:24", "the unit `h` differs from `m`"),
            ("s.yaml:14:23", "`to` lies below `from`"),
            ("s.yaml:15:32", "the step must be above zero"),
            ("s.yaml:16:8", "expected a list of values, or a map with `from`, `to` and `step`"),
            ("s.yaml:17:34", "an axis has at most 10000"),
            ("s.yaml:18:5", "invalid path `a..b`"),
            ("s.yaml:19:3", "unknown key `sedes` in `sweep`"),
        ] {
            assert!(said.contains(place), "{place} in\n{said}");
            assert!(said.contains(words), "{words} in\n{said}");
        }
    }
}
