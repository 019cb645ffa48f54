//! What pods held, hour by hour: requests of all bound pods over time, of
//! every resource, `DaemonSet`s left out.
//!
//! This is the work that was served, whatever it ran on: the demand side of
//! the lower bound on cost. A pod holds its requests from the moment it is
//! bound until it ends, also while its image is pulled; what it takes while
//! its containers exit is not counted.
//!
//! Pods are told apart by the pools that may hold them. In the end pools that
//! share no pod stay apart, the others are taken together.
//!
//! A change costs three or four multiplications; a run of a year keeps 8,760
//! rows for each set of pools.

use crate::units::{HOUR_MS, SimTime};
use crate::workload::Requests;

/// Resources that every run has: cpu, memory, pods.
const COMMON: usize = 3;

/// Sets of pools that are told apart; what comes later joins the first.
const MAX_SETS: usize = 64;

/// Requests of bound pods integrated over each clock hour (UTC), as columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldHours {
    /// The pools that may hold these pods, ascending: those of nodes by
    /// `PoolId`, then Fargate. No other entry has any of them.
    pub pools: Vec<u32>,
    /// First clock hour since the Unix epoch.
    pub first_hour: i64,
    /// Resources a row has: milli-cores, bytes, pods, then the extended
    /// resources of the run by `ExtendedId`.
    pub resources: usize,
    /// Hour by hour, unit × milliseconds of each resource.
    pub sums: Vec<u128>,
}

impl HeldHours {
    /// The hours in order, each with its sums.
    pub fn hours(&self) -> impl Iterator<Item = (i64, &[u128])> {
        (self.first_hour..).zip(self.sums.chunks(self.resources.max(1)))
    }

    fn join(&mut self, other: &HeldHours) {
        for (sum, more) in self.sums.iter_mut().zip(&other.sums) {
            *sum += more;
        }
        self.pools.extend(&other.pools);
        self.pools.sort_unstable();
        self.pools.dedup();
    }
}

/// What pods of every set of pools hold.
#[derive(Debug, Clone, Default)]
pub struct Held {
    start: i64,
    /// Resources of a row.
    resources: usize,
    sets: Vec<Levels>,
}

/// The levels of one set of pools, and their integrals.
#[derive(Debug, Clone)]
struct Levels {
    /// Ascending.
    pools: Vec<u32>,
    /// Unix time of the start of the run, milliseconds.
    start: i64,
    /// Up to where levels are integrated, Unix milliseconds.
    last: i64,
    /// End of the hour being filled.
    until: i64,
    /// Held now, by resource.
    now: Vec<i64>,
    first_hour: i64,
    /// Closed hours and, as the last row, the one being filled.
    sums: Vec<u128>,
}

impl Held {
    /// Nothing is held; `extended` resources beside the common ones.
    #[must_use]
    pub fn new(start_unix_ms: i64, extended: usize) -> Held {
        Held { start: start_unix_ms, resources: COMMON + extended, sets: Vec::new() }
    }

    /// The number of a set of pools: those that may hold certain pods.
    pub fn set(&mut self, mut pools: Vec<u32>, now: SimTime) -> u8 {
        pools.sort_unstable();
        pools.dedup();
        if let Some(known) = self.sets.iter().position(|s| s.pools == pools) {
            return known as u8;
        }
        if self.sets.len() >= MAX_SETS {
            self.extend(0, &pools);
            return 0;
        }
        let mut set = Levels::new(self.start, self.resources, pools);
        // What was forgotten before it came stays forgotten.
        if let Some(first) = self.sets.first() {
            set.forget_before(first.first_hour, now);
        }
        self.sets.push(set);
        (self.sets.len() - 1) as u8
    }

    fn extend(&mut self, set: u8, pools: &[u32]) {
        if let Some(set) = self.sets.get_mut(usize::from(set)) {
            set.pools.extend(pools);
            set.pools.sort_unstable();
            set.pools.dedup();
        }
    }

    /// A pod of the set is bound to this pool and begins to hold its requests.
    pub fn bind(&mut self, set: u8, pool: u32, requests: &Requests, now: SimTime) {
        // Whatever was thought to be possible: it happened.
        if self.sets.get(usize::from(set)).is_some_and(|s| s.pools.binary_search(&pool).is_err()) {
            self.extend(set, &[pool]);
        }
        self.change(set, requests, now, 1);
    }

    /// A pod of the set ends.
    pub fn end(&mut self, set: u8, requests: &Requests, now: SimTime) {
        self.change(set, requests, now, -1);
    }

    fn change(&mut self, set: u8, requests: &Requests, now: SimTime, sign: i64) {
        if let Some(set) = self.sets.get_mut(usize::from(set)) {
            set.change(requests, now, sign);
        }
    }

    /// Forgets everything integrated so far: the end of the warm-up.
    pub fn forget(&mut self, now: SimTime) {
        for set in &mut self.sets {
            set.forget(now);
        }
    }

    /// Ends the integration. Sets that have a pool in common are one.
    #[must_use]
    pub fn finish(self, end: SimTime) -> Vec<HeldHours> {
        let mut apart: Vec<HeldHours> = Vec::new();
        for set in self.sets {
            let mut hours = set.finish(end);
            if hours.sums.iter().all(|sum| *sum == 0) {
                continue;
            }
            let shares = |h: &HeldHours| h.pools.iter().any(|p| hours.pools.contains(p));
            let (joined, others): (Vec<_>, Vec<_>) = apart.into_iter().partition(shares);
            apart = others;
            for other in &joined {
                hours.join(other);
            }
            apart.push(hours);
        }
        apart.sort_by(|a, b| a.pools.cmp(&b.pools));
        apart
    }
}

impl Levels {
    fn new(start: i64, resources: usize, pools: Vec<u32>) -> Levels {
        let hour = start.div_euclid(HOUR_MS);
        Levels {
            pools,
            start,
            last: start,
            until: (hour + 1) * HOUR_MS,
            now: vec![0; resources],
            first_hour: hour,
            sums: vec![0; resources],
        }
    }

    fn change(&mut self, requests: &Requests, now: SimTime, sign: i64) {
        self.advance(now);
        let common = [requests.cpu.0, requests.memory.0, 1];
        for (level, amount) in self.now.iter_mut().zip(common) {
            *level += sign * amount;
        }
        for (id, amount) in &requests.extended {
            if let Some(level) = self.now.get_mut(COMMON + id.index()) {
                *level += sign * amount;
            }
        }
    }

    #[inline]
    fn advance(&mut self, now: SimTime) {
        let now = self.start.saturating_add(now.ms());
        while now >= self.until {
            self.add(self.until);
            self.sums.resize(self.sums.len() + self.now.len(), 0);
            self.until += HOUR_MS;
        }
        self.add(now);
    }

    fn add(&mut self, now: i64) {
        let dt = now - self.last;
        if dt <= 0 {
            return;
        }
        self.last = now;
        let row = self.sums.len() - self.now.len();
        for (sum, level) in self.sums[row..].iter_mut().zip(&self.now) {
            debug_assert!(*level >= 0, "more was given back than held");
            *sum += u128::from(level.unsigned_abs()) * u128::from(dt.unsigned_abs());
        }
    }

    fn forget(&mut self, now: SimTime) {
        self.advance(now);
        let row = self.now.len();
        self.first_hour += (self.sums.len() / row) as i64 - 1;
        self.sums.clear();
        self.sums.resize(row, 0);
    }

    /// Begins with this hour, if it is not before it.
    fn forget_before(&mut self, hour: i64, now: SimTime) {
        self.advance(now);
        let row = self.now.len();
        let surplus = usize::try_from(hour - self.first_hour).unwrap_or(0);
        self.sums.drain(..(surplus * row).min(self.sums.len() - row));
        self.first_hour = hour;
    }

    fn finish(mut self, end: SimTime) -> HeldHours {
        self.advance(end);
        let resources = self.now.len();
        // The row of an hour that has not begun says nothing.
        if self.last == self.until - HOUR_MS && self.sums.len() > resources {
            self.sums.truncate(self.sums.len() - resources);
        }
        HeldHours { pools: self.pools, first_hour: self.first_hour, resources, sums: self.sums }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCpu};
    use crate::workload::ExtendedId;

    fn requests(cpu: i64, memory: i64, gpus: i64) -> Requests {
        let extended = vec![(ExtendedId(0), gpus)];
        Requests::new(Some(MilliCpu(cpu)), Some(Bytes(memory)), extended)
    }

    const MINUTE: i64 = 60_000;

    /// The run starts ten minutes before hour 5. A pod of 500m is held for 30
    /// minutes from minute 5 on, one with a GPU from minute 20 to the end,
    /// minute 70.
    #[test]
    fn hours_hold_their_share() {
        let mut held = Held::new(5 * HOUR_MS - 10 * MINUTE, 1);
        let (small, gpu) = (requests(500, 7, 0), requests(2_000, 11, 1));
        let set = held.set(vec![0], SimTime(5 * MINUTE));
        held.bind(set, 0, &small, SimTime(5 * MINUTE));
        held.bind(set, 0, &gpu, SimTime(20 * MINUTE));
        held.end(set, &small, SimTime(35 * MINUTE));
        let hours = held.finish(SimTime(70 * MINUTE)).remove(0);
        let minutes = |n: i64| (n * MINUTE) as u128;
        let rows: Vec<(i64, Vec<u128>)> = hours.hours().map(|(h, s)| (h, s.to_vec())).collect();
        let second = vec![
            500 * minutes(25) + 2_000 * minutes(50),
            7 * minutes(25) + 11 * minutes(50),
            minutes(75),
            minutes(50),
        ];
        let first = vec![500 * minutes(5), 7 * minutes(5), minutes(5), 0];
        assert_eq!(rows, [(4, first), (5, second)]);
    }

    #[test]
    fn the_warm_up_is_forgotten_and_levels_stay() {
        let mut held = Held::new(0, 0);
        let set = held.set(vec![0], SimTime(0));
        held.bind(set, 0, &requests(100, 0, 0), SimTime(0));
        held.forget(SimTime(HOUR_MS + 30 * MINUTE));
        // A set that is met later has the same hours.
        let late = held.set(vec![1], SimTime(2 * HOUR_MS));
        held.bind(late, 1, &requests(7, 0, 0), SimTime(2 * HOUR_MS));
        let hours = held.finish(SimTime(2 * HOUR_MS + MINUTE));
        let minutes = |n: i64| (n * MINUTE) as u128;
        assert_eq!((hours.len(), hours[0].first_hour, hours[1].first_hour), (2, 1, 1));
        assert_eq!(
            hours[0].sums,
            [100 * minutes(30), 0, minutes(30), 100 * minutes(1), 0, minutes(1)]
        );
        assert_eq!(hours[1].sums, [0, 0, 0, 7 * minutes(1), 0, minutes(1)]);
    }

    #[test]
    fn nothing_is_no_row() {
        assert_eq!(Held::new(7, 0).finish(SimTime(0)), []);
        let mut held = Held::new(0, 0);
        let set = held.set(vec![0], SimTime(0));
        held.bind(set, 0, &requests(1, 0, 0), SimTime(0));
        assert_eq!(held.finish(SimTime(2 * HOUR_MS))[0].sums.len(), 6);
    }

    /// Pods for pools 0 and 1, for 1 and 2, and for 3: three pools are one,
    /// the fourth stays apart. A set for 0 and 3 that nothing held joins
    /// nothing.
    #[test]
    fn pools_that_share_pods_are_one() {
        let mut held = Held::new(0, 0);
        for (pools, cpu) in [(vec![0, 1], 1), (vec![3], 5), (vec![2, 1], 2)] {
            let bound = pools[0];
            let set = held.set(pools, SimTime(0));
            held.bind(set, bound, &requests(cpu, 0, 0), SimTime(0));
        }
        held.set(vec![0, 3], SimTime(0));
        let hours = held.clone().finish(SimTime(10));
        let found: Vec<(Vec<u32>, u128)> =
            hours.iter().map(|h| (h.pools.clone(), h.sums[0])).collect();
        assert_eq!(found, [(vec![0, 1, 2], 30), (vec![3], 50)]);
        // What happened counts, whatever was thought possible.
        let only = held.set(vec![3], SimTime(10));
        held.bind(only, 0, &requests(1, 0, 0), SimTime(10));
        assert_eq!(held.finish(SimTime(20)).len(), 1);
    }

    /// More sets than are told apart are taken together.
    #[test]
    fn many_sets_are_one() {
        let mut held = Held::new(0, 0);
        for pool in 0..MAX_SETS as u32 + 9 {
            let set = held.set(vec![pool], SimTime(0));
            held.bind(set, pool, &requests(1, 0, 0), SimTime(0));
        }
        let hours = held.finish(SimTime(1));
        assert_eq!(hours.len(), MAX_SETS);
        assert_eq!((hours[0].pools.len(), hours[0].sums[0]), (10, 10));
    }
}
