//! From the `sweep` block to a [`Grid`]: cases × axes × seeds, checked as a
//! whole, linked one combination at a time.
//!
//! Every combination is linked once to find all mistakes together, to learn
//! which simulations are equal, and to name its cells for the cache; what
//! was linked is dropped at once. Whoever runs a cell links it again. Prices,
//! Regions, the parsed scenario and every trace are read once and shared, so
//! linking costs what the scenario's own size costs: 0.1–0.3 ms for a handful
//! of pools. Memory: some 50 bytes a combination, plus what the workers have
//! in hand.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Debug, Write as _};
use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::super::files::Files;
use super::super::model::{CasePlan, Goal, Input, Options, Warning};
use super::super::settings;
use super::{Shared, check_agreement, seeds, warnings, with_overrides};
use crate::bill::BillingPlan;
use crate::catalog::Catalog;
use crate::scenario::{Assignments, Axis, Diagnostics, Resolved, Source, Sweep, quote};
use crate::workload::plan::WorkloadPlan;
use crate::workload::source::ReadReport;
use crate::world::Setup;
use crate::{Error, Result};

/// Most cells of a sweep: their results are held together in the end.
pub const MAX_CELLS: usize = 100_000;
/// Combinations with mistakes after which no further one is looked at: the
/// rest will hardly say anything new.
const MAX_FAULTY: usize = 32;
/// Workloads kept for the cells that follow. Neighbouring cells mostly share
/// theirs.
const KEPT_WORKLOADS: usize = 8;

/// A sweep, checked: every combination of it links.
#[derive(Debug)]
pub struct Grid {
    /// Name of the scenario.
    pub name: String,
    /// The baseline's AWS Region.
    pub region: String,
    /// Files that decide the result: the scenario first.
    pub inputs: Vec<Input>,
    /// SHA-256 over all price tables, lower-case hexadecimal.
    pub pricing_sha256: String,
    /// Price table to the dates of its prices in the Regions used.
    pub price_dates: BTreeMap<String, String>,
    /// Every price in use to its date.
    pub dated_prices: BTreeMap<String, String>,
    /// Seeds that every combination runs with.
    pub seeds: Vec<u64>,
    /// What the user should know, each once.
    pub warnings: Vec<Warning>,
    /// What became of the rows of each trace, in order of first use.
    pub traces: Vec<ReadReport>,
    /// The baseline's goals.
    pub goals: Vec<Goal>,
    /// Cases by name and title, in scenario order.
    pub cases: Vec<(String, Option<String>)>,
    /// Axes by path, with the values as text, in the order written.
    pub axes: Vec<(String, Vec<String>)>,
    combinations: Vec<Combination>,
    source: Source,
    catalog: Catalog,
    options: Options,
    steps: Vec<Axis>,
    /// What every worker starts from.
    files: Files,
    /// What workers are done with: as many as ever ran at once.
    spare: Mutex<Vec<Files>>,
    recent: Mutex<Vec<(u32, Arc<WorkloadPlan>)>>,
}

/// What is kept of a combination.
#[derive(Debug, Clone, Copy)]
struct Combination {
    /// The first combination with the same simulation.
    same_as: u32,
    /// Equal for equal workloads.
    workload: u32,
    /// See [`Grid::digest`].
    digest: [u8; 32],
}

/// Reads a scenario file and links its sweep.
///
/// # Errors
/// As [`link_sweep`], and when the file cannot be read.
pub fn load_sweep(path: &Path, options: &Options) -> Result<Grid> {
    link_sweep(&Source::load(path)?, options)
}

/// Links the sweep of a scenario: its cases without a `sweep` block, each
/// alone.
///
/// # Errors
/// When anything in it cannot be used: every mistake at once, with file,
/// line, column and remedy. When it has more than [`MAX_CELLS`] cells.
pub fn link_sweep(source: &Source, options: &Options) -> Result<Grid> {
    let source = with_overrides(source, options)?;
    let catalog = Catalog::load(options.pricing_dir.as_deref())?;
    let mut diags = source.diagnostics();
    let none = Sweep::default();
    let sweep = source.sweep().unwrap_or(&none);
    check_overrides(&source, &sweep.axes.0, &mut diags);
    let names = chosen(&source, options, sweep, &mut diags);
    let steps = sweep.axes.0.clone();
    let count = steps.iter().fold(names.len(), |n, axis| n.saturating_mul(axis.values.len()));
    check_bound(count, 1, &steps, &mut diags);
    if diags.has_errors() {
        return Err(refused(diags));
    }

    let files = Files::new(source.path(), options.read_trace);
    let mut shared = Shared::new(&source, &catalog, options, files);
    let mut firsts: Vec<Resolved> = Vec::new();
    let mut baseline: Option<CasePlan> = None;
    let mut known = Known::default();
    let mut combinations = Vec::with_capacity(count);
    let (mut faulty, mut random) = (0, false);
    let per_case = count / names.len().max(1);
    for index in 0..count {
        let (case, values) = position(index, per_case, &steps);
        let mut found = source.diagnostics();
        let resolved = names
            .get(case)
            .and_then(|name| source.resolve_with(name, &assignments(&steps, &values), &mut found));
        let linked = resolved.as_ref().and_then(|r| shared.case(r, &mut found));
        if let (Some(resolved), true) = (resolved, index % per_case == 0) {
            firsts.push(resolved);
        }
        let fine = !found.has_errors();
        if let Some(name) = names.get(case) {
            found.of_case(0, name);
        }
        diags.append(found);
        match linked {
            Some(case) if fine => {
                random |= case.random;
                combinations.push(known.combination(&case));
                baseline.get_or_insert(case);
            }
            _ => faulty += 1,
        }
        if faulty >= MAX_FAULTY {
            break;
        }
    }
    check_agreement(&firsts, &mut diags);
    if let Some(axis) = steps.iter().find(|a| a.path.head() == "time") {
        diags.warning(
            "unequal-time",
            axis.name.span,
            format!(
                "the axis {} changes the time that cells cover: their costs may be sums over \
                 different spans",
                quote(&axis.name.value)
            ),
        );
    }
    shared.warn_of_unused(&firsts, &mut diags);
    let (Some(baseline), Some(first), false) = (baseline, firsts.first(), diags.has_errors())
    else {
        return Err(refused(diags));
    };
    let stated = sweep
        .seeds
        .or(first.scenario.seeds)
        .map(|s| u32::try_from(s.value.get()).unwrap_or(u32::MAX));
    let (mut seeds, _) = seeds(&first.scenario, options, stated, random)?;
    if !random {
        seeds.truncate(1);
    }
    check_bound(count, seeds.len(), &steps, &mut diags);
    if diags.has_errors() {
        return Err(refused(diags));
    }
    let mut warnings = warnings(&diags, names.len());
    warnings.extend(shared.warnings_of_prices());
    let price_dates = shared.price_dates();
    let cases = firsts.iter().map(|r| (r.case.clone(), r.title.clone())).collect();
    let text = |axis: &Axis| axis.values.iter().map(settings::inline).collect();
    let axes = steps.iter().map(|a| (a.name.value.clone(), text(a))).collect();
    let (files, dated_prices) = (shared.files, shared.dated);
    Ok(Grid {
        name: first.scenario.name.value.to_string(),
        region: baseline.region.clone(),
        inputs: files.clone().into_inputs(),
        pricing_sha256: catalog.hash(),
        price_dates,
        dated_prices,
        seeds,
        warnings,
        traces: files.traces().map(|t| t.report.clone()).collect(),
        goals: baseline.goals,
        cases,
        axes,
        combinations,
        source,
        catalog,
        options: options.clone(),
        steps,
        files,
        spare: Mutex::default(),
        recent: Mutex::default(),
    })
}

impl Grid {
    /// How many combinations of a case with one value per axis: cases in
    /// order, within a case the last axis fastest.
    #[must_use]
    pub fn combinations(&self) -> usize {
        self.combinations.len()
    }

    /// Cells: combinations times seeds.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.combinations.len() * self.seeds.len()
    }

    /// Distinct simulations: cells less those that differ in billing alone.
    #[must_use]
    pub fn simulations(&self) -> usize {
        let own = |(at, c): &(usize, &Combination)| c.same_as as usize == *at;
        self.combinations.iter().enumerate().filter(own).count() * self.seeds.len()
    }

    /// The first combination whose simulations are those of this one.
    #[must_use]
    pub fn sim_key(&self, combination: usize) -> usize {
        self.combinations.get(combination).map_or(combination, |c| c.same_as as usize)
    }

    /// SHA-256 over all that a combination is: its effective scenario (case,
    /// axis values and settings of the command line applied) and what that was
    /// linked to. Equal between runs of the same build of the program.
    #[must_use]
    pub fn digest(&self, combination: usize) -> [u8; 32] {
        self.combinations.get(combination).map_or([0; 32], |c| c.digest)
    }

    /// A combination's case and, per axis, the index of its value.
    #[must_use]
    pub fn position(&self, combination: usize) -> (usize, Vec<usize>) {
        position(combination, self.combinations.len() / self.cases.len().max(1), &self.steps)
    }

    /// A combination in words, for errors: `today, pools.a.asg.max=10`.
    #[must_use]
    pub fn label(&self, combination: usize) -> String {
        let (case, values) = self.position(combination);
        let mut label = self.cases.get(case).map(|(name, _)| name.clone()).unwrap_or_default();
        for ((path, texts), value) in self.axes.iter().zip(values) {
            let value = texts.get(value).map_or("", String::as_str);
            // Writing to a String cannot fail.
            let _ = write!(label, ", {path}={value}");
        }
        label
    }

    /// A combination, ready for any seed. Equal workloads of recent
    /// combinations are one object, with what was made of them.
    ///
    /// # Errors
    /// None that [`link_sweep`] would not have found, unless an input file
    /// changed meanwhile.
    pub fn link(&self, combination: usize) -> Result<CasePlan> {
        let (case, values) = self.position(combination);
        let mut diags = self.source.diagnostics();
        let taken = lock(&self.spare).pop();
        let files = taken.unwrap_or_else(|| self.files.clone());
        let mut shared = Shared::new(&self.source, &self.catalog, &self.options, files);
        let resolved = self.cases.get(case).and_then(|(name, _)| {
            self.source.resolve_with(name, &assignments(&self.steps, &values), &mut diags)
        });
        let linked = resolved.and_then(|r| shared.case(&r, &mut diags));
        lock(&self.spare).push(shared.files);
        let Some(mut linked) = linked.filter(|_| !diags.has_errors()) else {
            return Err(refused(diags));
        };
        if let Some(of) = self.combinations.get(combination) {
            self.share_workload(of.workload, &mut linked);
        }
        Ok(linked)
    }

    fn share_workload(&self, id: u32, case: &mut CasePlan) {
        let mut recent = lock(&self.recent);
        if let Some(at) = recent.iter().position(|(known, _)| *known == id) {
            let entry = recent.remove(at);
            case.workload = Arc::clone(&entry.1);
            recent.push(entry);
            return;
        }
        if recent.len() >= KEPT_WORKLOADS {
            recent.remove(0);
        }
        recent.push((id, Arc::clone(&case.workload)));
    }
}

/// Nothing is left half-changed under these locks, so a panic elsewhere does
/// not matter.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Case and values of a combination.
fn position(index: usize, per_case: usize, axes: &[Axis]) -> (usize, Vec<usize>) {
    let per_case = per_case.max(1);
    let mut rest = index % per_case;
    let mut values = vec![0; axes.len()];
    for (value, axis) in values.iter_mut().zip(axes).rev() {
        let n = axis.values.len().max(1);
        *value = rest % n;
        rest /= n;
    }
    (index / per_case, values)
}

fn assignments(axes: &[Axis], values: &[usize]) -> Assignments {
    axes.iter()
        .zip(values)
        .filter_map(|(axis, at)| Some((axis.path.clone(), axis.values.get(*at)?.clone())))
        .collect()
}

/// The cases to sweep, in scenario order: those the command line names, or
/// those the block names, or all.
fn chosen<'s>(
    source: &'s Source,
    options: &Options,
    sweep: &Sweep,
    diags: &mut Diagnostics,
) -> Vec<&'s str> {
    let Some(over) = sweep.over.as_ref().filter(|_| options.cases.is_none()) else {
        return super::chosen(source, options, diags);
    };
    let all = source.case_names();
    for (at, name) in over.iter().enumerate() {
        if !all.contains(&name.value.as_str()) {
            let message = format!("there is no case {}", quote(&name.value));
            diags.error(name.span, message).suggest(&name.value, all.iter().copied());
        } else if over.iter().take(at).any(|before| before.value == name.value) {
            diags.error(name.span, format!("the case {} stands here twice", quote(&name.value)));
        }
    }
    all.into_iter().filter(|name| over.iter().any(|o| o.value == *name)).collect()
}

/// `--set` comes last, so it would undo an axis silently.
fn check_overrides(source: &Source, axes: &[Axis], diags: &mut Diagnostics) {
    for path in source.overridden() {
        if let Some(axis) = axes.iter().find(|axis| axis.path.overlaps(path)) {
            let message = format!("this sets what the axis {} varies", quote(&axis.name.value));
            diags.error(path.span(), message).help("change the axis, or leave the setting to it");
        }
    }
}

fn check_bound(combinations: usize, seeds: usize, axes: &[Axis], diags: &mut Diagnostics) {
    let cells = combinations.saturating_mul(seeds);
    if cells <= MAX_CELLS {
        return;
    }
    let message = format!("the sweep has {cells} cells: at most {MAX_CELLS} are run");
    let found = match axes.iter().max_by_key(|a| a.values.len()) {
        Some(longest) => diags.error(longest.name.span, message),
        None => diags.error_anywhere(message),
    };
    found.help("give the axes fewer values, or run fewer seeds or cases");
}

fn refused(diags: Diagnostics) -> Error {
    diags.into_result().err().unwrap_or_else(|| Error::failed("a sweep was refused unexplained"))
}

/// Which simulations and workloads were seen.
#[derive(Default)]
struct Known {
    simulations: HashMap<(u32, u128), u32>,
    workloads: HashMap<u128, u32>,
    /// The last few, which are compared before anything is digested: cheap
    /// where long demand curves are equal.
    recent: Vec<(Arc<WorkloadPlan>, (u32, u128))>,
    seen: u32,
}

impl Known {
    fn combination(&mut self, case: &CasePlan) -> Combination {
        let (workload, pods) = self.workload(&case.workload);
        let index = self.seen;
        self.seen += 1;
        let setup = digest::<Setup>(&case.setup);
        // Looked up only, never walked: its order cannot show.
        let same_as = *self.simulations.entry((workload, setup)).or_insert(index);
        let mut whole = Sha256::new();
        whole.update(case.effective.as_bytes());
        for part in [pods, setup, digest::<BillingPlan>(&case.billing), digest(&case.goals)] {
            whole.update(part.to_le_bytes());
        }
        Combination { same_as, workload, digest: whole.finalize().into() }
    }

    /// The number of a workload, and its digest.
    fn workload(&mut self, plan: &Arc<WorkloadPlan>) -> (u32, u128) {
        if let Some(at) = self.recent.iter().position(|(known, _)| known == plan) {
            let entry = self.recent.remove(at);
            let found = entry.1;
            self.recent.push(entry);
            return found;
        }
        let next = self.workloads.len() as u32;
        let pods = digest(plan.workloads());
        let found = (*self.workloads.entry(pods).or_insert(next), pods);
        if self.recent.len() >= KEPT_WORKLOADS {
            self.recent.remove(0);
        }
        self.recent.push((Arc::clone(plan), found));
        found
    }
}

/// A digest of everything in a value: derived `Debug` shows every field, and
/// floats exactly.
fn digest<T: Debug + ?Sized>(value: &T) -> u128 {
    let mut hashing = Hashing { low: DefaultHasher::new(), high: DefaultHasher::new() };
    hashing.high.write_u8(1);
    // Hashing cannot fail.
    let _ = write!(hashing, "{value:?}");
    u128::from(hashing.high.finish()) << 64 | u128::from(hashing.low.finish())
}

/// 128 bits, the same in every run of one build.
struct Hashing {
    low: DefaultHasher,
    high: DefaultHasher,
}

impl fmt::Write for Hashing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.low.write(text.as_bytes());
        self.high.write(text.as_bytes());
        Ok(())
    }
}
