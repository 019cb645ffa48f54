//! Where one pod stands: what `explain` shows. A search through the runs, not
//! for the path.

use super::profile::leftover_at;
use super::run::Place;
use super::{SchedulingQueue, bit};
use crate::cluster::PodId;
use crate::units::SimTime;

/// Where a queued pod stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// When its last attempt failed; `None` if it was not tried yet.
    pub failed: Option<SimTime>,
    /// When it can be tried: `NEVER` if only an event or the five minutes of
    /// unschedulable pods can change that.
    pub ready: SimTime,
}

impl SchedulingQueue {
    /// Where a pod stands as of the queue's last change; `None` for one that
    /// is in flight or not pending.
    #[must_use]
    pub fn position(&self, pod: PodId) -> Option<Position> {
        let class = self.entries.get(pod.0 as usize)?.class;
        self.runs.iter().filter(|run| run.mask & bit(class) != 0).find_map(|run| {
            let at = run.pods().iter().position(|p| *p == pod.0)?;
            let stamp = run.stamp(at);
            let ready = match run.place {
                Place::Free => return None,
                Place::Active => SimTime(stamp),
                Place::Backoff => SimTime(self.ready(run, at)),
                Place::Unschedulable => SimTime::NEVER,
            };
            let failed = (run.level > 0).then_some(SimTime(stamp));
            Some(Position { failed, ready })
        })
    }

    /// The tick at which a pod that failed then is tried even if nothing
    /// happens.
    #[must_use]
    pub fn tried_anyway(failed: SimTime) -> SimTime {
        SimTime(leftover_at(failed.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::QueueProfile;
    use super::*;
    use crate::workload::{ClassId, PodClass};

    /// Two pods; the first fails at 2.5 s. An event at 2.7 s wakes it: a
    /// back-off of 1 s ends at 3.5 s, the tick after it is 4 s. Left alone it
    /// would be tried five minutes after 2.5 s, at the 30 s tick after 302.5 s.
    #[test]
    fn a_pod_is_found_wherever_it_waits() {
        let mut queue = SchedulingQueue::new(QueueProfile::kubernetes(31), &[PodClass::default()]);
        let at = |ms| SimTime(ms);
        queue.push_new(PodId(3), ClassId(0), at(2_000));
        queue.push_new(PodId(5), ClassId(0), at(2_100));
        assert_eq!(queue.position(PodId(4)), None);
        assert_eq!(queue.position(PodId(5)).map(|p| p.failed), Some(None));
        let (pod, _) = queue.pop(at(2_500)).expect("a pod");
        assert_eq!((pod, queue.position(pod)), (PodId(3), None));
        queue.fail(pod, at(2_500), false);
        let stuck = Position { failed: Some(at(2_500)), ready: SimTime::NEVER };
        assert_eq!(SchedulingQueue::tried_anyway(at(2_500)), at(330_000));
        assert_eq!(queue.position(pod), Some(stuck));
        queue.wake(at(2_700), |_| true);
        let backing = Position { ready: at(4_000), ..stuck };
        assert_eq!(queue.position(pod), Some(backing));
    }
}
