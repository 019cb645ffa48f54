//! What pods held, hour by hour: requests of all bound pods over time, of
//! every resource, `DaemonSet`s left out.
//!
//! This is the work that was served, whatever it ran on: the demand side of
//! the lower bound on cost. A pod holds its requests from the moment it is
//! bound until it ends, also while its image is pulled; what it takes while
//! its containers exit is not counted.
//!
//! A change costs three or four multiplications; a run of a year keeps 8,760
//! rows.

use crate::units::{HOUR_MS, SimTime};
use crate::workload::Requests;

/// Resources that every run has: cpu, memory, pods.
const COMMON: usize = 3;

/// Requests of bound pods integrated over each clock hour (UTC), as columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldHours {
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
}

/// Integrates levels.
#[derive(Debug, Clone)]
pub struct Held {
    /// Unix time of the start of the run, milliseconds.
    start: i64,
    /// Up to where levels are integrated, Unix milliseconds.
    last: i64,
    /// End of the hour being filled.
    until: i64,
    levels: Vec<i64>,
    first_hour: i64,
    /// Closed hours and, as the last row, the one being filled.
    sums: Vec<u128>,
}

impl Held {
    /// Nothing is held; `extended` resources beside the common ones.
    #[must_use]
    pub fn new(start_unix_ms: i64, extended: usize) -> Held {
        let hour = start_unix_ms.div_euclid(HOUR_MS);
        Held {
            start: start_unix_ms,
            last: start_unix_ms,
            until: (hour + 1) * HOUR_MS,
            levels: vec![0; COMMON + extended],
            first_hour: hour,
            sums: vec![0; COMMON + extended],
        }
    }

    /// A pod begins (1) or ceases (-1) to hold its requests.
    pub fn change(&mut self, requests: &Requests, now: SimTime, sign: i64) {
        self.advance(now);
        let common = [requests.cpu.0, requests.memory.0, 1];
        for (level, amount) in self.levels.iter_mut().zip(common) {
            *level += sign * amount;
        }
        for (id, amount) in &requests.extended {
            if let Some(level) = self.levels.get_mut(COMMON + id.index()) {
                *level += sign * amount;
            }
        }
    }

    #[inline]
    fn advance(&mut self, now: SimTime) {
        let now = self.start.saturating_add(now.ms());
        while now >= self.until {
            self.add(self.until);
            self.sums.resize(self.sums.len() + self.levels.len(), 0);
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
        let row = self.sums.len() - self.levels.len();
        for (sum, level) in self.sums[row..].iter_mut().zip(&self.levels) {
            debug_assert!(*level >= 0, "more was given back than held");
            *sum += u128::from(level.unsigned_abs()) * u128::from(dt.unsigned_abs());
        }
    }

    /// Forgets everything integrated so far: the end of the warm-up.
    pub fn forget(&mut self, now: SimTime) {
        self.advance(now);
        let row = self.levels.len();
        self.first_hour += (self.sums.len() / row) as i64 - 1;
        self.sums.clear();
        self.sums.resize(row, 0);
    }

    /// Ends the integration.
    #[must_use]
    pub fn finish(mut self, end: SimTime) -> HeldHours {
        self.advance(end);
        let resources = self.levels.len();
        // The row of an hour that has not begun says nothing.
        if self.last == self.until - HOUR_MS && self.sums.len() > resources {
            self.sums.truncate(self.sums.len() - resources);
        }
        HeldHours { first_hour: self.first_hour, resources, sums: self.sums }
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
        held.change(&small, SimTime(5 * MINUTE), 1);
        held.change(&gpu, SimTime(20 * MINUTE), 1);
        held.change(&small, SimTime(35 * MINUTE), -1);
        let hours = held.finish(SimTime(70 * MINUTE));
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
        held.change(&requests(100, 0, 0), SimTime(0), 1);
        held.forget(SimTime(HOUR_MS + 30 * MINUTE));
        let hours = held.finish(SimTime(2 * HOUR_MS + MINUTE));
        assert_eq!(hours.first_hour, 1);
        let minutes = |n: i64| (n * MINUTE) as u128;
        assert_eq!(
            hours.sums,
            [100 * minutes(30), 0, minutes(30), 100 * minutes(1), 0, minutes(1)]
        );
    }

    #[test]
    fn nothing_is_a_row_of_nothing() {
        let hours = Held::new(7, 0).finish(SimTime(0));
        assert_eq!((hours.first_hour, hours.sums), (0, vec![0, 0, 0]));
        let hours = Held::new(0, 0).finish(SimTime(2 * HOUR_MS));
        assert_eq!(hours.sums.len(), 6);
    }
}
