//! `sweep.json`: what was swept, from which inputs, and per combination the
//! estimates, the paired differences to the baseline and whether it is on the
//! Pareto front. Keys are stable.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::compare::Metric;
use super::model::{Input, SCHEMA_VERSION};
use super::pareto::{OBJECTIVES, Objective};
use super::stats::Estimate;
use super::study::SweepStudy;
use super::summary::Interval;
use crate::{Error, Result};

/// A sweep as `sweep.json` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct SweepDocument<'a> {
    schema_version: u32,
    plimsoll_version: &'a str,
    scenario: &'a str,
    region: &'a str,
    /// Whether every cell was run; an interrupted sweep says `false`.
    complete: bool,
    inputs: &'a [Input],
    pricing_sha256: &'a str,
    price_dates: &'a BTreeMap<String, String>,
    seeds: &'a [u64],
    cells: usize,
    cells_finished: usize,
    simulations: usize,
    warnings: Vec<Coded<'a>>,
    cases: Vec<Named<'a>>,
    axes: Vec<AxisShown<'a>>,
    /// Index of the combination that differences refer to.
    baseline: usize,
    /// Metrics whose trade-off the front is about.
    pareto_objectives: Vec<&'static str>,
    /// Combinations with a finished cell, the best first.
    ranking: Vec<usize>,
    combinations: Vec<Shown<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct Coded<'a> {
    code: &'static str,
    text: &'a str,
}

#[derive(Debug, Clone, Serialize)]
struct Named<'a> {
    name: &'a str,
    title: &'a str,
}

#[derive(Debug, Clone, Serialize)]
struct AxisShown<'a> {
    path: &'a str,
    values: &'a [String],
}

#[derive(Debug, Clone, Serialize)]
struct Shown<'a> {
    case: &'a str,
    /// Axis path to value, in the order of the axes.
    values: serde_json::Map<String, serde_json::Value>,
    seeds_finished: usize,
    pareto: bool,
    serves_less: bool,
    /// `null` without goals.
    goals_met: Option<bool>,
    estimates: BTreeMap<&'static str, Interval>,
    /// Paired by seed with the baseline's; none for the baseline itself.
    differences: BTreeMap<&'static str, Interval>,
}

impl SweepStudy {
    /// The document.
    #[must_use]
    pub fn document(&self) -> SweepDocument<'_> {
        let pareto = self.pareto();
        let shown = |at: usize| {
            let it = &self.combinations[at];
            let intervals = |of: &dyn Fn(Metric) -> Option<Estimate>| {
                Metric::ALL
                    .into_iter()
                    .filter_map(|m| Some((m.name(), Interval::new(m, &of(m)?))))
                    .collect()
            };
            Shown {
                case: self.cases.get(it.case).map_or("", |c| &c.name),
                values: (0..self.axes.len())
                    .filter_map(|axis| {
                        let value = self.value(at, axis)?;
                        Some((self.axes.get(axis)?.path.clone(), value.into()))
                    })
                    .collect(),
                seeds_finished: it.finished().count(),
                pareto: pareto[at],
                serves_less: it.serves_less,
                goals_met: it.goals_met(),
                estimates: intervals(&|m| self.estimate(at, m)),
                differences: if at == 0 {
                    BTreeMap::new()
                } else {
                    intervals(&|m| self.difference(0, at, m))
                },
            }
        };
        SweepDocument {
            schema_version: SCHEMA_VERSION,
            plimsoll_version: &self.plimsoll_version,
            scenario: &self.scenario,
            region: &self.region,
            complete: self.complete,
            inputs: &self.inputs,
            pricing_sha256: &self.pricing_sha256,
            price_dates: &self.price_dates,
            seeds: &self.seeds,
            cells: self.combinations.len() * self.seeds.len(),
            cells_finished: self.combinations.iter().map(|c| c.finished().count()).sum(),
            simulations: self.simulations,
            warnings: self.warnings.iter().map(|w| Coded { code: w.code, text: &w.text }).collect(),
            cases: self.cases.iter().map(|c| Named { name: &c.name, title: &c.title }).collect(),
            axes: self
                .axes
                .iter()
                .map(|a| AxisShown { path: &a.path, values: &a.values })
                .collect(),
            baseline: 0,
            pareto_objectives: OBJECTIVES.map(Objective::name).to_vec(),
            ranking: self.ranked(),
            combinations: (0..self.combinations.len()).map(shown).collect(),
        }
    }
}

impl SweepDocument<'_> {
    /// Writes it as indented JSON with a final newline.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, mut out: impl Write) -> Result<()> {
        let failed =
            |e: &dyn std::fmt::Display| Error::failed(format!("cannot write sweep.json: {e}"));
        serde_json::to_writer_pretty(&mut out, self).map_err(|e| failed(&e))?;
        writeln!(out).and_then(|()| out.flush()).map_err(|e| failed(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::sample::sweep_sample;

    #[test]
    fn keys_are_stable_and_differences_are_the_baselines() {
        let mut study = sweep_sample();
        study.combinations[3].serves_less = true;
        let mut out = Vec::new();
        study.document().write(&mut out).expect("written");
        let json: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        let keys = |value: &serde_json::Value| {
            value.as_object().expect("object").keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            keys(&json),
            "schema_version plimsoll_version scenario region complete inputs pricing_sha256 \
             price_dates seeds cells cells_finished simulations warnings cases axes baseline \
             pareto_objectives ranking combinations"
        );
        let all = json["combinations"].as_array().expect("a list");
        assert_eq!(
            keys(&all[1]),
            "case values seeds_finished pareto serves_less goals_met estimates differences"
        );
        assert_eq!(all.len(), 18);
        assert_eq!(all[4]["values"]["commitments.base.usd-per-hour"], "2.5");
        assert_eq!(all[0]["differences"], serde_json::json!({}));
        assert_eq!((&all[3]["serves_less"], &all[3]["pareto"]), (&true.into(), &false.into()));
        let by_hand = study.difference(0, 4, Metric::Cost).expect("pairs");
        let cost = &all[4]["differences"]["cost"];
        assert_eq!(cost["mean"], by_hand.mean);
        assert_eq!(cost["low"].as_f64(), by_hand.low());
        assert_eq!((&json["cells"], &json["simulations"]), (&54.into(), &18.into()));
        assert_eq!(out.last(), Some(&b'\n'));
    }
}
