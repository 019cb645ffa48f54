//! What charts share: plot frame, axes, legend.

use super::canvas::{Hang, LABEL, LINE, Pen, text_width};
use super::scale::{Linear, Time};
use super::theme::Ink;

/// Side of a legend's swatch.
const SWATCH: f64 = 11.0;

/// How a legend shows its ink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A filled square.
    Area,
    /// A piece of line.
    Line,
    /// Nothing: a series that is absent.
    Absent,
}

/// An entry of a legend.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// What it says.
    pub(super) text: String,
    /// In what colour.
    pub(super) ink: Ink,
    /// How it looks.
    pub(super) mark: Mark,
}

/// Entries laid out in rows of a given width.
pub(super) struct Legend {
    placed: Vec<(f64, f64, Entry)>,
    /// Height it takes, a gap below included.
    pub(super) height: f64,
}

impl Legend {
    /// Lays entries out.
    pub(super) fn new(entries: Vec<Entry>, width: f64) -> Legend {
        let (mut x, mut y) = (0.0, 0.0);
        let mut placed = Vec::with_capacity(entries.len());
        let any = !entries.is_empty();
        for entry in entries {
            let own = swatch_width(entry.mark) + text_width(&entry.text, LABEL, false);
            if x > 0.0 && x + own > width {
                (x, y) = (0.0, y + LINE);
            }
            placed.push((x, y, entry));
            x += own + 20.0;
        }
        Legend { placed, height: if any { y + LINE + 8.0 } else { 0.0 } }
    }

    /// Draws it with its upper left corner there.
    pub(super) fn draw(&self, pen: &mut Pen<'_>, left: f64, top: f64) {
        for (x, y, entry) in &self.placed {
            let (x, y) = (left + x, top + y + LINE / 2.0);
            match entry.mark {
                Mark::Area => {
                    pen.bar((x, y - SWATCH / 2.0), (x + SWATCH, y + SWATCH / 2.0), entry.ink);
                }
                Mark::Line => pen.line(&[(x, y), (x + 18.0, y)], entry.ink, 2.5),
                Mark::Absent => {}
            }
            let ink = if entry.mark == Mark::Absent { Ink::Muted } else { Ink::Text };
            pen.text(&entry.text, (x + swatch_width(entry.mark), y), Hang::Left, ink);
        }
    }
}

fn swatch_width(mark: Mark) -> f64 {
    match mark {
        Mark::Area => SWATCH + 6.0,
        Mark::Line => 24.0,
        Mark::Absent => 0.0,
    }
}

/// The rectangle in which data stand, with a linear axis at its left.
pub(super) struct Plot {
    /// Left edge.
    pub(super) left: f64,
    /// Right edge.
    pub(super) right: f64,
    /// Upper edge.
    pub(super) top: f64,
    /// Lower edge.
    pub(super) bottom: f64,
    /// The axis at its left.
    pub(super) y: Linear,
    /// Left end of the axis' labels.
    labels: f64,
    /// What its labels begin with.
    prefix: &'static str,
}

/// Height that tick labels and a caption below a plot take.
pub(super) const BELOW: f64 = 40.0;
/// Height that the unit above a plot takes.
pub(super) const ABOVE: f64 = 28.0;

impl Plot {
    /// A plot of this height below `top`; leaves room for the axis labels.
    pub(super) fn new(
        pen: &Pen<'_>,
        top: f64,
        height: f64,
        y: Linear,
        prefix: &'static str,
    ) -> Plot {
        let widest = y
            .ticks()
            .iter()
            .map(|t| text_width(&format!("{prefix}{}", y.label(*t)), LABEL, false))
            .fold(0.0, f64::max);
        let (top, labels) = (top + ABOVE, pen.left);
        let (left, right) = (labels + widest + 8.0, pen.right - 2.0);
        Plot { left, right, top, bottom: top + height, y, labels, prefix }
    }

    /// Its width.
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Height of a value on the sheet.
    pub(super) fn y_at(&self, value: f64) -> f64 {
        self.bottom - self.y.share(value) * (self.bottom - self.top)
    }

    /// Where a share of the width lies.
    pub(super) fn x_at(&self, share: f64) -> f64 {
        self.left + share * self.width()
    }

    /// Grid, labels and the unit above.
    pub(super) fn y_axis(&self, pen: &mut Pen<'_>, unit: &str) {
        pen.text(unit, (self.labels, self.top - 18.0), Hang::Left, Ink::Muted);
        for tick in self.y.ticks() {
            let y = self.y_at(tick);
            pen.line(&[(self.left, y), (self.right, y)], Ink::Grid, 1.0);
            let label = format!("{}{}", self.prefix, self.y.label(tick));
            pen.text(&label, (self.left - 8.0, y), Hang::Right, Ink::Muted);
        }
    }

    /// Ticks with labels below, each at a share of the width, and a caption.
    pub(super) fn x_axis(&self, pen: &mut Pen<'_>, ticks: &[(f64, String)], caption: &str) {
        pen.line(&[(self.left, self.bottom), (self.right, self.bottom)], Ink::Axis, 1.0);
        let mut free = f64::NEG_INFINITY;
        for (share, label) in ticks {
            let x = self.x_at(*share);
            pen.line(&[(x, self.bottom), (x, self.bottom + 4.0)], Ink::Axis, 1.0);
            let half = text_width(label, LABEL, false) / 2.0;
            let centre = x.min(pen.right - half).max(half);
            if centre - half > free {
                pen.text(label, (centre, self.bottom + 14.0), Hang::Middle, Ink::Muted);
                free = centre + half + 6.0;
            }
        }
        let middle = f64::midpoint(self.left, self.right);
        pen.text(caption, (middle, self.bottom + 31.0), Hang::Middle, Ink::Muted);
    }

    /// A time axis below.
    pub(super) fn time_axis(&self, pen: &mut Pen<'_>, time: &Time) {
        let ticks: Vec<(f64, String)> = time
            .ticks(self.width(), |label| text_width(label, LABEL, false))
            .into_iter()
            .map(|(at, label)| (time.share(at), label))
            .collect();
        self.x_axis(pen, &ticks, &time.caption());
    }

    /// Says that there is nothing to see, where there is nothing.
    pub(super) fn nothing(&self, pen: &mut Pen<'_>, why: &str) {
        let at = (f64::midpoint(self.left, self.right), f64::midpoint(self.top, self.bottom));
        pen.text(why, at, Hang::Middle, Ink::Muted);
    }
}

/// Corners of a step curve: `values[i]` holds from `edges[i]` to `edges[i + 1]`.
pub(super) fn steps(edges: &[f64], values: impl Iterator<Item = f64>) -> Vec<(f64, f64)> {
    edges.windows(2).zip(values).flat_map(|(edge, y)| [(edge[0], y), (edge[1], y)]).collect()
}
