//! From a sweep to its charts: trade-offs, grids of two axes, lines along one,
//! differences to the baseline. The page and the chart files draw the same
//! figures.

use super::charts::{
    Along, Cell, Grid, Ink, Interval, Look, Measured, Over, Standing, Tradeoff, along, differences,
    heat, pareto,
};
use super::figures::Figure;
use super::{text, words};
use crate::advise::SweepVerdict;
use crate::sweep::{Estimate, Metric, Objective, SweepStudy};

/// Combinations whose difference to the baseline is drawn.
const FOREST: usize = 15;
/// Cases that get a line of their own.
const LINES: usize = 6;
/// Axes that are paired in grids, and columns or rows of one.
const PAIRED: usize = 3;
const SIDES: usize = 24;

/// Every chart of a sweep as (file name, SVG), each readable on its own.
#[must_use]
pub fn sweep_chart_files(study: &SweepStudy, verdict: &SweepVerdict) -> Vec<(String, String)> {
    let mut figures = vec![tradeoffs(study, verdict)];
    figures.extend(grids(study, verdict));
    figures.extend(lines(study, verdict));
    figures.extend(forest(study, verdict));
    figures.iter().map(|f| (format!("{}.svg", f.name), f.draw(Look::FILE))).collect()
}

fn mean_of(study: &SweepStudy, at: usize, objective: Objective) -> Option<f64> {
    let values: Vec<f64> = study.values(at, |o| objective.value(o)).into_iter().flatten().collect();
    crate::sweep::estimate(&values).map(|e| e.mean)
}

/// Cost against waiting time, disruption as size.
pub(super) fn tradeoffs(study: &SweepStudy, verdict: &SweepVerdict) -> Figure {
    let front = study.pareto();
    let points: Vec<Tradeoff> = (0..study.combinations.len())
        .filter_map(|at| {
            let standing = if at == verdict.chosen {
                Standing::Chosen
            } else if study.combinations.get(at)?.serves_less {
                Standing::LessWork
            } else if *front.get(at)? {
                Standing::Front
            } else {
                Standing::Beaten
            };
            Some(Tradeoff {
                label: brief(study, at),
                cost: mean_of(study, at, Objective::Cost)?,
                // Where nothing waited, nothing waited long.
                wait: mean_of(study, at, Objective::PendingP95).unwrap_or(0.0),
                disruptions: mean_of(study, at, Objective::Disruptions).unwrap_or(0.0),
                standing,
            })
        })
        .collect();
    let title = format!("Cost against waiting: each dot is a combination ({})", reading(study));
    Figure::new("pareto".to_owned(), title, move |look, title| pareto(look, title, &points))
}

/// What a grid or a line shows.
#[derive(Clone, Copy)]
struct Shown {
    metric: Metric,
    file: &'static str,
    title: &'static str,
    unit: &'static str,
    measured: Measured,
}

const SHOWN: [Shown; 2] = [
    Shown {
        metric: Metric::Cost,
        file: "cost",
        title: "Net cost of the simulated window",
        unit: "$",
        measured: Measured::Dollars,
    },
    Shown {
        metric: Metric::PendingP95,
        file: "pending",
        title: "Time until 19 of 20 pods have a place",
        unit: "pending p95",
        measured: Measured::Seconds,
    },
];

/// A value of an axis as people read it: a list of one is its only item.
pub(super) fn plain(value: &str) -> String {
    let inner = value.strip_prefix('[').and_then(|v| v.strip_suffix(']'));
    let single = inner.filter(|v| !v.is_empty() && !v.contains([',', '[', '{']));
    text::name(single.unwrap_or(value))
}

/// The case of a combination, where there are several.
fn case_of(study: &SweepStudy, at: usize) -> Option<String> {
    let case = study.cases.get(study.combinations.get(at)?.case)?;
    (study.cases.len() > 1 || study.axes.is_empty()).then(|| text::name(&case.title))
}

/// A combination in words: `EC2 Spot, max 12, usd-per-hour 2.5`.
pub(super) fn label(study: &SweepStudy, at: usize) -> String {
    let axes = (0..study.axes.len()).map(|a| {
        format!("{} {}", axis_title(study, a), plain(study.value(at, a).unwrap_or_default()))
    });
    case_of(study, at).into_iter().chain(axes).collect::<Vec<_>>().join(", ")
}

/// The same by its values alone, for charts and tables: `EC2 Spot · 12 · 2.5`.
pub(super) fn brief(study: &SweepStudy, at: usize) -> String {
    let values = (0..study.axes.len()).map(|a| plain(study.value(at, a).unwrap_or_default()));
    case_of(study, at).into_iter().chain(values).collect::<Vec<_>>().join(" · ")
}

/// How to read [`brief`]: `case · max · usd-per-hour`.
pub(super) fn reading(study: &SweepStudy) -> String {
    let case = (study.cases.len() > 1 || study.axes.is_empty()).then(|| "case".to_owned());
    let axes = (0..study.axes.len()).map(|a| axis_title(study, a));
    case.into_iter().chain(axes).collect::<Vec<_>>().join(" · ")
}

fn axis_title(study: &SweepStudy, axis: usize) -> String {
    text::name(study.axis_title(axis).unwrap_or_default())
}

fn axis_values(study: &SweepStudy, axis: usize) -> Vec<String> {
    let values = study.axes.get(axis).map(|a| a.values.as_slice()).unwrap_or_default();
    values.iter().map(|v| plain(v)).collect()
}

/// What is held where a chart shows only some of the axes: ` (EC2 Spot, max 12)`.
fn held(study: &SweepStudy, chosen: usize, shown: &[usize], with_case: bool) -> String {
    let mut parts = Vec::new();
    if with_case {
        parts.extend(case_of(study, chosen));
    }
    for axis in (0..study.axes.len()).filter(|a| !shown.contains(a)) {
        let value = plain(study.value(chosen, axis).unwrap_or_default());
        parts.push(format!("{} {value}", axis_title(study, axis)));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// Grids of every two of the first axes, all else as in the chosen
/// combination. A figure that never changes needs no grid.
pub(super) fn grids(study: &SweepStudy, verdict: &SweepVerdict) -> Vec<Figure> {
    let mut figures = Vec::new();
    let axes = study.axes.len().min(PAIRED);
    for a in 0..axes {
        for b in a + 1..axes {
            for shown in SHOWN {
                figures.extend(grid(study, verdict.chosen, a, b, shown));
            }
        }
    }
    figures
}

fn grid(study: &SweepStudy, chosen: usize, a: usize, b: usize, shown: Shown) -> Option<Figure> {
    let it = study.combinations.get(chosen)?;
    let sides = [a, b].map(|axis| study.axes.get(axis).map_or(0, |x| x.values.len()));
    if sides.iter().any(|n| *n < 2 || *n > SIDES) {
        return None;
    }
    // The longer side lies.
    let (row, column) = if sides[0] > sides[1] { (b, a) } else { (a, b) };
    let (rows, columns) = (axis_values(study, row), axis_values(study, column));
    let mut least = f64::INFINITY;
    let mut estimates: Vec<Vec<Option<(usize, Estimate)>>> = Vec::with_capacity(rows.len());
    for r in 0..rows.len() {
        let line = (0..columns.len()).map(|c| {
            let mut values = it.values.clone();
            *values.get_mut(row)? = r;
            *values.get_mut(column)? = c;
            let at = study.at(it.case, &values)?;
            let estimate = study.estimate(at, shown.metric)?;
            least = least.min(estimate.mean.abs());
            Some((at, estimate))
        });
        estimates.push(line.collect());
    }
    let first = estimates.iter().flatten().flatten().next()?.1.mean.to_bits();
    if estimates.iter().flatten().flatten().all(|(_, e)| e.mean.to_bits() == first) {
        return None;
    }
    let places = words::usd_places(least);
    let say = |mean: f64| match shown.measured {
        Measured::Dollars => text::usd_f64(mean, places),
        Measured::Seconds => text::seconds(mean),
        Measured::Percent => text::percent(mean / 100.0),
    };
    let cells = estimates
        .iter()
        .map(|line| {
            line.iter()
                .map(|cell| {
                    cell.map(|(at, estimate)| Cell {
                        value: estimate.mean,
                        text: say(estimate.mean),
                        chosen: at == chosen,
                        less_work: study.combinations.get(at).is_some_and(|c| c.serves_less),
                    })
                })
                .collect()
        })
        .collect();
    let grid = Grid {
        columns: (axis_title(study, column), columns),
        rows: (axis_title(study, row), rows),
        cells,
    };
    let title = format!("{}{}", shown.title, held(study, chosen, &[a, b], true));
    let name = format!("{}-by-axes-{}-{}", shown.file, a + 1, b + 1);
    Some(Figure::new(name, title, move |look, title| heat(look, title, &grid)))
}

/// Along each axis, a line per case, the other axes as in the chosen
/// combination.
pub(super) fn lines(study: &SweepStudy, verdict: &SweepVerdict) -> Vec<Figure> {
    let mut figures = Vec::new();
    for axis in 0..study.axes.len() {
        for shown in SHOWN {
            figures.extend(line(study, verdict.chosen, axis, shown));
        }
    }
    figures
}

fn line(study: &SweepStudy, chosen: usize, axis: usize, shown: Shown) -> Option<Figure> {
    let it = study.combinations.get(chosen)?;
    let values = axis_values(study, axis);
    if values.len() < 2 {
        return None;
    }
    // The chosen case first: it must not be the one left out.
    let others = (0..study.cases.len()).filter(|c| *c != it.case);
    let mut cases: Vec<usize> = std::iter::once(it.case).chain(others).take(LINES).collect();
    cases.sort_unstable();
    let lines: Vec<Along> = cases
        .into_iter()
        .map(|case| {
            let points = (0..values.len()).map(|v| {
                let mut at = it.values.clone();
                *at.get_mut(axis)? = v;
                let e = study.estimate(study.at(case, &at)?, shown.metric)?;
                Some((e.mean, e.half_width))
            });
            Along {
                label: study.cases.get(case).map(|c| text::name(&c.title)).unwrap_or_default(),
                ink: Ink::line(case),
                points: points.collect(),
                chosen: if case == it.case { it.values.get(axis).copied() } else { None },
            }
        })
        .collect();
    let means: Vec<u64> =
        lines.iter().flat_map(|l| l.points.iter().flatten()).map(|p| p.0.to_bits()).collect();
    if means.iter().all(|m| Some(m) == means.first()) {
        return None;
    }
    let title = axis_title(study, axis);
    let name = format!("{}-by-axis-{}", shown.file, axis + 1);
    let heading = format!("{} by {title}{}", shown.title, held(study, chosen, &[axis], false));
    Some(Figure::new(name, heading, move |look, heading| {
        let over = Over { axis: &title, values: &values, ringed: "to choose" };
        along(look, heading, shown.unit, shown.measured, over, &lines)
    }))
}

/// The best combinations against the baseline; `None` where it is alone.
pub(super) fn forest(study: &SweepStudy, verdict: &SweepVerdict) -> Option<Figure> {
    let ranked: Vec<usize> = study.ranked().into_iter().filter(|at| *at != 0).collect();
    let rows: Vec<Interval> = ranked
        .iter()
        .take(FOREST)
        .filter_map(|at| {
            let d = study.difference(0, *at, Metric::Cost)?;
            let ink = match d.within_noise() {
                Some(false) if d.mean < 0.0 => Ink::BLUE,
                Some(false) if d.mean > 0.0 => Ink::ORANGE,
                _ => Ink::GREY,
            };
            Some(Interval {
                label: brief(study, *at),
                ink,
                mean: d.mean,
                half_width: d.half_width,
                chosen: *at == verdict.chosen,
            })
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let base = brief(study, 0);
    let which = match ranked.len() {
        n if n > FOREST => format!("the best {FOREST} of {n} combinations"),
        _ => "every combination".to_owned(),
    };
    let how = match study.seeds.len() {
        0 | 1 => "one seed".to_owned(),
        n => format!("{n} seeds, pair by pair, 95 % interval"),
    };
    let title = format!("What {which} costs more or less than {base} ({how})");
    Some(Figure::new("against-baseline".to_owned(), title, move |look, title| {
        differences(look, title, &rows)
    }))
}
