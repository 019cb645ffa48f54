//! Scheduling gates: pods that nobody tries until their gates are removed
//! (`PreEnqueue` of `SchedulingGates`; `scheduling_queue.go`, `Update`, 1.31).
//!
//! A gated pod makes no attempts and does not back off. Once it is let through
//! it is active at once, and stands where it would if it had never been gated:
//! its timestamp is that of its submission.

use super::run::{Place, Series};
use super::{NONE, SchedulingQueue, State, bit, unused};
use crate::cluster::PodId;
use crate::units::SimTime;
use crate::workload::ClassId;
use std::cmp::Reverse;

/// Where a gated pod will stand among the active ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    serial: u32,
    series: Series,
}

impl SchedulingQueue {
    /// A pod was submitted behind gates; follow with
    /// [`SchedulingQueue::open_gates`] or [`SchedulingQueue::remove`].
    pub fn push_gated(&mut self, pod: PodId, class: ClassId, now: SimTime) {
        self.clock(now);
        self.enter(pod, class, State::Gated);
        // Pods that come later stand behind it, so in another run.
        let rank = self.classes[class.index()].rank as usize;
        self.tails[rank * self.backoffs.len()] = NONE;
        self.serial += 1;
        let series = Series { failures: self.failures, us: now.0 * 1_000, step_us: 0 };
        self.gated.insert(pod.0, Turn { serial: self.serial, series });
    }

    /// The last gate of a pod was removed.
    ///
    /// # Panics
    /// If the pod is not gated.
    pub fn open_gates(&mut self, pod: PodId, now: SimTime) {
        self.flush(now);
        let turn = self.gated.remove(&pod.0).expect("a gated pod");
        let entry = &mut self.entries[pod.0 as usize];
        entry.state = State::Queued;
        let class = ClassId(entry.class);
        let rank = self.join(class);
        let id = unused(&mut self.runs, &mut self.free);
        let run = &mut self.runs[id as usize];
        (run.place, run.rank, run.serial) = (Place::Active, rank, turn.serial);
        run.extend(&[pod.0], bit(class.0), 0, turn.series);
        let top = self.top_of(id, 0);
        self.active.tops.push(Reverse(top));
    }

    /// Whether the pod is behind gates.
    #[must_use]
    pub fn is_gated(&self, pod: PodId) -> bool {
        self.gated.contains_key(&pod.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::QueueProfile;
    use super::*;
    use crate::workload::PodClass;

    /// Pods 0 to 3 come one after the other, 1 and 2 behind gates. 2 is let
    /// through first, yet 0 goes before it and 3 after it.
    #[test]
    fn a_pod_keeps_its_turn_behind_its_gates() {
        let mut queue = SchedulingQueue::new(QueueProfile::kubernetes(31), &[PodClass::default()]);
        let class = ClassId(0);
        let at = |ms| SimTime(ms);
        queue.push_new(PodId(0), class, at(0));
        queue.push_gated(PodId(1), class, at(10));
        queue.push_gated(PodId(2), class, at(20));
        queue.push_new(PodId(3), class, at(30));
        assert_eq!((queue.len(), queue.is_gated(PodId(2))), (2, true));
        queue.open_gates(PodId(2), at(50));
        for pod in [0, 2, 3] {
            assert_eq!(queue.pop(at(60)), Some((PodId(pod), class)));
            queue.remove(PodId(pod));
        }
        assert_eq!((queue.pop(at(60)), queue.next_wake(at(60))), (None, None));
        queue.open_gates(PodId(1), at(70));
        assert_eq!(queue.pop(at(70)), Some((PodId(1), class)));
        // Its first attempt fails at 70 ms, a back-off of 1 s from there.
        queue.fail(PodId(1), at(70), true);
        assert_eq!(queue.next_wake(at(70)), Some(at(2_000)));
    }

    #[test]
    fn a_gated_pod_can_be_deleted() {
        let mut queue = SchedulingQueue::new(QueueProfile::kubernetes(35), &[PodClass::default()]);
        queue.push_gated(PodId(0), ClassId(0), SimTime(0));
        queue.remove(PodId(0));
        assert!(queue.is_empty() && !queue.is_gated(PodId(0)));
        queue.push_new(PodId(0), ClassId(0), SimTime(5));
        assert_eq!(queue.pop(SimTime(5)), Some((PodId(0), ClassId(0))));
    }
}
