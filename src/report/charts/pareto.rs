//! What is traded for what: every alternative as a dot by cost and waiting
//! time, its size the disruption; those that nothing beats stand out.

use super::super::text;
use super::canvas::{About, Hang, LABEL, LINE, Look, Pen, draw, fitted};
use super::frame::{ABOVE, BELOW, Plot};
use super::scale::{Linear, Waits, finite};
use super::theme::Ink;

/// Radius of a dot without disruption, and of the one with most.
const RADII: (f64, f64) = (5.0, 13.0);
/// Alternatives on the front that are listed by name.
const LISTED: usize = 12;

/// One alternative.
#[derive(Debug, Clone, PartialEq)]
pub struct Tradeoff {
    /// Its name.
    pub label: String,
    /// USD.
    pub cost: f64,
    /// Seconds.
    pub wait: f64,
    /// Pods disrupted.
    pub disruptions: f64,
    /// How it stands among the others.
    pub standing: Standing,
}

/// How an alternative stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The one to choose.
    Chosen,
    /// Nothing beats it.
    Front,
    /// Another one is at least as good in everything and better in something.
    Beaten,
    /// It does less work, so that its price does not count.
    LessWork,
}

/// Dots by cost and waiting time. Those on the front carry numbers, which a
/// list below names from the cheapest on.
#[must_use]
pub fn pareto(look: Look, title: &str, points: &[Tradeoff]) -> String {
    let mut front: Vec<&Tradeoff> = points
        .iter()
        .filter(|p| matches!(p.standing, Standing::Chosen | Standing::Front))
        .collect();
    front.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let most = points.iter().map(|p| finite(p.disruptions)).fold(0.0, f64::max);
    let places = if points.iter().all(|p| p.cost.abs() < 10.0) { 4 } else { 2 };
    let listed: Vec<String> = front
        .iter()
        .enumerate()
        .take(LISTED)
        .map(|(i, p)| {
            format!(
                "{}  {}: {}, {}, {} disrupted",
                i + 1,
                p.label,
                text::usd_f64(p.cost, places),
                text::seconds(p.wait),
                text::mean_count(p.disruptions)
            )
        })
        .collect();
    let unlisted = front.len().saturating_sub(LISTED);
    let summary = format!(
        "{title}. {} alternatives, {} of them beaten by none, from the cheapest: {}.",
        points.len(),
        front.len(),
        listed.join("; ")
    );
    let mut keys: Vec<(Ink, &str)> = vec![(Ink::GREEN, "to choose"), (Ink::BLUE, "beaten by none")];
    for (standing, key) in [
        (Standing::Beaten, (Ink::GREY, "beaten")),
        (Standing::LessWork, (Ink::Axis, "hollow: does less work")),
    ] {
        if points.iter().any(|p| p.standing == standing) {
            keys.push(key);
        }
    }
    let sizes = most > 0.0;
    let rows = keys_height(look, &keys, sizes, most);
    let height = if look.is_narrow() { 230.0 } else { 330.0 };
    let lines = listed.len() + usize::from(unlisted > 0);
    let body = rows + ABOVE + height + BELOW + 12.0 + lines as f64 * LINE;
    draw(look, body, About { title, summary: &summary }, |pen| {
        let top = pen.top + draw_keys(pen, look, &keys, sizes, most);
        let (low, high) = ends(points.iter().map(|p| p.cost));
        let x = Linear::nice(low, high, if look.is_narrow() { 3 } else { 6 });
        let waits = Waits::upto(points.iter().map(|p| p.wait));
        let plot = Plot::new(pen, top, height, waits.axis.clone(), "");
        plot.y_axis(pen, &format!("pending p95, {}", waits.unit));
        let ticks: Vec<(f64, String)> =
            x.ticks().into_iter().map(|t| (x.share(t), format!("${}", x.label(t)))).collect();
        for (share, _) in &ticks {
            let at = plot.x_at(*share);
            pen.line(&[(at, plot.top), (at, plot.bottom)], Ink::Grid, 1.0);
        }
        plot.x_axis(pen, &ticks, "net cost of the simulated window");
        let at =
            |p: &Tradeoff| (plot.x_at(x.share(p.cost)), plot.y_at(finite(p.wait) / waits.size));
        let radius = |p: &Tradeoff| {
            let share = if most > 0.0 { (finite(p.disruptions) / most).max(0.0) } else { 0.0 };
            RADII.0 + (RADII.1 - RADII.0) * share.sqrt()
        };
        for p in points.iter().filter(|p| p.standing == Standing::LessWork) {
            pen.ring(at(p), radius(p), Ink::Axis);
        }
        for p in points.iter().filter(|p| p.standing == Standing::Beaten) {
            pen.disc(at(p), radius(p), Ink::GREY, 0.35);
        }
        // Numbers stand beside their dots, where nothing is yet.
        let mut taken: Vec<(f64, f64)> = Vec::new();
        for p in front.iter().rev() {
            let ink = if p.standing == Standing::Chosen { Ink::GREEN } else { Ink::BLUE };
            pen.dot(at(p), radius(p), ink);
        }
        for (i, p) in front.iter().enumerate().take(LISTED) {
            let ((x, y), r) = (at(p), radius(p) + 9.0);
            let spots = [(x, y - r), (x + r, y), (x - r, y), (x, y + r), (x + r, y - r)];
            let free = |s: &(f64, f64)| {
                let inside = s.0 > plot.left && s.1 > plot.top - 12.0 && s.1 < plot.bottom - 6.0;
                inside && taken.iter().all(|t| (t.0 - s.0).hypot(t.1 - s.1) > 14.0)
            };
            let Some(spot) = spots.into_iter().find(free) else { continue };
            taken.push(spot);
            pen.bold(&(i + 1).to_string(), spot, Hang::Middle, Ink::Text);
        }
        if points.is_empty() {
            plot.nothing(pen, "no combination was finished");
        }
        let mut y = plot.bottom + BELOW + 12.0 + LINE / 2.0;
        for (line, p) in listed.iter().zip(&front) {
            let chosen = p.standing == Standing::Chosen;
            let line = fitted(line, pen.right - pen.left, chosen);
            if chosen {
                pen.bold(&line, (pen.left, y), Hang::Left, Ink::Text);
            } else {
                pen.text(&line, (pen.left, y), Hang::Left, Ink::Text);
            }
            y += LINE;
        }
        if unlisted > 0 {
            let more = format!("and {unlisted} more in the table");
            pen.text(&more, (pen.left, y), Hang::Left, Ink::Muted);
        }
    })
}

/// Ends of an axis of costs: room on both sides for dots and their numbers.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.map(finite) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return (0.0, 1.0);
    }
    let room = (0.06 * (high - low)).max(0.01 * high.abs());
    (low - room, high + room)
}

/// What the legend says: a disc and a text each, and the sizes.
fn entries(keys: &[(Ink, &str)], sizes: bool, most: f64) -> Vec<(Option<Ink>, String)> {
    let mut entries: Vec<(Option<Ink>, String)> =
        keys.iter().map(|(ink, text)| (Some(*ink), (*text).to_owned())).collect();
    if sizes {
        let most = text::mean_count(most);
        entries.push((None, format!("the larger, the more pods disrupted (0 to {most})")));
    }
    entries
}

fn layout(look: Look, entries: &[(Option<Ink>, String)]) -> (Vec<(f64, f64)>, f64) {
    let (mut x, mut y, mut places) = (0.0, 0.0, Vec::new());
    for (ink, text) in entries {
        let swatch = if ink.is_some() { 17.0 } else { 0.0 };
        let own = swatch + super::canvas::text_width(text, LABEL, false);
        if x > 0.0 && x + own > look.room() {
            (x, y) = (0.0, y + LINE);
        }
        places.push((x, y));
        x += own + 20.0;
    }
    (places, y + LINE + 8.0)
}

fn keys_height(look: Look, keys: &[(Ink, &str)], sizes: bool, most: f64) -> f64 {
    layout(look, &entries(keys, sizes, most)).1
}

fn draw_keys(pen: &mut Pen<'_>, look: Look, keys: &[(Ink, &str)], sizes: bool, most: f64) -> f64 {
    let entries = entries(keys, sizes, most);
    let (places, height) = layout(look, &entries);
    for ((ink, text), (x, y)) in entries.iter().zip(places) {
        let (x, y) = (pen.left + x, pen.top + y + LINE / 2.0);
        let mut from = x;
        if let Some(ink) = ink {
            match *ink {
                Ink::Axis => pen.ring((x + 5.5, y), 5.0, Ink::Axis),
                Ink::GREY => pen.disc((x + 5.5, y), 5.5, Ink::GREY, 0.35),
                ink => pen.dot((x + 5.5, y), 5.0, ink),
            }
            from += 17.0;
        }
        pen.text(text, (from, y), Hang::Left, Ink::Text);
    }
    height
}
