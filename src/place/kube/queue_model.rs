//! The scheduling queue against the rules told step by step.

use std::cmp::Reverse;

use proptest::prelude::*;

use super::queue::{Failures, QueueProfile, SchedulingQueue};
use crate::cluster::PodId;
use crate::units::SimTime;
use crate::workload::{ClassId, PodClass};

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Active,
    Backoff,
    Unschedulable,
    InFlight,
}

/// Lists that are scanned, every tick acted on at its time.
struct Naive {
    profile: QueueProfile,
    priority: Vec<i32>,
    pods: Vec<NaivePod>,
    hopeless: [bool; 4],
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

    fn wake(&mut self, mask: u32) -> usize {
        let mut moved = 0;
        for i in 0..self.pods.len() {
            let p = self.pods[i];
            if p.place == Place::Unschedulable && mask >> p.class & 1 == 1 {
                self.requeue(i);
                moved += 1;
            }
        }
        moved
    }

    /// Attempts one by one, while the next pod is hopeless.
    fn fail_hopeless(&mut self, from_us: i64, step_us: i64, until_us: i64) -> Failures {
        let mut made = Failures { attempts: 0, free_us: from_us };
        let mut at = from_us;
        while at < until_us {
            self.advance(at / 1_000);
            let Some(next) = self.next() else {
                at = (at / 1_000 + 1) * 1_000;
                continue;
            };
            if !self.hopeless[self.pods[next].class] {
                break;
            }
            self.pods[next].attempts += 1;
            self.fail(next, at / 1_000);
            at += step_us;
            made = Failures { attempts: made.attempts + 1, free_us: at };
        }
        made
    }

    fn fail(&mut self, i: usize, stamp: i64) {
        self.seq += 1;
        self.pods[i].stamp = stamp;
        self.pods[i].seq = self.seq;
        self.pods[i].failed = true;
        self.pods[i].place = Place::Unschedulable;
    }

    fn pop(&mut self) -> Option<(PodId, ClassId)> {
        let next = self.next()?;
        self.pods[next].place = Place::InFlight;
        self.pods[next].attempts += 1;
        Some((PodId(self.pods[next].id), ClassId(self.pods[next].class as u32)))
    }

    fn next(&self) -> Option<usize> {
        let order = |pod: &NaivePod| (Reverse(self.priority[pod.class]), pod.stamp, pod.seq);
        let active = (0..self.pods.len())
            .filter(|i| self.pods[*i].place == Place::Active)
            .min_by_key(|i| order(&self.pods[*i]));
        active.or_else(|| {
            (0..self.pods.len())
                .filter(|i| self.profile.pop_from_backoff && self.pods[*i].place == Place::Backoff)
                .min_by_key(|i| {
                    let pod = &self.pods[*i];
                    (self.expiry(pod) / 1_000, order(pod))
                })
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn queue_equals_the_naive_model(
        minor in 31u32..34,
        steps in proptest::collection::vec((0u8..12, 0u32..40, 0i64..40_000, 0u32..16), 1..160),
    ) {
        let priorities = [0, 0, 5, -5];
        let profile = QueueProfile::kubernetes(minor);
        let classes = priorities.map(|priority| PodClass { priority, ..PodClass::default() });
        let mut q = SchedulingQueue::new(profile, &classes);
        let mut naive =
            Naive {
                profile, priority: priorities.to_vec(), pods: Vec::new(), hopeless: [false; 4],
                seq: 0, now: 0,
            };
        let mut now = 0;
        let mut ids = 0;
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
                0..=2 => {
                    // One pod, or a burst of several classes.
                    let count = if op == 2 { pod } else { 1 };
                    for i in 0..count {
                        let class = ((mask + i * (mask % 3)) % 4) as usize;
                        ids += 1;
                        q.push_new(PodId(ids), ClassId(class as u32), at);
                        naive.seq += 1;
                        naive.pods.push(NaivePod {
                            id: ids, class, attempts: 0, stamp: now, seq: naive.seq,
                            place: Place::Active, failed: false,
                        });
                    }
                }
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
                            naive.fail(i, now);
                            if mask < 6 {
                                naive.requeue(i);
                            }
                        }
                    }
                }
                7 => {
                    let hope = pod;
                    q.restore_hope(|class| hope >> class.0 & 1 == 1);
                    for class in (0..4).filter(|class| hope >> class & 1 == 1) {
                        naive.hopeless[class] = false;
                    }
                    prop_assert_eq!(q.wake(at, |class| mask >> class.0 & 1 == 1), naive.wake(mask));
                }
                8 | 9 => {
                    // Attempts while time goes on by another gap.
                    q.give_up_hope(|class| mask >> class.0 & 1 == 1);
                    for class in (0..4).filter(|class| mask >> class & 1 == 1) {
                        naive.hopeless[class] |= naive.pods.iter().any(|p| p.class == class);
                    }
                    let step_us = [0, 333, 1_000, 142_857, 10_000, 3_000_000][pod as usize % 6];
                    let from_us = now * 1_000 + i64::from(pod);
                    let until_us = (now + 1 + gap) * 1_000;
                    let hopeful = q.next_hopeful(from_us, step_us);
                    let made = q.fail_hopeless(from_us, step_us, until_us);
                    prop_assert_eq!(made, naive.fail_hopeless(from_us, step_us, until_us));
                    now = naive.now;
                    let next = naive.next().map(|i| naive.pods[i].class);
                    if made.free_us < until_us && next.is_some_and(|class| !naive.hopeless[class]) {
                        // Somebody will have looked at that time.
                        prop_assert!(hopeful.is_none_or(|(at, _)| at <= made.free_us));
                    }
                    if let Some((_, Some(class))) = hopeful {
                        prop_assert!(!naive.hopeless[class.index()]);
                    }
                }
                _ => {
                    let id = naive.pods.get(pod as usize).map_or(9_999, |p| p.id);
                    q.remove(PodId(id));
                    naive.pods.retain(|p| p.id != id);
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
