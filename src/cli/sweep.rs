//! `plimsoll sweep`: cases × axes × seeds.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::cells::GridCells;
use super::progress::{Milestones, Progress};
use super::run::{options, peak_rss_kib, stop_on_interrupt, threads, warn_of};
use super::{Console, Format, Outcome, Scenario, print};
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
    /// Threads [default: all cores]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// How the combinations are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Neither use nor keep finished cells in DIR.journal
    #[arg(long)]
    no_cache: bool,
    /// Treat warnings as errors
    #[arg(long)]
    deny_warnings: bool,
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let started = Instant::now();
    let threads = threads(args.jobs);
    // Before anything touches polars: its pool obeys -j too.
    frames::limit_threads(threads);
    let grid = plan::load_sweep(&args.scenario.file, &options(&args.scenario)?)?;
    warn_of(&grid.warnings, args.deny_warnings, console)?;
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
    output.write("run-stats.json", stats(started, threads, &cells).as_bytes())?;
    output.finish()?;
    print(&report::sweep_results(&study, args.format.into())?)?;
    console.note(&format!("result: {}", target.display()));
    if stop.load(Ordering::Relaxed) {
        let again =
            if args.no_cache { "" } else { "; the same command continues where this one stopped" };
        console.note(&format!("interrupted: the result holds the cells that were finished{again}"));
        return Ok(Outcome::Interrupted);
    }
    Ok(Outcome::Fine)
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
