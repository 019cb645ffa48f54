//! Curves over the commitment: what it costs, covers and uses.

use super::super::charts::{Along, Ink, Look, Measured, Over, along};
use super::monthly;
use crate::advise::commit::{Commitments, CurvePoint, PlanAdvice};

/// Points drawn of a curve: every how many.
const EVERY: usize = 2;

/// Every chart as (file name, SVG).
pub(super) fn charts(it: &Commitments) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for (index, plan) in it.advice.plans.iter().enumerate().filter(|(_, p)| !p.curve.is_empty()) {
        let number = index + 1;
        files.push((format!("charts/commit-{number}-cost.svg"), cost(plan)));
        files.push((format!("charts/commit-{number}-use.svg"), usage(plan)));
    }
    files
}

/// The points drawn, and which of them is what is advised.
fn drawn(plan: &PlanAdvice) -> (Vec<CurvePoint>, Option<usize>) {
    let points: Vec<CurvePoint> = plan.curve.iter().step_by(EVERY).copied().collect();
    let at = plan.usd_per_hour.to_f64();
    let off = |p: &CurvePoint| (p.usd_per_hour - at).abs();
    let nearest = points
        .iter()
        .enumerate()
        .min_by(|a, b| off(a.1).total_cmp(&off(b.1)))
        .map(|(index, _)| index);
    (points, nearest)
}

/// Spends with as many decimals as tell them apart.
fn values(points: &[CurvePoint]) -> Vec<String> {
    let most = points.iter().map(|p| p.usd_per_hour).fold(0.0, f64::max);
    let places = (2..6).find(|places| most * 10f64.powi(*places) >= 50.0).unwrap_or(6) as usize;
    points.iter().map(|p| format!("{:.places$}", p.usd_per_hour)).collect()
}

fn over(values: &[String]) -> Over<'_> {
    Over { axis: "committed, $ per hour", values, ringed: "as advised" }
}

fn cost(plan: &PlanAdvice) -> String {
    let (points, chosen) = drawn(plan);
    let line = Along {
        label: "expected cost".to_owned(),
        ink: Ink::BLUE,
        points: points.iter().map(|p| Some((monthly(p.cost_per_hour), None))).collect(),
        chosen,
    };
    let title = format!("Expected cost by commitment: {}", plan.candidate.label);
    let values = values(&points);
    along(Look::FILE, &title, "$ a month", Measured::Dollars, over(&values), &[line])
}

fn usage(plan: &PlanAdvice) -> String {
    let (points, chosen) = drawn(plan);
    let line = |label: &str, ink: Ink, share: &dyn Fn(&CurvePoint) -> Option<f64>| Along {
        label: label.to_owned(),
        ink,
        points: points.iter().map(|p| share(p).map(|s| (100.0 * s, None))).collect(),
        chosen,
    };
    let lines = [
        line("coverage of eligible usage", Ink::BLUE, &|p| Some(p.coverage)),
        line("utilisation of this plan", Ink::ORANGE, &|p| p.utilisation),
    ];
    let title = format!("Coverage and utilisation by commitment: {}", plan.candidate.label);
    let values = values(&points);
    along(Look::FILE, &title, "%", Measured::Percent, over(&values), &lines)
}
