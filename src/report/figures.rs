//! From a study to its charts: what each shows, in which order, under which
//! name. The report and the chart files draw the same figures.

use super::charts::{
    Amount, Axis, Band, Bar, Curve, Distribution, Ink, Interval, Look, Steps, cdf, intervals,
    lines, stacked, waterfall,
};
use super::{money_figures, text};
use crate::advise::Verdict;
use crate::bill::bridge;
use crate::observe::TimelinePoint;
use crate::sweep::{CaseStudy, Cdf, Detail, Study, UsedShare};
use crate::units::Money;

/// Instance types drawn apart; the rest is drawn as one.
const TYPES: usize = 7;

/// Workloads whose waits are drawn: as many as lines can be told apart.
const WORKLOADS: usize = 12;

/// Draws a chart under a title.
type Draw = dyn Fn(Look, &str) -> String;

/// A chart that can be drawn at any width.
pub(super) struct Figure {
    /// File name without directory and extension.
    pub(super) name: String,
    /// What is seen.
    pub(super) title: String,
    /// The same below a heading that names the case.
    pub(super) caption: String,
    draw: Box<Draw>,
}

impl Figure {
    pub(super) fn new(
        name: String,
        title: String,
        draw: impl Fn(Look, &str) -> String + 'static,
    ) -> Figure {
        Figure { name, caption: title.clone(), title, draw: Box::new(draw) }
    }

    /// Of one case: what is seen, and of which.
    pub(super) fn of_case(
        name: String,
        case: &str,
        seen: &str,
        draw: impl Fn(Look, &str) -> String + 'static,
    ) -> Figure {
        let caption = text::capitalised(seen);
        Figure { name, title: format!("{case}: {seen}"), caption, draw: Box::new(draw) }
    }

    /// Draws it.
    pub(super) fn draw(&self, look: Look) -> String {
        (self.draw)(look, &self.title)
    }
}

/// What to call a case: its title, or its name.
pub(super) fn title_of(case: &CaseStudy) -> String {
    text::name(if case.title.is_empty() { &case.name } else { &case.title })
}

/// Every chart of a study as (file name, SVG), each readable on its own.
#[must_use]
pub fn chart_files(study: &Study, verdict: Option<&Verdict>) -> Vec<(String, String)> {
    let mut figures = Vec::new();
    if let Some(verdict) = verdict {
        figures.push(costs(study, verdict));
        figures.extend(bridged(study, verdict));
    }
    figures.push(pending(study));
    for case in &study.cases {
        figures.extend(money_figures::of_case(study, case));
        figures.extend(of_case(study, case));
    }
    figures.iter().map(|f| (format!("{}.svg", f.name), f.draw(Look::FILE))).collect()
}

/// The bridge that explains a verdict: from the baseline to the chosen case,
/// or to the runner-up where the baseline itself was chosen.
pub(super) fn bridge_ends(verdict: &Verdict) -> Option<(usize, usize)> {
    if verdict.chosen != 0 {
        return Some((0, verdict.chosen));
    }
    verdict.runner_up.map(|r| (0, r.case))
}

fn bridged(study: &Study, verdict: &Verdict) -> Option<Figure> {
    let (from, to) = bridge_ends(verdict)?;
    bridge_figure(study, from, to)
}

/// What every finished case costs, with intervals.
pub(super) fn costs(study: &Study, verdict: &Verdict) -> Figure {
    let rows: Vec<Interval> = verdict
        .cases
        .iter()
        .filter_map(|c| {
            Some(Interval {
                label: title_of(study.cases.get(c.case)?),
                ink: Ink::line(c.case),
                mean: c.cost.mean,
                half_width: c.cost.half_width,
                chosen: c.case == verdict.chosen,
            })
        })
        .collect();
    let how = match verdict.seeds {
        0 | 1 => "one seed".to_owned(),
        n => format!("mean of {n} seeds, 95 % interval"),
    };
    let title = format!("Cost of the simulated window by case ({how})");
    Figure::new("cost-by-case".to_owned(), title, move |look, title| intervals(look, title, &rows))
}

/// How long pods waited, case by case.
pub(super) fn pending(study: &Study) -> Figure {
    let curves: Vec<Distribution> = study
        .cases
        .iter()
        .enumerate()
        .filter_map(|(i, case)| {
            let detail = case.detail.as_ref()?;
            let wait = case.outcomes.first()?.as_ref()?.pending_s;
            let marks = [("p50", 0.5, wait.p50), ("p95", 0.95, wait.p95)];
            Some(Distribution {
                label: title_of(case),
                ink: Ink::line(i),
                points: detail.pending.points.clone(),
                marks: marks.into_iter().filter_map(|(n, q, v)| Some((n, q, v?))).collect(),
            })
        })
        .collect();
    let title = format!("How long pods waited for a place, by case{}", seed_note(study));
    Figure::new("pending".to_owned(), title, move |look, title| {
        cdf(look, title, "time from submission to a place, log scale", &curves)
    })
}

fn seed_note(study: &Study) -> String {
    study.seeds.first().map(|s| format!(" (seed {s})")).unwrap_or_default()
}

/// A name that can be part of a file name.
fn file_part(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
        .collect()
}

/// File names of the charts of a case, by what they show.
pub(super) fn file_names(study: &Study, case: &CaseStudy) -> impl Fn(&str) -> String + use<> {
    // Names that differ only in what a file name cannot hold stay apart.
    let place = study.cases.iter().position(|c| std::ptr::eq(c, case)).unwrap_or(0);
    let clashes =
        study.cases.iter().filter(|c| file_part(&c.name) == file_part(&case.name)).count();
    let part = match clashes {
        1 => file_part(&case.name),
        _ => format!("{}-{}", file_part(&case.name), place + 1),
    };
    move |what| format!("{part}-{what}")
}

/// Charts of one case: nodes, utilisation, waiting. Those of its money are
/// [`money_figures::of_case`].
pub(super) fn of_case(study: &Study, case: &CaseStudy) -> Vec<Figure> {
    let Some(detail) = &case.detail else { return Vec::new() };
    let title = title_of(case);
    let name = file_names(study, case);
    let time = timeline_steps(detail);
    let mut figures = Vec::new();
    if !detail.nodes.types.is_empty() || detail.timeline.iter().all(|p| p.fargate <= 0.0) {
        let bands = node_bands(detail);
        figures.push(Figure::of_case(
            name("nodes"),
            &title,
            "running nodes by instance type",
            move |look, title| {
                stacked(look, title, Axis { unit: "nodes", prefix: "" }, time, &bands)
            },
        ));
    }
    if detail.timeline.iter().any(|p| p.fargate > 0.0) {
        let band = Band {
            label: "Fargate pods".to_owned(),
            ink: Ink::PURPLE,
            values: detail.timeline.iter().map(|p| p.fargate).collect(),
        };
        figures.push(Figure::of_case(
            name("fargate"),
            &title,
            "billed Fargate pods",
            move |look, title| {
                stacked(
                    look,
                    title,
                    Axis { unit: "pods", prefix: "" },
                    time,
                    std::slice::from_ref(&band),
                )
            },
        ));
    }
    let shares = case.finished().next().map(|o| o.utilisation).unwrap_or_default();
    for (what, unit, scale, share, pick) in [
        (
            "cpu",
            "vCPU",
            1e3,
            shares.cpu,
            (|p| [p.cpu_allocatable, p.cpu_requested, p.cpu_used])
                as fn(&TimelinePoint) -> [f64; 3],
        ),
        ("memory", "GiB", (1u64 << 30) as f64, shares.memory, |p| {
            [p.memory_allocatable, p.memory_requested, p.memory_used]
        }),
    ] {
        let curves = utilisation(detail, scale, share, pick);
        figures.push(Figure::of_case(
            name(what),
            &title,
            &format!("{what} allocatable, requested and used"),
            move |look, title| lines(look, title, Axis { unit, prefix: "" }, time, &curves),
        ));
    }
    figures.extend(waits_by_workload(name("pending"), &title, detail));
    figures
}

fn timeline_steps(detail: &Detail) -> Steps {
    let at = |ms: i64| detail.start_unix_ms.saturating_add(ms);
    Steps {
        from_unix_ms: at(0),
        step_ms: detail.timeline_step_ms,
        to_unix_ms: at(detail.end.ms()),
        warmup_until_unix_ms: (detail.warmup.ms() > 0).then(|| at(detail.warmup.ms())),
    }
}

fn node_bands(detail: &Detail) -> Vec<Band> {
    let nodes = &detail.nodes;
    let sum = |counts: &Vec<f64>| counts.iter().sum::<f64>();
    let mut by_size: Vec<usize> = (0..nodes.types.len().min(nodes.counts.len())).collect();
    // Stable: types of equal size keep the order of the cluster.
    by_size.sort_by(|a, b| sum(&nodes.counts[*b]).total_cmp(&sum(&nodes.counts[*a])));
    let apart = if by_size.len() > TYPES + 1 { TYPES } else { by_size.len() };
    let mut bands: Vec<Band> = by_size[..apart]
        .iter()
        .enumerate()
        .map(|(i, of)| Band {
            label: text::name(&nodes.types[*of]),
            ink: Ink::Series(i),
            values: nodes.counts[*of].clone(),
        })
        .collect();
    let rest = &by_size[apart..];
    if !rest.is_empty() {
        let steps = rest.iter().map(|of| nodes.counts[*of].len()).max().unwrap_or(0);
        let values = (0..steps)
            .map(|i| rest.iter().filter_map(|of| nodes.counts[*of].get(i)).sum())
            .collect();
        bands.push(Band { label: format!("{} other types", rest.len()), ink: Ink::GREY, values });
    }
    bands
}

fn utilisation(
    detail: &Detail,
    scale: f64,
    share: UsedShare,
    pick: fn(&TimelinePoint) -> [f64; 3],
) -> Vec<Curve> {
    let column = |i: usize| detail.timeline.iter().map(|p| pick(p)[i] / scale).collect::<Vec<_>>();
    let used = match (share.used_of_requested, share.used_of_allocatable) {
        (None, _) => ("used: unknown", None),
        (Some(_), None) => ("used, where known", Some(column(2))),
        (Some(_), Some(_)) => ("used", Some(column(2))),
    };
    vec![
        Curve {
            label: "allocatable".into(),
            ink: Ink::Muted,
            values: Some(column(0)),
            filled: false,
        },
        Curve { label: "requested".into(), ink: Ink::BLUE, values: Some(column(1)), filled: true },
        Curve { label: used.0.into(), ink: Ink::ORANGE, values: used.1, filled: true },
    ]
}

fn waits_by_workload(name: String, case: &str, detail: &Detail) -> Option<Figure> {
    let all = &detail.pending_by_workload;
    if all.len() < 2 {
        return None;
    }
    let at = |cdf: &Cdf, q: f64| cdf.points.iter().find(|p| p.1 >= q).map(|p| p.0);
    let mut longest: Vec<usize> = (0..all.len()).collect();
    if all.len() > WORKLOADS {
        // Stable: equal waits stay in the order of their workloads.
        let p95 = |i: &usize| all.get(*i).and_then(|(_, cdf)| at(cdf, 0.95)).unwrap_or(0.0);
        longest.sort_by(|a, b| p95(b).total_cmp(&p95(a)));
        longest.truncate(WORKLOADS);
        longest.sort_unstable();
    }
    let curves: Vec<Distribution> = longest
        .iter()
        .filter_map(|i| all.get(*i))
        .enumerate()
        .map(|(i, (workload, cdf))| {
            let marks = [("p50", 0.5), ("p95", 0.95)];
            Distribution {
                label: text::name(workload),
                ink: Ink::line(i),
                points: cdf.points.clone(),
                marks: marks.into_iter().filter_map(|(n, q)| Some((n, q, at(cdf, q)?))).collect(),
            }
        })
        .collect();
    let which = match all.len() {
        n if n > WORKLOADS => format!(", the {WORKLOADS} of {n} with the longest p95"),
        _ => String::new(),
    };
    let seen = format!("how long pods waited for a place, by workload{which}");
    Some(Figure::of_case(name, case, &seen, move |look, title| {
        cdf(look, title, "time from submission to a place, log scale", &curves)
    }))
}

/// A bridge between two bills: where it starts and ends, and every difference,
/// exact and rounded so that what is written adds up.
pub(super) struct Bridge {
    /// Total it starts from.
    pub(super) from: Money,
    /// Total it ends at.
    pub(super) to: Money,
    /// (name, exact, written).
    pub(super) steps: Vec<(String, Money, Money)>,
    /// Decimals written.
    pub(super) places: u32,
}

impl Bridge {
    /// Between the first seeds of two cases; `None` where one was not run.
    pub(super) fn between(study: &Study, from: usize, to: usize) -> Option<Bridge> {
        let bill = |case: usize| study.cases.get(case)?.detail.as_ref().map(|d| &d.bill);
        let (from, to) = (bill(from)?, bill(to)?);
        let steps = bridge(from, to);
        let places = text::places(from.total.max(to.total));
        let amounts: Vec<Money> = steps.iter().map(|s| s.1).collect();
        let written = text::adding_up(from.total, &amounts, places);
        debug_assert_eq!(
            from.total + amounts.iter().copied().sum::<Money>(),
            to.total,
            "every dollar of difference has a name"
        );
        let steps =
            steps.into_iter().zip(written).map(|((name, exact), w)| (name, exact, w)).collect();
        Some(Bridge { from: from.total, to: to.total, steps, places })
    }
}

/// From one case to another.
pub(super) fn bridge_figure(study: &Study, from: usize, to: usize) -> Option<Figure> {
    let found = Bridge::between(study, from, to)?;
    let (first, last) = (title_of(study.cases.get(from)?), title_of(study.cases.get(to)?));
    let total = |label: &str, amount| Bar {
        label: label.to_owned(),
        ink: Ink::Muted,
        amount: Amount::Total(amount),
    };
    let mut bars = vec![total(&first, found.from)];
    bars.extend(found.steps.iter().map(|(name, exact, written)| Bar {
        label: text::name(name),
        ink: if *exact > Money::ZERO { Ink::ORANGE } else { Ink::BLUE },
        amount: Amount::Change(*exact, *written),
    }));
    bars.push(total(&last, found.to));
    let name = if from == 0 {
        format!("bridge-to-{}", file_part(&study.cases.get(to)?.name))
    } else {
        format!("bridge-{from}-{to}")
    };
    let title = format!("From {first} to {last}: every dollar of difference{}", seed_note(study));
    Some(Figure::new(name, title, move |look, title| {
        waterfall(
            look,
            title,
            true,
            &[("costs more", Ink::ORANGE), ("costs less", Ink::BLUE)],
            &bars,
        )
    }))
}
