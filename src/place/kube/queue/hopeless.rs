//! Attempts whose outcome is known: made in bulk, with the stamps, the order
//! and the number that they have when made one by one.
//!
//! While nothing happens that frees or adds capacity, a class that fits
//! nowhere goes on fitting nowhere: the scheduler itself only takes capacity.
//! From the failure of one of its pods to the next event the class is
//! *hopeless*, and the attempts of its pods need no look at the nodes. Nor
//! need they be made at their time: only when somebody looks.

use std::cmp::Reverse;

use super::profile::leftover_at;
use super::run::Series;
use super::{NONE, SchedulingQueue, bit, two, unused};
use crate::units::SimTime;
use crate::workload::ClassId;

/// Attempts made in bulk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub attempts: u64,
    /// When the last one was over, microseconds; the time passed in if there
    /// was none.
    pub free_us: i64,
}

impl SchedulingQueue {
    /// No node can hold a pod of the class until an event that is passed to
    /// [`SchedulingQueue::wake`].
    pub fn give_up_hope(&mut self, class: ClassId) {
        #[cfg(test)]
        if self.singly {
            return;
        }
        let facts = &mut self.classes[class.index()];
        if !std::mem::replace(&mut facts.hopeless, true) {
            self.hopeless.push(class.0);
            if facts.pods > 0 {
                self.remove_hopeful(class.0);
            }
        }
    }

    /// Whether any class is hopeless.
    #[must_use]
    #[inline]
    pub fn is_any_hopeless(&self) -> bool {
        !self.hopeless.is_empty()
    }

    /// Makes the attempts that begin before `until_us` and whose pods are
    /// hopeless, up to the first pod that is not. The scheduler is free from
    /// `from_us` and takes `step_us` for each; where there is nothing to try it
    /// waits for the tick that brings something.
    pub fn fail_hopeless(&mut self, from_us: i64, step_us: i64, until_us: i64) -> Failures {
        let mut made = Failures { attempts: 0, free_us: from_us };
        let mut at = from_us.max(self.now * 1_000);
        while self.is_any_hopeless() && at < until_us {
            let now = SimTime(at.div_euclid(1_000));
            self.flush(now);
            if self.lane().is_none() {
                match self.next_wake(now) {
                    Some(next) if next.0 * 1_000 < until_us => at = next.0 * 1_000,
                    _ => break,
                }
                continue;
            }
            let mut end = until_us;
            if let Some(Reverse(top)) = self.backoff.tops.peek() {
                end = end.min(top.ready * 1_000);
            }
            if self.unschedulable_pods > 0 {
                end = end.min(leftover_at(self.oldest) * 1_000);
            }
            let most = match step_us {
                0 => usize::MAX,
                step => (end - at + step - 1).div_euclid(step) as usize,
            };
            let count = self.fail_first(at, step_us, most);
            if count == 0 {
                break;
            }
            at += count as i64 * step_us;
            made.attempts += count as u64;
            made.free_us = at;
        }
        made
    }

    /// When the scheduler, free from `from_us`, comes to a pod that is not
    /// hopeless or runs out of pods, microseconds; or a time before that.
    /// `None` if there is nothing to try.
    pub fn next_hopeful(&mut self, from_us: i64, step_us: i64) -> Option<i64> {
        let hopeful = self.hopeful_mask;
        let lane = self.lane()?;
        let count = if lane.mask & hopeful == 0 {
            lane.pods
        } else {
            let Reverse(top) = lane.tops.pop()?;
            let count = self.hopeless_ahead(top.run);
            self.lane()?.tops.push(Reverse(top));
            count
        };
        let mut at = from_us + count as i64 * step_us;
        // Pods that are not hopeless may become active before.
        if self.backoff.mask & hopeful != 0
            && let Some(Reverse(top)) = self.backoff.tops.peek()
        {
            at = at.min(top.ready * 1_000);
        }
        if hopeful != 0 && self.unschedulable_pods > 0 {
            at = at.min(leftover_at(self.oldest) * 1_000);
        }
        Some(at.max(from_us))
    }

    /// Fails hopeless pods of the first run, at most so many; returns how
    /// many it was.
    fn fail_first(&mut self, us: i64, step_us: i64, most: usize) -> usize {
        let Some(lane) = self.lane() else { return 0 };
        let Some(Reverse(top)) = lane.tops.pop() else { return 0 };
        let count = self.hopeless_ahead(top.run).min(most);
        if count == 0 {
            self.lane_of(self.runs[top.run as usize].place).tops.push(Reverse(top));
            return 0;
        }
        let (id, level) = (top.run, self.next_level(top.run));
        let series = Series { failures: self.failures + 1, us, step_us };
        self.failures += count as u64;
        let run = &self.runs[id as usize];
        let (place, rank, whole) = (run.place, run.rank, count == run.len());
        let first = &run.pods()[..count];
        if run.level == 0 {
            for pod in first {
                self.classes[self.entries[*pod as usize].class as usize].failed += 1;
            }
        }
        let mask = if whole { run.mask } else { self.mask_of(first) };
        self.lane_of(place).leave(count);
        self.enter_unschedulable(count, us);
        let tail = self.tail(rank, level);
        let added = tail != NONE && {
            let (run, tail) = two(&mut self.runs, id, tail);
            tail.extend(&run.pods()[..count], mask, 1, series)
        };
        if whole && !added {
            self.runs[id as usize].fail(level, series);
            self.add_unschedulable(id);
            return count;
        }
        if !added {
            let other = unused(&mut self.runs, &mut self.free);
            let (run, waiting) = two(&mut self.runs, id, other);
            waiting.extend(&run.pods()[..count], mask, 1, series);
            (waiting.rank, waiting.level) = (rank, level);
            self.add_unschedulable(other);
        }
        if whole {
            self.release(id);
        } else {
            self.runs[id as usize].advance(count);
            let top = self.top_of(id, 0);
            self.lane_of(place).tops.push(Reverse(top));
        }
        count
    }

    /// How many pods of the run, whose first is the next of all, are tried
    /// and hopeless before any other pod. The run must be out of its lane.
    fn hopeless_ahead(&mut self, id: u32) -> usize {
        let run = &self.runs[id as usize];
        let mut count = run.len();
        if run.mask & self.hopeful_mask != 0 {
            let mut mask = 0;
            let class = |pod: &u32| self.entries[*pod as usize].class;
            let hopeful = |pod: &u32| {
                mask |= bit(class(pod));
                !self.classes[class(pod) as usize].hopeless
            };
            match run.pods().iter().position(hopeful) {
                Some(at) => count = at,
                // The mask had bits too many, or other classes share them.
                None => self.runs[id as usize].mask = mask,
            }
        }
        let place = self.runs[id as usize].place;
        let Some(Reverse(limit)) = self.lane_of(place).tops.peek().copied() else { return count };
        let run = &self.runs[id as usize];
        if count == 0 || self.top_of(id, count - 1) < limit {
            return count;
        }
        run.prefix(|i| self.top_of(id, i) < limit).min(count)
    }

    /// There is hope for all classes.
    pub(super) fn hope(&mut self) {
        while let Some(class) = self.hopeless.pop() {
            let facts = &mut self.classes[class as usize];
            facts.hopeless = false;
            if facts.pods > 0 {
                self.add_hopeful(class);
            }
        }
    }

    pub(super) fn add_hopeful(&mut self, class: u32) {
        self.hopeful[class as usize % 64] += 1;
        self.hopeful_mask |= bit(class);
    }

    pub(super) fn remove_hopeful(&mut self, class: u32) {
        let classes = &mut self.hopeful[class as usize % 64];
        *classes -= 1;
        if *classes == 0 {
            self.hopeful_mask &= !bit(class);
        }
    }
}
