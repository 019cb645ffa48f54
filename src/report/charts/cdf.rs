//! How long pods waited: cumulative shares over a logarithmic axis of seconds.

use super::super::text;
use super::canvas::{About, Look, draw, fitted};
use super::frame::{ABOVE, BELOW, Entry, Legend, Mark, Plot};
use super::scale::{Linear, LogSeconds};
use super::theme::Ink;

/// One distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Its name.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// (seconds, share that waited at most so long), both ascending.
    pub points: Vec<(f64, f64)>,
    /// Quantiles to mark: (what the legend calls it, share, seconds).
    pub marks: Vec<(&'static str, f64, f64)>,
}

/// One line per distribution with its quantiles marked and named.
#[must_use]
pub fn cdf(look: Look, title: &str, caption: &str, curves: &[Distribution]) -> String {
    let room = look.room();
    let entries: Vec<Entry> = curves
        .iter()
        .map(|c| {
            let marks: Vec<String> = c
                .marks
                .iter()
                .map(|(name, _, seconds)| format!("{name} {}", text::seconds(*seconds)))
                .collect();
            let marks = if marks.is_empty() { "no pods".to_owned() } else { marks.join(", ") };
            let label = fitted(&c.label, room * 0.45, false);
            let mark = if c.points.is_empty() { Mark::Absent } else { Mark::Line };
            Entry { text: format!("{label}: {marks}"), ink: c.ink, mark }
        })
        .collect();
    let summary = format!(
        "{title}. Lines, one per case: {}.",
        entries.iter().map(|e| e.text.as_str()).collect::<Vec<_>>().join("; ")
    );
    let legend = Legend::new(entries, room);
    let height = if look.is_narrow() { 190.0 } else { 240.0 };
    let about = About { title, summary: &summary };
    draw(look, legend.height + ABOVE + height + BELOW, about, |pen| {
        legend.draw(pen, pen.left, pen.top);
        let seconds = curves.iter().flat_map(|c| c.points.iter().map(|(s, _)| *s));
        let x = LogSeconds::around(seconds);
        let y = Linear::nice(0.0, 100.0, 4);
        let plot = Plot::new(pen, pen.top + legend.height, height, y, "");
        plot.y_axis(pen, "% of pods");
        for (second, _) in x.ticks() {
            let at = plot.x_at(x.share(second));
            pen.line(&[(at, plot.top), (at, plot.bottom)], Ink::Grid, 1.0);
        }
        let at = |seconds: f64, share: f64| {
            (plot.x_at(x.share(seconds)), plot.y_at(share.clamp(0.0, 1.0) * 100.0))
        };
        for curve in curves.iter().filter(|c| !c.points.is_empty()) {
            let mut line = vec![(plot.left, plot.bottom)];
            for (seconds, share) in &curve.points {
                let point = at(*seconds, *share);
                let level = line.last().map_or(plot.bottom, |p| p.1);
                line.push((point.0, level));
                line.push(point);
            }
            line.push((plot.right, line.last().map_or(plot.top, |p| p.1)));
            pen.line(&line, curve.ink, 2.0);
        }
        for curve in curves {
            for (_, share, seconds) in curve.marks.iter().filter(|m| m.2.is_finite()) {
                pen.dot(at(*seconds, *share), 3.5, curve.ink);
            }
        }
        if curves.iter().all(|c| c.points.is_empty()) {
            plot.nothing(pen, "no pods waited");
        }
        let ticks: Vec<(f64, String)> =
            x.ticks().into_iter().map(|(s, label)| (x.share(s), label)).collect();
        plot.x_axis(pen, &ticks, caption);
    })
}
