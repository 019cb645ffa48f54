//! `plimsoll check`: what a run would do, without doing it.

use std::fmt::Write as _;

use super::{Console, Outcome, Scenario, print};
use crate::Result;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    scenario: Scenario,
    /// Print each case with every default filled in, and where it comes from
    #[arg(long)]
    print_effective: bool,
    /// Treat warnings as errors
    #[arg(long)]
    deny_warnings: bool,
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let plan = super::run::load(&args.scenario)?;
    super::run::warn(&plan, args.deny_warnings, console)?;
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}: {} cases, {} cells, {} distinct simulations, seeds {}",
        plan.name,
        plan.cases.len(),
        plan.cells(),
        plan.simulations(),
        plan.seeds_to_run().iter().map(u64::to_string).collect::<Vec<_>>().join(" "),
    );
    for (table, dates) in &plan.price_dates {
        let _ = writeln!(out, "prices {table}: {dates}");
    }
    for report in &plan.usage {
        let _ = writeln!(out, "{report}");
    }
    for case in &plan.cases {
        for line in crate::plan::usage_coverage(case) {
            let _ = writeln!(out, "case {}: {line}", case.name);
        }
    }
    for report in &plan.traces {
        let _ = writeln!(out, "{report}");
    }
    if args.print_effective {
        for case in &plan.cases {
            let _ = writeln!(out, "\n# case {}", case.name);
            out.push_str(&case.effective);
            let _ = writeln!(out, "# settings in force");
            for s in &case.settings {
                let note = if s.note.is_empty() { String::new() } else { format!("; {}", s.note) };
                let _ = writeln!(out, "# {} = {} ({}{note})", s.path, s.value, s.origin.name());
            }
        }
    }
    print(&out)?;
    Ok(Outcome::Fine)
}
