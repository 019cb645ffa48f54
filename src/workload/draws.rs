//! What a source knows of its pods only as a distribution: when within an
//! interval they arrive, and how long they run. Drawn anew for each seed.

use std::sync::Arc;

use super::model::{Trace, TraceRow};
use super::source::MAX_ROWS;
use crate::error::{Error, Result};
use crate::rng::Draws;

/// How the pods of a row come to differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDraws {
    /// They arrive uniformly within this time from the row's arrival on,
    /// milliseconds.
    pub within_ms: i64,
    /// Quantiles of their run time: parts per million, from 0 to 1,000,000,
    /// and microseconds, both ascending. Empty: all run as long as the row
    /// says.
    pub run_us: Vec<(u32, i64)>,
}

impl RowDraws {
    /// The run time at `share` of the distribution, linear between quantiles,
    /// rounded up to milliseconds.
    fn run_ms(&self, share: f64) -> Option<i64> {
        let ppm = share * 1e6;
        let above = self.run_us.partition_point(|(at, _)| f64::from(*at) <= ppm);
        let (low, low_us) = *self.run_us.get(above.checked_sub(1)?)?;
        let us = match self.run_us.get(above) {
            None => low_us as f64,
            Some((high, high_us)) => {
                let part = (ppm - f64::from(low)) / f64::from(high - low);
                low_us as f64 + part * (high_us - low_us) as f64
            }
        };
        Some((us / 1e3).ceil() as i64)
    }
}

/// The trace of workload `name` for a seed: every row that draws becomes a row
/// for each of its pods. Draws are keyed by the pod's number in the trace.
///
/// # Errors
/// When it becomes longer than a trace may be.
pub(super) fn draw(trace: &Trace, name: &str, seed: u64) -> Result<Arc<Trace>> {
    let (arrival_key, run_key) = (format!("arrival in row/{name}"), format!("run in row/{name}"));
    let mut drawn = Trace::default();
    let mut pod = 0u64;
    for at in 0..trace.len() {
        let row = trace.row(at);
        let count = u64::from(row.count);
        let draws = row.draws.and_then(|i| trace.draws().get(i as usize));
        let rows = if draws.is_some() { count } else { 1 };
        if drawn.len() as u64 + rows > MAX_ROWS {
            return Err(Error::input(format!(
                "workload `{name}`: more than {MAX_ROWS} pods; split the trace"
            )));
        }
        match draws {
            None => drawn.push_row(&TraceRow { draws: None, ..row }),
            Some(draws) => {
                for pod in pod..pod + count {
                    let within = draws.within_ms.unsigned_abs();
                    let offset = Draws::new(seed, &arrival_key, pod).below(within) as i64;
                    let run = draws.run_ms(Draws::new(seed, &run_key, pod).unit());
                    drawn.push_row(&TraceRow {
                        arrival_ms: row.arrival_ms + offset,
                        duration_ms: run.unwrap_or(row.duration_ms),
                        count: 1,
                        draws: None,
                        ..row
                    });
                }
            }
        }
        pod += count;
    }
    drawn.sort();
    drawn.shrink_to_fit();
    Ok(Arc::new(drawn))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws() -> RowDraws {
        let run_us = vec![(0, 1_000), (500_000, 2_000), (1_000_000, 10_000)];
        RowDraws { within_ms: 60_000, run_us }
    }

    #[test]
    fn run_times_lie_between_the_quantiles() {
        let at = |share| draws().run_ms(share);
        assert_eq!(at(0.0), Some(1));
        // Half-way from 1 to 2 ms, rounded up; then from 2 to 10 ms.
        assert_eq!((at(0.25), at(0.5), at(0.75)), (Some(2), Some(2), Some(6)));
        assert_eq!(at(1.0), Some(10));
        assert_eq!(RowDraws { within_ms: 1, run_us: vec![] }.run_ms(0.5), None);
    }

    #[test]
    fn pods_are_spread_over_their_interval() {
        let mut trace = Trace::default();
        trace.set_draws(vec![draws()]);
        let plain = TraceRow { arrival_ms: 10, duration_ms: 7, count: 3, ..TraceRow::default() };
        trace.push_row(&plain);
        let many = TraceRow { arrival_ms: 60_000, count: 1_000, draws: Some(0), ..plain };
        trace.push_row(&many);
        let one = draw(&trace, "w", 1).expect("short");
        assert_eq!((one.len(), one.pods()), (1_001, 1_003));
        assert_eq!(one.row(0), plain);
        assert!(one.arrival_ms.is_sorted());
        assert!(one.arrival_ms[1..].iter().all(|at| (60_000..120_000).contains(at)));
        assert!(one.duration_ms[1..].iter().all(|run| (1..=10).contains(run)));
        let mean = one.arrival_ms[1..].iter().sum::<i64>() as f64 / 1e3;
        assert!((mean - 90_000.0).abs() < 2_000.0, "{mean}");
        // Mean of the quantiles: (1.5 + 6) / 2 = 3.75, and half a millisecond by rounding.
        let mean = one.duration_ms[1..].iter().sum::<i64>() as f64 / 1e3;
        assert!((mean - 4.25).abs() < 0.3, "{mean}");
        assert_eq!(draw(&trace, "w", 1).expect("short"), one);
        assert_ne!(draw(&trace, "w", 2).expect("short"), one);
        assert_ne!(draw(&trace, "v", 1).expect("short"), one);
    }
}
