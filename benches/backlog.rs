//! The scheduling queue under a backlog: `cargo bench --bench backlog`.
//!
//! One item is one failed attempt (pop and fail), the events that wake pods
//! included.

use divan::counter::ItemsCount;
use plimsoll::cluster::PodId;
use plimsoll::place::kube::{QueueProfile, SchedulingQueue};
use plimsoll::units::SimTime;
use plimsoll::workload::{ClassId, PodClass};

const CLASSES: u32 = 20;
const ATTEMPTS: usize = 100_000;

fn backlog(pods: u32, profile: QueueProfile) -> SchedulingQueue {
    let classes: Vec<PodClass> = (0..CLASSES)
        .map(|i| PodClass { priority: (i % 3) as i32, ..PodClass::default() })
        .collect();
    let mut queue = SchedulingQueue::new(profile, &classes);
    for pod in 0..pods {
        queue.push_new(PodId(pod), ClassId(pod % CLASSES), SimTime(0));
    }
    queue
}

/// A scheduler of 100 attempts a second on a full cluster: a pod finishes
/// every second, which wakes everything.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
fn full_cluster(bencher: divan::Bencher<'_, '_>, pods: u32) {
    let mut queue = backlog(pods, QueueProfile::kubernetes(31));
    let mut now = 0;
    bencher.counter(ItemsCount::new(ATTEMPTS)).bench_local(|| {
        for attempt in 0..ATTEMPTS {
            now += 10;
            if attempt % 100 == 0 {
                queue.wake(SimTime(now), |_| true);
            }
            if let Some((pod, _)) = queue.pop(SimTime(now)) {
                queue.fail(pod, SimTime(now), false);
            }
        }
    });
}

/// Events that help none of the waiting classes.
#[divan::bench(args = [1_000, 100_000], sample_count = 10)]
fn idle_events(bencher: divan::Bencher<'_, '_>, pods: u32) {
    let mut queue = backlog(pods, QueueProfile::default());
    while let Some((pod, _)) = queue.pop(SimTime(0)) {
        queue.fail(pod, SimTime(0), false);
    }
    bencher.counter(ItemsCount::new(ATTEMPTS)).bench_local(|| {
        for _ in 0..ATTEMPTS {
            assert_eq!(queue.wake(SimTime(1), |class| class.0 == u32::MAX), 0);
        }
    });
}

/// Pods that are bound at once: push, pop, remove.
#[divan::bench(args = [1, 1_000], sample_count = 10)]
fn steady(bencher: divan::Bencher<'_, '_>, burst: u32) {
    let mut queue = backlog(0, QueueProfile::default());
    let mut now = 0;
    bencher.counter(ItemsCount::new(ATTEMPTS)).bench_local(|| {
        for _ in 0..ATTEMPTS as u32 / burst {
            now += 1;
            for pod in 0..burst {
                queue.push_new(PodId(pod), ClassId(pod % CLASSES), SimTime(now));
            }
            while let Some((pod, _)) = queue.pop(SimTime(now)) {
                queue.remove(pod);
            }
        }
    });
}

fn main() {
    divan::main();
}
