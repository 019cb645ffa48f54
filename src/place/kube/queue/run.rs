//! A run: pods of one priority and as many attempts, one behind the other in
//! the queue.
//!
//! Pods that fail one after the other get stamps that are one attempt apart,
//! so a run says them by its first stamp and a step, and a run that fails
//! again as a whole changes two numbers, however long it is. Where a pod was
//! taken out of the middle, or pods failed at odd times, the run falls back
//! on a mark per pod: 12 bytes a pod instead of 4.

/// Pods of a run at most: bounds the copying when it is split.
pub(super) const LONGEST: usize = 2_048;
/// A run shorter than this takes up pods at odd times, so that runs of one
/// pod do not pile up; a longer one keeps its step.
pub(super) const SHORT: usize = 16;

/// Where the pods of a run wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: the run is not in use.
    Free,
    Active,
    Backoff,
    Unschedulable,
}

/// Order of pods of one priority: of failures by their number, a new pod
/// behind the failures before it. This is the order of timestamps, with ties
/// in the order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    failures: u64,
    /// Ascends with runs of new pods, 0 for pods that failed.
    serial: u32,
}

/// Upstream's `Timestamp` (submitted, or the last failure) of a pod in a run
/// without a step.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Beyond the run's first.
    failures: u32,
    ms: u32,
}

/// Failures (or submissions) that follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    /// Number of the first failure; for new pods, of the last one before.
    pub(super) failures: u64,
    /// Time of the first, microseconds.
    pub(super) us: i64,
    /// Time from one to the next, microseconds.
    pub(super) step_us: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) place: Place,
    /// Attempts made, as far as back-off tells them apart.
    pub(super) level: u8,
    /// Index of the priority, highest first.
    pub(super) rank: u32,
    /// See [`Key::serial`].
    pub(super) serial: u32,
    /// 1 if failures number the pods.
    count_step: u32,
    /// Bits of the classes in the run; may have some too many.
    pub(super) mask: u64,
    /// Of the first pod; what marks count from, where there are marks.
    first: Series,
    /// Pods before this one have left.
    start: usize,
    pods: Vec<u32>,
    /// As many as pods, or none.
    marks: Vec<Mark>,
}

impl Run {
    pub(super) const EMPTY: Run = Run {
        place: Place::Free,
        level: 0,
        rank: 0,
        serial: 0,
        count_step: 0,
        mask: 0,
        first: Series { failures: 0, us: 0, step_us: 0 },
        start: 0,
        pods: Vec::new(),
        marks: Vec::new(),
    };

    pub(super) fn len(&self) -> usize {
        self.pods.len() - self.start
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pods.len() == self.start
    }

    pub(super) fn pods(&self) -> &[u32] {
        &self.pods[self.start..]
    }

    /// Number of the pod's failure.
    fn failures(&self, i: usize) -> u64 {
        match self.marks.get(self.start + i) {
            Some(mark) => self.first.failures + u64::from(mark.failures),
            None => self.first.failures + i as u64 * u64::from(self.count_step),
        }
    }

    pub(super) fn key(&self, i: usize) -> Key {
        Key { failures: self.failures(i), serial: self.serial }
    }

    /// The pod's timestamp, milliseconds. Does not descend along the run.
    pub(super) fn stamp(&self, i: usize) -> i64 {
        match self.marks.get(self.start + i) {
            Some(mark) => self.first.us.div_euclid(1_000) + i64::from(mark.ms),
            None => (self.first.us + i as i64 * self.first.step_us).div_euclid(1_000),
        }
    }

    /// How many pods from the front satisfy what none does after one that
    /// does not.
    pub(super) fn prefix(&self, holds: impl Fn(usize) -> bool) -> usize {
        let len = self.len();
        if len == 0 || holds(len - 1) {
            return len;
        }
        // Mostly the next run cuts in soon: double the step from the front.
        let (mut low, mut high) = (0, 1);
        while high < len - 1 && holds(high - 1) {
            (low, high) = (high, high * 2);
        }
        high = high.min(len - 1);
        while low < high {
            let middle = low.midpoint(high);
            if holds(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Adds pods at the end if the run can tell their stamps; `count_step` is
    /// 0 for new pods and 1 for failed ones.
    pub(super) fn extend(&mut self, pods: &[u32], mask: u64, count_step: u32, at: Series) -> bool {
        let len = self.len();
        if len == 0 {
            self.pods.clear();
            self.marks.clear();
            self.start = 0;
            self.mask = 0;
            self.first = at;
            self.count_step = count_step;
        } else if self.pods.len() + pods.len() > LONGEST {
            return false;
        } else if !self.continues(pods.len(), count_step, at) {
            if self.marks.is_empty() && len >= SHORT {
                return false;
            }
            let failures = at.failures + pods.len() as u64 - self.first.failures;
            let last_us = at.us + pods.len() as i64 * at.step_us;
            let ms = (last_us - self.first.us).div_euclid(1_000) + 1;
            if failures > u64::from(u32::MAX) || ms > i64::from(u32::MAX) {
                return false;
            }
            self.write_marks();
            for i in 0..pods.len() {
                let failures = at.failures + i as u64 * u64::from(count_step);
                let ms = (at.us + i as i64 * at.step_us).div_euclid(1_000);
                self.mark(failures, ms);
            }
        }
        self.pods.extend_from_slice(pods);
        self.mask |= mask;
        true
    }

    /// Whether the series goes on where the run's own ends, with its step.
    fn continues(&mut self, count: usize, count_step: u32, at: Series) -> bool {
        if !self.marks.is_empty() || self.count_step != count_step {
            return false;
        }
        let len = self.len();
        let step_us = at.us - self.first.us;
        if len == 1 && (count == 1 || step_us == at.step_us) {
            // One pod goes with any step.
            let next = at.failures == self.first.failures + u64::from(count_step);
            if next {
                self.first.step_us = step_us;
            }
            return next;
        }
        at.failures == self.failures(len)
            && step_us == len as i64 * self.first.step_us
            && (count == 1 || at.step_us == self.first.step_us)
    }

    /// All pods have failed again, one after the other.
    pub(super) fn fail(&mut self, level: u8, mask: u64, at: Series) {
        self.mask = mask;
        self.marks.clear();
        self.first = at;
        self.count_step = 1;
        self.serial = 0;
        self.level = level;
    }

    /// The first pods leave.
    pub(super) fn advance(&mut self, count: usize) {
        self.start += count;
        if self.marks.is_empty() {
            self.first.failures += count as u64 * u64::from(self.count_step);
            self.first.us += count as i64 * self.first.step_us;
        }
    }

    /// A pod leaves from anywhere.
    pub(super) fn take_out(&mut self, i: usize) {
        if i == 0 {
            self.advance(1);
        } else {
            if i + 1 < self.len() {
                self.write_marks();
            }
            self.pods.remove(self.start + i);
            if !self.marks.is_empty() {
                self.marks.remove(self.start + i);
            }
        }
    }

    /// Moves the pods from the `at`-th on to an unused run.
    pub(super) fn split_off(&mut self, at: usize, rest: &mut Run) {
        self.copy_kind(rest);
        rest.first = self.first;
        rest.pods.extend_from_slice(&self.pods[self.start + at..]);
        if self.marks.is_empty() {
            rest.first.failures = self.failures(at);
            rest.first.us += at as i64 * self.first.step_us;
        } else {
            rest.marks.extend_from_slice(&self.marks[self.start + at..]);
            self.marks.truncate(self.start + at);
        }
        self.pods.truncate(self.start + at);
    }

    /// Moves the pods that are `chosen` to an unused run.
    pub(super) fn pick(&mut self, chosen: impl Fn(u32) -> bool, picked: &mut Run) {
        self.copy_kind(picked);
        self.write_marks();
        picked.first = self.first;
        let mut kept = 0;
        for i in self.start..self.pods.len() {
            let (pod, mark) = (self.pods[i], self.marks[i]);
            if chosen(pod) {
                picked.pods.push(pod);
                picked.marks.push(mark);
            } else {
                (self.pods[kept], self.marks[kept]) = (pod, mark);
                kept += 1;
            }
        }
        self.start = 0;
        self.pods.truncate(kept);
        self.marks.truncate(kept);
    }

    fn copy_kind(&self, other: &mut Run) {
        debug_assert!(other.place == Place::Free && other.pods.is_empty(), "a run in use");
        other.place = self.place;
        other.level = self.level;
        other.rank = self.rank;
        other.serial = self.serial;
        other.count_step = self.count_step;
        other.mask = self.mask;
    }

    /// Takes the run out of use. Keeps memory for so many pods.
    pub(super) fn clear(&mut self, keep: usize) {
        let (mut pods, mut marks) =
            (std::mem::take(&mut self.pods), std::mem::take(&mut self.marks));
        *self = Run::EMPTY;
        if pods.capacity() <= keep {
            pods.clear();
            self.pods = pods;
        }
        if marks.capacity() <= keep {
            marks.clear();
            self.marks = marks;
        }
    }

    /// Says every stamp by a mark. Stamps are whole milliseconds, so what the
    /// first has beyond that can go.
    fn write_marks(&mut self) {
        if !self.marks.is_empty() {
            return;
        }
        let (failures, ms) = (self.failures(0), self.stamp(0));
        let all = (0..self.len()).map(|i| (self.failures(i), self.stamp(i))).collect::<Vec<_>>();
        self.pods.drain(..self.start);
        self.start = 0;
        self.first = Series { failures, us: ms * 1_000, step_us: 0 };
        for (failures, ms) in all {
            self.mark(failures, ms);
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        size_of::<Run>() + self.pods.capacity() * 4 + self.marks.capacity() * size_of::<Mark>()
    }

    fn mark(&mut self, failures: u64, ms: i64) {
        self.marks.push(Mark {
            failures: (failures - self.first.failures) as u32,
            ms: (ms - self.first.us.div_euclid(1_000)) as u32,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps(run: &Run) -> Vec<(u32, u64, i64)> {
        run.pods()
            .iter()
            .enumerate()
            .map(|(i, pod)| (*pod, run.failures(i), run.stamp(i)))
            .collect()
    }

    fn series(failures: u64, us: i64, step_us: i64) -> Series {
        Series { failures, us, step_us }
    }

    #[test]
    fn equal_steps_take_no_marks() {
        let mut run = Run::EMPTY;
        assert!(run.extend(&[7], 1, 1, series(5, 10_300, 0)));
        assert!(run.extend(&[8, 9], 2, 1, series(6, 10_700, 400)));
        assert!(run.extend(&[3], 2, 1, series(8, 11_500, 0)));
        assert!(run.marks.is_empty());
        assert_eq!(run.mask, 3);
        assert_eq!(stamps(&run), [(7, 5, 10), (8, 6, 10), (9, 7, 11), (3, 8, 11)]);
        run.advance(1);
        assert_eq!(stamps(&run), [(8, 6, 10), (9, 7, 11), (3, 8, 11)]);
        let mut rest = Run::EMPTY;
        run.split_off(1, &mut rest);
        assert_eq!(stamps(&run), [(8, 6, 10)]);
        assert_eq!(stamps(&rest), [(9, 7, 11), (3, 8, 11)]);
        rest.fail(2, 3, series(20, 50_000, 1_000));
        assert_eq!(stamps(&rest), [(9, 20, 50), (3, 21, 51)]);
    }

    #[test]
    fn odd_times_are_marked() {
        let mut run = Run::EMPTY;
        run.extend(&[0], 1, 1, series(1, 1_000, 0));
        run.extend(&[1], 1, 1, series(2, 4_999, 0));
        run.extend(&[2], 1, 1, series(9, 5_000, 0));
        run.extend(&[3, 4], 1, 1, series(10, 7_900, 200));
        let all = [(0, 1, 1), (1, 2, 4), (2, 9, 5), (3, 10, 7), (4, 11, 8)];
        assert_eq!(stamps(&run), all);
        let mut odd = Run::EMPTY;
        run.pick(|pod| pod % 2 == 1, &mut odd);
        assert_eq!(stamps(&odd), [all[1], all[3]]);
        assert_eq!(stamps(&run), [all[0], all[2], all[4]]);
        run.take_out(1);
        assert_eq!(stamps(&run), [all[0], all[4]]);
        run.advance(1);
        let mut rest = Run::EMPTY;
        run.split_off(0, &mut rest);
        assert_eq!(stamps(&rest), [all[4]]);
        assert!(run.is_empty());
    }

    #[test]
    fn long_runs_keep_their_step_and_end() {
        let mut run = Run::EMPTY;
        let pods: Vec<u32> = (0..LONGEST as u32).collect();
        assert!(run.extend(&pods[..SHORT], 1, 1, series(1, 0, 10)));
        assert!(!run.extend(&[99], 1, 1, series(18, 170, 0)));
        assert!(run.extend(&pods[SHORT..], 1, 1, series(17, 160, 10)));
        assert!(!run.extend(&[99], 1, 1, series(1_025, 10_240, 0)));
        assert_eq!(run.prefix(|i| run.stamp(i) < 3), 300);
        assert_eq!(run.prefix(|_| true), LONGEST);
        assert_eq!(run.prefix(|_| false), 0);
    }

    #[test]
    fn a_pod_out_of_the_middle_moves_no_other() {
        let mut run = Run::EMPTY;
        run.extend(&[0, 1, 2, 3, 4], 1, 1, series(1, 500, 1_500));
        run.take_out(4);
        assert!(run.marks.is_empty());
        run.take_out(1);
        assert_eq!(stamps(&run), [(0, 1, 0), (2, 3, 3), (3, 4, 5)]);
    }
}
