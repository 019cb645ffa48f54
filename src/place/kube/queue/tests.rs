//! The queue by hand-computed examples; `queue_model` has the rules.

use super::*;

fn classes(priorities: &[i32]) -> Vec<PodClass> {
    priorities.iter().map(|p| PodClass { priority: *p, ..PodClass::default() }).collect()
}

fn queue(minor: u32) -> SchedulingQueue {
    SchedulingQueue::new(QueueProfile::kubernetes(minor), &classes(&[0, 0, 5, -5]))
}

const A: ClassId = ClassId(0);
const B: ClassId = ClassId(1);

#[test]
fn priority_then_time_then_sequence() {
    let mut q = queue(31);
    let now = SimTime(3);
    for (pod, class) in [(7, 3), (1, 0), (5, 2), (0, 1), (9, 2)] {
        q.push_new(PodId(pod), ClassId(class), now);
    }
    let got: Vec<u32> = std::iter::from_fn(|| q.pop(now)).map(|(pod, _)| pod.0).collect();
    assert_eq!(got, [5, 9, 1, 0, 7]);
}

#[test]
fn extreme_priorities_sort() {
    let mut q = SchedulingQueue::new(
        QueueProfile::kubernetes(31),
        &classes(&[i32::MIN, -1, 0, 1, i32::MAX]),
    );
    for class in 0..5 {
        q.push_new(PodId(class), ClassId(class), SimTime(0));
    }
    let got: Vec<u32> = std::iter::from_fn(|| q.pop(SimTime(0))).map(|(p, _)| p.0).collect();
    assert_eq!(got, [4, 3, 2, 1, 0]);
}

/// Fails a pod again and again with an event during each attempt, trying
/// it as soon as it is there; returns how long each wait was.
fn waits(minor: u32, first: i64) -> Vec<i64> {
    let mut q = queue(minor);
    let mut now = SimTime(first);
    q.push_new(PodId(0), A, now);
    let mut waits = Vec::new();
    for _ in 0..6 {
        assert_eq!(q.pop(now), Some((PodId(0), A)));
        q.fail(PodId(0), now, true);
        let wake = q.next_wake(now).expect("it backs off");
        waits.push(wake.0 - now.0);
        if wake.0 > now.0 {
            assert_eq!(q.pop(SimTime(wake.0 - 1)), None, "not before its tick");
        }
        now = wake;
    }
    waits
}

#[test]
fn a_pod_leaves_backoff_at_the_next_whole_second() {
    assert_eq!(waits(31, 0), [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    assert_eq!(waits(31, 250), [1_750, 2_000, 4_000, 8_000, 10_000, 10_000]);
}

#[test]
fn an_idle_scheduler_of_1_33_takes_pods_out_of_backoff() {
    assert_eq!(waits(33, 250), [0; 6]);
    // With another pod active, that one goes first.
    let mut q = queue(33);
    q.push_new(PodId(0), A, SimTime(0));
    q.pop(SimTime(0));
    q.fail(PodId(0), SimTime(10), true);
    q.push_new(PodId(1), ClassId(3), SimTime(20));
    assert_eq!(q.pop(SimTime(30)), Some((PodId(1), ClassId(3))));
    assert_eq!(q.pop(SimTime(30)), Some((PodId(0), A)));
    assert_eq!(q.pop(SimTime(30)), None);
}

#[test]
fn an_event_wakes_the_classes_it_helps() {
    let mut q = queue(31);
    for (pod, class) in [(0, A), (1, B), (2, A)] {
        q.push_new(PodId(pod), class, SimTime(0));
    }
    while let Some((pod, _)) = q.pop(SimTime(0)) {
        q.fail(pod, SimTime(0), false);
    }
    assert_eq!(q.unschedulable_classes().collect::<Vec<_>>(), [(A, 2), (B, 1)]);
    // Back-off is over at 1 s: straight to active.
    assert_eq!(q.wake(SimTime(1_500), |class| class == A), 2);
    assert_eq!(q.next_wake(SimTime(1_500)), Some(SimTime(1_500)));
    // Still backing off: at the next tick.
    let mut r = q.clone();
    assert_eq!(q.pop(SimTime(1_500)), Some((PodId(0), A)));
    q.fail(PodId(0), SimTime(1_500), false);
    assert_eq!(q.wake(SimTime(1_600), |class| class == A), 1);
    assert_eq!(q.pop(SimTime(1_600)), Some((PodId(2), A)));
    q.remove(PodId(2));
    assert_eq!(q.next_wake(SimTime(1_600)), Some(SimTime(4_000)));
    assert_eq!(q.unschedulable_pods(A).collect::<Vec<_>>(), [PodId(0)]);
    assert_eq!(q.len(), 2);
    // Nothing happens for five minutes: the next 30 s tick after that.
    r.remove(PodId(0));
    r.remove(PodId(2));
    assert_eq!(r.next_wake(SimTime(1_500)), Some(SimTime(330_000)));
    assert_eq!(r.pop(SimTime(329_999)), None);
    assert_eq!(r.pop(SimTime(330_000)), Some((PodId(1), B)));
    r.remove(PodId(1));
    assert!(r.is_empty());
    assert_eq!(r.next_wake(SimTime(330_000)), None);
    assert_eq!(r.unschedulable_classes().count(), 0);
}

#[test]
fn removed_pods_do_not_pile_up() {
    let mut q = queue(31);
    for round in 0..10_000 {
        q.push_new(PodId(round % 3), A, SimTime(0));
        q.remove(PodId(round % 3));
    }
    assert!(q.runs.len() < 20 && q.free.len() + 1 >= q.runs.len());
    assert_eq!(q.pop(SimTime(0)), None);
    assert!(q.is_empty() && q.active.tops.is_empty());
}

fn bytes(q: &SchedulingQueue) -> usize {
    let tops = q.active.tops.capacity() + q.backoff.tops.capacity();
    q.entries.capacity() * size_of::<Entry>()
        + tops * size_of::<Top>()
        + q.runs.iter().map(Run::bytes).sum::<usize>()
}

#[test]
fn a_waiting_pod_takes_few_bytes() {
    // Pods that come and fail at odd times, in two priorities.
    let mut q = queue(31);
    let mut now = 0;
    for pod in 0..100_000 {
        now += i64::from(pod % 7);
        q.push_new(PodId(pod), ClassId(pod % 3), SimTime(now));
        now += i64::from(pod % 11);
        let (popped, _) = q.pop(SimTime(now)).expect("pushed");
        q.fail(popped, SimTime(now), false);
    }
    assert!(bytes(&q) < 40 * 100_000, "{}", bytes(&q));
    // All at once and failed in bulk.
    let mut q = queue(31);
    for pod in 0..100_000 {
        q.push_new(PodId(pod), A, SimTime(0));
    }
    assert!(bytes(&q) < 20 * 100_000, "{}", bytes(&q));
    q.give_up_hope(|class| class == A);
    assert_eq!(q.next_hopeful(5_000, 10_000), Some((1_000_005_000, None)));
    let made = q.fail_hopeless(5_000, 10_000, 300_000_000);
    assert_eq!(made, Failures { attempts: 30_000, free_us: 300_005_000 });
    assert!(bytes(&q) < 20 * 100_000, "{}", bytes(&q));
    assert_eq!(q.unschedulable_classes().collect::<Vec<_>>(), [(A, 30_000)]);
}
