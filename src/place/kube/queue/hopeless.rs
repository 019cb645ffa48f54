//! Attempts whose outcome is known: made in bulk, with the stamps, the order
//! and the number that they have when made one by one.
//!
//! While nothing happens that frees or adds capacity, a class that fits
//! nowhere goes on fitting nowhere: the scheduler itself only takes capacity.
//! Such a class is *hopeless*, and the attempts of its pods need no look at
//! the nodes. Nor need they be made at their time: only when somebody looks.

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

/// Hopeless pods at the front of a run.
struct Ahead {
    count: usize,
    /// Bits of their classes; may have some too many.
    mask: u64,
    /// Whether the run's next pod comes then, and is not hopeless.
    hopeful: bool,
}

impl SchedulingQueue {
    /// No node can hold a pod of these classes until they are passed to
    /// [`SchedulingQueue::restore_hope`]. Asks about those that have pods and
    /// hope; returns whether any was given up.
    pub fn give_up_hope(&mut self, mut fits_nowhere: impl FnMut(ClassId) -> bool) -> bool {
        #[cfg(test)]
        if self.singly {
            return false;
        }
        let before = self.hopeless.len();
        for class in 0..self.classes.len() as u32 {
            let facts = &mut self.classes[class as usize];
            if facts.pods > 0 && !facts.hopeless && fits_nowhere(ClassId(class)) {
                facts.hopeless = true;
                self.hopeless.push(class);
                self.remove_hopeful(class);
            }
        }
        self.hopeless.len() > before
    }

    /// Capacity was freed or added: hopeless classes that may fit into it are
    /// so no more.
    pub fn restore_hope(&mut self, mut may_fit: impl FnMut(ClassId) -> bool) {
        let mut hopeless = std::mem::take(&mut self.hopeless);
        hopeless.retain(|class| {
            let restored = may_fit(ClassId(*class));
            if restored {
                let facts = &mut self.classes[*class as usize];
                facts.hopeless = false;
                if facts.pods > 0 {
                    self.add_hopeful(*class);
                }
            }
            !restored
        });
        self.hopeless = hopeless;
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
    /// hopeless, microseconds, and the pod's class; or a time before that, at
    /// which to ask again (hopeless pods whose back-off ends may come first).
    /// `None` if there is nothing to try.
    pub fn next_hopeful(&mut self, from_us: i64, step_us: i64) -> Option<(i64, Option<ClassId>)> {
        let hopeful = self.hopeful_mask;
        let lane = self.lane()?;
        let (count, mut class) = if lane.mask & hopeful == 0 {
            (lane.pods, None)
        } else {
            let Reverse(top) = lane.tops.pop()?;
            let ahead = self.hopeless_ahead(top.run);
            self.lane()?.tops.push(Reverse(top));
            let stop = self.runs[top.run as usize].pods().get(ahead.count);
            let class = |pod: &u32| ClassId(self.entries[*pod as usize].class);
            (ahead.count, if ahead.hopeful { stop.map(class) } else { None })
        };
        let mut at = from_us.saturating_add((count as i64).saturating_mul(step_us));
        // Pods that are not hopeless may become active before.
        let mut tick = i64::MAX;
        if self.backoff.mask & hopeful != 0
            && let Some(Reverse(top)) = self.backoff.tops.peek()
        {
            tick = top.ready * 1_000;
        }
        if hopeful != 0 && self.unschedulable_pods > 0 {
            tick = tick.min(leftover_at(self.oldest) * 1_000);
        }
        if tick <= at {
            at = tick.max(from_us);
            class = None;
        }
        Some((at, class))
    }

    /// Fails hopeless pods of the first run, at most so many; returns how
    /// many it was.
    fn fail_first(&mut self, us: i64, step_us: i64, most: usize) -> usize {
        let Some(lane) = self.lane() else { return 0 };
        let Some(Reverse(top)) = lane.tops.pop() else { return 0 };
        let ahead = self.hopeless_ahead(top.run);
        let count = ahead.count.min(most);
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
        self.lane_of(place).leave(count);
        self.enter_unschedulable(count, us);
        let tail = self.tail(rank, level);
        let added = tail != NONE && {
            let (run, tail) = two(&mut self.runs, id, tail);
            tail.extend(&run.pods()[..count], ahead.mask, 1, series)
        };
        if whole && !added {
            self.runs[id as usize].fail(level, ahead.mask, series);
            self.add_unschedulable(id);
            return count;
        }
        if !added {
            let other = unused(&mut self.runs, &mut self.free);
            let (run, waiting) = two(&mut self.runs, id, other);
            waiting.extend(&run.pods()[..count], ahead.mask, 1, series);
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
    fn hopeless_ahead(&mut self, id: u32) -> Ahead {
        let run = &self.runs[id as usize];
        let (len, place) = (run.len(), run.place);
        // First where the next run cuts in: that is a search, and what lies
        // behind need not be looked at.
        let mut count = len;
        if let Some(Reverse(limit)) = self.lane_of(place).tops.peek().copied()
            && self.top_of(id, len - 1) > limit
        {
            count = self.runs[id as usize].prefix(|i| self.top_of(id, i) < limit);
        }
        let run = &self.runs[id as usize];
        let mut ahead = Ahead { count, mask: run.mask, hopeful: false };
        if run.mask & self.hopeful_mask != 0 {
            ahead.mask = 0;
            for (at, pod) in run.pods()[..count].iter().enumerate() {
                let class = self.entries[*pod as usize].class;
                if bit(class) & self.hopeful_mask != 0 && !self.classes[class as usize].hopeless {
                    (ahead.count, ahead.hopeful) = (at, true);
                    break;
                }
                ahead.mask |= bit(class);
            }
            if !ahead.hopeful && count == len {
                // The mask had bits too many, or other classes share them.
                self.runs[id as usize].mask = ahead.mask;
            }
        }
        ahead
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
