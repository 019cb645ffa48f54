//! One axis: a figure with its interval at every value, a line per case.

use super::canvas::{About, Look, draw, fitted};
use super::frame::{ABOVE, BELOW, Entry, Legend, Mark, Plot};
use super::scale::{Linear, Waits, finite};
use super::theme::Ink;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// USD.
    Dollars,
    /// Seconds; the axis chooses minutes or hours.
    Seconds,
    /// Hundredths.
    Percent,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Along {
    /// Its name.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// Mean and half the width of its interval, per value of the axis; `None`
    /// where nothing was measured.
    pub points: Vec<Option<(f64, Option<f64>)>>,
    /// Which value is the one to choose, if it is on this line.
    pub chosen: Option<usize>,
}

/// What lines run over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over<'a> {
    /// What the values are of.
    pub axis: &'a str,
    /// The values, as written.
    pub values: &'a [String],
    /// What a ring around a value means.
    pub ringed: &'a str,
}

/// Lines over the values of an axis. Values that are ascending numbers stand
/// at their distances, others evenly.
#[must_use]
pub fn along(
    look: Look,
    title: &str,
    unit: &str,
    measured: Measured,
    Over { axis, values, ringed }: Over<'_>,
    lines: &[Along],
) -> String {
    let shares = positions(values);
    let ends = |p: &(f64, Option<f64>)| {
        let half = finite(p.1.unwrap_or(0.0)).abs();
        (finite(p.0) - half, finite(p.0) + half)
    };
    let all: Vec<(f64, f64)> =
        lines.iter().flat_map(|l| l.points.iter().flatten().map(ends)).collect();
    let low = all.iter().map(|e| e.0).fold(f64::INFINITY, f64::min);
    let high = all.iter().map(|e| e.1).fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    // From zero, unless that flattens what there is to see.
    let cut = low > 0.6 * high;
    let from = if cut { low - 0.15 * (high - low).max(0.02 * high) } else { low.min(0.0) };
    let waits = Waits::upto(std::iter::once(high));
    let (scale, size, unit, prefix) = match measured {
        Measured::Dollars => (Linear::nice(from, high, 4), 1.0, unit.to_owned(), "$"),
        Measured::Percent => (Linear::nice(from, high, 4), 1.0, unit.to_owned(), ""),
        Measured::Seconds => {
            let scale = Linear::nice(from / waits.size, high / waits.size, 4);
            (scale, waits.size, format!("{unit}, {}", waits.unit), "")
        }
    };
    let entries: Vec<Entry> = lines
        .iter()
        .map(|l| Entry {
            text: fitted(&l.label, look.room() * 0.6, false),
            ink: l.ink,
            mark: if l.points.iter().any(Option::is_some) { Mark::Line } else { Mark::Absent },
        })
        .collect();
    let said: Vec<String> = lines
        .iter()
        .map(|l| {
            let points: Vec<String> = values
                .iter()
                .zip(&l.points)
                .filter_map(|(v, p)| {
                    Some(format!("{v}: {prefix}{}", scale.label(p.as_ref()?.0 / size)))
                })
                .collect();
            format!("{}: {}", l.label, points.join(", "))
        })
        .collect();
    let summary = format!("{title}. {unit} by {axis}. {}.", said.join("; "));
    let legend = Legend::new(entries, look.room());
    let height = if look.is_narrow() { 170.0 } else { 220.0 };
    let body = legend.height + ABOVE + height + BELOW + if cut { 18.0 } else { 0.0 };
    draw(look, body, About { title, summary: &summary }, |pen| {
        legend.draw(pen, pen.left, pen.top);
        let plot = Plot::new(pen, pen.top + legend.height, height, scale, prefix);
        plot.y_axis(pen, &unit);
        // Ends of the axis keep clear of the frame.
        let x = |share: f64| plot.x_at(0.04 + 0.92 * share);
        for line in lines {
            let mut run: Vec<(f64, f64)> = Vec::new();
            for (share, point) in shares.iter().zip(&line.points) {
                if let Some((mean, _)) = point {
                    run.push((x(*share), plot.y_at(finite(*mean) / size)));
                } else {
                    pen.line(&std::mem::take(&mut run), line.ink, 2.0);
                }
            }
            pen.line(&run, line.ink, 2.0);
        }
        for line in lines {
            for (i, (share, point)) in shares.iter().zip(&line.points).enumerate() {
                let Some(point) = point else { continue };
                let (low, high) = ends(point);
                let (at, y) = (x(*share), |v: f64| plot.y_at(v / size));
                if high > low {
                    pen.line(&[(at, y(low)), (at, y(high))], line.ink, 1.5);
                    for end in [low, high] {
                        pen.line(&[(at - 4.0, y(end)), (at + 4.0, y(end))], line.ink, 1.5);
                    }
                }
                let chosen = line.chosen == Some(i);
                if chosen {
                    pen.ring((at, y(finite(point.0))), 9.0, Ink::Text);
                }
                pen.dot((at, y(finite(point.0))), 4.0, line.ink);
            }
        }
        if all.is_empty() {
            plot.nothing(pen, "no combination was finished");
        }
        let ticks: Vec<(f64, String)> = shares
            .iter()
            .zip(values)
            .map(|(share, value)| (0.04 + 0.92 * share, fitted(value, 110.0, false)))
            .collect();
        let any = lines.iter().any(|l| l.chosen.is_some());
        let caption = if any { format!("{axis} (ringed: {ringed})") } else { axis.to_owned() };
        plot.x_axis(pen, &ticks, &fitted(&caption, plot.width(), false));
        if cut {
            let at = (f64::midpoint(plot.left, plot.right), plot.bottom + BELOW + 9.0);
            let note = "the axis does not start at 0";
            pen.text(note, at, super::canvas::Hang::Middle, Ink::Muted);
        }
    })
}

/// Where values stand, as shares of the width.
fn positions(values: &[String]) -> Vec<f64> {
    let numbers: Vec<f64> = values.iter().filter_map(|v| v.parse().ok()).collect();
    let whole = match numbers.as_slice() {
        [first, .., last] => last - first,
        _ => 0.0,
    };
    let ascending = numbers.len() == values.len()
        && numbers.iter().all(|n| n.is_finite())
        && whole.is_finite()
        && whole > 0.0
        // Closer than a thirtieth of the axis would overlap.
        && numbers.windows(2).all(|w| w[1] - w[0] >= whole / 30.0);
    if ascending {
        return numbers.iter().map(|n| (n - numbers[0]) / whole).collect();
    }
    let last = values.len().saturating_sub(1);
    (0..values.len()).map(|i| if last == 0 { 0.5 } else { i as f64 / last as f64 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_at_their_distances_and_words_evenly() {
        let of = |values: &[&str]| {
            positions(&values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["0", "2.5", "10"]), [0.0, 0.25, 1.0]);
        assert_eq!(of(&["0s", "1m", "Never"]), [0.0, 0.5, 1.0]);
        assert_eq!(of(&["3", "2", "1"]), [0.0, 0.5, 1.0]);
        assert_eq!(of(&["1", "2", "1000"]), [0.0, 0.5, 1.0]);
        assert_eq!(of(&["7"]), [0.5]);
        assert!(of(&[]).is_empty());
    }
}
