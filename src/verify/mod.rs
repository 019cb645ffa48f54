//! Replays recorded decisions of the real components and counts how many the
//! models reproduce.
//!
//! A record is a cluster, a queue of pods and what kube-scheduler did with
//! each (`scheduler/*.json.gz` of a conformance set). The replay follows the
//! recorded path, so that one disagreement does not bring others with it. It
//! asks the index that runs of scenarios use, and holds the plain evaluator
//! against it. Reads `cluster`, `workload` and `place`; nothing but `cli` reads
//! it.

mod compare;
mod convert;
mod objects;
mod replay;
mod requests;
mod scenario;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::path::Path;

use rayon::prelude::*;
use serde_json::{Value, json};

pub use compare::{Counts, Disagreement};

use crate::{Error, Result};

/// What one scenario gave.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name in the record.
    pub name: String,
    /// How far it agrees.
    pub counts: Counts,
    /// All that does not.
    pub disagreements: Vec<Disagreement>,
}

/// What a set of scenarios gave.
#[derive(Debug, Clone)]
pub struct Report {
    /// Scenarios of kube-scheduler, in the order of their paths.
    pub scenarios: Vec<Scenario>,
    /// Scenarios of components that are not replayed.
    pub skipped: usize,
}

/// Replays the scenarios at `path`: a file, a directory of files, or a
/// directory of such directories.
///
/// # Errors
/// When a file is no scenario, or there is none of kube-scheduler.
pub fn run(path: &Path) -> Result<Report> {
    let files = scenario::files(path)?;
    let one = |file: &std::path::PathBuf| -> Result<Option<Scenario>> {
        let Some(scenario) = scenario::load(file)? else { return Ok(None) };
        let (counts, disagreements) = compare::replay(&scenario)
            .map_err(|e| Error::input(clean(&format!("`{}`: {e}", file.display()))))?;
        Ok(Some(Scenario { name: clean(&scenario.id), counts, disagreements }))
    };
    let read: Vec<Result<Option<Scenario>>> = files.par_iter().map(one).collect();
    let mut report = Report { scenarios: Vec::new(), skipped: 0 };
    for scenario in read {
        match scenario? {
            Some(scenario) => report.scenarios.push(scenario),
            None => report.skipped += 1,
        }
    }
    if report.scenarios.is_empty() {
        return Err(Error::input(format!("no scenario of kube-scheduler in `{}`", path.display())));
    }
    Ok(report)
}

impl Report {
    /// All scenarios together.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for scenario in &self.scenarios {
            total.add(&scenario.counts);
        }
        total
    }

    /// Whether nothing disagrees.
    #[must_use]
    pub fn is_perfect(&self) -> bool {
        self.scenarios.iter().all(|s| s.counts.is_perfect() && s.disagreements.is_empty())
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let total = self.total();
        json!({
            "scheduler": {
                "decisions": total.decisions,
                "agree": total.agree,
                "feasible_equal": total.feasible_equal,
                "scored": total.scored,
                "scores_equal": total.scores_equal,
                "plugins": total.plugins,
                "plugins_equal": total.plugins_equal,
                "rejections_equal": total.rejections_equal,
                "index_differs": total.index_differs,
                "scheduled": total.scheduled,
                "free_run_scheduled": total.free_run_scheduled,
                "scenarios": self.scenarios.len(),
            }
        })
    }

    /// For people: a line per scenario.
    #[must_use]
    pub fn table(&self) -> String {
        let width = self.scenarios.iter().map(|s| s.name.chars().count()).max().unwrap_or(0).max(8);
        let mut out = format!(
            "{:width$}  {:>9}  {:>7}  {:>8}  {:>7}  {:>7}  {:>8}\n",
            "scenario", "decisions", "agree", "feasible", "scores", "plugins", "free run"
        );
        let mut line = |name: &str, c: &Counts| {
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "{name:width$}  {:>9}  {:>7}  {:>8}  {:>7}  {:>7}  {:>8}",
                c.decisions,
                percent(c.agree, c.decisions),
                percent(c.feasible_equal, c.decisions),
                percent(c.scores_equal, c.scored),
                percent(c.plugins_equal, c.plugins),
                format!("{}/{}", c.free_run_scheduled, c.scheduled),
            );
        };
        for scenario in &self.scenarios {
            line(&scenario.name, &scenario.counts);
        }
        line("all", &self.total());
        out
    }

    /// Every disagreement, a line each.
    #[must_use]
    pub fn details(&self) -> String {
        let mut out = String::new();
        for scenario in &self.scenarios {
            for d in &scenario.disagreements {
                let pod = if d.pod.is_empty() { String::new() } else { format!(" {}", d.pod) };
                let node = d.node.as_ref().map_or(String::new(), |node| format!(" {node}"));
                let what = format!("{pod}{node}: {} {}, expected {}", d.what, d.actual, d.expected);
                let _ = writeln!(out, "{}{}", scenario.name, clean(&what));
            }
        }
        out
    }
}

/// Names come from files: nothing in them may steer the terminal.
fn clean(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// A share that is 100 % only if nothing is missing.
fn percent(part: u64, whole: u64) -> String {
    if part == whole {
        return if whole == 0 { "-".to_owned() } else { "100%".to_owned() };
    }
    let tenths = part * 1_000 / whole.max(1);
    format!("{}.{}%", tenths / 10, tenths % 10)
}
