//! `plimsoll run`: simulate, compare, report.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::cells::PlannedCells;
use super::export::Export;
use super::fail_if;
use super::progress::Progress;
use super::scenario::{Scenario, Threads, Warnings};
use super::{Console, Format, Outcome, price_age, print};
use crate::advise::Verdict;
use crate::plan::Plan;
use crate::sweep::{self, CaseStudy, OutputDir, Study};
use crate::{Error, Result, report};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    scenario: Scenario,
    /// Directory of the result [default: out/<scenario>]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    threads: Threads,
    /// Also write the bill of each case (first seed) in these formats
    #[arg(long, value_name = "FORMAT", value_enum, value_delimiter = ',')]
    export: Vec<Export>,
    /// How the comparison is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
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
    let plan = args.scenario.load()?;
    fail_if::check_names(&fail_if, plan.cases.iter())?;
    args.warnings.show(&plan.warnings, console)?;
    args.price_age.check(&plan.dated_prices, &args.warnings, console)?;
    let target = args.output.clone().unwrap_or_else(|| Path::new("out").join(&plan.name));
    for case in &plan.cases {
        OutputDir::check_case(&case.name)?;
    }
    let output = OutputDir::create(&target)?;
    let stop = stop_on_interrupt()?;
    let study = simulate(&plan, &output, &args.export, threads, &stop, console)?;
    let verdict = Verdict::of(&study);
    write(&study, verdict.as_ref(), &output)?;
    output.write("run-stats.json", stats(started, threads, &study).as_bytes())?;
    output.finish()?;
    let shown = report::results(&study, verdict.as_ref(), args.format.into())?;
    print(&shown)?;
    console.note(&format!("report: {}", target.join("report.html").display()));
    // A signal after the last cell takes nothing away.
    if !study.complete && stop.load(Ordering::Relaxed) {
        console.note("interrupted: the result holds the cells that were finished");
        return Ok(Outcome::Interrupted);
    }
    let missed = verdict.as_ref().is_some_and(|v| !v.goals_met);
    let crossed = fail_if::crossed(&fail_if, &study);
    Ok(if missed || crossed { Outcome::GoalMissed } else { Outcome::Fine })
}

pub(super) fn simulate(
    plan: &Plan,
    output: &OutputDir,
    exports: &[Export],
    threads: usize,
    stop: &AtomicBool,
    console: &Console,
) -> Result<Study> {
    let cells = PlannedCells { plan, output, exports };
    let seeds = plan.seeds_to_run();
    let progress = Progress::new(plan.cells(), console.shows_bars());
    let done = sweep::run(&cells, seeds, threads, stop, &|done, all| progress.set(done, all));
    progress.clear();
    Ok(study(plan, seeds, done?))
}

/// A flag that Ctrl-C sets: cells in progress are finished, no other is begun.
/// A second Ctrl-C ends the program at once.
pub(super) fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    let stop = Arc::new(AtomicBool::new(false));
    // In this order: the first signal finds the flag down and sets it. Nothing
    // is ever half-written under the result's name: see `OutputDir`.
    flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&stop))
        .and_then(|_| flag::register(SIGINT, Arc::clone(&stop)))
        .map_err(|e| Error::failed(format!("cannot listen for Ctrl-C: {e}")))?;
    Ok(stop)
}

/// What the cells and the plan say together.
fn study(plan: &Plan, seeds: &[u64], cells: sweep::Cells) -> Study {
    let cases = plan
        .cases
        .iter()
        .zip(cells.by_case)
        .map(|(case, by_seed)| {
            let study = CaseStudy {
                name: case.name.clone(),
                title: case.title.clone().unwrap_or_else(|| case.name.clone()),
                settings: case.settings.clone(),
                changes: case.changes.clone(),
                resamples_days: case.workload.resamples_days(),
                ..CaseStudy::default()
            };
            study.with_cells(by_seed)
        })
        .collect();
    let baseline = plan.cases.first();
    Study {
        scenario: plan.name.clone(),
        plimsoll_version: env!("CARGO_PKG_VERSION").to_owned(),
        region: plan.region.clone(),
        inputs: plan.inputs.clone(),
        price_dates: plan.price_dates.clone(),
        seeds: seeds.to_vec(),
        assumptions: baseline.map(|c| c.settings.clone()).unwrap_or_default(),
        warnings: plan.warnings.clone(),
        goals: baseline.map(|c| c.goals.clone()).unwrap_or_default(),
        cases,
        complete: cells.complete,
    }
}

pub(super) fn write(study: &Study, verdict: Option<&Verdict>, output: &OutputDir) -> Result<()> {
    study.write_comparison(output.file("comparison.csv")?)?;
    study.write_past(output)?;
    for (index, case) in study.cases.iter().enumerate() {
        if let Some(summary) = study.summary(index) {
            summary.write(output.file(&format!("{}/summary.json", case.name))?)?;
        }
    }
    for (name, svg) in report::chart_files(study, verdict) {
        output.write(&format!("charts/{name}"), svg.as_bytes())?;
    }
    output.write("report.html", report::page(study, verdict).as_bytes())
}

/// The only file that may differ between equal runs.
pub(super) fn stats(started: Instant, threads: usize, study: &Study) -> String {
    let events: u64 = study.cases.iter().flat_map(CaseStudy::finished).map(|o| o.events).sum();
    let stats = serde_json::json!({
        "schema_version": sweep::SCHEMA_VERSION,
        "wall_seconds": started.elapsed().as_secs_f64(),
        "peak_rss_kib": peak_rss_kib(),
        "threads": threads,
        "events": events,
    });
    format!("{stats:#}\n")
}

/// Peak resident memory as Linux counts it; `None` elsewhere.
pub(super) fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
