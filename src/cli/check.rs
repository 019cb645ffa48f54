//! `plimsoll check`: what a run would do, without doing it.

use std::fmt::Write as _;

use super::cells::GridCells;
use super::scenario::{Scenario, Threads, Warnings};
use super::{Console, Outcome, price_age, print};
use crate::nouns::counted;
use crate::scenario::Source;
use crate::sweep::{Journal, peek};
use crate::{Result, plan};

/// What a finished cell takes in memory, roughly: more with many workloads.
const BYTES_A_CELL: usize = 2_048;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    scenario: Scenario,
    /// Print each case with every default filled in, and where it comes from
    #[arg(long)]
    print_effective: bool,
    #[command(flatten)]
    warnings: Warnings,
    #[command(flatten)]
    price_age: price_age::Args,
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let plan = args.scenario.load()?;
    args.warnings.show(&plan.warnings, console)?;
    args.price_age.check(&plan.dated_prices, &args.warnings, console)?;
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}: {}, {}, {}, seeds {}",
        plan.name,
        counted(plan.cases.len(), "case"),
        counted(plan.cells(), "cell"),
        counted(plan.simulations(), "distinct simulation"),
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
    if Source::load(&args.scenario.file)?.sweep().is_some() {
        out.push_str(&sweep(args, console)?);
    }
    print(&out)?;
    Ok(Outcome::Fine)
}

/// What a sweep would do, and what it will take as far as earlier runs tell.
fn sweep(args: &Args, console: &Console) -> Result<String> {
    let grid = plan::load_sweep(&args.scenario.file, &args.scenario.options()?)?;
    args.warnings.show(&grid.warnings, console)?;
    let axes: Vec<String> = grid.axes.iter().map(|(_, values)| values.len().to_string()).collect();
    let mut out = format!(
        "sweep: {} × {} of axes ({}) × {} = {}, {}\n",
        counted(grid.cases.len(), "case"),
        counted(grid.combinations() / grid.cases.len().max(1), "combination"),
        if axes.is_empty() { "none".to_owned() } else { axes.join(" × ") },
        counted(grid.seeds.len(), "seed"),
        counted(grid.cells(), "cell"),
        counted(grid.simulations(), "distinct simulation"),
    );
    let target = super::sweep::default_output(&grid);
    let wanted = GridCells::new(&grid).wanted();
    let found = peek(&Journal::beside(&target), &wanted);
    let left = grid.cells() - found.len();
    let threads = Threads::cores();
    // Writing to a String cannot fail.
    let _ = if found.is_empty() {
        writeln!(out, "sweep time: not known before some of its cells were run")
    } else {
        let mean = found.values().map(|f| f.micros as f64 / 1e6).sum::<f64>() / found.len() as f64;
        writeln!(
            out,
            "sweep time: about {:.0} s on {threads} threads for the {left} cells that are left \
             ({:.3} s a cell, from {} finished ones)",
            mean * left as f64 / threads as f64,
            mean,
            found.len(),
        )
    };
    let stats = std::fs::read_to_string(target.join("run-stats.json")).ok();
    let peak = stats
        .and_then(|s| serde_json::from_str::<serde_json::Value>(&s).ok())
        .and_then(|s| s["peak_rss_kib"].as_f64());
    let _ = match peak {
        Some(kib) => writeln!(out, "sweep memory: {:.0} MiB when it last ran", kib / 1024.0),
        None => writeln!(
            out,
            "sweep memory: {:.0} MiB for results, and what each thread's simulation takes",
            (grid.cells() * BYTES_A_CELL) as f64 / f64::from(1 << 20)
        ),
    };
    Ok(out)
}
