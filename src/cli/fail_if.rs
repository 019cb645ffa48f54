//! `--fail-if`, shared by the verbs that end with a comparison.

use std::io::{self, Write as _};

use crate::Result;
use crate::advise::{FailIf, Measured};
use crate::plan::CasePlan;

/// Crossings that are told one by one: a sweep may have thousands.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Exit with code 3 where a case crosses a bound, as in 'cost>+5%',
    /// 'pending_p95>60s' or 'case:spot workload:web cost>$200' (repeatable)
    #[arg(long, value_name = "EXPR")]
    fail_if: Vec<String>,
}

impl Args {
    pub(super) fn parse(&self) -> Result<FailIf> {
        FailIf::parse(&self.fail_if)
    }
}

/// Checks names before anything is simulated.
pub(super) fn check_names<'a>(
    fail_if: &FailIf,
    cases: impl Iterator<Item = &'a CasePlan>,
) -> Result<()> {
    let (mut names, mut workloads) = (Vec::new(), Vec::<String>::new());
    for case in cases {
        names.push(case.name.clone());
        for workload in case.workload.workloads() {
            if !workloads.contains(&workload.name) {
                workloads.push(workload.name.clone());
            }
        }
    }
    fail_if.check_names(&names, &workloads)
}

/// Says on stderr which case crosses which bound by how much, even when quiet:
/// it is why the program fails. Whether any does.
pub(super) fn crossed(fail_if: &FailIf, of: &dyn Measured) -> bool {
    let crossings = fail_if.crossings(of);
    for crossing in crossings.iter().take(SHOWN) {
        let case = crate::report::shortened(&crossing.case, 80);
        let _ = writeln!(
            io::stderr(),
            "--fail-if '{}': case {case}: {}",
            crossing.expression,
            crossing.text
        );
    }
    if let Some(more) = crossings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(io::stderr(), "and {more} more");
    }
    !crossings.is_empty()
}
