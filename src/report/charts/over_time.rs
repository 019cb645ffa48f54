//! Charts over time: stacked steps (money by purchase option, nodes by type)
//! and step lines (allocatable, requested, used).

use super::canvas::{About, Look, Pen, draw};
use super::frame::{ABOVE, BELOW, Entry, Legend, Mark, Plot, steps};
use super::means::{means, unit, window};
use super::scale::{Linear, Time, finite};
use super::theme::Ink;

/// Windows drawn at most for every pixel of width.
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

impl Steps {
    /// Length of the windows to draw, of as many steps.
    fn window(self, look: Look, steps: impl Iterator<Item = usize>) -> i64 {
        let most = (look.width * STEPS_PER_PIXEL) as usize;
        window(self.step_ms, steps.max().unwrap_or(0), most)
    }

    /// Means over such windows.
    fn means(self, values: &[f64], window: i64) -> Vec<f64> {
        let length = self.to_unix_ms.saturating_sub(self.from_unix_ms);
        means(values, self.step_ms, window, length)
    }
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
    let window = time.window(look, seen.iter().map(|b| b.values.len()));
    let columns: Vec<Vec<f64>> = seen
        .iter()
        .map(|b| time.means(&b.values, window).iter().map(|v| v.max(0.0)).collect())
        .collect();
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
    let unit = unit(axis.unit, time.step_ms, window);
    let summary = format!(
        "{title}. Stacked areas over time: {}. Highest total {} {unit}.",
        names(seen.iter().map(|b| b.label.as_str())),
        Linear::nice(0.0, highest, 4).label(highest),
    );
    // The uppermost band first, as it is seen.
    let entries =
        seen.iter().rev().map(|b| Entry { text: b.label.clone(), ink: b.ink, mark: Mark::Area });
    let about = About { title, summary: &summary };
    let entries = entries.collect();
    sheet(look, about, (&unit, axis.prefix), time, highest, entries, |pen, plot, clock| {
        let edges = edges(plot, clock, time, window, count);
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
    let known = || curves.iter().filter_map(|c| Some((c, c.values.as_ref()?)));
    let window = time.window(look, known().map(|(_, v)| v.len()));
    let columns: Vec<(&Curve, Vec<f64>)> =
        known().map(|(curve, values)| (curve, time.means(values, window))).collect();
    let highest = columns.iter().flat_map(|(_, v)| v).copied().fold(0.0, f64::max);
    let unit = unit(axis.unit, time.step_ms, window);
    let summary = format!(
        "{title}. Lines over time: {}. Highest value {} {unit}.",
        names(curves.iter().map(|c| c.label.as_str())),
        Linear::nice(0.0, highest, 4).label(highest),
    );
    let entries = curves.iter().map(|c| Entry {
        text: c.label.clone(),
        ink: c.ink,
        mark: if c.values.is_some() { Mark::Line } else { Mark::Absent },
    });
    let about = About { title, summary: &summary };
    let entries = entries.collect();
    sheet(look, about, (&unit, axis.prefix), time, highest, entries, |pen, plot, clock| {
        for (curve, values) in &columns {
            let edges = edges(plot, clock, time, window, values.len());
            let line = steps(&edges, values.iter().map(|v| plot.y_at(*v)));
            if curve.filled && !line.is_empty() {
                let mut outline = line.clone();
                outline.extend([(edges[edges.len() - 1], plot.bottom), (edges[0], plot.bottom)]);
                pen.area(&outline, curve.ink, 0.16);
            }
        }
        for (curve, values) in &columns {
            let edges = edges(plot, clock, time, window, values.len());
            pen.line(&steps(&edges, values.iter().map(|v| plot.y_at(*v))), curve.ink, 1.75);
        }
        columns.iter().any(|(_, v)| !v.is_empty())
    })
}

/// Names in a row, as a sentence lists them.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Where windows begin and end on the sheet.
fn edges(plot: &Plot, clock: &Time, time: Steps, window: i64, count: usize) -> Vec<f64> {
    (0..=count as i64)
        .map(|i| time.from_unix_ms.saturating_add(window.saturating_mul(i)).min(time.to_unix_ms))
        .map(|at| plot.x_at(clock.share(at)))
        .collect()
}

/// Legend, axes and ground of a chart over time; `paint` says whether there
/// was anything to draw.
fn sheet(
    look: Look,
    about: About<'_>,
    (unit, prefix): (&str, &'static str),
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
        let plot = Plot::new(pen, pen.top + legend.height, height, y, prefix);
        let clock = Time::new(time.from_unix_ms, time.to_unix_ms);
        if let Some(until) = warmup {
            let right = plot.x_at(clock.share(until));
            pen.bar((plot.left, plot.top), (right, plot.bottom), Ink::Shade);
        }
        plot.y_axis(pen, unit);
        if !paint(pen, &plot, &clock) {
            plot.nothing(pen, "nothing to show");
        }
        plot.time_axis(pen, &clock);
    })
}
