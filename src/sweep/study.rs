//! What a sweep found: cases × axes × seeds, and what can be said about every
//! combination of a case with one value per axis.
//!
//! A combination's cells share their seeds with those of every other one
//! (common random numbers), so differences are taken seed by seed. The first
//! combination, the first case with the first value of every axis, is the
//! baseline.
//!
//! A few kilobytes a cell: a sweep of 10,000 cells takes some 30 MB here.

use std::collections::BTreeMap;

use super::compare::{Metric, per_seed};
use super::model::{Goal, Input, Warning};
use super::outcome::Outcome;
use super::pareto::{self, OBJECTIVES};
use super::stats::{Estimate, difference, estimate};

/// Everything there is to say about one sweep.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SweepStudy {
    /// Name of the scenario.
    pub scenario: String,
    /// Version of the program that made it.
    pub plimsoll_version: String,
    /// AWS Region of the baseline, whose prices apply.
    pub region: String,
    /// Files that decided the result.
    pub inputs: Vec<Input>,
    /// SHA-256 over all price tables, lower-case hexadecimal.
    pub pricing_sha256: String,
    /// Price table to the date of its prices.
    pub price_dates: BTreeMap<String, String>,
    /// Seeds, in the order of [`Combination::outcomes`].
    pub seeds: Vec<u64>,
    /// What was noticed on the way, each with a stable code.
    pub warnings: Vec<Warning>,
    /// What the user wants to hold, as the baseline states it.
    pub goals: Vec<Goal>,
    /// Cases in scenario order; the first is the baseline's.
    pub cases: Vec<SweptCase>,
    /// Axes in the order written.
    pub axes: Vec<Axis>,
    /// Every combination: cases in order, within a case the last axis fastest.
    pub combinations: Vec<Combination>,
    /// Distinct simulations behind the cells: combinations that differ only
    /// in what things cost share theirs.
    pub simulations: usize,
    /// Whether every cell was run; otherwise the sweep was interrupted.
    pub complete: bool,
}

/// A case that is swept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweptCase {
    /// Its name in the scenario.
    pub name: String,
    /// What to call it in a report: the title, or the name.
    pub title: String,
}

/// A setting and the values it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Axis {
    /// Path in the scenario.
    pub path: String,
    /// Values as the scenario writes them, at least one.
    pub values: Vec<String>,
}

impl Axis {
    /// The shortest end of the path that names the setting, as in
    /// `usd-per-hour`: for headings; the whole path where two axes share it.
    #[must_use]
    pub fn short(&self) -> &str {
        // A dot in a quoted name is no separator.
        let mut quoted = false;
        let at = self.path.rfind(|c: char| {
            quoted ^= c == '"';
            c == '.' && !quoted
        });
        at.and_then(|at| self.path.get(at + 1..)).unwrap_or(&self.path)
    }
}

/// A case with one value per axis, and what became of its cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Combination {
    /// Index into [`SweepStudy::cases`].
    pub case: usize,
    /// Per axis, index into [`Axis::values`].
    pub values: Vec<usize>,
    /// One per seed, in the order of [`SweepStudy::seeds`]; `None` where a
    /// cell was not run before an interruption.
    pub outcomes: Vec<Option<Outcome>>,
    /// Whether it leaves work undone that the baseline does, so that it must
    /// not be called cheaper.
    pub serves_less: bool,
}

impl Combination {
    /// What the finished cells measured, in the order of the seeds.
    pub fn finished(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().flatten()
    }

    /// Whether every goal holds in every finished cell; `None` without goals
    /// or without a finished cell.
    #[must_use]
    pub fn goals_met(&self) -> Option<bool> {
        let mut goals = self.finished().flat_map(|o| &o.goals).peekable();
        goals.peek()?;
        Some(goals.all(|g| g.met))
    }
}

impl SweepStudy {
    /// The baseline: the first combination.
    #[must_use]
    pub fn baseline(&self) -> Option<&Combination> {
        self.combinations.first()
    }

    /// The index of the combination of a case with these values, by index.
    #[must_use]
    pub fn at(&self, case: usize, values: &[usize]) -> Option<usize> {
        if case >= self.cases.len() || values.len() != self.axes.len() {
            return None;
        }
        self.axes.iter().zip(values).try_fold(case, |at, (axis, value)| {
            (*value < axis.values.len()).then(|| at * axis.values.len() + value)
        })
    }

    /// The value of an axis in a combination, as the scenario writes it.
    #[must_use]
    pub fn value(&self, combination: usize, axis: usize) -> Option<&str> {
        let value = *self.combinations.get(combination)?.values.get(axis)?;
        self.axes.get(axis)?.values.get(value).map(String::as_str)
    }

    /// What to call an axis in a heading: the end of its path, or all of it
    /// where another axis ends alike.
    #[must_use]
    pub fn axis_title(&self, axis: usize) -> Option<&str> {
        let it = self.axes.get(axis)?;
        let alike = self.axes.iter().filter(|a| a.short() == it.short()).count();
        Some(if alike > 1 { &it.path } else { it.short() })
    }

    /// A combination in words: `today, usd-per-hour 2.5`.
    #[must_use]
    pub fn label(&self, combination: usize) -> String {
        let Some(it) = self.combinations.get(combination) else { return String::new() };
        let mut label = self.cases.get(it.case).map(|c| c.title.clone()).unwrap_or_default();
        for axis in 0..self.axes.len() {
            if let (Some(title), Some(value)) =
                (self.axis_title(axis), self.value(combination, axis))
            {
                label.extend([", ", title, " ", value]);
            }
        }
        label
    }

    /// Values of any function of an outcome in a combination, per seed.
    pub fn values(
        &self,
        combination: usize,
        value: impl Fn(&Outcome) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        self.combinations.get(combination).map(|c| per_seed(&c.outcomes, value)).unwrap_or_default()
    }

    /// Mean and interval of a metric in a combination.
    #[must_use]
    pub fn estimate(&self, combination: usize, metric: Metric) -> Option<Estimate> {
        let values: Vec<f64> =
            self.values(combination, |o| metric.value(o)).into_iter().flatten().collect();
        estimate(&values)
    }

    /// Paired difference of a metric between two combinations:
    /// `combination − base`.
    #[must_use]
    pub fn difference(&self, base: usize, combination: usize, metric: Metric) -> Option<Estimate> {
        let of = |at| self.values(at, |o| metric.value(o));
        difference(&of(base), &of(combination))
    }

    /// Whether each combination is on the Pareto front of [`OBJECTIVES`]:
    /// none that does the baseline's work is at least as good in every one of
    /// them and better in one. Combinations that serve less or have no
    /// finished cell are not on it.
    #[must_use]
    pub fn pareto(&self) -> Vec<bool> {
        let points: Vec<Option<[f64; OBJECTIVES.len()]>> = (0..self.combinations.len())
            .map(|at| {
                let it = self.combinations.get(at).filter(|c| !c.serves_less)?;
                it.finished().next()?;
                // Where nothing waited, nothing waited long. Plus zero, so that no zero
                // is negative.
                Some(OBJECTIVES.map(|o| {
                    estimate(
                        &self.values(at, |x| o.value(x)).into_iter().flatten().collect::<Vec<_>>(),
                    )
                    .map_or(0.0, |e| e.mean + 0.0)
                }))
            })
            .collect();
        pareto::front(&points)
    }

    /// Combinations with a finished cell, the best first: those that do the
    /// baseline's work before those that serve less, those that meet every
    /// goal before those that miss one, then by mean net cost, then in the
    /// order of the sweep.
    #[must_use]
    pub fn ranked(&self) -> Vec<usize> {
        let mut ranked: Vec<(bool, bool, f64, usize)> = self
            .combinations
            .iter()
            .enumerate()
            .filter_map(|(at, it)| {
                let cost = self.estimate(at, Metric::Cost)?.mean;
                Some((it.serves_less, it.goals_met() == Some(false), cost, at))
            })
            .collect();
        ranked.sort_by(|a, b| {
            (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3))
        });
        ranked.into_iter().map(|(.., at)| at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::sample::sweep_sample;

    #[test]
    fn combinations_are_found_by_case_and_values() {
        let study = sweep_sample();
        for (index, it) in study.combinations.iter().enumerate() {
            assert_eq!(study.at(it.case, &it.values), Some(index));
        }
        assert_eq!(study.at(2, &[0, 0]), None);
        assert_eq!(study.at(0, &[3, 0]), None);
        assert_eq!(study.at(0, &[0]), None);
        let at = study.at(1, &[2, 1]).expect("within");
        assert_eq!(study.value(at, 1), Some("2.5"));
        assert_eq!(study.label(at), "EC2 Spot, max 12, usd-per-hour 2.5");
    }

    #[test]
    fn headings_tell_axes_apart() {
        let axis = |path: &str| Axis { path: path.to_owned(), values: vec!["1".to_owned()] };
        assert_eq!(axis("pools.a.asg.max").short(), "max");
        assert_eq!(axis("workload.w.nodeSelector.\"a.b/c\"").short(), "\"a.b/c\"");
        assert_eq!(axis("region").short(), "region");
        let study = SweepStudy {
            axes: vec![axis("pools.a.asg.max"), axis("pools.b.asg.max"), axis("region")],
            ..SweepStudy::default()
        };
        assert_eq!(study.axis_title(0), Some("pools.a.asg.max"));
        assert_eq!(study.axis_title(2), Some("region"));
    }

    #[test]
    fn differences_pair_the_seeds_by_hand() {
        let mut study = sweep_sample();
        let costs = |study: &mut SweepStudy, at: usize, usd: [i128; 3]| {
            for (outcome, usd) in study.combinations[at].outcomes.iter_mut().zip(usd) {
                let outcome = outcome.as_mut().expect("finished");
                outcome.cost.total = crate::units::Money::from_pico(usd * 1_000_000_000_000);
            }
        };
        costs(&mut study, 0, [100, 200, 300]);
        costs(&mut study, 5, [99, 198, 297]);
        // −1, −2, −3: mean −2, sd 1, t(2) / √3 = 2.484138, however much seeds differ.
        let d = study.difference(0, 5, Metric::Cost).expect("pairs");
        assert_eq!((d.mean, d.n), (-2.0, 3));
        assert!((d.half_width.expect("three") - 2.484_138).abs() < 1e-5);
        // A cell that is missing on one side takes its pair along.
        study.combinations[5].outcomes[1] = None;
        let d = study.difference(0, 5, Metric::Cost).expect("pairs");
        assert_eq!((d.mean, d.n), (-2.0, 2));
    }

    #[test]
    fn the_best_come_first_and_those_that_serve_less_last() {
        let mut study = sweep_sample();
        let order = study.ranked();
        assert_eq!(order.len(), study.combinations.len());
        let best = order[0];
        assert!(study.pareto()[best]);
        study.combinations[best].serves_less = true;
        assert_eq!(study.ranked().last(), Some(&best));
        assert!(!study.pareto()[best]);
        study.combinations[best].outcomes.iter_mut().for_each(|o| *o = None);
        assert!(!study.ranked().contains(&best));
    }
}
