//! Rows of a billing file that are not priced, by what they are, with their sums.
//! Writing into a string cannot fail.

use std::cmp::Reverse;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::text;
use crate::bill::statement::{Other, OtherKey, Repricing};
use crate::units::Money;

/// Kinds of rows that a terminal shows.
const SHOWN: usize = 12;
/// Decimals of money.
const PLACES: u32 = 6;

fn parts(of: &Repricing, usage: bool) -> impl Iterator<Item = (&OtherKey, &Other)> {
    of.others.iter().filter(move |(key, _)| key.usage == usage)
}

/// Usage, or what is none, for a terminal; nothing where there is none.
pub(super) fn table(of: &Repricing, usage: bool, title: &str) -> String {
    let mut others: Vec<(&OtherKey, &Other)> = parts(of, usage).collect();
    if others.is_empty() {
        return String::new();
    }
    others.sort_by_key(|(key, other)| {
        let amount = other.list.pico().abs().max(other.billed.pico().abs());
        (Reverse(amount), *key)
    });
    let mut out =
        format!("\n{title}\n  {:<43}{:>9}{:>13}{:>13}\n", "what", "rows", "list $", "billed $");
    for (key, other) in others.iter().take(SHOWN) {
        let _ = writeln!(
            out,
            "  {:<43}{:>9}{:>13}{:>13}",
            text::shortened(&what(key), 42),
            text::count(other.rows),
            text::fitted(other.list, PLACES, 12),
            text::fitted(other.billed, PLACES, 12)
        );
    }
    if others.len() > SHOWN {
        let rest = others.iter().skip(SHOWN);
        let (list, billed) = rest.fold((Money::ZERO, Money::ZERO), |(list, billed), (_, o)| {
            (list + o.list, billed + o.billed)
        });
        let _ = writeln!(
            out,
            "  {:<52}{:>13}{:>13}",
            format!("… and {} more", others.len() - SHOWN),
            text::fitted(list, PLACES, 12),
            text::fitted(billed, PLACES, 12)
        );
    }
    out
}

/// All of them, as Markdown.
pub(super) fn markdown(of: &Repricing, title: &str) -> String {
    let mut out =
        format!("\n| {title} | rows | list $ | billed $ |\n| --- | ---: | ---: | ---: |\n");
    for (key, other) in &of.others {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            text::markdown_cell(&what(key)),
            other.rows,
            other.list,
            other.billed
        );
    }
    out
}

/// Usage, or what is none, as JSON.
pub(super) fn json(of: &Repricing, usage: bool) -> Vec<Value> {
    let shown = |(key, other): (&OtherKey, &Other)| {
        json!({
            "what": key.what,
            "unit": key.unit,
            "currency": if key.currency.is_empty() { "USD" } else { &key.currency },
            "rows": other.rows,
            "first_line": other.first_line,
            "file_list_cost": other.list,
            "billed": other.billed,
        })
    };
    parts(of, usage).map(shown).collect()
}

fn what(key: &OtherKey) -> String {
    let mut what = key.what.clone();
    for part in [&key.unit, &key.currency] {
        if !part.is_empty() {
            what = format!("{what}, {part}");
        }
    }
    text::name(&what)
}

/// What is said of rows whose amounts are in no sum.
pub(super) fn other_currencies(rows: u64) -> String {
    match rows {
        0 => String::new(),
        1 => ", and 1 of them in another currency than USD".to_owned(),
        rows => format!(", and {} of them in other currencies than USD", text::count(rows)),
    }
}
