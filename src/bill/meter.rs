//! From a run in milliseconds to billed time per clock hour.
//!
//! AWS bills whole seconds, at least 60 per run: `max(60, ceil(run))`
//! (spec of EC2 per-second billing; Fargate, Linux; Windows on Fargate has a
//! longer minimum). Clock hours take the milliseconds that really ran in them;
//! what is billed beyond, the rest of the last second and the rest of the
//! minimum, are amounts of their own in the clock hour of the run's last
//! millisecond. The three add up to the billed seconds of the run exactly.
//!
//! A run cut by the start of the cost window keeps what ran inside and, if it
//! ends inside, its whole rounding and minimum: they fall due at the end. The end
//! of the record ends every run.

use crate::units::{HOUR_MS, SECOND_MS};
use crate::{Error, Result};

/// A clock hour as lines hold it.
pub(super) fn clock_hour(hour: i64) -> Result<i32> {
    i32::try_from(hour).map_err(|_| Error::failed("a clock hour leaves i32"))
}

/// The cost window [from, to), Unix milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Window {
    /// First clock hour touched.
    pub(super) fn first_hour(self) -> i64 {
        self.from.div_euclid(HOUR_MS)
    }

    /// Clock hours touched.
    pub(super) fn hours(self) -> usize {
        if self.to <= self.from {
            return 0;
        }
        ((self.to - 1).div_euclid(HOUR_MS) - self.first_hour() + 1) as usize
    }

    /// Milliseconds of [from, to) inside the window.
    pub(super) fn overlap(self, from: i64, to: i64) -> i64 {
        (to.min(self.to) - from.max(self.from)).max(0)
    }

    /// As [`Window::overlap`], of one of its hours (0 is the first).
    pub(super) fn overlap_in_hour(self, hour: usize, from: i64, to: i64) -> i64 {
        let start = (self.first_hour() + hour as i64) * HOUR_MS;
        self.overlap(from.max(start), to.min(start + HOUR_MS))
    }
}

/// A metered run, clipped to the cost window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// Start inside the window, Unix milliseconds.
    from: i64,
    /// End inside the window; not after `from` where nothing ran inside.
    to: i64,
    /// Billed to fill the last second, milliseconds.
    pub(super) rounding_ms: i64,
    /// Billed to fill the minimum, milliseconds.
    pub(super) minimum_ms: i64,
    /// Clock hour of the last millisecond: where both are charged.
    pub(super) last_hour: i64,
}

impl Run {
    /// The run [start, end), Unix milliseconds, of which at least `minimum_ms`
    /// are billed; `None` where nothing of it is.
    pub(super) fn new(window: Window, start: i64, end: i64, minimum_ms: i64) -> Option<Run> {
        let end = end.max(start);
        let length = end - start;
        let last = (end - 1).max(start);
        let due = window.from <= last && last < window.to;
        let (rounding_ms, minimum_ms) = if due {
            let seconds = (length + SECOND_MS - 1).div_euclid(SECOND_MS) * SECOND_MS;
            (seconds - length, (minimum_ms - seconds).max(0))
        } else {
            (0, 0)
        };
        let run = Run {
            from: start.max(window.from),
            to: end.min(window.to),
            rounding_ms,
            minimum_ms,
            last_hour: last.div_euclid(HOUR_MS),
        };
        (!run.is_empty()).then_some(run)
    }

    /// What of the run lies in [from, to), Unix milliseconds; rounding and
    /// minimum fall to the last part.
    pub(super) fn part(self, from: i64, to: i64, last: bool) -> Run {
        let (rounding_ms, minimum_ms) =
            if last { (self.rounding_ms, self.minimum_ms) } else { (0, 0) };
        Run {
            from: self.from.max(from),
            to: self.to.min(to),
            rounding_ms,
            minimum_ms,
            last_hour: self.last_hour,
        }
    }

    /// Whether nothing of it is billed.
    pub(super) fn is_empty(self) -> bool {
        self.from >= self.to && self.rounding_ms + self.minimum_ms == 0
    }

    /// (Clock hour, milliseconds run in it), ascending, none empty.
    pub(super) fn hours(self) -> impl Iterator<Item = (i64, i64)> {
        let mut at = self.from;
        std::iter::from_fn(move || {
            if at >= self.to {
                return None;
            }
            let hour = at.div_euclid(HOUR_MS);
            let next = ((hour + 1) * HOUR_MS).min(self.to);
            let ms = next - at;
            at = next;
            Some((hour, ms))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::MINUTE_MS;

    const DAY: Window = Window { from: 0, to: 24 * HOUR_MS };

    #[test]
    fn hours_take_what_ran_in_them() {
        let run = Run::new(DAY, 30 * MINUTE_MS, 2 * HOUR_MS + 1, MINUTE_MS).expect("billed");
        let hours: Vec<(i64, i64)> = run.hours().collect();
        assert_eq!(hours, [(0, 30 * MINUTE_MS), (1, HOUR_MS), (2, 1)]);
        assert_eq!((run.rounding_ms, run.minimum_ms, run.last_hour), (999, 0, 2));
    }

    #[test]
    fn a_short_run_pays_a_minute() {
        // 12.3 s: 13 s billed by the second, 47 s more for the minute.
        let run = Run::new(DAY, 1_000, 13_300, MINUTE_MS).expect("billed");
        assert_eq!((run.rounding_ms, run.minimum_ms), (700, 47_000));
        let nothing = Run::new(DAY, 1_000, 1_000, MINUTE_MS).expect("billed");
        assert_eq!((nothing.rounding_ms, nothing.minimum_ms), (0, 60_000));
        assert_eq!(nothing.hours().count(), 0);
    }

    #[test]
    fn a_minimum_may_be_longer() {
        // Four minutes and 0.2 s of five: 241 s by the second, 59 s more.
        let run = Run::new(DAY, 0, 4 * MINUTE_MS + 200, 5 * MINUTE_MS).expect("billed");
        assert_eq!((run.rounding_ms, run.minimum_ms), (800, 59_000));
        let long = Run::new(DAY, 0, 5 * MINUTE_MS + 1, 5 * MINUTE_MS).expect("billed");
        assert_eq!((long.rounding_ms, long.minimum_ms), (999, 0));
        // None at all: whole seconds.
        let free = Run::new(DAY, 0, 1_500, 0).expect("billed");
        assert_eq!((free.rounding_ms, free.minimum_ms), (500, 0));
    }

    #[test]
    fn the_window_cuts() {
        let window = Window { from: HOUR_MS, to: 2 * HOUR_MS };
        // Ended before: nothing. Cut by the start: the whole minimum.
        assert_eq!(Run::new(window, 0, HOUR_MS, MINUTE_MS), None);
        let cut = Run::new(window, HOUR_MS - 10_000, HOUR_MS + 500, MINUTE_MS).expect("billed");
        assert_eq!(cut.hours().collect::<Vec<_>>(), [(1, 500)]);
        assert_eq!((cut.rounding_ms, cut.minimum_ms), (500, 49_000));
        // Ends after the window: what ran inside, nothing more.
        let open =
            Run::new(window, 2 * HOUR_MS - 1_500, 2 * HOUR_MS + 1, MINUTE_MS).expect("billed");
        assert_eq!(open.hours().collect::<Vec<_>>(), [(1, 1_500)]);
        assert_eq!((open.rounding_ms, open.minimum_ms), (0, 0));
        assert_eq!(Run::new(window, 2 * HOUR_MS, 2 * HOUR_MS, MINUTE_MS), None);
    }

    proptest! {
        #[test]
        fn billed_is_whole_seconds_and_at_least_a_minute(
            start in 0i64..20 * HOUR_MS, length in 0i64..4 * HOUR_MS - 1
        ) {
            let run = Run::new(DAY, start, start + length, MINUTE_MS).expect("billed");
            let ran: i64 = run.hours().map(|(_, ms)| ms).sum();
            prop_assert_eq!(ran, length);
            let seconds = length / SECOND_MS + i64::from(length % SECOND_MS > 0);
            prop_assert_eq!(ran + run.rounding_ms + run.minimum_ms, seconds.max(60) * SECOND_MS);
        }
    }
}
