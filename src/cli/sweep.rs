//! `plimsoll sweep`: cases × axes × seeds.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::cells::GridCells;
use super::progress::{Milestones, Progress};
use super::run::{peak_rss_kib, stop_on_interrupt};
use super::scenario::{Scenario, Threads, Warnings};
use super::{Console, Format, Outcome, fail_if, price_age, print};
use crate::advise::{FailIf, SweepVerdict};
use crate::plan::{self, Grid};
use crate::sweep::{self, Axis, Cells, Combination, Journal, OutputDir, SweepStudy, SweptCase};
use crate::{Result, advise, frames, report};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    scenario: Scenario,
    /// Directory of the result [default: out/<scenario>.sweep]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    threads: Threads,
    /// How the combinations are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Neither use nor keep finished cells in DIR.journal
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    warnings: Warnings,
    #[command(flatten)]
    price_age: price_age::Args,
    #[command(flatten)]
    fail_if: fail_if::Args,
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let started = Instant::now();
    let threads = args.threads.limit();
    let fail_if = args.fail_if.parse()?;
    let grid = plan::load_sweep(&args.scenario.file, &args.scenario.options()?)?;
    args.warnings.show(&grid.warnings, console)?;
    args.price_age.check(&grid.dated_prices, &args.warnings, console)?;
    if !fail_if.is_empty() {
        check_names(&fail_if, &grid)?;
    }
    let target = args.output.clone().unwrap_or_else(|| default_output(&grid));
    let output = OutputDir::create(&target)?;
    let mut cells = GridCells::new(&grid);
    if !args.no_cache {
        let path = Journal::beside(output.target());
        let (journal, found) = Journal::open(&path, &cells.wanted())?;
        cells = cells.with_journal(journal, found);
        if cells.found() > 0 {
            let (found, all) = (cells.found(), grid.cells());
            console.note(&format!("{found} of {all} cells are in {}", path.display()));
        }
    }
    let stop = stop_on_interrupt()?;
    let bar = Progress::new(grid.cells(), console.shows_bars());
    let lines = (!console.shows_bars()).then(|| Milestones::new(console));
    let done = sweep::run(&cells, &grid.seeds, threads, &stop, &|done, all| {
        bar.set(done, all);
        if let Some(lines) = &lines {
            lines.set(done, all);
        }
    });
    bar.clear();
    let study = study(&grid, done?);
    study.document().write(output.file("sweep.json")?)?;
    frames::cells::write_cells(&study, output.file("cells.parquet")?)?;
    let table = report::sweep_results(&study, report::Format::Csv)?;
    output.write("combinations.csv", table.as_bytes())?;
    let verdict = SweepVerdict::of(&study);
    for (name, svg) in verdict.iter().flat_map(|v| report::sweep_chart_files(&study, v)) {
        output.write(&format!("charts/{name}"), svg.as_bytes())?;
    }
    output.write("report.html", report::sweep_page(&study, verdict.as_ref()).as_bytes())?;
    output.write("run-stats.json", stats(started, threads, &cells).as_bytes())?;
    output.finish()?;
    print(&report::sweep_results(&study, args.format.into())?)?;
    console.note(&format!("report: {}", target.join("report.html").display()));
    // A signal after the last cell takes nothing away.
    if !study.complete && stop.load(Ordering::Relaxed) {
        let again =
            if args.no_cache { "" } else { "; the same command continues where this one stopped" };
        console.note(&format!("interrupted: the result holds the cells that were finished{again}"));
        return Ok(Outcome::Interrupted);
    }
    let crossed = fail_if::crossed(&fail_if, &study);
    // No combination that does the work meets every goal.
    let missed = verdict.as_ref().is_some_and(|v| !v.goals_met);
    Ok(if missed || crossed { Outcome::GoalMissed } else { Outcome::Fine })
}

/// Checks the names in bounds against the first combination of every case.
fn check_names(fail_if: &FailIf, grid: &Grid) -> Result<()> {
    let per_case = grid.combinations() / grid.cases.len().max(1);
    let firsts = (0..grid.cases.len()).map(|case| grid.link(case * per_case));
    let firsts = firsts.collect::<Result<Vec<_>>>()?;
    fail_if::check_names(fail_if, firsts.iter())
}

/// Where a sweep goes unless told otherwise.
pub(super) fn default_output(grid: &Grid) -> PathBuf {
    Path::new("out").join(format!("{}.sweep", grid.name))
}

/// What the cells and the grid say together.
fn study(grid: &Grid, cells: Cells) -> SweepStudy {
    let mut combinations: Vec<Combination> = cells
        .by_case
        .into_iter()
        .enumerate()
        .map(|(at, by_seed)| {
            let (case, values) = grid.position(at);
            let outcomes = by_seed.into_iter().map(|c| c.map(|c| c.outcome)).collect();
            Combination { case, values, outcomes, serves_less: false }
        })
        .collect();
    if let Some((baseline, others)) = combinations.split_first_mut() {
        for other in others {
            let short = advise::shortfalls(&baseline.outcomes, &other.outcomes, None);
            other.serves_less = !short.is_empty();
        }
    }
    SweepStudy {
        scenario: grid.name.clone(),
        plimsoll_version: env!("CARGO_PKG_VERSION").to_owned(),
        region: grid.region.clone(),
        inputs: grid.inputs.clone(),
        pricing_sha256: grid.pricing_sha256.clone(),
        price_dates: grid.price_dates.clone(),
        seeds: grid.seeds.clone(),
        warnings: grid.warnings.clone(),
        goals: grid.goals.clone(),
        cases: grid
            .cases
            .iter()
            .map(|(name, title)| SweptCase {
                name: name.clone(),
                title: title.clone().unwrap_or_else(|| name.clone()),
            })
            .collect(),
        axes: grid
            .axes
            .iter()
            .map(|(path, values)| Axis { path: path.clone(), values: values.clone() })
            .collect(),
        combinations,
        simulations: grid.simulations(),
        complete: cells.complete,
    }
}

/// The only file that may differ between equal sweeps.
fn stats(started: Instant, threads: usize, cells: &GridCells<'_>) -> String {
    let stats = serde_json::json!({
        "schema_version": sweep::SCHEMA_VERSION,
        "wall_seconds": started.elapsed().as_secs_f64(),
        "peak_rss_kib": peak_rss_kib(),
        "threads": threads,
        "cells_known": cells.found(),
        "simulations": cells.simulated(),
    });
    format!("{stats:#}\n")
}
