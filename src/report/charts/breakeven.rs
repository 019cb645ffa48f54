//! A pod-hour on nodes, which falls the fuller they are, against its level
//! elsewhere.

use super::super::text;
use super::canvas::{About, Hang, LABEL, Look, draw, fitted, text_width};
use super::frame::{ABOVE, BELOW, Entry, Legend, Mark, Plot};
use super::scale::{Linear, finite};
use super::theme::Ink;

/// What a pod-hour costs on nodes bought one way.
#[derive(Debug, Clone, PartialEq)]
pub struct Falling {
    /// How they are bought.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// USD a pod-hour on full nodes; at a share of that packing it is so many
    /// times dearer.
    pub at_full: f64,
}

/// What a pod-hour costs whatever nodes carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// What it is.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// USD a pod-hour.
    pub value: f64,
}

/// The axis ends at so many times the highest level.
const HEADROOM: f64 = 2.5;
/// Corners of a curve.
const CORNERS: usize = 160;

/// Curves over packing (0 to 1, a full node), levels across, a ring with its
/// text where the given curve meets the given level, and where nodes are now.
#[must_use]
pub fn breakeven(
    look: Look,
    title: &str,
    axis: &str,
    curves: &[Falling],
    levels: &[Level],
    crossings: &[(usize, usize, String)],
    measured: Option<f64>,
) -> String {
    let highest = levels
        .iter()
        .map(|l| finite(l.value))
        .chain(curves.iter().map(|c| finite(c.at_full)))
        .fold(0.0, f64::max);
    let top = if highest > 0.0 { HEADROOM * highest } else { 1.0 };
    let measured = measured.filter(|m| m.is_finite() && *m > 0.0);
    let entries = curves
        .iter()
        .map(|c| Entry {
            text: fitted(&c.label, look.room() * 0.6, false),
            ink: c.ink,
            mark: Mark::Line,
        })
        .collect();
    let legend = Legend::new(entries, look.room());
    let points: Vec<(f64, f64, &str, Ink)> = crossings
        .iter()
        .filter_map(|(c, l, label)| {
            let (curve, level) = (curves.get(*c)?, levels.get(*l)?);
            let at = finite(curve.at_full) / finite(level.value);
            (at.is_finite() && at > 0.0 && at <= 1.0).then_some((
                at,
                level.value,
                label.as_str(),
                curve.ink,
            ))
        })
        .collect();
    let mut said: Vec<String> =
        levels.iter().map(|l| format!("{} ${:.4} a pod-hour", l.label, finite(l.value))).collect();
    said.extend(
        points.iter().map(|p| format!("crossing at {} of a full node", text::percent(p.0))),
    );
    said.extend(measured.map(|m| format!("nodes are now {} full", text::percent(m))));
    let summary = format!("{title}. {}.", said.join("; "));
    let height = if look.is_narrow() { 200.0 } else { 300.0 };
    let body = legend.height + ABOVE + height + BELOW;
    draw(look, body, About { title, summary: &summary }, |pen| {
        legend.draw(pen, pen.left, pen.top);
        let plot = Plot::new(pen, pen.top + legend.height, height, Linear::nice(0.0, top, 5), "$");
        let top = plot.y.high;
        plot.y_axis(pen, "USD a pod-hour");
        // Packing beyond what fits is not to be seen.
        let x = |share: f64| plot.x_at(share.clamp(0.0, 1.0));
        if let Some(now) = measured {
            let at = x(now);
            pen.line(&[(at, plot.top), (at, plot.bottom)], Ink::Muted, 1.5);
            let label = format!("now {}", text::percent(now));
            let hang = if now > 0.8 { Hang::Right } else { Hang::Left };
            let gap = if now > 0.8 { -6.0 } else { 6.0 };
            pen.bold(&label, (at + gap, plot.top + 8.0), hang, Ink::Text);
        }
        let mut written: Vec<f64> = Vec::new();
        for level in levels {
            let y = plot.y_at(finite(level.value));
            pen.line(&[(plot.left, y), (plot.right, y)], level.ink, 2.0);
            // Curves are high on the left: there is room.
            let at = y - 9.0;
            if written.iter().all(|other| (at - other).abs() > 14.0) {
                let label = fitted(&level.label, plot.width() * 0.3, false);
                pen.text(&label, (plot.left + 6.0, at), Hang::Left, Ink::Text);
                written.push(at);
            }
        }
        for curve in curves {
            let full = finite(curve.at_full);
            if full <= 0.0 {
                continue;
            }
            let from = (full / top).min(1.0);
            let corner = |i: usize| {
                let share = from + (1.0 - from) * i as f64 / CORNERS as f64;
                (x(share), plot.y_at(full / share))
            };
            let corners: Vec<(f64, f64)> = (0..=CORNERS).map(corner).collect();
            pen.line(&corners, curve.ink, 2.0);
        }
        let mut taken: Vec<(f64, f64, f64, &str)> = Vec::new();
        for (share, value, label, ink) in &points {
            let (px, py) = (x(*share), plot.y_at(*value));
            pen.dot((px, py), 4.5, *ink);
            pen.ring((px, py), 8.0, Ink::Text);
            let width = text_width(label, LABEL, false);
            // Above the curve, to the right of it; lower where that is taken.
            let left = (px + 10.0).min(plot.right - width);
            let told = taken.iter().any(|t| (t.0 - left).abs() < 1.0 && t.3 == *label);
            if label.is_empty() || told {
                continue;
            }
            let y = [-16.0, -32.0, 18.0, 34.0, -48.0].into_iter().map(|dy| py + dy).find(|y| {
                *y > plot.top
                    && *y < plot.bottom - 6.0
                    && taken.iter().all(|(from, to, other, _)| {
                        left > *to + 6.0 || left + width < *from - 6.0 || (y - other).abs() > 14.0
                    })
            });
            if let Some(y) = y {
                taken.push((left, left + width, y, *label));
                pen.text(label, (left, y), Hang::Left, Ink::Text);
            }
        }
        if curves.is_empty() || levels.is_empty() {
            plot.nothing(pen, "there is nothing to compare");
        }
        let ticks: Vec<(f64, String)> =
            (0..=5).map(|i| (f64::from(i) / 5.0, format!("{} %", i * 20))).collect();
        plot.x_axis(pen, &ticks, &fitted(axis, plot.width(), false));
    })
}
