//! A finished sweep, read back from `sweep.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::compare::Metric;
use super::past::{damaged, read_json};
use super::stats::Estimate;
use super::study::{Axis, Combination, SweepStudy, SweptCase};
use crate::Result;

/// A finished sweep as its `sweep.json` tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastSweep {
    /// What was swept: names, axes and combinations, without what their cells
    /// measured.
    pub swept: SweepStudy,
    /// What is told of each combination.
    pub combinations: Vec<PastCombination>,
    /// Combinations with a finished cell, the best first.
    pub ranking: Vec<usize>,
}

/// A combination of a finished sweep.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PastCombination {
    case: String,
    values: BTreeMap<String, String>,
    /// Whether nothing beats it.
    pub pareto: bool,
    /// Whether it does less work than the baseline.
    pub serves_less: bool,
    /// Whether it meets every goal; `None` without goals.
    pub goals_met: Option<bool>,
    estimates: BTreeMap<String, PastInterval>,
    differences: BTreeMap<String, PastInterval>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
struct PastInterval {
    mean: f64,
    low: Option<f64>,
    high: Option<f64>,
    seeds: usize,
}

impl PastInterval {
    fn estimate(self) -> Estimate {
        let half_width = self.low.zip(self.high).map(|(low, high)| (high - low) / 2.0);
        Estimate { mean: self.mean, half_width, n: self.seeds }
    }
}

impl PastCombination {
    /// Mean and interval of a metric.
    #[must_use]
    pub fn estimate(&self, metric: Metric) -> Option<Estimate> {
        self.estimates.get(metric.name()).map(|i| i.estimate())
    }

    /// Paired difference to the baseline; `None` for the baseline itself.
    #[must_use]
    pub fn difference(&self, metric: Metric) -> Option<Estimate> {
        self.differences.get(metric.name()).map(|i| i.estimate())
    }
}

#[derive(Deserialize)]
struct Document {
    plimsoll_version: String,
    scenario: String,
    region: String,
    complete: bool,
    seeds: Vec<u64>,
    simulations: usize,
    cases: Vec<Named>,
    axes: Vec<PastAxis>,
    ranking: Vec<usize>,
    combinations: Vec<PastCombination>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    title: String,
}

#[derive(Deserialize)]
struct PastAxis {
    path: String,
    values: Vec<String>,
}

impl PastSweep {
    /// Whether a directory holds a sweep.
    #[must_use]
    pub fn is_in(directory: &Path) -> bool {
        directory.join("sweep.json").is_file()
    }

    /// Reads the sweep in a directory.
    ///
    /// # Errors
    /// Wrong input where there is none, where another version of the program
    /// wrote it in a layout this one does not read, or where it is damaged.
    pub fn open(directory: &Path) -> Result<PastSweep> {
        let path = directory.join("sweep.json");
        let of: Document = read_json(&path)?;
        let axes: Vec<Axis> =
            of.axes.into_iter().map(|a| Axis { path: a.path, values: a.values }).collect();
        let cases: Vec<SweptCase> =
            of.cases.into_iter().map(|c| SweptCase { name: c.name, title: c.title }).collect();
        let mut combinations = Vec::with_capacity(of.combinations.len());
        for it in &of.combinations {
            let place = |it: &PastCombination| -> Option<Combination> {
                let values = axes.iter().map(|axis| {
                    let value = it.values.get(&axis.path)?;
                    axis.values.iter().position(|v| v == value)
                });
                Some(Combination {
                    case: cases.iter().position(|c| c.name == it.case)?,
                    values: values.collect::<Option<_>>()?,
                    outcomes: Vec::new(),
                    serves_less: it.serves_less,
                })
            };
            let found = place(it).ok_or_else(|| {
                damaged(&path, &"a combination has a case or value that was not swept")
            })?;
            combinations.push(found);
        }
        if of.ranking.iter().any(|at| *at >= combinations.len()) {
            return Err(damaged(&path, &"the ranking names a combination that is not there"));
        }
        Ok(PastSweep {
            swept: SweepStudy {
                scenario: of.scenario,
                plimsoll_version: of.plimsoll_version,
                region: of.region,
                seeds: of.seeds,
                cases,
                axes,
                combinations,
                simulations: of.simulations,
                complete: of.complete,
                ..SweepStudy::default()
            },
            combinations: of.combinations,
            ranking: of.ranking,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::sample::sweep_sample;
    use std::fs;

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().expect("dir");
        let mut study = sweep_sample();
        study.combinations[3].serves_less = true;
        let path = dir.path().join("sweep.json");
        let write = || study.document().write(fs::File::create(&path).expect("file"));
        assert!(!PastSweep::is_in(dir.path()));
        write().expect("written");
        assert!(PastSweep::is_in(dir.path()));
        let past = PastSweep::open(dir.path()).expect("read back");
        assert_eq!(past.ranking, study.ranked());
        assert_eq!((&past.swept.axes, &past.swept.cases), (&study.axes, &study.cases));
        for (at, it) in past.combinations.iter().enumerate() {
            assert_eq!(past.swept.label(at), study.label(at));
            let (read, was) = (it.estimate(Metric::Cost), study.estimate(at, Metric::Cost));
            let (read, was) = (read.expect("cost"), was.expect("cost"));
            // JSON numbers come back to the last place but one.
            assert!((read.mean - was.mean).abs() < 1e-9 && read.n == was.n);
            let half = |e: Estimate| e.half_width.expect("an interval");
            assert!((half(read) - half(was)).abs() < 1e-9);
            assert_eq!(it.difference(Metric::Cost).is_some(), at != 0);
        }
        assert!(past.combinations[3].serves_less);
        // Damage is named.
        let text = fs::read_to_string(&path).expect("text");
        for (from, to, why) in [
            ("\"schema_version\": 1", "\"schema_version\": 0", "has layout 0"),
            ("\"case\": \"od\"", "\"case\": \"xx\"", "was not swept"),
            ("\"ranking\": [", "\"ranking\": [\n99,", "is not there"),
            ("{", "[", "is damaged"),
        ] {
            assert!(text.contains(from), "{from}");
            fs::write(&path, text.replacen(from, to, 1)).expect("written");
            let error = PastSweep::open(dir.path()).expect_err("refused");
            assert!(error.is_input() && error.to_string().contains(why), "{error}");
        }
    }
}
