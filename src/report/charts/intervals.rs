//! Cases side by side: a dot for the mean, a whisker for its interval.

use super::super::text;
use super::canvas::{About, Hang, LABEL, Look, draw, fitted, text_width};
use super::scale::{Linear, finite};
use super::theme::Ink;

/// Height of a row.
const ROW: f64 = 30.0;

/// A mean with its interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// Its name.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// Mean.
    pub mean: f64,
    /// Half the width of the interval; `None` where there is none.
    pub half_width: Option<f64>,
    /// Whether it is the one the report is about.
    pub chosen: bool,
}

/// Dots and whiskers in dollars.
#[must_use]
pub fn intervals(look: Look, title: &str, rows: &[Interval]) -> String {
    dots(look, title, rows, false)
}

/// Dots and whiskers in dollars more or less than something else: what lies
/// left of zero is cheaper.
#[must_use]
pub fn differences(look: Look, title: &str, rows: &[Interval]) -> String {
    dots(look, title, rows, true)
}

/// `$5`, `−$5`.
fn tick_label(axis: &Linear, tick: f64) -> String {
    let sign = if tick < 0.0 { "\u{2212}" } else { "" };
    format!("{sign}${}", axis.label(tick.abs()))
}

fn dots(look: Look, title: &str, rows: &[Interval], signed: bool) -> String {
    let ends = |r: &Interval| {
        let half = finite(r.half_width.unwrap_or(0.0)).abs();
        (finite(r.mean) - half, finite(r.mean) + half)
    };
    let low = rows.iter().map(|r| ends(r).0).fold(f64::INFINITY, f64::min);
    let high = rows.iter().map(|r| ends(r).1).fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if rows.is_empty() { (0.0, 1.0) } else { (low, high) };
    let (low, high) = if signed { (low.min(0.0), high.max(0.0)) } else { (low, high) };
    // From zero, unless that squeezes the cases into a corner.
    let cut = !signed && low > 0.6 * high;
    let from = if cut { low - 0.25 * (high - low).max(0.02 * high) } else { low.min(0.0) };
    let axis = Linear::nice(from, high.max(from), if look.is_narrow() { 3 } else { 5 });
    let places = if high.abs().max(low.abs()) < 10.0 { 4 } else { 2 };
    let values: Vec<String> = rows
        .iter()
        .map(|r| {
            let plus = if signed && r.mean > 0.0 { "+" } else { "" };
            let mean = format!("{plus}{}", text::usd_f64(r.mean, places));
            match r.half_width {
                Some(h) if finite(h) != 0.0 => format!("{mean} ± {}", text::grouped(h, places)),
                _ => mean,
            }
        })
        .collect();
    let summary = format!(
        "{title}. {}.",
        rows.iter()
            .zip(&values)
            .map(|(r, v)| format!("{}: {v}", r.label))
            .collect::<Vec<_>>()
            .join("; ")
    );
    let names = rows.iter().map(|r| text_width(&r.label, LABEL, r.chosen)).fold(0.0, f64::max);
    let figures = values.iter().map(|v| text_width(v, LABEL, true)).fold(0.0, f64::max);
    // On a phone name and figures stand above the whisker instead of beside it.
    let narrow = look.is_narrow();
    let row = if narrow { ROW + 16.0 } else { ROW };
    let body = rows.len() as f64 * row + 48.0;
    draw(look, body, About { title, summary: &summary }, |pen| {
        let (label_width, left, right) = if narrow {
            (pen.right - pen.left - figures - 12.0, pen.left + 8.0, pen.right - 8.0)
        } else {
            let names = names.min(look.room() * 0.34);
            (names, pen.left + names + 18.0, pen.right - figures - 22.0)
        };
        let bottom = pen.top + rows.len() as f64 * row + 6.0;
        let x = |v: f64| left + axis.share(v) * (right - left);
        let mut free = f64::NEG_INFINITY;
        for tick in axis.ticks() {
            pen.line(&[(x(tick), pen.top), (x(tick), bottom)], Ink::Grid, 1.0);
            let label = tick_label(&axis, tick);
            let half = text_width(&label, LABEL, false) / 2.0;
            let centre = x(tick).min(pen.right - half).max(pen.left + half);
            if centre - half > free {
                pen.text(&label, (centre, bottom + 14.0), Hang::Middle, Ink::Muted);
                free = centre + half + 8.0;
            }
        }
        pen.line(&[(left, bottom), (right, bottom)], Ink::Axis, 1.0);
        if signed {
            pen.line(&[(x(0.0), pen.top), (x(0.0), bottom)], Ink::Muted, 1.5);
        }
        let note = match (signed, cut) {
            (true, _) => "left of 0: cheaper; grey: noise alone may explain it",
            (false, true) => "the axis does not start at 0",
            (false, false) => "",
        };
        if !note.is_empty() {
            pen.text(note, (f64::midpoint(left, right), bottom + 31.0), Hang::Middle, Ink::Muted);
        }
        for (i, (r, value)) in rows.iter().zip(&values).enumerate() {
            let y = pen.top + (i + 1) as f64 * row - ROW / 2.0;
            let line = if narrow { y - 19.0 } else { y };
            let label = fitted(&r.label, label_width, r.chosen);
            if r.chosen {
                pen.bold(&label, (pen.left, line), Hang::Left, Ink::Text);
                pen.bold(value, (pen.right, line), Hang::Right, Ink::Text);
            } else {
                pen.text(&label, (pen.left, line), Hang::Left, Ink::Text);
                pen.text(value, (pen.right, line), Hang::Right, Ink::Text);
            }
            let (low, high) = ends(r);
            if high > low {
                pen.line(&[(x(low), y), (x(high), y)], r.ink, 2.0);
                for end in [low, high] {
                    pen.line(&[(x(end), y - 5.0), (x(end), y + 5.0)], r.ink, 2.0);
                }
            }
            pen.dot((x(r.mean), y), 4.5, r.ink);
        }
        if rows.is_empty() {
            pen.text("no case was finished", (pen.left, pen.top + 8.0), Hang::Left, Ink::Muted);
        }
    })
}
