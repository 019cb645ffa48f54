//! Running cells: every case with every seed, on as many threads as asked.
//!
//! The engine is somebody else's: [`Simulate`] says how one record is made and
//! how it is measured. Cases that differ only in what things cost share a
//! simulation; it runs once per seed and its record is billed for each of
//! them. A record lives only until its cases are measured, so memory grows
//! with threads, not with cells.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::detail::Detail;
use super::outcome::Outcome;
use crate::{Error, Result};

/// How a cell is simulated and measured.
pub trait Simulate: Sync {
    /// What a simulation leaves behind.
    type Record: Send;

    /// Names of the cases, in scenario order.
    fn cases(&self) -> Vec<String>;

    /// What an earlier run left of a cell, where that can be used: it is
    /// neither simulated nor measured again.
    fn known(&self, _case: usize, _seed: u64) -> Option<Cell> {
        None
    }

    /// Equal for cases whose simulations are the same for every seed.
    fn sim_key(&self, case: usize) -> u64;

    /// Simulates. `detail` asks for what only the first seed keeps (rows per
    /// pod). Must depend on nothing but its arguments.
    fn simulate(&self, case: usize, seed: u64, detail: bool) -> Result<Self::Record>;

    /// Bills and measures; with `detail` also captures the first seed in
    /// depth and writes its tables.
    fn measure(&self, case: usize, seed: u64, record: &Self::Record, detail: bool) -> Result<Cell>;
}

/// A finished cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// What it measured.
    pub outcome: Outcome,
    /// Its depth, for the first seed.
    pub detail: Option<Detail>,
}

/// All cells that were run.
#[derive(Debug, Default)]
pub struct Cells {
    /// By case, then seed; `None` where the run was stopped before.
    pub by_case: Vec<Vec<Option<Cell>>>,
    /// Whether none is missing.
    pub complete: bool,
}

/// One simulation and the cases it serves.
struct Unit {
    seed: usize,
    cases: Vec<usize>,
}

/// Runs every case with every seed on `threads` threads. The result does not
/// depend on their number.
///
/// `progress` is called with (finished, all) cells after each one, from any
/// thread. Once `stop` is set no further cell is begun; what is finished is
/// kept.
///
/// # Errors
/// The error of the first failing cell in the order seed, case, naming both.
pub fn run<S: Simulate>(
    simulate: &S,
    seeds: &[u64],
    threads: usize,
    stop: &AtomicBool,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Cells> {
    let names = simulate.cases();
    let units = units(simulate, names.len(), seeds.len());
    let all = names.len() * seeds.len();
    let done = AtomicUsize::new(0);
    // Units before the first failure still run, so that the error reported is
    // the same on any number of threads.
    let failed = AtomicUsize::new(usize::MAX);
    let one = |index: usize, unit: &Unit| -> Vec<(usize, usize, Result<Cell>)> {
        let mut cells = Vec::with_capacity(unit.cases.len());
        let (seed, detail) = (seeds[unit.seed], unit.seed == 0);
        let mut missing = Vec::with_capacity(unit.cases.len());
        for &case in &unit.cases {
            match simulate.known(case, seed) {
                Some(cell) => {
                    cells.push((case, unit.seed, Ok(cell)));
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
                }
                None => missing.push(case),
            }
        }
        let Some(&first) = missing.first() else { return cells };
        if stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed) < index {
            return cells;
        }
        let name = |case: usize, e: Error| e.context(format!("case {}, seed {seed}", names[case]));
        match simulate.simulate(first, seed, detail) {
            Err(e) => {
                failed.fetch_min(index, Ordering::Relaxed);
                cells.push((first, unit.seed, Err(name(first, e))));
            }
            Ok(record) => {
                for case in missing {
                    let cell = simulate.measure(case, seed, &record, detail);
                    let ok = cell.is_ok();
                    cells.push((case, unit.seed, cell.map_err(|e| name(case, e))));
                    if !ok {
                        failed.fetch_min(index, Ordering::Relaxed);
                        break;
                    }
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
                }
            }
        }
        cells
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::failed(format!("cannot start {threads} threads: {e}")))?;
    // Workers take the next unit in order: neighbours share what they are made
    // of, an interrupted run has the first seed of every case before the second
    // of any, and no worker waits while another has units left.
    let next = AtomicUsize::new(0);
    let results = pool.broadcast(|_| {
        let mut cells = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = units.get(index) else { return cells };
            cells.extend(one(index, unit).into_iter().map(|cell| (index, cell)));
        }
    });
    let mut results: Vec<_> = results.into_iter().flatten().collect();
    results.sort_by_key(|(index, _)| *index);
    let mut cells = Cells {
        by_case: names.iter().map(|_| seeds.iter().map(|_| None).collect()).collect(),
        complete: false,
    };
    let mut filled = 0;
    for (_, (case, seed, cell)) in results {
        cells.by_case[case][seed] = Some(cell?);
        filled += 1;
    }
    cells.complete = filled == all;
    Ok(cells)
}

/// Seed by seed, so that an interrupted run has the first seed of every case
/// before the second of any.
fn units<S: Simulate>(simulate: &S, cases: usize, seeds: usize) -> Vec<Unit> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // Looked up only, never walked: its order cannot show.
    let mut known: HashMap<u64, usize> = HashMap::new();
    for case in 0..cases {
        let group = *known.entry(simulate.sim_key(case)).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(members) => members.push(case),
            None => groups.push(vec![case]),
        }
    }
    (0..seeds)
        .flat_map(|seed| groups.iter().map(move |cases| Unit { seed, cases: cases.clone() }))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Simulations are counted; the record is the seed times the key.
    struct Fake {
        keys: Vec<u64>,
        fails: Option<(u64, u64)>,
        simulated: Mutex<Vec<(u64, u64, bool)>>,
        stop_after: usize,
        stop: AtomicBool,
    }

    impl Fake {
        fn new(keys: &[u64]) -> Fake {
            Fake {
                keys: keys.to_vec(),
                fails: None,
                simulated: Mutex::default(),
                stop_after: usize::MAX,
                stop: AtomicBool::new(false),
            }
        }
    }

    impl Simulate for Fake {
        type Record = u64;

        fn cases(&self) -> Vec<String> {
            (0..self.keys.len()).map(|i| format!("c{i}")).collect()
        }

        fn sim_key(&self, case: usize) -> u64 {
            self.keys[case]
        }

        fn simulate(&self, case: usize, seed: u64, detail: bool) -> Result<u64> {
            let mut simulated = self.simulated.lock().expect("no panic");
            simulated.push((self.keys[case], seed, detail));
            if simulated.len() >= self.stop_after {
                self.stop.store(true, Ordering::Relaxed);
            }
            match self.fails {
                Some((key, from)) if key == self.keys[case] && seed >= from => {
                    Err(Error::failed("boom"))
                }
                _ => Ok(seed * self.keys[case]),
            }
        }

        fn measure(&self, case: usize, seed: u64, record: &u64, detail: bool) -> Result<Cell> {
            let outcome =
                Outcome { seed, events: record * 100 + case as u64, ..Outcome::default() };
            Ok(Cell { outcome, detail: detail.then(Detail::default) })
        }
    }

    fn events(cells: &Cells) -> Vec<Vec<Option<u64>>> {
        let of = |c: &Option<Cell>| c.as_ref().map(|c| c.outcome.events);
        cells.by_case.iter().map(|c| c.iter().map(of).collect()).collect()
    }

    #[test]
    fn cases_that_share_a_key_are_simulated_once() {
        let fake = Fake::new(&[7, 9, 7]);
        let calls = AtomicUsize::new(0);
        let progress = |_: usize, all: usize| {
            assert_eq!(all, 6);
            calls.fetch_add(1, Ordering::Relaxed);
        };
        let cells = run(&fake, &[1, 2], 1, &fake.stop, &progress).expect("runs");
        assert!(cells.complete);
        let want = [[Some(700), Some(1400)], [Some(901), Some(1801)], [Some(702), Some(1402)]];
        assert_eq!(events(&cells), want);
        assert_eq!(calls.into_inner(), 6);
        let simulated = fake.simulated.into_inner().expect("no panic");
        assert_eq!(simulated, [(7, 1, true), (9, 1, true), (7, 2, false), (9, 2, false)]);
        let details = |c: &Vec<Option<Cell>>| {
            c.iter().map(|c| c.as_ref().is_some_and(|c| c.detail.is_some())).collect::<Vec<_>>()
        };
        assert_eq!(details(&cells.by_case[1]), [true, false]);
        let [_, case, _] = <[_; 3]>::try_from(cells.by_case).expect("three cases");
        let case = crate::sweep::CaseStudy::default().with_cells(case);
        assert!(case.detail.is_some());
        assert_eq!(case.finished().map(|o| o.seed).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn threads_do_not_change_the_result() {
        let seeds: Vec<u64> = (1..=40).collect();
        let of = |threads| {
            let fake = Fake::new(&[3, 1, 4, 1, 5]);
            events(&run(&fake, &seeds, threads, &fake.stop, &|_, _| ()).expect("runs"))
        };
        assert_eq!(of(1), of(7));
    }

    #[test]
    fn the_first_failure_is_named_on_any_number_of_threads() {
        let seeds: Vec<u64> = (1..=40).collect();
        for threads in [1, 4] {
            let mut fake = Fake::new(&[3, 1]);
            fake.fails = Some((1, 11));
            let error = run(&fake, &seeds, threads, &fake.stop, &|_, _| ()).expect_err("fails");
            assert_eq!(error.to_string(), "case c1, seed 11: boom");
            assert!(!error.is_input());
        }
    }

    #[test]
    fn a_stop_keeps_what_is_finished() {
        let mut fake = Fake::new(&[3, 1]);
        fake.stop_after = 3;
        let cells = run(&fake, &[1, 2, 3], 1, &fake.stop, &|_, _| ()).expect("runs");
        assert!(!cells.complete);
        let want = [[Some(300), Some(600), None], [Some(101), None, None]];
        assert_eq!(events(&cells), want);
    }
}
