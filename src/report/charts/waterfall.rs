//! Money that adds up: horizontal bars, each beginning where the one above
//! ended. Serves the waterfall of one case and the bridge between two.

use super::super::text;
use super::canvas::{About, Hang, LABEL, Look, draw, fitted, text_width};
use super::frame::{Entry, Legend, Mark};
use super::theme::Ink;
use crate::units::Money;

/// Height of a row.
const ROW: f64 = 24.0;
/// Height of the line above a bar on a phone, where names stand there.
const NAME: f64 = 18.0;

/// A bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// What it adds, or where a total stands.
    pub amount: Amount,
}

/// What a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Everything so far: begins at zero.
    Total(Money),
    /// Adds to what is above, or takes away from it. The second is what is
    /// written beside it: rounded so that what is written adds up.
    Change(Money, Money),
}

/// Bars with their amounts, and what their colours mean.
#[must_use]
pub fn waterfall(
    look: Look,
    title: &str,
    signed: bool,
    meanings: &[(&str, Ink)],
    bars: &[Bar],
) -> String {
    let largest = bars
        .iter()
        .map(|b| match b.amount {
            Amount::Total(m) | Amount::Change(m, _) => m,
        })
        .max_by_key(|m| m.pico().unsigned_abs())
        .unwrap_or_default();
    let places = text::places(largest);
    let written: Vec<String> = bars
        .iter()
        .map(|b| match b.amount {
            Amount::Total(m) => text::usd(m, places),
            Amount::Change(_, shown) if signed => text::signed_usd(shown, places),
            Amount::Change(_, shown) => text::usd(shown, places),
        })
        .collect();
    let mut at = Money::ZERO;
    let spans: Vec<(f64, f64)> = bars
        .iter()
        .map(|b| {
            let from = match b.amount {
                Amount::Total(_) => Money::ZERO,
                Amount::Change(..) => at,
            };
            at = match b.amount {
                Amount::Total(m) => m,
                Amount::Change(m, _) => at + m,
            };
            (from.to_f64(), at.to_f64())
        })
        .collect();
    let low = spans.iter().flat_map(|(a, b)| [*a, *b]).fold(0.0, f64::min);
    let high = spans.iter().flat_map(|(a, b)| [*a, *b]).fold(0.0, f64::max);
    let range = if high > low { high - low } else { 1.0 };
    let summary = format!(
        "{title}. {}.",
        bars.iter()
            .zip(&written)
            .map(|(b, w)| format!("{}: {w}", b.label))
            .collect::<Vec<_>>()
            .join("; ")
    );
    let entries = meanings.iter().map(|(text, ink)| Entry {
        text: (*text).to_owned(),
        ink: *ink,
        mark: Mark::Area,
    });
    let legend = Legend::new(entries.collect(), look.room());
    let narrow = look.is_narrow();
    let row = if narrow { ROW + NAME } else { ROW };
    let body = legend.height + bars.len().max(1) as f64 * row + 4.0;
    draw(look, body, About { title, summary: &summary }, |pen| {
        legend.draw(pen, pen.left, pen.top);
        let top = pen.top + legend.height;
        let is_total = |b: &Bar| matches!(b.amount, Amount::Total(_));
        let figures = written.iter().map(|w| text_width(w, LABEL, true)).fold(0.0, f64::max);
        let names =
            bars.iter().map(|b| text_width(&b.label, LABEL, is_total(b))).fold(0.0, f64::max);
        let (names, left, right) = if narrow {
            (pen.right - pen.left - figures - 12.0, pen.left, pen.right)
        } else {
            let names = names.min(look.room() * 0.4);
            (names, pen.left + names + 12.0, pen.right - figures - 12.0)
        };
        let x = |v: f64| left + (v - low) / range * (right - left).max(10.0);
        let height = bars.len() as f64 * row;
        for (i, ((bar, (from, to)), figure)) in bars.iter().zip(&spans).zip(&written).enumerate() {
            let end_of_row = top + (i + 1) as f64 * row;
            let line = end_of_row - if narrow { ROW + NAME / 2.0 - 3.0 } else { ROW / 2.0 };
            let label = fitted(&bar.label, names, is_total(bar));
            if is_total(bar) {
                pen.bold(&label, (pen.left, line), Hang::Left, Ink::Text);
                pen.bold(figure, (pen.right, line), Hang::Right, Ink::Text);
            } else {
                pen.text(&label, (pen.left, line), Hang::Left, Ink::Text);
                pen.text(figure, (pen.right, line), Hang::Right, Ink::Text);
            }
            let (a, b) = (x(from.min(*to)), x(from.max(*to)));
            // A sliver stays visible however small the amount.
            let (upper, lower) = (end_of_row - ROW + 4.0, end_of_row - 4.0);
            pen.bar((a, upper), (b.max(a + 1.0), lower), bar.ink);
            if !narrow && i + 1 < bars.len() && !is_total(&bars[i + 1]) {
                let end = x(*to);
                pen.line(&[(end, lower), (end, lower + 8.0)], Ink::Axis, 1.0);
            }
        }
        if bars.is_empty() {
            pen.text("nothing was spent", (pen.left, top + 8.0), Hang::Left, Ink::Muted);
        } else if !narrow {
            pen.line(&[(x(0.0), top), (x(0.0), top + height)], Ink::Axis, 1.0);
        }
    })
}
