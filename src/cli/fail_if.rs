//! `--fail-if`, shared by the verbs that end with a comparison.

use std::io::{self, Write as _};

use crate::Result;
use crate::advise::{FailIf, Measured};
use crate::plan::Plan;

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
pub(super) fn check_names(fail_if: &FailIf, plan: &Plan) -> Result<()> {
    let cases: Vec<String> = plan.cases.iter().map(|c| c.name.clone()).collect();
    let mut workloads: Vec<String> = Vec::new();
    for workload in plan.cases.iter().flat_map(|c| c.workload.workloads()) {
        if !workloads.contains(&workload.name) {
            workloads.push(workload.name.clone());
        }
    }
    fail_if.check_names(&cases, &workloads)
}

/// Says on stderr which case crosses which bound by how much, even when quiet:
/// it is why the program fails. Whether any does.
pub(super) fn crossed(fail_if: &FailIf, of: &dyn Measured) -> bool {
    let crossings = fail_if.crossings(of);
    for crossing in &crossings {
        let case = crate::report::shortened(&crossing.case, 80);
        let _ = writeln!(
            io::stderr(),
            "--fail-if '{}': case {case}: {}",
            crossing.expression,
            crossing.text
        );
    }
    !crossings.is_empty()
}
