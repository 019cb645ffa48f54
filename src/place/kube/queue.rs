//! The pending pods: `activeQ`, `backoffQ` and the unschedulable pods
//! (kube-scheduler 1.31 `internal/queue/scheduling_queue.go`, 1.33
//! `backend/queue/backoff_queue.go`).
//!
//! Tickless: what the real queue moves at its 1 s and 30 s ticks is moved
//! when the queue is next asked, as of those ticks, and
//! [`SchedulingQueue::next_wake`] says when something can next be popped.
//! Ticks lie at whole multiples since the start of the run.
//!
//! A long backlog is kept as [`Run`]s of up to 2,048 pods, in which pods that
//! became pending or failed one after the other follow each other. An event
//! moves whole runs, and the attempts of pods that no node can hold are made
//! in bulk (`hopeless`): both cost by the run, not by the pod. Only pods that
//! are tried against the nodes, arrive or leave are touched one by one.
//!
//! A pod takes 8 bytes here, plus 4 in a run whose stamps follow a step, else
//! 12; a run takes some 130. Deleting a pending pod searches the runs.
//!
//! Measured: 100,000 pods of 6 classes, submitted at once to 100 nodes of 64
//! cores, until all have run for some hours each: 0.6 s for 4.7·10⁹ attempts
//! of a scheduler without a rate, 1.0 s for 52·10⁶ at 100 a second.

mod gates;
mod hopeless;
mod position;
mod profile;
mod run;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use crate::cluster::PodId;
use crate::units::SimTime;
use crate::workload::{ClassId, PodClass};

pub use hopeless::Failures;
pub use position::Position;
pub use profile::QueueProfile;
use profile::leftover_at;
use run::{Key, LONGEST, Place, Run, SHORT, Series};

/// No run.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    /// In a run.
    Queued,
    /// Popped; its attempt is under way.
    InFlight,
    /// Behind its gates, in no run.
    Gated,
}

/// One pod of the slab.
#[derive(Debug, Clone, Copy)]
struct Entry {
    class: u32,
    /// Attempts of a pod in flight, this one included, as far as back-off
    /// tells them apart.
    level: u8,
    state: State,
}

const ABSENT: Entry = Entry { class: 0, level: 0, state: State::Absent };

#[derive(Debug, Clone, Copy)]
struct Class {
    /// Index of its priority, highest first.
    rank: u32,
    /// Pods in the queue.
    pods: u32,
    /// Those of which an attempt failed.
    failed: u32,
    /// No node can hold a pod of it for the time being.
    hopeless: bool,
}

/// A run in the order in which its first pod is due. For active pods `ready`
/// is 0; for others the tick at which they become active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Top {
    ready: i64,
    rank: u32,
    key: Key,
    run: u32,
}

/// `activeQ` or `backoffQ`.
#[derive(Debug, Clone, Default)]
struct Lane {
    /// Its runs, none of them empty.
    tops: BinaryHeap<Reverse<Top>>,
    pods: usize,
    /// Bits of the classes in it; may have some too many.
    mask: u64,
}

/// The queue of one scheduler. Times passed in must not decrease.
#[derive(Debug, Clone)]
pub struct SchedulingQueue {
    profile: QueueProfile,
    /// Back-off by attempts; the last one is that of all further attempts.
    backoffs: Vec<i64>,
    entries: Vec<Entry>,
    classes: Vec<Class>,
    runs: Vec<Run>,
    free: Vec<u32>,
    active: Lane,
    backoff: Lane,
    /// Runs of unschedulable pods, none of them empty.
    unschedulable: Vec<u32>,
    unschedulable_pods: usize,
    /// No unschedulable pod is older than this.
    oldest: i64,
    /// By rank and level: the run to which further pods may be added.
    tails: Vec<u32>,
    /// Classes with pods in the queue that are not hopeless, by bit.
    hopeful: [u32; 64],
    /// The bits with such classes.
    hopeful_mask: u64,
    hopeless: Vec<u32>,
    pods: usize,
    /// Failed attempts so far.
    failures: u64,
    /// Runs of new pods so far.
    serial: u32,
    /// Pods behind gates.
    gated: FxHashMap<u32, gates::Turn>,
    now: i64,
    /// Makes every attempt one by one.
    #[cfg(test)]
    singly: bool,
}

impl SchedulingQueue {
    /// An empty queue for pods of these classes.
    #[must_use]
    pub fn new(profile: QueueProfile, classes: &[PodClass]) -> Self {
        let mut priorities: Vec<i32> = classes.iter().map(|class| class.priority).collect();
        priorities.sort_unstable_by_key(|priority| Reverse(*priority));
        priorities.dedup();
        let rank = |class: &PodClass| priorities.partition_point(|p| *p > class.priority) as u32;
        let class = |class| Class { rank: rank(class), pods: 0, failed: 0, hopeless: false };
        let backoffs = profile.backoffs();
        SchedulingQueue {
            profile,
            entries: Vec::new(),
            classes: classes.iter().map(class).collect(),
            runs: Vec::new(),
            free: Vec::new(),
            active: Lane::default(),
            backoff: Lane::default(),
            unschedulable: Vec::new(),
            unschedulable_pods: 0,
            oldest: i64::MAX,
            tails: vec![NONE; priorities.len() * backoffs.len()],
            backoffs,
            hopeful: [0; 64],
            hopeful_mask: 0,
            hopeless: Vec::new(),
            pods: 0,
            failures: 0,
            serial: 0,
            gated: FxHashMap::default(),
            now: 0,
            #[cfg(test)]
            singly: false,
        }
    }

    /// How it behaves.
    #[must_use]
    pub fn profile(&self) -> &QueueProfile {
        &self.profile
    }

    /// Pods in the queue, the one in flight included; those behind gates are
    /// not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pods
    }

    /// Whether no pod is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pods == 0
    }

    /// A pod was submitted.
    pub fn push_new(&mut self, pod: PodId, class: ClassId, now: SimTime) {
        self.clock(now);
        self.enter(pod, class, State::Queued);
        let rank = self.join(class);
        let series = Series { failures: self.failures, us: now.0 * 1_000, step_us: 0 };
        let tail = &mut self.tails[rank as usize * self.backoffs.len()];
        if let Some(run) = self.runs.get_mut(*tail as usize)
            && (run.place, run.level, run.rank) == (Place::Active, 0, rank)
            && run.extend(&[pod.0], bit(class.0), 0, series)
        {
            return;
        }
        let id = unused(&mut self.runs, &mut self.free);
        *tail = id;
        self.serial += 1;
        let run = &mut self.runs[id as usize];
        (run.place, run.rank, run.serial) = (Place::Active, rank, self.serial);
        run.extend(&[pod.0], bit(class.0), 0, series);
        let top = self.top_of(id, 0);
        self.active.tops.push(Reverse(top));
    }

    /// A pod becomes known.
    fn enter(&mut self, pod: PodId, class: ClassId, state: State) {
        let at = pod.0 as usize;
        if at >= self.entries.len() {
            self.entries.resize(at + 1, ABSENT);
        }
        let entry = &mut self.entries[at];
        assert!(entry.state == State::Absent, "a pod is pending twice");
        *entry = Entry { class: class.0, level: 0, state };
    }

    /// A new pod of the class is active; returns the rank of its priority.
    fn join(&mut self, class: ClassId) -> u32 {
        self.pods += 1;
        self.active.pods += 1;
        self.active.mask |= bit(class.0);
        let Class { rank, pods, hopeless, .. } = &mut self.classes[class.index()];
        let rank = *rank;
        *pods += 1;
        if *pods == 1 && !*hopeless {
            self.add_hopeful(class.0);
        }
        rank
    }

    /// The next pod to try: highest priority, then longest in the queue. Its
    /// attempt counts from here; follow with [`SchedulingQueue::fail`] or
    /// [`SchedulingQueue::remove`].
    ///
    /// Pods of one timestamp, whose order upstream leaves open, come in the
    /// order in which they got it.
    pub fn pop(&mut self, now: SimTime) -> Option<(PodId, ClassId)> {
        self.flush(now);
        let id = self.lane()?.tops.peek()?.0.run;
        let run = &mut self.runs[id as usize];
        let (place, pod) = (run.place, run.pods()[0]);
        let level = self.next_level(id);
        let run = &mut self.runs[id as usize];
        run.advance(1);
        let left = run.is_empty();
        let top = if left { None } else { Some(self.top_of(id, 0)) };
        let lane = self.lane_of(place);
        lane.leave(1);
        if let Some(top) = top {
            if let Some(mut first) = lane.tops.peek_mut() {
                first.0 = top;
            }
        } else {
            lane.tops.pop();
            self.release(id);
        }
        let entry = &mut self.entries[pod as usize];
        entry.state = State::InFlight;
        entry.level = level;
        Some((PodId(pod), ClassId(entry.class)))
    }

    /// The attempt of a popped pod found no node. `event_since` says whether
    /// anything that could help it happened after the attempt took its view
    /// of the cluster: then it backs off, otherwise it waits for an event.
    pub fn fail(&mut self, pod: PodId, now: SimTime, event_since: bool) {
        self.fail_at(pod, now.0 * 1_000, event_since);
    }

    /// As [`SchedulingQueue::fail`] at a time in microseconds. Timestamps are
    /// milliseconds; but pods that fail at equal steps take less memory.
    pub fn fail_at(&mut self, pod: PodId, us: i64, event_since: bool) {
        let now = SimTime(us.div_euclid(1_000));
        self.flush(now);
        let entry = &mut self.entries[pod.0 as usize];
        assert!(entry.state == State::InFlight, "only a popped pod can fail");
        entry.state = State::Queued;
        let (class, level) = (entry.class, entry.level);
        let rank = self.classes[class as usize].rank;
        if level == 1 {
            self.classes[class as usize].failed += 1;
        }
        self.failures += 1;
        let series = Series { failures: self.failures, us, step_us: 0 };
        let tail = if event_since { NONE } else { self.tail(rank, level) };
        if let Some(run) = self.runs.get_mut(tail as usize)
            && run.extend(&[pod.0], bit(class), 1, series)
        {
            self.enter_unschedulable(1, us);
            return;
        }
        let id = unused(&mut self.runs, &mut self.free);
        let run = &mut self.runs[id as usize];
        run.extend(&[pod.0], bit(class), 1, series);
        (run.rank, run.level) = (rank, level);
        if event_since {
            self.requeue(id, now.0);
        } else {
            self.enter_unschedulable(1, us);
            self.add_unschedulable(id);
        }
    }

    /// The pod left: it was bound, or deleted while it waited.
    pub fn remove(&mut self, pod: PodId) {
        let Some(entry) = self.entries.get_mut(pod.0 as usize) else { return };
        let gone = std::mem::replace(entry, ABSENT);
        let failed = match gone.state {
            State::Absent => return,
            State::InFlight => gone.level > 1,
            State::Queued => self.take_out(pod.0, gone.class),
            State::Gated => {
                self.gated.remove(&pod.0);
                return;
            }
        };
        self.pods -= 1;
        let class = &mut self.classes[gone.class as usize];
        class.failed -= u32::from(failed);
        class.pods -= 1;
        if class.pods == 0 && !class.hopeless {
            self.remove_hopeful(gone.class);
        }
    }

    /// Takes a pod out of the run it is in; returns whether it had failed.
    fn take_out(&mut self, pod: u32, class: u32) -> bool {
        let found = self.runs.iter().enumerate().find_map(|(id, run)| {
            let may_have = run.mask & bit(class) != 0;
            let at = may_have.then(|| run.pods().iter().position(|p| *p == pod)).flatten();
            at.map(|at| (id as u32, at))
        });
        let (id, at) = found.expect("a queued pod is in a run");
        let run = &mut self.runs[id as usize];
        run.take_out(at);
        let (place, failed, empty) = (run.place, run.level > 0, run.is_empty());
        if place == Place::Unschedulable {
            self.unschedulable_pods -= 1;
            if empty {
                self.unschedulable.retain(|other| *other != id);
            }
        } else {
            let top = (!empty).then(|| self.top_of(id, 0));
            let lane = self.lane_of(place);
            lane.leave(1);
            if at == 0 {
                lane.tops.retain(|Reverse(top)| top.run != id);
                lane.tops.extend(top.map(Reverse));
            }
        }
        if empty {
            self.release(id);
        }
        failed
    }

    /// An event happened: unschedulable pods of the classes for which it
    /// `helps` become active, or back off for what is left of their back-off.
    /// Returns how many moved.
    pub fn wake(&mut self, now: SimTime, mut helps: impl FnMut(ClassId) -> bool) -> usize {
        self.flush(now);
        if self.unschedulable.is_empty() {
            return 0;
        }
        let (mut yes, mut no) = (0, 0);
        let mut helped = vec![false; self.classes.len()];
        for (id, class) in self.classes.iter().enumerate() {
            if class.failed > 0 {
                helped[id] = helps(ClassId(id as u32));
                *(if helped[id] { &mut yes } else { &mut no }) |= bit(id as u32);
            }
        }
        let mut moved = 0;
        let mut kept = 0;
        for at in 0..self.unschedulable.len() {
            let id = self.unschedulable[at];
            let mask = self.runs[id as usize].mask;
            let id = if mask & no == 0 {
                Some(id)
            } else if mask & yes == 0 {
                None
            } else {
                self.pick(id, &helped)
            };
            if id != Some(self.unschedulable[at]) {
                self.unschedulable[kept] = self.unschedulable[at];
                kept += 1;
            }
            if let Some(id) = id {
                moved += self.runs[id as usize].len();
                self.requeue(id, now.0);
            }
        }
        self.unschedulable.truncate(kept);
        self.leave_unschedulable(moved);
        moved
    }

    /// The pods of a run whose class is helped, as a run; `None` for none.
    fn pick(&mut self, id: u32, helped: &[bool]) -> Option<u32> {
        let entries = &self.entries;
        let chosen = |pod: u32| helped[entries[pod as usize].class as usize];
        let run = &self.runs[id as usize];
        let count = run.pods().iter().filter(|pod| chosen(**pod)).count();
        if count == 0 || count == run.len() {
            return (count > 0).then_some(id);
        }
        let picked = unused(&mut self.runs, &mut self.free);
        let (run, other) = two(&mut self.runs, id, picked);
        run.pick(chosen, other);
        for id in [id, picked] {
            self.runs[id as usize].mask = self.mask_of(self.runs[id as usize].pods());
        }
        Some(picked)
    }

    /// When a pod can next be popped: `now` if one can be at once, `None` if
    /// only an event can change that. Never too late; for pods that wait for
    /// their five minutes it may be too early.
    pub fn next_wake(&mut self, now: SimTime) -> Option<SimTime> {
        self.flush(now);
        if self.lane().is_some() {
            return Some(now);
        }
        let backoff = self.backoff.tops.peek().map(|Reverse(top)| top.ready);
        let leftover = (self.unschedulable_pods > 0).then(|| leftover_at(self.oldest));
        [backoff, leftover].into_iter().flatten().min().map(SimTime)
    }

    /// Classes with pods of which an attempt failed and that are still not
    /// bound (what an autoscaler sees as unschedulable), with how many, in
    /// class order.
    pub fn unschedulable_classes(&self) -> impl Iterator<Item = (ClassId, u32)> + '_ {
        self.classes
            .iter()
            .enumerate()
            .map(|(i, class)| (ClassId(i as u32), class.failed))
            .filter(|(_, pods)| *pods > 0)
    }

    /// Those pods of one class that are not in flight: first those waiting
    /// for an event, then those already on their way to another attempt.
    pub fn unschedulable_pods(&self, class: ClassId) -> impl Iterator<Item = PodId> + '_ {
        let waiting = self.unschedulable.iter().map(|id| &self.runs[*id as usize]);
        let retrying =
            self.runs.iter().filter(|run| matches!(run.place, Place::Active | Place::Backoff));
        waiting
            .chain(retrying)
            .filter(move |run| run.level > 0 && run.mask & bit(class.0) != 0)
            .flat_map(Run::pods)
            .filter(move |pod| self.entries[**pod as usize].class == class.0)
            .map(|pod| PodId(*pod))
    }

    /// From here on, no attempt is made in bulk.
    #[cfg(test)]
    pub(crate) fn attempt_singly(&mut self) {
        self.singly = true;
    }

    fn clock(&mut self, now: SimTime) {
        debug_assert!(now.0 >= self.now, "queue time must not decrease");
        self.now = now.0;
    }

    /// Does what ticks up to `now` have done.
    fn flush(&mut self, now: SimTime) {
        self.clock(now);
        if self.unschedulable_pods > 0 && leftover_at(self.oldest) <= now.0 {
            self.flush_leftover(now.0);
        }
        while let Some(Reverse(top)) = self.backoff.tops.peek()
            && top.ready <= now.0
        {
            let id = top.run;
            self.backoff.tops.pop();
            let run = &self.runs[id as usize];
            self.backoff.leave(run.len());
            let due = run.prefix(|i| self.ready(run, i) <= now.0);
            self.split(id, due, Place::Backoff);
            self.enqueue(id, Place::Active);
        }
    }

    #[cold]
    fn flush_leftover(&mut self, now: i64) {
        let mut oldest = i64::MAX;
        let mut moved = 0;
        for id in std::mem::take(&mut self.unschedulable) {
            let mut id = Some(id);
            while let Some(first) = id {
                let run = &self.runs[first as usize];
                let tick = leftover_at(run.stamp(0));
                if tick > now {
                    oldest = oldest.min(run.stamp(0));
                    self.unschedulable.push(first);
                    break;
                }
                let due = run.prefix(|i| leftover_at(run.stamp(i)) <= tick);
                moved += due;
                id = self.split_off(first, due);
                self.requeue(first, tick);
            }
        }
        self.oldest = oldest;
        self.leave_unschedulable(moved);
    }

    fn leave_unschedulable(&mut self, pods: usize) {
        self.unschedulable_pods -= pods;
        if self.unschedulable_pods == 0 {
            self.oldest = i64::MAX;
        }
    }

    /// Sends a run on: into `backoffQ`, or `activeQ` what has backed off.
    fn requeue(&mut self, id: u32, now: i64) {
        let run = &self.runs[id as usize];
        let backoff = self.backoffs[usize::from(run.level)];
        let over = run.prefix(|i| !self.profile.backing_off(run.stamp(i) + backoff, now));
        if over == 0 {
            self.enqueue(id, Place::Backoff);
        } else {
            self.split(id, over, Place::Backoff);
            self.enqueue(id, Place::Active);
        }
    }

    /// Enqueues all but the first pods of a run.
    fn split(&mut self, id: u32, at: usize, place: Place) {
        if let Some(rest) = self.split_off(id, at) {
            self.enqueue(rest, place);
        }
    }

    /// All but the first pods of a run as another run.
    fn split_off(&mut self, id: u32, at: usize) -> Option<u32> {
        if at == self.runs[id as usize].len() {
            return None;
        }
        let rest = unused(&mut self.runs, &mut self.free);
        let (run, other) = two(&mut self.runs, id, rest);
        run.split_off(at, other);
        Some(rest)
    }

    fn enqueue(&mut self, id: u32, place: Place) {
        let run = &mut self.runs[id as usize];
        run.place = place;
        let (pods, mask) = (run.len(), run.mask);
        let top = self.top_of(id, 0);
        let lane = self.lane_of(place);
        lane.pods += pods;
        lane.mask |= mask;
        lane.tops.push(Reverse(top));
    }

    /// Pods became unschedulable, the first at this time.
    fn enter_unschedulable(&mut self, pods: usize, us: i64) {
        self.oldest = self.oldest.min(us.div_euclid(1_000));
        self.unschedulable_pods += pods;
    }

    /// A run of failed pods waits for an event, and for more of its kind.
    fn add_unschedulable(&mut self, id: u32) {
        let run = &mut self.runs[id as usize];
        run.place = Place::Unschedulable;
        let tail = run.rank as usize * self.backoffs.len() + usize::from(run.level);
        self.tails[tail] = id;
        self.unschedulable.push(id);
    }

    /// The run that takes further unschedulable pods, or `NONE`.
    fn tail(&self, rank: u32, level: u8) -> u32 {
        let id = self.tails[rank as usize * self.backoffs.len() + usize::from(level)];
        let kind = (Place::Unschedulable, rank, level);
        let fits = |run: &&Run| (run.place, run.rank, run.level) == kind;
        if self.runs.get(id as usize).as_ref().is_some_and(fits) { id } else { NONE }
    }

    /// Where the next pod comes from.
    fn lane(&mut self) -> Option<&mut Lane> {
        if self.active.pods > 0 {
            Some(&mut self.active)
        } else if self.profile.pop_from_backoff && self.backoff.pods > 0 {
            Some(&mut self.backoff)
        } else {
            None
        }
    }

    fn lane_of(&mut self, place: Place) -> &mut Lane {
        match place {
            Place::Active => &mut self.active,
            Place::Backoff => &mut self.backoff,
            Place::Free | Place::Unschedulable => unreachable!("a run that is not in a lane"),
        }
    }

    /// The tick that activates a pod of a run that backs off.
    fn ready(&self, run: &Run, i: usize) -> i64 {
        self.profile.flushed_at(run.stamp(i) + self.backoffs[usize::from(run.level)])
    }

    /// The place of a pod of a run in its lane.
    fn top_of(&self, id: u32, i: usize) -> Top {
        let run = &self.runs[id as usize];
        let ready = if run.place == Place::Backoff { self.ready(run, i) } else { 0 };
        Top { ready, rank: run.rank, key: run.key(i), run: id }
    }

    /// Level of the pods of a run after another attempt.
    fn next_level(&self, id: u32) -> u8 {
        (self.runs[id as usize].level + 1).min(self.backoffs.len() as u8 - 1)
    }

    fn mask_of(&self, pods: &[u32]) -> u64 {
        pods.iter().fold(0, |mask, pod| mask | bit(self.entries[*pod as usize].class))
    }

    fn release(&mut self, id: u32) {
        // A few keep all their memory: runs come and go with every event.
        let keep = if self.free.len() < 16 { LONGEST } else { SHORT };
        self.runs[id as usize].clear(keep);
        self.free.push(id);
    }
}

impl Lane {
    fn leave(&mut self, pods: usize) {
        self.pods -= pods;
        if self.pods == 0 {
            self.mask = 0;
        }
    }
}

/// Classes share bits where there are more than 64.
fn bit(class: u32) -> u64 {
    1 << (class % 64)
}

/// A run that is not in use.
fn unused(runs: &mut Vec<Run>, free: &mut Vec<u32>) -> u32 {
    free.pop().unwrap_or_else(|| {
        runs.push(Run::EMPTY);
        runs.len() as u32 - 1
    })
}

fn two(runs: &mut [Run], a: u32, b: u32) -> (&mut Run, &mut Run) {
    let [a, b] = runs.get_disjoint_mut([a as usize, b as usize]).expect("two different runs");
    (a, b)
}
