//! The pending pods: `activeQ`, `backoffQ` and the unschedulable pods
//! (kube-scheduler 1.31 `internal/queue/scheduling_queue.go`, 1.33
//! `backend/queue/backoff_queue.go`).
//!
//! Tickless: what the real queue moves at its 1 s and 30 s ticks is moved
//! when the queue is next asked, as of those ticks, and
//! [`SchedulingQueue::next_wake`] says when something can next be popped.
//! Ticks lie at whole multiples since the start of the run.
//!
//! A pod takes 32 bytes here, plus 16 while active or 24 while backing off.
//! Every operation is O(log n) in the pods that are active or backing off;
//! events cost O(1) a class, plus what they move, which an attempt pays for.
//! Measured (`benches/backlog.rs`): a failed attempt in a backlog of 100,000
//! 0.25 µs, a pod that is bound at once 0.05 µs, an event that helps none of
//! 20 classes 0.02 µs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::cluster::PodId;
use crate::units::SimTime;
use crate::workload::{ClassId, PodClass};

/// Interval at which expired back-offs are flushed, and width of the window
/// in which newer queues order them by priority.
const FLUSH_MS: i64 = 1_000;
/// Interval at which long unschedulable pods are looked for.
const LEFTOVER_FLUSH_MS: i64 = 30_000;
/// Pods unschedulable for longer than this are tried again.
const LEFTOVER_AGE_MS: i64 = 300_000;
/// No pod.
const NONE: u32 = u32::MAX;

/// Behaviour of the queue that changed between versions or is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueProfile {
    /// `SchedulerQueueingHints`, on from 1.32: a deleted pod wakes only pods
    /// that lack capacity.
    pub hints: bool,
    /// `SchedulerPopFromBackoffQ`, on from 1.33: an idle scheduler takes pods
    /// out of their back-off.
    pub pop_from_backoff: bool,
    /// `podInitialBackoffSeconds`, milliseconds.
    pub initial_backoff_ms: i64,
    /// `podMaxBackoffSeconds`, milliseconds.
    pub max_backoff_ms: i64,
}

impl QueueProfile {
    /// The defaults of Kubernetes `1.minor`.
    #[must_use]
    pub const fn kubernetes(minor: u32) -> Self {
        QueueProfile {
            hints: minor >= 32,
            pop_from_backoff: minor >= 33,
            initial_backoff_ms: 1_000,
            max_backoff_ms: 10_000,
        }
    }

    /// Back-off after so many attempts: the initial one, doubled each time,
    /// at most the maximum.
    #[must_use]
    pub const fn backoff_ms(&self, attempts: u32) -> i64 {
        if attempts == 0 {
            return 0;
        }
        let mut backoff = self.initial_backoff_ms;
        let mut attempt = 1;
        while attempt < attempts {
            if backoff > self.max_backoff_ms - backoff {
                return self.max_backoff_ms;
            }
            if backoff == 0 {
                return 0;
            }
            backoff += backoff;
            attempt += 1;
        }
        backoff
    }

    /// Whether a back-off that ends at `expiry` still lasts at `now`.
    pub(super) const fn backing_off(&self, expiry: i64, now: i64) -> bool {
        if self.pop_from_backoff {
            // Whole windows, and a window lasts until it is over.
            floor(expiry, FLUSH_MS) >= floor(now, FLUSH_MS)
        } else {
            expiry > now
        }
    }

    /// The tick that ends a back-off.
    const fn flushed_at(&self, expiry: i64) -> i64 {
        if self.pop_from_backoff {
            floor(expiry, FLUSH_MS) + FLUSH_MS
        } else {
            floor(expiry + FLUSH_MS - 1, FLUSH_MS)
        }
    }
}

impl Default for QueueProfile {
    /// The newest behaviour.
    fn default() -> Self {
        QueueProfile::kubernetes(u32::MAX)
    }
}

const fn floor(ms: i64, step: i64) -> i64 {
    ms.div_euclid(step) * step
}

/// The tick at which a pod that became unschedulable at `stamp` is leftover.
const fn leftover_at(stamp: i64) -> i64 {
    floor(stamp + LEFTOVER_AGE_MS, LEFTOVER_FLUSH_MS) + LEFTOVER_FLUSH_MS
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Absent,
    Active,
    Backoff,
    Unschedulable,
    /// Popped; its attempt is under way.
    InFlight,
}

/// One pod of the slab.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Orders pods of equal priority: drawn when the timestamp is refreshed,
    /// so it ascends with the timestamp and breaks its ties by insertion.
    seq: u64,
    /// Upstream's `Timestamp`: submitted, or the last failure.
    stamp: i64,
    class: u32,
    /// Links in one of the class's lists.
    previous: u32,
    next: u32,
    /// Saturates; back-offs have reached their maximum long before.
    attempts: u8,
    place: Place,
    /// An attempt failed: the pod is in one of the class's lists.
    failed: bool,
}

const ABSENT: Entry = Entry {
    seq: 0,
    stamp: 0,
    class: 0,
    previous: NONE,
    next: NONE,
    attempts: 0,
    place: Place::Absent,
    failed: false,
};

/// A doubly linked list through the slab.
#[derive(Debug, Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
    len: u32,
}

const EMPTY: List = List { head: NONE, tail: NONE, len: 0 };

#[derive(Debug, Clone)]
struct Class {
    /// Priority, inverted so that ascending order serves it first.
    rank: u32,
    /// Pods in `unschedulable`, oldest first.
    unschedulable: List,
    /// Pods that failed before and are active, backing off or in flight.
    retrying: List,
    /// Position in `SchedulingQueue::waiting`, or `NONE`.
    waiting_at: u32,
}

/// A pod in back-off, in the order in which the queue gives them up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Backoff {
    /// The tick at which it becomes active.
    ready: i64,
    rank: u32,
    seq: u64,
    pod: u32,
}

/// The queue of one scheduler. Times passed in must not decrease.
#[derive(Debug, Clone)]
pub struct SchedulingQueue {
    profile: QueueProfile,
    entries: Vec<Entry>,
    classes: Vec<Class>,
    /// (rank, seq, pod) in one number; entries whose pod moved on are stale.
    active: BinaryHeap<Reverse<u128>>,
    backoff: BinaryHeap<Reverse<Backoff>>,
    stale_active: usize,
    stale_backoff: usize,
    /// Classes with unschedulable pods.
    waiting: Vec<u32>,
    /// No unschedulable pod is older than this.
    oldest: i64,
    pods: usize,
    seq: u64,
    now: i64,
}

impl SchedulingQueue {
    /// An empty queue for pods of these classes.
    #[must_use]
    pub fn new(profile: QueueProfile, classes: &[PodClass]) -> Self {
        let class = |class: &PodClass| Class {
            rank: !(class.priority.cast_unsigned() ^ 0x8000_0000),
            unschedulable: EMPTY,
            retrying: EMPTY,
            waiting_at: NONE,
        };
        SchedulingQueue {
            profile,
            entries: Vec::new(),
            classes: classes.iter().map(class).collect(),
            active: BinaryHeap::new(),
            backoff: BinaryHeap::new(),
            stale_active: 0,
            stale_backoff: 0,
            waiting: Vec::new(),
            oldest: i64::MAX,
            pods: 0,
            seq: 0,
            now: 0,
        }
    }

    /// How it behaves.
    #[must_use]
    pub fn profile(&self) -> &QueueProfile {
        &self.profile
    }

    /// Pods in the queue, the one in flight included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pods
    }

    /// Whether no pod is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pods == 0
    }

    /// Attempts made for a pod (at most 255 are counted).
    #[must_use]
    pub fn attempts(&self, pod: PodId) -> u32 {
        self.entries.get(pod.0 as usize).map_or(0, |entry| u32::from(entry.attempts))
    }

    /// A pod was submitted.
    pub fn push_new(&mut self, pod: PodId, class: ClassId, now: SimTime) {
        self.clock(now);
        let at = pod.0 as usize;
        if at >= self.entries.len() {
            self.entries.resize(at + 1, ABSENT);
        }
        assert!(self.entries[at].place == Place::Absent, "a pod is pending twice");
        self.seq += 1;
        self.entries[at] = Entry { seq: self.seq, stamp: now.0, class: class.0, ..ABSENT };
        self.pods += 1;
        self.activate(pod.0);
    }

    /// The next pod to try: highest priority, then longest in the queue. Its
    /// attempt counts from here; follow with [`SchedulingQueue::fail`] or
    /// [`SchedulingQueue::remove`].
    pub fn pop(&mut self, now: SimTime) -> Option<(PodId, ClassId)> {
        self.flush(now);
        while let Some(Reverse(key)) = self.active.pop() {
            let (seq, pod) = ((key >> 32) as u64, key as u32);
            let entry = &self.entries[pod as usize];
            if entry.place == Place::Active && entry.seq == seq {
                return Some(self.take_off(pod));
            }
            self.stale_active -= 1;
        }
        if self.profile.pop_from_backoff {
            while let Some(Reverse(top)) = self.backoff.pop() {
                if self.is_current(&top) {
                    return Some(self.take_off(top.pod));
                }
                self.stale_backoff -= 1;
            }
        }
        None
    }

    fn take_off(&mut self, pod: u32) -> (PodId, ClassId) {
        let entry = &mut self.entries[pod as usize];
        entry.place = Place::InFlight;
        entry.attempts = entry.attempts.saturating_add(1);
        (PodId(pod), ClassId(entry.class))
    }

    /// The attempt of a popped pod found no node. `event_since` says whether
    /// anything that could help it happened after the attempt took its view
    /// of the cluster: then it backs off, otherwise it waits for an event.
    pub fn fail(&mut self, pod: PodId, now: SimTime, event_since: bool) {
        self.flush(now);
        let entry = &mut self.entries[pod.0 as usize];
        assert!(entry.place == Place::InFlight, "only a popped pod can fail");
        self.seq += 1;
        entry.seq = self.seq;
        entry.stamp = now.0;
        let class = entry.class as usize;
        if std::mem::replace(&mut entry.failed, true) {
            unlink(&mut self.entries, &mut self.classes[class].retrying, pod.0);
        }
        if event_since {
            append(&mut self.entries, &mut self.classes[class].retrying, pod.0);
            self.back_off(pod.0, now.0);
            return;
        }
        self.entries[pod.0 as usize].place = Place::Unschedulable;
        append(&mut self.entries, &mut self.classes[class].unschedulable, pod.0);
        if self.classes[class].waiting_at == NONE {
            self.classes[class].waiting_at = self.waiting.len() as u32;
            self.waiting.push(class as u32);
        }
        self.oldest = self.oldest.min(now.0);
    }

    /// The pod left: it was bound, or deleted while it waited.
    pub fn remove(&mut self, pod: PodId) {
        let Some(entry) = self.entries.get_mut(pod.0 as usize) else { return };
        let gone = std::mem::replace(entry, ABSENT);
        // The links are needed to leave the list.
        (entry.previous, entry.next) = (gone.previous, gone.next);
        let class = gone.class as usize;
        match gone.place {
            Place::Absent => return,
            Place::Active => self.stale_active += 1,
            Place::Backoff => self.stale_backoff += 1,
            Place::Unschedulable | Place::InFlight => {}
        }
        self.pods -= 1;
        if gone.place == Place::Unschedulable {
            unlink(&mut self.entries, &mut self.classes[class].unschedulable, pod.0);
            self.leave_waiting_if_empty(class);
        } else if gone.failed {
            unlink(&mut self.entries, &mut self.classes[class].retrying, pod.0);
        }
        self.compact();
    }

    /// An event happened: unschedulable pods of the classes for which it
    /// `helps` become active, or back off for what is left of their back-off.
    /// Returns how many moved.
    pub fn wake(&mut self, now: SimTime, mut helps: impl FnMut(ClassId) -> bool) -> usize {
        self.flush(now);
        let mut moved = 0;
        let mut at = 0;
        while let Some(class) = self.waiting.get(at).copied() {
            if helps(ClassId(class)) {
                while self.classes[class as usize].unschedulable.len > 0 {
                    self.requeue_oldest(class as usize, now.0);
                    moved += 1;
                }
                // Another class took this place in the list.
                self.leave_waiting_if_empty(class as usize);
            } else {
                at += 1;
            }
        }
        moved
    }

    /// When a pod can next be popped: `now` if one can be at once, `None` if
    /// only an event can change that. Never too late; for pods that wait for
    /// their five minutes it may be too early.
    pub fn next_wake(&mut self, now: SimTime) -> Option<SimTime> {
        self.flush(now);
        if self.active.len() > self.stale_active {
            return Some(now);
        }
        while let Some(Reverse(top)) = self.backoff.peek().copied() {
            if self.is_current(&top) {
                break;
            }
            self.backoff.pop();
            self.stale_backoff -= 1;
        }
        let backoff = self.backoff.peek().map(|Reverse(top)| top.ready);
        if self.profile.pop_from_backoff && backoff.is_some() {
            return Some(now);
        }
        let leftover = (!self.waiting.is_empty()).then(|| leftover_at(self.oldest));
        [backoff, leftover].into_iter().flatten().min().map(SimTime)
    }

    /// Classes with pods of which an attempt failed and that are still not
    /// bound (what an autoscaler sees as unschedulable), with how many, in
    /// class order.
    pub fn unschedulable_classes(&self) -> impl Iterator<Item = (ClassId, u32)> + '_ {
        self.classes
            .iter()
            .enumerate()
            .map(|(i, class)| (ClassId(i as u32), class.unschedulable.len + class.retrying.len))
            .filter(|(_, pods)| *pods > 0)
    }

    /// Those pods of one class: first those waiting for an event, longest
    /// first, then those already on their way to another attempt.
    pub fn unschedulable_pods(&self, class: ClassId) -> impl Iterator<Item = PodId> + '_ {
        let class = &self.classes[class.index()];
        [class.unschedulable.head, class.retrying.head]
            .into_iter()
            .flat_map(|head| {
                let next = |pod: &u32| link(self.entries[*pod as usize].next);
                std::iter::successors(link(head), next)
            })
            .map(PodId)
    }

    fn clock(&mut self, now: SimTime) {
        debug_assert!(now.0 >= self.now, "queue time must not decrease");
        self.now = now.0;
    }

    /// Does what ticks up to `now` have done.
    fn flush(&mut self, now: SimTime) {
        self.clock(now);
        while let Some(Reverse(top)) = self.backoff.peek().copied() {
            if top.ready > now.0 {
                break;
            }
            self.backoff.pop();
            if self.is_current(&top) {
                self.activate(top.pod);
            } else {
                self.stale_backoff -= 1;
            }
        }
        if !self.waiting.is_empty() && leftover_at(self.oldest) <= now.0 {
            self.flush_leftover(now.0);
        }
    }

    #[cold]
    fn flush_leftover(&mut self, now: i64) {
        let mut oldest = i64::MAX;
        for at in (0..self.waiting.len()).rev() {
            let class = self.waiting[at] as usize;
            while let Some(head) = link(self.classes[class].unschedulable.head) {
                let stamp = self.entries[head as usize].stamp;
                if leftover_at(stamp) > now {
                    oldest = oldest.min(stamp);
                    break;
                }
                self.requeue_oldest(class, leftover_at(stamp));
            }
            self.leave_waiting_if_empty(class);
        }
        self.oldest = oldest;
    }

    /// Moves the class's oldest unschedulable pod on, as of `now`.
    fn requeue_oldest(&mut self, class: usize, now: i64) {
        let pod = self.classes[class].unschedulable.head;
        unlink(&mut self.entries, &mut self.classes[class].unschedulable, pod);
        append(&mut self.entries, &mut self.classes[class].retrying, pod);
        self.back_off(pod, now);
    }

    /// Into `backoffQ`, or `activeQ` if the back-off is over.
    fn back_off(&mut self, pod: u32, now: i64) {
        let entry = &mut self.entries[pod as usize];
        let expiry = entry.stamp + self.profile.backoff_ms(u32::from(entry.attempts));
        if self.profile.backing_off(expiry, now) {
            entry.place = Place::Backoff;
            let (seq, rank) = (entry.seq, self.classes[entry.class as usize].rank);
            let ready = self.profile.flushed_at(expiry);
            self.backoff.push(Reverse(Backoff { ready, rank, seq, pod }));
        } else {
            self.activate(pod);
        }
    }

    fn activate(&mut self, pod: u32) {
        let entry = &mut self.entries[pod as usize];
        entry.place = Place::Active;
        let rank = self.classes[entry.class as usize].rank;
        let key = (u128::from(rank) << 96) | (u128::from(entry.seq) << 32) | u128::from(pod);
        self.active.push(Reverse(key));
    }

    fn is_current(&self, top: &Backoff) -> bool {
        let entry = &self.entries[top.pod as usize];
        entry.place == Place::Backoff && entry.seq == top.seq
    }

    fn leave_waiting_if_empty(&mut self, class: usize) {
        let at = self.classes[class].waiting_at;
        if self.classes[class].unschedulable.len > 0 || at == NONE {
            return;
        }
        self.classes[class].waiting_at = NONE;
        self.waiting.swap_remove(at as usize);
        if let Some(moved) = self.waiting.get(at as usize) {
            self.classes[*moved as usize].waiting_at = at;
        }
        if self.waiting.is_empty() {
            self.oldest = i64::MAX;
        }
    }

    /// Drops stale heap entries when most are: amortised against removals.
    fn compact(&mut self) {
        if self.stale_active > 64 + self.active.len() / 2 {
            let entries = &self.entries;
            self.active.retain(|Reverse(key)| {
                let entry = &entries[*key as u32 as usize];
                entry.place == Place::Active && entry.seq == (*key >> 32) as u64
            });
            self.stale_active = 0;
        }
        if self.stale_backoff > 64 + self.backoff.len() / 2 {
            let entries = &self.entries;
            self.backoff.retain(|Reverse(top)| {
                let entry = &entries[top.pod as usize];
                entry.place == Place::Backoff && entry.seq == top.seq
            });
            self.stale_backoff = 0;
        }
    }
}

/// A list link as an option.
fn link(pod: u32) -> Option<u32> {
    (pod != NONE).then_some(pod)
}

fn append(entries: &mut [Entry], list: &mut List, pod: u32) {
    let entry = &mut entries[pod as usize];
    (entry.previous, entry.next) = (list.tail, NONE);
    if list.tail == NONE {
        list.head = pod;
    } else {
        entries[list.tail as usize].next = pod;
    }
    list.tail = pod;
    list.len += 1;
}

fn unlink(entries: &mut [Entry], list: &mut List, pod: u32) {
    let Entry { previous, next, .. } = entries[pod as usize];
    if previous == NONE {
        list.head = next;
    } else {
        entries[previous as usize].next = next;
    }
    if next == NONE {
        list.tail = previous;
    } else {
        entries[next as usize].previous = previous;
    }
    list.len -= 1;
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn backoff_doubles_to_its_maximum() {
        let profile = QueueProfile::kubernetes(31);
        let got: Vec<i64> = (0..8).map(|attempts| profile.backoff_ms(attempts) / 1_000).collect();
        assert_eq!(got, [0, 1, 2, 4, 8, 10, 10, 10]);
        let odd = QueueProfile { initial_backoff_ms: 0, ..profile };
        assert_eq!(odd.backoff_ms(255), 0);
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
    fn backoff_windows_of_1_33_end_with_their_second() {
        let profile = QueueProfile::kubernetes(33);
        assert_eq!(profile.flushed_at(5_400), 6_000);
        assert_eq!(profile.flushed_at(5_000), 6_000);
        assert!(profile.backing_off(5_000, 5_999));
        assert!(!profile.backing_off(5_999, 6_000));
        let older = QueueProfile::kubernetes(31);
        assert_eq!(older.flushed_at(5_000), 5_000);
        assert!(!older.backing_off(5_000, 5_000));
        assert!(older.backing_off(5_001, 5_000));
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
        assert_eq!(r.attempts(PodId(1)), 2);
        r.remove(PodId(1));
        assert!(r.is_empty());
        assert_eq!(r.next_wake(SimTime(330_000)), None);
        assert_eq!(r.unschedulable_classes().count(), 0);
    }

    #[test]
    fn exactly_five_minutes_is_not_yet_leftover() {
        // Unschedulable since 30 s: at 330 s it is not older than 5 minutes.
        assert_eq!(leftover_at(30_000), 360_000);
        assert_eq!(leftover_at(29_999), 330_000);
    }

    #[test]
    fn removed_pods_do_not_pile_up() {
        let mut q = queue(31);
        for round in 0..10_000 {
            q.push_new(PodId(round % 3), A, SimTime(0));
            q.remove(PodId(round % 3));
        }
        assert!(q.active.len() < 200);
        assert_eq!(q.pop(SimTime(0)), None);
        assert_eq!(q.stale_active, 0);
        assert!(size_of::<Entry>() <= 32 && size_of::<Backoff>() <= 24);
    }
}
