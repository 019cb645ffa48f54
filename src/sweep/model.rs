//! What a study found: everything the report, the tables and the comparison
//! print, and nothing they would have to look up elsewhere.
//!
//! A study is cases × seeds. Every cell leaves an [`Outcome`]; the first seed of
//! a case also leaves a [`Detail`] with its bill and what charts draw. The
//! first case is the baseline.

use std::collections::BTreeMap;

use super::detail::Detail;
use super::outcome::Outcome;
use super::run::Cell;
pub use crate::plan::{Bound, Change, Goal, Input, Origin, Setting as Assumption, Warning};

/// Version of every result file's layout.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything there is to say about one scenario.
#[derive(Debug, Clone, Default)]
pub struct Study {
    /// Name of the scenario.
    pub scenario: String,
    /// Version of the program that made it.
    pub plimsoll_version: String,
    /// AWS Region whose prices apply.
    pub region: String,
    /// Files that decided the result.
    pub inputs: Vec<Input>,
    /// Price table to the date of its prices.
    pub price_dates: BTreeMap<String, String>,
    /// Seeds, in the order of [`CaseStudy::outcomes`].
    pub seeds: Vec<u64>,
    /// What the result rests on beyond the scenario's own lines.
    pub assumptions: Vec<Assumption>,
    /// What was noticed on the way, each with a stable code.
    pub warnings: Vec<Warning>,
    /// What the user wants to hold.
    pub goals: Vec<Goal>,
    /// Cases in scenario order; the first is the baseline.
    pub cases: Vec<CaseStudy>,
    /// Whether every cell was run; otherwise the study was interrupted and
    /// [`CaseStudy::outcomes`] holds what was finished.
    pub complete: bool,
}

/// A case and what became of it.
#[derive(Debug, Clone, Default)]
pub struct CaseStudy {
    /// Its name in the scenario.
    pub name: String,
    /// What to call it in a report: the title, or the name.
    pub title: String,
    /// Every setting in force.
    pub settings: Vec<Assumption>,
    /// How its settings differ from the baseline's.
    pub changes: Vec<Change>,
    /// Whether its days are drawn anew for each seed.
    pub resamples_days: bool,
    /// The first seed in depth; `None` only in an interrupted study.
    pub detail: Option<Detail>,
    /// One per seed, in the order of [`Study::seeds`]; `None` where a cell was
    /// not run before an interruption.
    pub outcomes: Vec<Option<Outcome>>,
}

impl CaseStudy {
    /// This case with what its cells left, in the order of the seeds.
    #[must_use]
    pub fn with_cells(mut self, cells: Vec<Option<Cell>>) -> CaseStudy {
        for (i, cell) in cells.into_iter().enumerate() {
            let (outcome, detail) = cell.map(|c| (c.outcome, c.detail)).unzip();
            self.outcomes.push(outcome);
            if i == 0 {
                self.detail = detail.flatten();
            }
        }
        self
    }

    /// What the finished cells measured, in the order of the seeds.
    pub fn finished(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().flatten()
    }
}

impl Study {
    /// The baseline: the first case.
    #[must_use]
    pub fn baseline(&self) -> Option<&CaseStudy> {
        self.cases.first()
    }

    /// Names of the workloads that any finished cell has, in the order in
    /// which cases first mention them.
    #[must_use]
    pub fn workloads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for workload in
            self.cases.iter().flat_map(|c| c.finished().take(1)).flat_map(|o| &o.workloads)
        {
            if !names.contains(&workload.name.as_str()) {
                names.push(&workload.name);
            }
        }
        names
    }
}
