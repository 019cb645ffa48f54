//! `summary.json`: the first seed of one case under stable keys, plus
//! intervals over all seeds.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::compare::Metric;
use super::model::{Input, SCHEMA_VERSION, Study};
use super::outcome::{GoalResult, NodeCounts, Pods, Utilisation, WaitSummary};
use crate::bill::CostSummary;
use crate::{Error, Result};

/// One case as `summary.json` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Summary<'a> {
    schema_version: u32,
    plimsoll_version: &'a str,
    scenario: &'a str,
    case: &'a str,
    seed: u64,
    inputs: &'a [Input],
    price_dates: &'a BTreeMap<String, String>,
    events: u64,
    pods: &'a Pods,
    pending_s: &'a WaitSummary,
    ready_s: &'a WaitSummary,
    utilisation: &'a Utilisation,
    nodes: &'a NodeCounts,
    cost: CostSummary<'a>,
    goals: &'a [GoalResult],
    intervals: BTreeMap<&'static str, Interval>,
}

/// A mean over seeds with its 95 % interval, which covers simulation noise
/// only; one seed has none.
#[derive(Debug, Clone, Serialize)]
struct Interval {
    unit: &'static str,
    mean: f64,
    low: Option<f64>,
    high: Option<f64>,
    seeds: usize,
}

impl Study {
    /// The summary of a case; `None` where its first seed was not run.
    #[must_use]
    pub fn summary(&self, case: usize) -> Option<Summary<'_>> {
        let of = self.cases.get(case)?;
        let first = of.outcomes.first()?.as_ref()?;
        let detail = of.detail.as_ref()?;
        let intervals = Metric::ALL
            .into_iter()
            .filter_map(|metric| {
                let e = self.estimate(case, metric)?;
                let interval = Interval {
                    unit: metric.unit(),
                    mean: e.mean,
                    low: e.low(),
                    high: e.high(),
                    seeds: e.n,
                };
                Some((metric.name(), interval))
            })
            .collect();
        Some(Summary {
            schema_version: SCHEMA_VERSION,
            plimsoll_version: &self.plimsoll_version,
            scenario: &self.scenario,
            case: &of.name,
            seed: first.seed,
            inputs: &self.inputs,
            price_dates: &self.price_dates,
            events: first.events,
            pods: &first.pods,
            pending_s: &first.pending_s,
            ready_s: &first.ready_s,
            utilisation: &first.utilisation,
            nodes: &first.nodes,
            cost: detail.bill.summary(),
            goals: &first.goals,
            intervals,
        })
    }
}

impl Summary<'_> {
    /// Writes it as indented JSON with a final newline.
    pub fn write(&self, mut out: impl Write) -> Result<()> {
        let failed = |e: &dyn std::fmt::Display| Error::failed(format!("cannot write summary: {e}"));
        serde_json::to_writer_pretty(&mut out, self).map_err(|e| failed(&e))?;
        writeln!(out).map_err(|e| failed(&e))
    }
}
