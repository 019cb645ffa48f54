//! Charts over time: stacked steps (money by purchase option, nodes by type)
//! and step lines (allocatable, requested, used).

use super::canvas::{About, Look, Pen, draw};
use super::frame::{ABOVE, BELOW, Entry, Legend, Mark, Plot, steps};
use super::scale::{Linear, Time, finite, merged};
use super::theme::Ink;

/// Steps drawn at most for every pixel of width.
const STEPS_PER_PIXEL: f64 = 0.5;

/// Equal steps of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps {
    /// Start of the first, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Length of each, milliseconds.
    pub step_ms: i64,
    /// End of the last, Unix milliseconds: it may be cut short.
    pub to_unix_ms: i64,
    /// What lies before is shown on a shaded ground, if anything does.
    pub warmup_until_unix_ms: Option<i64>,
}

/// One band of a stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Its name.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// Means, one per step; none are negative.
    pub values: Vec<f64>,
}

/// One step line.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// Means, one per step; `None` where nobody knows them, and then the label
    /// says so.
    pub values: Option<Vec<f64>>,
    /// Whether the area below is tinted.
    pub filled: bool,
}

/// What an axis of values is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Its unit, as in `$ per hour`.
    pub unit: &'static str,
    /// Before each label, as in `$`.
    pub prefix: &'static str,
}

/// Bands on top of each other over time.
#[must_use]
pub fn stacked(look: Look, title: &str, axis: Axis, time: Steps, bands: &[Band]) -> String {
    // A legend names what can be seen.
    let seen: Vec<&Band> =
        bands.iter().filter(|b| b.values.iter().any(|v| finite(*v) > 0.0)).collect();
    let most = (look.width * STEPS_PER_PIXEL) as usize;
    let columns: Vec<Vec<f64>> = seen
        .iter()
        .map(|b| merged(&b.values, most).0.iter().map(|v| v.max(0.0)).collect())
        .collect();
    let factor = seen.iter().map(|b| merged(&b.values, most).1).max().unwrap_or(1);
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut tops = vec![vec![0.0; count]];
    for column in &columns {
        let below = tops.last().map_or(&[][..], Vec::as_slice);
        let top = below
            .iter()
            .enumerate()
            .map(|(i, b)| b + column.get(i).copied().unwrap_or(0.0))
            .collect();
        tops.push(top);
    }
    let highest = tops.last().into_iter().flatten().copied().fold(0.0, f64::max);
    let summary = format!(
        "{title}. Stacked areas over time: {}. Highest total {} {}.",
        names(seen.iter().map(|b| b.label.as_str())),
        Linear::nice(0.0, highest, 4).label(highest),
        axis.unit
    );
    // The uppermost band first, as it is seen.
    let entries =
        seen.iter().rev().map(|b| Entry { text: b.label.clone(), ink: b.ink, mark: Mark::Area });
    let about = About { title, summary: &summary };
    sheet(look, about, axis, time, highest, entries.collect(), |pen, plot, clock| {
        let edges = edges(plot, clock, time, factor, count);
        for (i, band) in seen.iter().enumerate() {
            let (below, above) = (&tops[i], &tops[i + 1]);
            let mut outline = steps(&edges, above.iter().map(|v| plot.y_at(*v)));
            let mut floor = steps(&edges, below.iter().map(|v| plot.y_at(*v)));
            floor.reverse();
            outline.extend(floor);
            pen.area(&outline, band.ink, 1.0);
        }
        // Thin gaps keep neighbours apart without relying on their colours.
        for top in tops.iter().skip(1).take(seen.len().saturating_sub(1)) {
            pen.line(&steps(&edges, top.iter().map(|v| plot.y_at(*v))), Ink::Ground, 1.0);
        }
        !seen.is_empty()
    })
}

/// Step lines over time.
#[must_use]
pub fn lines(look: Look, title: &str, axis: Axis, time: Steps, curves: &[Curve]) -> String {
    let most = (look.width * STEPS_PER_PIXEL) as usize;
    let columns: Vec<(&Curve, Vec<f64>, i64)> = curves
        .iter()
        .filter_map(|c| {
            let (values, factor) = merged(c.values.as_ref()?, most);
            Some((c, values, factor))
        })
        .collect();
    let highest = columns.iter().flat_map(|(_, v, _)| v).copied().fold(0.0, f64::max);
    let summary = format!(
        "{title}. Lines over time: {}. Highest value {} {}.",
        names(curves.iter().map(|c| c.label.as_str())),
        Linear::nice(0.0, highest, 4).label(highest),
        axis.unit
    );
    let entries = curves.iter().map(|c| Entry {
        text: c.label.clone(),
        ink: c.ink,
        mark: if c.values.is_some() { Mark::Line } else { Mark::Absent },
    });
    let about = About { title, summary: &summary };
    sheet(look, about, axis, time, highest, entries.collect(), |pen, plot, clock| {
        for (curve, values, factor) in &columns {
            let edges = edges(plot, clock, time, *factor, values.len());
            let line = steps(&edges, values.iter().map(|v| plot.y_at(*v)));
            if curve.filled && !line.is_empty() {
                let mut outline = line.clone();
                outline.extend([(edges[edges.len() - 1], plot.bottom), (edges[0], plot.bottom)]);
                pen.area(&outline, curve.ink, 0.16);
            }
        }
        for (curve, values, factor) in &columns {
            let edges = edges(plot, clock, time, *factor, values.len());
            pen.line(&steps(&edges, values.iter().map(|v| plot.y_at(*v))), curve.ink, 1.75);
        }
        columns.iter().any(|(_, v, _)| !v.is_empty())
    })
}

/// Names in a row, as a sentence lists them.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Where steps begin and end on the sheet.
fn edges(plot: &Plot, clock: &Time, time: Steps, factor: i64, count: usize) -> Vec<f64> {
    let length = time.step_ms.max(1).saturating_mul(factor);
    (0..=count as i64)
        .map(|i| time.from_unix_ms.saturating_add(length.saturating_mul(i)).min(time.to_unix_ms))
        .map(|at| plot.x_at(clock.share(at)))
        .collect()
}

/// Legend, axes and ground of a chart over time; `paint` says whether there
/// was anything to draw.
fn sheet(
    look: Look,
    about: About<'_>,
    axis: Axis,
    time: Steps,
    highest: f64,
    entries: Vec<Entry>,
    paint: impl FnOnce(&mut Pen<'_>, &Plot, &Time) -> bool,
) -> String {
    let warmup = time.warmup_until_unix_ms.filter(|until| *until > time.from_unix_ms);
    let shaded = warmup.map(|_| Entry {
        text: "warm-up, not billed".to_owned(),
        ink: Ink::Shade,
        mark: Mark::Area,
    });
    let legend = Legend::new(entries.into_iter().chain(shaded).collect(), look.room());
    let height = if look.is_narrow() { 170.0 } else { 220.0 };
    draw(look, legend.height + ABOVE + height + BELOW, about, |pen| {
        legend.draw(pen, pen.left, pen.top);
        let y = Linear::nice(0.0, highest, 4);
        let plot = Plot::new(pen, pen.top + legend.height, height, y, axis.prefix);
        let clock = Time::new(time.from_unix_ms, time.to_unix_ms);
        if let Some(until) = warmup {
            let right = plot.x_at(clock.share(until));
            pen.bar((plot.left, plot.top), (right, plot.bottom), Ink::Shade);
        }
        plot.y_axis(pen, axis.unit);
        if !paint(pen, &plot, &clock) {
            plot.nothing(pen, "nothing to show");
        }
        plot.time_axis(pen, &clock);
    })
}
