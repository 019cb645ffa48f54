//! The timeline: time-weighted means over equal steps.
//!
//! The end of a run is not known in advance, so the step starts at a minute
//! and doubles, merging neighbours, whenever the points exceed their bound:
//! memory stays constant and a year costs no more than a day.

use super::record::TimelinePoint;
use crate::units::{MINUTE_MS, SimTime};

/// Points at most.
const MAX_POINTS: usize = 1_024;

/// What is counted, as levels that hold until changed. Cpu in milli-cores,
/// memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levels {
    /// Pods submitted and not bound.
    pub pending: i64,
    /// Pods bound and not ended.
    pub running: i64,
    /// Of Ready nodes and Fargate sizes.
    pub cpu_allocatable: i64,
    /// Requested.
    pub cpu_requested: i64,
    /// Used, where known.
    pub cpu_used: i64,
    /// Of Ready nodes and Fargate sizes.
    pub memory_allocatable: i64,
    /// Requested.
    pub memory_requested: i64,
    /// Used, where known.
    pub memory_used: i64,
    /// Fargate pods billed.
    pub fargate: i64,
}

/// Sums over the step being filled: level × ms.
type Sums = [i128; 9];

/// The timeline under construction.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Current levels; change them after [`Timeline::advance`].
    pub levels: Levels,
    last: i64,
    step: i64,
    current: Sums,
    /// End of the step being filled.
    until: i64,
    closed: Vec<Sums>,
}

impl Default for Timeline {
    fn default() -> Self {
        Timeline {
            levels: Levels::default(),
            last: 0,
            step: MINUTE_MS,
            current: Sums::default(),
            until: MINUTE_MS,
            closed: Vec::new(),
        }
    }
}

impl Levels {
    fn values(&self) -> [i64; 9] {
        [
            self.pending,
            self.running,
            self.cpu_allocatable,
            self.cpu_requested,
            self.cpu_used,
            self.memory_allocatable,
            self.memory_requested,
            self.memory_used,
            self.fargate,
        ]
    }
}

impl Timeline {
    /// Integrates the levels up to `now`. Call before changing them.
    #[inline]
    pub fn advance(&mut self, now: SimTime) {
        if now.ms() > self.last {
            self.integrate(now.ms());
        }
    }

    fn integrate(&mut self, now: i64) {
        let values = self.levels.values();
        while now >= self.until {
            let dt = self.until - self.last;
            add(&mut self.current, &values, dt);
            self.last = self.until;
            self.closed.push(std::mem::take(&mut self.current));
            if self.closed.len() == MAX_POINTS {
                self.closed = self.closed.chunks(2).map(merge).collect();
                self.step *= 2;
            }
            self.until = self.closed.len() as i64 * self.step + self.step;
        }
        add(&mut self.current, &values, now - self.last);
        self.last = now;
    }

    /// Ends the timeline; returns the points and the step in ms. The last
    /// point is the mean over the part of its step that was run.
    #[must_use]
    pub fn finish(mut self, end: SimTime) -> (Vec<TimelinePoint>, i64) {
        self.advance(end);
        let rest = self.last - (self.until - self.step);
        let mut points: Vec<TimelinePoint> = self
            .closed
            .iter()
            .enumerate()
            .map(|(i, sums)| point(i as i64 * self.step, sums, self.step))
            .collect();
        if rest > 0 {
            points.push(point(self.until - self.step, &self.current, rest));
        }
        (points, self.step)
    }
}

fn add(sums: &mut Sums, values: &[i64; 9], dt: i64) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += i128::from(*value) * i128::from(dt);
    }
}

fn merge(pair: &[Sums]) -> Sums {
    let mut sums = Sums::default();
    for half in pair {
        for (sum, part) in sums.iter_mut().zip(half) {
            *sum += part;
        }
    }
    sums
}

fn point(at: i64, sums: &Sums, width: i64) -> TimelinePoint {
    let mean = |i: usize| sums[i] as f64 / width as f64;
    TimelinePoint {
        at: SimTime(at),
        pending: mean(0),
        running: mean(1),
        cpu_allocatable: mean(2),
        cpu_requested: mean(3),
        cpu_used: mean(4),
        memory_allocatable: mean(5),
        memory_requested: mean(6),
        memory_used: mean(7),
        fargate: mean(8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_time_weighted() {
        let mut t = Timeline::default();
        t.levels.pending = 2;
        t.advance(SimTime(30_000));
        t.levels.pending = 4;
        let (points, step) = t.finish(SimTime(90_000));
        assert_eq!(step, MINUTE_MS);
        assert_eq!(points.len(), 2);
        assert!((points[0].pending - 3.0).abs() < 1e-12);
        assert!((points[1].pending - 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_long_run_keeps_its_integral_in_bounded_space() {
        let mut t = Timeline::default();
        t.levels.running = 5;
        let end = 400 * crate::units::DAY_MS;
        let (points, step) = t.finish(SimTime(end));
        assert!(points.len() <= MAX_POINTS);
        let last = points.len() as i64 - 1;
        let integral: f64 = points[..last as usize].iter().map(|p| p.running * step as f64).sum();
        let rest = (end - last * step) as f64 * points[last as usize].running;
        assert!(((integral + rest) / (5.0 * end as f64) - 1.0).abs() < 1e-9);
    }
}
