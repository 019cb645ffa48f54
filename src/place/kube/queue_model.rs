//! The scheduling queue against the rules told step by step.

use std::cmp::Reverse;

use proptest::prelude::*;

use super::queue::{Place, QueueProfile, SchedulingQueue};
use crate::cluster::PodId;
use crate::units::SimTime;
use crate::workload::{ClassId, PodClass};

/// Lists that are scanned, every tick acted on at its time.
struct Naive {
    profile: QueueProfile,
    priority: Vec<i32>,
    pods: Vec<NaivePod>,
    seq: u64,
    now: i64,
}

#[derive(Clone, Copy)]
struct NaivePod {
    id: u32,
    class: usize,
    attempts: u32,
    stamp: i64,
    seq: u64,
    place: Place,
    failed: bool,
}

impl Naive {
    fn expiry(&self, pod: &NaivePod) -> i64 {
        pod.stamp + self.profile.backoff_ms(pod.attempts)
    }

    fn advance(&mut self, now: i64) {
        while self.now < now {
            self.now += 1;
            if self.now % 1_000 != 0 {
                continue;
            }
            for i in 0..self.pods.len() {
                let pod = self.pods[i];
                let over = !self.profile.backing_off(self.expiry(&pod), self.now);
                if pod.place == Place::Backoff && over {
                    self.pods[i].place = Place::Active;
                }
            }
            if self.now % 30_000 == 0 {
                for i in 0..self.pods.len() {
                    let pod = self.pods[i];
                    if pod.place == Place::Unschedulable && self.now - pod.stamp > 300_000 {
                        self.requeue(i);
                    }
                }
            }
        }
    }

    fn requeue(&mut self, i: usize) {
        let pod = self.pods[i];
        let waits = self.profile.backing_off(self.expiry(&pod), self.now);
        self.pods[i].place = if waits { Place::Backoff } else { Place::Active };
    }

    fn pop(&mut self) -> Option<(PodId, ClassId)> {
        let order = |pod: &NaivePod| (Reverse(self.priority[pod.class]), pod.stamp, pod.seq);
        let active = (0..self.pods.len())
            .filter(|i| self.pods[*i].place == Place::Active)
            .min_by_key(|i| order(&self.pods[*i]));
        let next = active.or_else(|| {
            (0..self.pods.len())
                .filter(|i| self.profile.pop_from_backoff && self.pods[*i].place == Place::Backoff)
                .min_by_key(|i| {
                    let pod = &self.pods[*i];
                    (self.expiry(pod) / 1_000, order(pod))
                })
        })?;
        self.pods[next].place = Place::InFlight;
        self.pods[next].attempts += 1;
        Some((PodId(self.pods[next].id), ClassId(self.pods[next].class as u32)))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn queue_equals_the_naive_model(
        minor in 31u32..34,
        steps in proptest::collection::vec((0u8..10, 0u32..40, 0i64..40_000, 0u32..16), 1..120),
    ) {
        let priorities = [0, 0, 5, -5];
        let profile = QueueProfile::kubernetes(minor);
        let mut q = SchedulingQueue::new(profile, &priorities.map(|priority| PodClass { priority, ..PodClass::default() }));
        let mut naive =
            Naive { profile, priority: priorities.to_vec(), pods: Vec::new(), seq: 0, now: 0 };
        let mut now = 0;
        for (op, pod, gap, mask) in steps {
            // Mostly short gaps, sometimes none, sometimes long ones.
            let gap = match op % 3 { 0 => 0, 1 => gap / 20, _ => gap };
            let wake = q.next_wake(SimTime(now));
            let due = |p: &NaivePod| {
                p.place == Place::Active
                    || (profile.pop_from_backoff && p.place == Place::Backoff)
            };
            if naive.pods.iter().any(due) {
                prop_assert_eq!(wake, Some(SimTime(now)));
            } else {
                // Nothing may become due before the time it names.
                let until = wake.map_or(now + gap, |w| (w.0 - 1).min(now + gap));
                naive.advance(until);
                prop_assert!(!naive.pods.iter().any(due));
            }
            now += gap;
            naive.advance(now);
            let at = SimTime(now);
            match op {
                0..=2 => if naive.pods.iter().all(|p| p.id != pod) {
                    let class = (mask % 4) as usize;
                    q.push_new(PodId(pod), ClassId(class as u32), at);
                    naive.seq += 1;
                    naive.pods.push(NaivePod {
                        id: pod, class, attempts: 0, stamp: now, seq: naive.seq,
                        place: Place::Active, failed: false,
                    });
                },
                3..=6 => {
                    let got = q.pop(at);
                    prop_assert_eq!(got, naive.pop());
                    if let Some((popped, _)) = got {
                        let i = naive.pods.iter().position(|p| p.id == popped.0).expect("popped");
                        if mask == 0 {
                            q.remove(popped);
                            naive.pods.remove(i);
                        } else {
                            q.fail(popped, at, mask < 6);
                            naive.seq += 1;
                            naive.pods[i].stamp = now;
                            naive.pods[i].seq = naive.seq;
                            naive.pods[i].failed = true;
                            naive.pods[i].place = Place::Unschedulable;
                            if mask < 6 {
                                naive.requeue(i);
                            }
                        }
                    }
                }
                7 => {
                    let before = q.wake(at, |class| mask >> class.0 & 1 == 1);
                    let mut moved = 0;
                    for i in 0..naive.pods.len() {
                        let p = naive.pods[i];
                        if p.place == Place::Unschedulable && mask >> p.class & 1 == 1 {
                            naive.requeue(i);
                            moved += 1;
                        }
                    }
                    prop_assert_eq!(before, moved);
                }
                _ => {
                    q.remove(PodId(pod));
                    naive.pods.retain(|p| p.id != pod);
                }
            }
            prop_assert_eq!(q.len(), naive.pods.len());
            for class in 0..4usize {
                let mut got: Vec<u32> =
                    q.unschedulable_pods(ClassId(class as u32)).map(|p| p.0).collect();
                got.sort_unstable();
                let mut expected: Vec<u32> = naive.pods.iter()
                    .filter(|p| p.class == class && p.failed)
                    .map(|p| p.id)
                    .collect();
                expected.sort_unstable();
                let counted = q.unschedulable_classes()
                    .find(|(id, _)| id.index() == class)
                    .map_or(0, |(_, n)| n);
                prop_assert_eq!(counted as usize, expected.len());
                prop_assert_eq!(got, expected);
            }
        }
    }
}
