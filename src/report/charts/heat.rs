//! Two axes against each other: a grid of figures, the deeper the larger.

use super::canvas::{About, Hang, LABEL, LINE, Look, draw, fitted, text_width};
use super::scale::finite;
use super::theme::{HEAT, Ink};

/// Height of a cell.
const CELL: f64 = 34.0;
/// Widest a cell gets.
const WIDEST: f64 = 130.0;
/// Space between cells.
const GAP: f64 = 2.0;

/// A grid of figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// What the columns are, and each of them.
    pub columns: (String, Vec<String>),
    /// What the rows are, and each of them.
    pub rows: (String, Vec<String>),
    /// By row, then column; `None` where nothing was measured.
    pub cells: Vec<Vec<Option<Cell>>>,
}

/// A figure in a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Decides the colour.
    pub value: f64,
    /// What is written.
    pub text: String,
    /// Whether it is the one to choose.
    pub chosen: bool,
    /// Whether it does less work, which a `†` says.
    pub less_work: bool,
}

/// The grid in a scale from pale (low) to deep (high); the chosen cell is
/// framed.
#[must_use]
pub fn heat(look: Look, title: &str, grid: &Grid) -> String {
    let all = || grid.cells.iter().flatten().flatten();
    let (low, high) = all()
        .map(|c| finite(c.value))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let step = |value: f64| {
        let share = if high > low { (finite(value) - low) / (high - low) } else { 0.0 };
        // Every step spans the same range of values.
        ((share * HEAT as f64) as usize).min(HEAT - 1)
    };
    let extreme = |wanted: f64| {
        let found = all().find(|c| finite(c.value).to_bits() == wanted.to_bits());
        found.map_or("–", |c| c.text.as_str())
    };
    let (lowest, highest) = (extreme(low), extreme(high));
    let chosen = grid.cells.iter().zip(&grid.rows.1).find_map(|(cells, row)| {
        let at = cells.iter().position(|c| c.as_ref().is_some_and(|c| c.chosen))?;
        Some(format!(
            ", chosen {} {row}, {} {}",
            grid.rows.0,
            grid.columns.0,
            grid.columns.1.get(at)?
        ))
    });
    let summary = format!(
        "{title}. Grid of {} rows ({}) by {} columns ({}): lowest {lowest}, highest {highest}{}.",
        grid.rows.1.len(),
        grid.rows.0,
        grid.columns.1.len(),
        grid.columns.0,
        chosen.unwrap_or_default()
    );
    let less = all().any(|c| c.less_work);
    let names = grid.rows.1.iter().map(|r| text_width(r, LABEL, false)).fold(0.0, f64::max);
    let names = names.min(look.room() * 0.3);
    let count = grid.columns.1.len().max(1) as f64;
    let width = ((look.room() - names - 12.0) / count).min(WIDEST);
    // Rows' own name and the columns' stand above the grid.
    let head = 2.0 * LINE + 8.0;
    let below = 16.0 + LINE + if less { LINE } else { 0.0 };
    let body = head + grid.rows.1.len() as f64 * CELL + below;
    draw(look, body, About { title, summary: &summary }, |pen| {
        let left = pen.left + names + 12.0;
        let top = pen.top + head;
        let right = left + width * count;
        let rows = format!("{} ↓", grid.rows.0);
        let columns = format!("{} →", grid.columns.0);
        let middle = f64::midpoint(pen.left, pen.right);
        let rows = fitted(&rows, middle - pen.left - 12.0, false);
        pen.text(&rows, (pen.left, pen.top + LINE / 2.0), Hang::Left, Ink::Muted);
        let columns = fitted(&columns, pen.right - middle, false);
        let end = right.max(middle + text_width(&columns, LABEL, false));
        pen.text(&columns, (end.min(pen.right), pen.top + LINE / 2.0), Hang::Right, Ink::Muted);
        for (i, name) in grid.columns.1.iter().enumerate() {
            let x = left + (i as f64 + 0.5) * width;
            let name = fitted(name, width - 4.0, false);
            pen.text(&name, (x, top - LINE / 2.0 - 2.0), Hang::Middle, Ink::Text);
        }
        let mut framed = None;
        for (r, (cells, name)) in grid.cells.iter().zip(&grid.rows.1).enumerate() {
            let y = top + r as f64 * CELL;
            let name = fitted(name, names, false);
            pen.text(&name, (pen.left + names, y + CELL / 2.0), Hang::Right, Ink::Text);
            for (c, cell) in cells.iter().enumerate() {
                let x = left + c as f64 * width;
                let (from, to) = ((x, y), (x + width - GAP, y + CELL - GAP));
                let middle = (x + (width - GAP) / 2.0, y + (CELL - GAP) / 2.0);
                let Some(cell) = cell else {
                    pen.bar(from, to, Ink::Shade);
                    pen.text("–", middle, Hang::Middle, Ink::Muted);
                    continue;
                };
                let heat = Ink::Heat(step(cell.value));
                pen.bar(from, to, heat);
                let said = if cell.less_work {
                    format!("{}\u{A0}†", cell.text)
                } else {
                    cell.text.clone()
                };
                // A figure that is cut would be another figure.
                if text_width(&said, LABEL, cell.chosen) <= width - 6.0 {
                    if cell.chosen {
                        pen.bold(&said, middle, Hang::Middle, heat.over());
                    } else {
                        pen.text(&said, middle, Hang::Middle, heat.over());
                    }
                }
                if cell.chosen {
                    framed = Some((from, to));
                }
            }
        }
        if let Some(((x0, y0), (x1, y1))) = framed {
            let corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)];
            pen.line(&corners, Ink::Text, 2.5);
        }
        // The scale: what pale and deep mean.
        let y = top + grid.rows.1.len() as f64 * CELL + 14.0;
        let swatch = 16.0;
        let mut x = pen.left;
        pen.text(lowest, (x, y + 5.0), Hang::Left, Ink::Muted);
        x += text_width(lowest, LABEL, false) + 6.0;
        for i in 0..HEAT {
            pen.bar((x, y - 1.0), (x + swatch, y + 11.0), Ink::Heat(i));
            x += swatch;
        }
        pen.text(highest, (x + 6.0, y + 5.0), Hang::Left, Ink::Muted);
        x += 6.0 + text_width(highest, LABEL, false) + 16.0;
        let note = if framed.is_some() { "framed: to choose" } else { "" };
        pen.text(
            &fitted(note, (pen.right - x).max(0.0), false),
            (x, y + 5.0),
            Hang::Left,
            Ink::Muted,
        );
        if less {
            let note = "† does less work than the baseline: its figure does not count";
            let note = fitted(note, pen.right - pen.left, false);
            pen.text(&note, (pen.left, y + 5.0 + LINE), Hang::Left, Ink::Muted);
        }
        if grid.rows.1.is_empty() || grid.columns.1.is_empty() {
            pen.text("nothing to show", (pen.left, top), Hang::Left, Ink::Muted);
        }
    })
}
