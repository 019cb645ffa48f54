//! The chart: a pod-hour on nodes by their packing, against Fargate.

use super::super::charts::{self, Falling, Ink, Level, Look};
use super::super::text;
use super::words::{counted, fargate, pods, subject};
use crate::advise::breakeven::{Breakeven, Breakevens};

/// Name and SVG text of the chart of each comparison.
#[must_use]
pub fn breakeven_charts(it: &Breakevens) -> Vec<(String, String)> {
    let one = it.comparisons.len() == 1;
    it.comparisons
        .iter()
        .enumerate()
        .map(|(i, b)| {
            let file =
                if one { "breakeven.svg".into() } else { format!("breakeven-{}.svg", i + 1) };
            (file, chart(it, b, Look::FILE))
        })
        .collect()
}

fn chart(it: &Breakevens, b: &Breakeven, look: Look) -> String {
    let (most, binding) = b.most();
    let (curves, curve_of) = curves(b, most);
    let levels: Vec<Level> = b
        .fargate
        .iter()
        .map(|p| Level {
            label: fargate(p),
            ink: if p.plan.is_some() || p.option.contains("spot") {
                Ink::Dashed(3)
            } else {
                Ink::PURPLE
            },
            value: p.per_hour.to_f64(),
        })
        .collect();
    let crossings: Vec<(usize, usize, String)> = b
        .crossings()
        .iter()
        .filter(|c| c.pods < most)
        .map(|c| {
            // Texts at the list price only: more would cover each other.
            let text = if c.fargate == 0 { counted(c.pods, "pod") } else { String::new() };
            (curve_of[c.ec2], c.fargate, text)
        })
        .collect();
    let title = format!(
        "{} against Fargate, {} on {}: a pod-hour by packing",
        subject(b),
        it.region,
        it.orchestrator.name().to_uppercase()
    );
    let axis = format!(
        "pods on a node, as a share of the {} that fit (limited by {})",
        pods(most),
        binding.name()
    );
    let measured = b.measured.map(|m| m.pods_per_node / most);
    charts::breakeven(look, &title, &axis, &curves, &levels, &crossings, measured)
}

/// Ways of buying nodes that cost the same are one curve, or the first would
/// lie hidden under the second.
const SAME: f64 = 0.002;

/// The curves, and which one shows each way of buying nodes.
fn curves(b: &Breakeven, most: f64) -> (Vec<Falling>, Vec<usize>) {
    let mut curves: Vec<Falling> = Vec::new();
    let mut curve_of = Vec::new();
    for (i, p) in b.ec2.iter().enumerate() {
        let (label, at_full) = (text::name(&p.option), b.per_pod_hour(p, most));
        let near = |c: &Falling| (c.at_full - at_full).abs() <= SAME * at_full;
        if let Some(same) = curves.iter().position(near) {
            curves[same].label = format!("{}, {label}", curves[same].label);
            curve_of.push(same);
        } else {
            curve_of.push(curves.len());
            curves.push(Falling { label, ink: ink(&p.option, i), at_full });
        }
    }
    (curves, curve_of)
}

fn ink(option: &str, i: usize) -> Ink {
    match option {
        "on-demand" => Ink::BLUE,
        "spot" => Ink::ORANGE,
        "as bought" => Ink::Text,
        "compute-sp-1y" => Ink::GREEN,
        "compute-sp-3y" => Ink::Dashed(2),
        _ => Ink::line(i + 4),
    }
}
