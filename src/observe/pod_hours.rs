//! How many pods of each workload there were, hour by hour: what metrics and
//! logs are charged by, and when a service first had so many replicas.
//!
//! A change settles its own workload only: a handful of additions, and one
//! more for each clock hour since the change before.

use crate::units::{HOUR_MS, SimTime};
use crate::workload::WorkloadId;

/// Bound pods of one workload.
#[derive(Debug, Clone, Default)]
struct Level {
    /// How many there are.
    now: u64,
    /// Settled up to here.
    last: i64,
    /// Pod·ms by clock hour, the first one that of the end of the warm-up.
    hours: Vec<u64>,
    /// When there first were one, two, three …, where somebody asks.
    firsts: Vec<SimTime>,
}

/// Bound pods of all workloads, integrated from the end of the warm-up on.
#[derive(Debug, Clone, Default)]
pub(super) struct PodHours {
    start_unix_ms: i64,
    warmup: i64,
    levels: Vec<Level>,
}

impl PodHours {
    pub(super) fn new(start_unix_ms: i64, warmup: SimTime, workloads: usize) -> Self {
        let levels = vec![Level::default(); workloads];
        PodHours { start_unix_ms, warmup: warmup.ms(), levels }
    }

    /// A pod was bound; `replica` of a service.
    pub(super) fn bound(&mut self, workload: WorkloadId, replica: bool, now: SimTime) {
        self.settle(workload, now.ms());
        let level = &mut self.levels[workload.index()];
        level.now += 1;
        if replica && level.now > level.firsts.len() as u64 {
            level.firsts.push(now);
        }
    }

    /// A pod that was bound ended.
    pub(super) fn ended(&mut self, workload: WorkloadId, now: SimTime) {
        self.settle(workload, now.ms());
        self.levels[workload.index()].now -= 1;
    }

    fn settle(&mut self, workload: WorkloadId, now: i64) {
        let level = &mut self.levels[workload.index()];
        let mut at = level.last.max(self.warmup);
        level.last = now.max(level.last);
        if level.now == 0 {
            return;
        }
        let hour = |t: i64| (self.start_unix_ms + t).div_euclid(HOUR_MS);
        let first = hour(self.warmup);
        while at < now {
            let this = hour(at);
            let to = ((this + 1) * HOUR_MS - self.start_unix_ms).min(now);
            let index = (this - first) as usize;
            if level.hours.len() <= index {
                level.hours.resize(index + 1, 0);
            }
            level.hours[index] += level.now * (to - at) as u64;
            at = to;
        }
    }

    /// By workload: pod·ms of each hour, and when there first were so many
    /// replicas. Every pod has ended.
    pub(super) fn finish(self) -> (Vec<Vec<u64>>, Vec<Vec<SimTime>>) {
        self.levels.into_iter().map(|level| (level.hours, level.firsts)).unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MINUTE_MS;

    /// The run starts at 10:30 and is counted from 10:45 on. One replica is
    /// there from 10:30 to 12:15, another from 11:50 to 12:05: 15 minutes in
    /// the first hour, 60 and 10 in the second, 15 and 5 in the third.
    #[test]
    fn pods_are_counted_by_the_clock_hour() {
        let web = WorkloadId(1);
        let at = |minutes: i64| SimTime(minutes * MINUTE_MS);
        let mut hours = PodHours::new(10 * HOUR_MS + 30 * MINUTE_MS, at(15), 2);
        hours.bound(web, true, at(0));
        hours.bound(web, true, at(80));
        hours.ended(web, at(95));
        hours.ended(web, at(105));
        // One that takes the place of another is no new one.
        hours.bound(web, true, at(105));
        hours.ended(web, at(105));
        let (sums, firsts) = hours.finish();
        let minutes: Vec<i64> = sums[1].iter().map(|ms| *ms as i64 / MINUTE_MS).collect();
        assert_eq!(minutes, [15, 70, 20]);
        assert_eq!((sums[0].len(), firsts[0].len()), (0, 0));
        assert_eq!(firsts[1], [at(0), at(80)]);
    }

    #[test]
    fn what_was_before_the_warm_up_is_forgotten() {
        let mut hours = PodHours::new(0, SimTime(HOUR_MS), 1);
        hours.bound(WorkloadId(0), false, SimTime(0));
        hours.ended(WorkloadId(0), SimTime(HOUR_MS / 2));
        hours.bound(WorkloadId(0), false, SimTime(HOUR_MS / 2));
        hours.ended(WorkloadId(0), SimTime(HOUR_MS + 7));
        assert_eq!(hours.finish(), (vec![vec![7]], vec![vec![]]));
    }
}
