//! What-ifs about the work itself: more of it, less of it, other days of it.
//!
//! | setting | traces and generators | services |
//! | --- | --- | --- |
//! | `growth: 130%` | expected pods times 1.3 | demand times 1.3; replicas where there is no demand |
//! | `thin: 10%` | a tenth of the pods | the workload's own is refused; that of the scenario leaves them alone |
//! | `resample` | whole days, drawn with replacement | whole days of the demand |
//!
//! A setting of the scenario and one of the workload multiply; a workload's own
//! `resample` replaces the scenario's. Bounds on replicas stay, and so do
//! `DaemonSet`s.
//!
//! **Scaling.** The product of all factors is whole copies and a fraction. A
//! pod gets one more copy if its draw, a number between 0 and 1 keyed by seed,
//! workload and the pod's number, lies below the fraction. So a larger factor
//! keeps every pod of a smaller one, cases with different factors share their
//! pods, and a whole factor draws nothing. Copies arrive with their original. Pods
//! keep their numbers, by which their other draws are keyed.
//!
//! **Resampling** is a bootstrap of day blocks: every day of the new trace is a
//! whole day of the old one, from `time.start` on, drawn for each seed with
//! replacement. Days are drawn by the seed and the number of the day alone, so
//! that workloads with equally many days get the same ones: what belongs
//! together stays together. With `keep: weekday` a Monday is drawn from
//! Mondays. The last day counts if the trace reaches into its last hour. What
//! begins before midnight runs on after it; what follows the last whole day is
//! never drawn.
//!
//! Cost: about 30 ns a pod for a fraction, and a copy of the rows that are
//! kept; nothing where nothing is set.

use std::sync::Arc;

use super::draws;
use super::intern::TraceData;
use super::model::{Demand, Trace, TraceRow};
use super::source::MAX_ROWS;
use crate::error::{Error, Result};
use crate::rng::Draws;
use crate::units::{DAY_MS, HOUR_MS, MilliCpu, Percent, SimDuration, SimTime};

/// Numbers of pods of one trace stay below this.
const MAX_ORDINALS: u64 = 1 << 40;
/// Days of a week.
const WEEK: u64 = 7;

/// A positive factor as a fraction of whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor {
    numerator: u128,
    denominator: u128,
}

impl Factor {
    /// Nothing changes.
    pub const ONE: Factor = Factor { numerator: 1, denominator: 1 };

    /// The factor times a percentage.
    #[must_use]
    pub fn times(self, percent: Percent) -> Self {
        let reduce = |a: u128, b: u128| {
            let (mut x, mut y) = (a, b);
            while y > 0 {
                (x, y) = (y, x % y);
            }
            (a / x, b / x)
        };
        let (ppm, million) = reduce(u128::from(percent.ppm.unsigned_abs()), 1_000_000);
        let (ppm, denominator) = reduce(ppm, self.denominator);
        let (numerator, million) = reduce(self.numerator, million);
        Factor { numerator: numerator * ppm, denominator: denominator * million }
    }

    /// Whole copies.
    fn whole(self) -> u64 {
        u64::try_from(self.numerator / self.denominator).unwrap_or(u64::MAX)
    }

    /// What is left beyond whole copies, from 0 to below 1.
    fn fraction(self) -> f64 {
        (self.numerator % self.denominator) as f64 / self.denominator as f64
    }

    /// Whether it makes whole copies only, so that nothing is drawn.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.numerator.is_multiple_of(self.denominator)
    }

    /// A number times the factor, rounded up.
    fn scale(self, value: i64) -> i64 {
        let product = u128::from(value.unsigned_abs()) * self.numerator;
        i64::try_from(product.div_ceil(self.denominator)).unwrap_or(i64::MAX)
    }
}

/// A bootstrap of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resample {
    /// Days of the new sequence.
    pub days: u32,
    /// Whether each day of the week is drawn from its like.
    pub keep_weekday: bool,
}

impl Resample {
    /// Which of `source` days the `day`-th is.
    fn source_day(self, day: u64, source: u64, seed: u64) -> u64 {
        let mut draws = Draws::new(seed, "resampled day", day);
        if !self.keep_weekday {
            return draws.below(source);
        }
        // Days of one weekday are a week apart.
        let first = day % WEEK;
        first + WEEK * draws.below((source - first).div_ceil(WEEK))
    }

    /// Why so many days cannot be drawn from, if they cannot.
    #[must_use]
    pub fn fault(self, source_days: u64) -> Option<String> {
        if source_days == 0 {
            return Some("has no whole day to draw".to_owned());
        }
        let week = WEEK.min(u64::from(self.days));
        (self.keep_weekday && source_days < week)
            .then(|| format!("has {source_days} whole days: too few to keep days of the week"))
    }
}

/// What becomes of a workload before it is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transform {
    /// Growth times thinning.
    pub factor: Factor,
    /// Days drawn anew.
    pub resample: Option<Resample>,
}

impl Default for Transform {
    fn default() -> Self {
        Transform { factor: Factor::ONE, resample: None }
    }
}

/// Whole days that a sequence covers which ends at `last`: the last one counts
/// if it is reached into its last hour.
#[must_use]
pub fn whole_days(last_ms: i64) -> u64 {
    let days = last_ms.max(0) / DAY_MS;
    let rest = last_ms.max(0) % DAY_MS;
    days.unsigned_abs() + u64::from(rest >= DAY_MS - HOUR_MS)
}

/// Whole days of a demand that can be drawn: those of its period, or up to its
/// last value. 0 where the period is no whole number of days.
#[must_use]
pub fn demand_days(demand: &Demand) -> u64 {
    match demand.period {
        Some(period) if period.0 % DAY_MS == 0 => (period.0 / DAY_MS).unsigned_abs(),
        Some(_) => 0,
        None => whole_days(demand.stated_to.0),
    }
}

impl Transform {
    /// Whether two seeds can differ because of it.
    #[must_use]
    pub fn is_random(&self) -> bool {
        self.resample.is_some() || !self.factor.is_whole()
    }

    /// Whether it changes anything.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        *self == Transform::default()
    }

    /// The trace of workload `name` for a seed, with what it draws drawn. The
    /// rows are shared where they stay as they are.
    ///
    /// # Errors
    /// When it becomes longer than a trace may be, or empty, or has no day to
    /// draw.
    pub fn trace(&self, data: &TraceData, name: &str, seed: u64) -> Result<TraceData> {
        let mut trace = Arc::clone(&data.trace);
        if trace.is_drawn() {
            trace = draws::draw(&trace, name, seed)?;
        }
        if let Some(resample) = self.resample {
            trace = Arc::new(resampled(&trace, resample, name, seed)?);
        }
        if self.factor != Factor::ONE {
            trace = Arc::new(scaled(&trace, self.factor, name, seed)?);
        }
        Ok(TraceData { trace, shapes: Arc::clone(&data.shapes), rules: data.rules.clone() })
    }

    /// The demand for a seed.
    #[must_use]
    pub fn demand(&self, demand: &Demand, seed: u64) -> Demand {
        let mut changed = demand.clone();
        let days = demand_days(demand);
        if let Some(resample) = self.resample.filter(|r| r.fault(days).is_none()) {
            changed = resampled_demand(demand, resample, days, seed);
        }
        if self.factor != Factor::ONE {
            for (_, milli) in &mut changed.steps {
                *milli = MilliCpu(self.factor.scale(milli.0));
            }
            changed.steps.dedup_by(|next, last| next.1 == last.1);
        }
        changed
    }

    /// A fixed number of replicas.
    #[must_use]
    pub fn replicas(&self, replicas: u32) -> u32 {
        u32::try_from(self.factor.scale(i64::from(replicas))).unwrap_or(u32::MAX)
    }
}

fn too_long(name: &str) -> Error {
    Error::input(format!("workload `{name}`: more than {MAX_ROWS} rows once it is transformed"))
}

fn scaled(trace: &Trace, factor: Factor, name: &str, seed: u64) -> Result<Trace> {
    let key = format!("scaled/{name}");
    let (whole, fraction) = (factor.whole(), factor.fraction());
    let total = trace.pods();
    if total.checked_mul(whole + 1).is_none_or(|n| n >= MAX_ORDINALS)
        || (trace.len() as u64).saturating_mul(whole) > MAX_ROWS
    {
        return Err(too_long(name));
    }
    let mut scaled = Trace::default();
    let mut pod = 0;
    for at in 0..trace.len() {
        let row = trace.row(at);
        let count = u64::from(row.count);
        for copy in 0..whole {
            scaled.push_row(&TraceRow { ordinal: Some(copy * total + pod), ..row });
        }
        let more = if fraction > 0.0 {
            let below = |pod: &u64| Draws::new(seed, &key, *pod).unit() < fraction;
            (pod..pod + count).filter(below).count() as u32
        } else {
            0
        };
        if more > 0 {
            let ordinal = Some(whole * total + pod);
            scaled.push_row(&TraceRow { ordinal, count: more, ..row });
        }
        if scaled.len() as u64 > MAX_ROWS {
            return Err(too_long(name));
        }
        pod += count;
    }
    if scaled.is_empty() {
        return Err(Error::input(format!(
            "workload `{name}`: `thin` or `growth` leaves none of its {total} pods"
        )));
    }
    scaled.shrink_to_fit();
    Ok(scaled)
}

fn resampled(trace: &Trace, resample: Resample, name: &str, seed: u64) -> Result<Trace> {
    let source = whole_days(trace.arrival_ms.last().copied().unwrap_or(0));
    if let Some(fault) = resample.fault(source) {
        return Err(Error::input(format!("workload `{name}`: the trace {fault}")));
    }
    let from = |day: u64| {
        let at = i64::try_from(day).map_or(i64::MAX, |day| day.saturating_mul(DAY_MS));
        trace.arrival_ms.partition_point(|arrival| *arrival < at)
    };
    let mut drawn = Trace::default();
    for day in 0..u64::from(resample.days) {
        let chosen = resample.source_day(day, source, seed);
        let later_ms = (day as i64 - chosen as i64) * DAY_MS;
        let rows = from(chosen)..from(chosen + 1);
        if (drawn.len() + rows.len()) as u64 > MAX_ROWS {
            return Err(too_long(name));
        }
        for at in rows {
            let row = trace.row(at);
            drawn.push_row(&TraceRow { arrival_ms: row.arrival_ms + later_ms, ..row });
        }
    }
    if drawn.is_empty() {
        return Err(Error::input(format!(
            "workload `{name}`: no pod arrives on any of the days drawn for seed {seed}"
        )));
    }
    drawn.shrink_to_fit();
    Ok(drawn)
}

fn resampled_demand(demand: &Demand, resample: Resample, source: u64, seed: u64) -> Demand {
    let mut steps: Vec<(SimTime, MilliCpu)> = Vec::new();
    for day in 0..u64::from(resample.days) {
        let chosen = resample.source_day(day, source, seed) as i64 * DAY_MS;
        let later_ms = day as i64 * DAY_MS - chosen;
        let after = demand.steps.partition_point(|(at, _)| at.0 <= chosen);
        let holds = demand.steps.get(after.saturating_sub(1)).map_or(MilliCpu(0), |s| s.1);
        let within = demand.steps.get(after..).unwrap_or_default();
        let within = within.iter().take_while(|(at, _)| at.0 < chosen + DAY_MS);
        let start = std::iter::once((SimTime(chosen), holds));
        for (at, milli) in start.chain(within.copied()) {
            if steps.last().is_none_or(|(_, last)| *last != milli) {
                steps.push((SimTime(at.0 + later_ms), milli));
            }
        }
    }
    let days = i64::from(resample.days) * DAY_MS;
    Demand { steps, period: Some(SimDuration(days)), stated_to: SimTime(days) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::LocalTemplate;
    use crate::workload::intern::{PodRules, PodShape};

    fn percent(text: &str) -> Percent {
        text.parse().expect("a percentage")
    }

    fn factor(texts: &[&str]) -> Factor {
        texts.iter().fold(Factor::ONE, |f, text| f.times(percent(text)))
    }

    fn data(rows: impl IntoIterator<Item = (i64, u32)>) -> TraceData {
        let mut trace = Trace::default();
        for (at, count) in rows {
            trace.push(at, 60_000, LocalTemplate(0), count, None);
        }
        TraceData {
            trace: Arc::new(trace),
            shapes: Arc::from([PodShape::default()]),
            rules: PodRules::default(),
        }
    }

    fn scale(texts: &[&str]) -> Transform {
        Transform { factor: factor(texts), resample: None }
    }

    fn resample(days: u32, keep_weekday: bool) -> Transform {
        let resample = Some(Resample { days, keep_weekday });
        Transform { resample, ..Transform::default() }
    }

    /// Pod numbers of a scaled trace.
    fn ordinals(trace: &Trace) -> Vec<u64> {
        let rows = (0..trace.len()).map(|at| trace.row(at));
        let mut all: Vec<u64> = rows
            .flat_map(|row| {
                let first = row.ordinal.expect("scaled");
                first..first + u64::from(row.count)
            })
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn factors_are_exact() {
        assert_eq!(factor(&["50%", "200%"]), Factor::ONE);
        let third = factor(&["130%", "10%"]);
        assert_eq!((third.whole(), third.fraction()), (0, 0.13));
        assert_eq!(factor(&["250%"]).whole(), 2);
        assert!(factor(&["300%"]).is_whole() && !factor(&["130%"]).is_whole());
        assert_eq!(factor(&["110%"]).scale(1_000), 1_100);
        assert_eq!(factor(&["110%"]).scale(1), 2);
    }

    #[test]
    fn whole_factors_copy_and_draw_nothing() {
        let base = data([(5, 2), (9, 1)]);
        assert!(!scale(&["300%"]).is_random());
        let tripled = scale(&["300%"]).trace(&base, "w", 1).expect("short").trace;
        assert_eq!(tripled, scale(&["300%"]).trace(&base, "w", 2).expect("short").trace);
        assert_eq!(tripled.arrival_ms, [5, 5, 5, 9, 9, 9]);
        assert_eq!(tripled.count, [2, 2, 2, 1, 1, 1]);
        assert_eq!(ordinals(&tripled), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        // Nothing set: the very same rows.
        let same = Transform::default().trace(&base, "w", 1).expect("short");
        assert!(Arc::ptr_eq(&same.trace, &base.trace));
    }

    #[test]
    fn a_larger_factor_keeps_the_pods_of_a_smaller_one() {
        let base = data((0..400).map(|i| (i, 1 + (i % 7) as u32)));
        let total = base.trace.pods() as f64;
        let mut before: Vec<u64> = Vec::new();
        for percent in [1, 10, 50, 99, 100, 130, 180, 200, 250] {
            let text = format!("{percent}%");
            let transform = scale(&[&text]);
            let scaled = transform.trace(&base, "w", 3).expect("short").trace;
            assert!(scaled.arrival_ms.is_sorted());
            if transform.factor == Factor::ONE {
                continue;
            }
            let now = ordinals(&scaled);
            let unique = now.windows(2).all(|w| w[0] < w[1]);
            assert!(unique, "{percent}: a number twice");
            // Within a row the pods are alike, so their numbers are those of the
            // first so many: a subset holds row by row.
            assert!(before.iter().all(|n| now.binary_search(n).is_ok()), "{percent}");
            let expected = total * f64::from(percent) / 100.0;
            let spread = 4.0 * (total / 4.0).sqrt();
            assert!((now.len() as f64 - expected).abs() <= spread, "{percent}: {}", now.len());
            before = now;
        }
        let other = scale(&["50%"]).trace(&base, "w", 4).expect("short").trace;
        assert_ne!(other, scale(&["50%"]).trace(&base, "w", 3).expect("short").trace);
    }

    #[test]
    fn nothing_left_is_an_error() {
        let error = scale(&["0.0001%"]).trace(&data([(0, 1)]), "w", 1).expect_err("empty");
        assert!(error.to_string().contains("leaves none of its 1 pods"), "{error}");
    }

    #[test]
    fn days_are_drawn_whole_and_together() {
        // Day d has d + 1 pods, at noon; the tenth day is not whole.
        let noon = DAY_MS / 2;
        let base = data((0..9).map(|d| (d * DAY_MS + noon, d as u32 + 1)));
        assert_eq!(whole_days(8 * DAY_MS + noon), 8);
        assert_eq!(whole_days(8 * DAY_MS - HOUR_MS), 8);
        assert_eq!(whole_days(8 * DAY_MS - HOUR_MS - 1), 7);
        let drawn = |seed, name| resample(20, false).trace(&base, name, seed).expect("short").trace;
        let one = drawn(1, "w");
        assert_eq!(one.len(), 20);
        for (day, at) in one.arrival_ms.iter().enumerate() {
            assert_eq!(*at, day as i64 * DAY_MS + noon);
        }
        assert!(one.count.iter().all(|count| (1..=8).contains(count)));
        // With replacement, another order for another seed, the same for all workloads.
        let distinct: std::collections::BTreeSet<_> = one.count.iter().collect();
        assert!(distinct.len() > 3);
        assert_ne!(one, drawn(2, "w"));
        assert_eq!(one, drawn(1, "v"));
        // The demand of a service gets the same days.
        let steps = (0..9).map(|d| (SimTime(d * DAY_MS), MilliCpu(d + 1))).collect();
        let mut demand = Demand { steps, period: None, stated_to: SimTime(8 * DAY_MS) };
        assert_eq!(demand_days(&demand), 8);
        // The last day is known in full, though nothing changes any more.
        demand.stated_to = SimTime(9 * DAY_MS - 1);
        assert_eq!(demand_days(&demand), 9);
        demand.stated_to = SimTime(8 * DAY_MS);
        let demand = resample(20, false).demand(&demand, 1);
        assert_eq!(demand.period, Some(SimDuration(20 * DAY_MS)));
        for (day, count) in one.count.iter().enumerate() {
            let at = SimTime(day as i64 * DAY_MS + noon);
            let after = demand.steps.partition_point(|(from, _)| *from <= at);
            assert_eq!(demand.steps[after - 1].1, MilliCpu(i64::from(*count)), "day {day}");
        }
    }

    #[test]
    fn weekdays_are_kept() {
        let base = data((0..21).map(|d| (d * DAY_MS + DAY_MS - 1, d as u32 + 1)));
        let drawn = resample(28, true).trace(&base, "w", 5).expect("short").trace;
        for (day, count) in drawn.count.iter().enumerate() {
            assert_eq!((*count as usize - 1) % 7, day % 7, "day {day}");
        }
        // Eight whole days: each weekday once, the first one twice.
        let short = data((0..8).map(|d| (d * DAY_MS + DAY_MS - 1, d as u32 + 1)));
        let drawn = resample(14, true).trace(&short, "w", 5).expect("short").trace;
        assert_eq!(drawn.count[1..7], [2, 3, 4, 5, 6, 7]);
        let few = data((0..5).map(|d| (d * DAY_MS + DAY_MS - 1, 1)));
        let error = resample(14, true).trace(&few, "w", 5).expect_err("few").to_string();
        assert!(error.contains("has 5 whole days: too few"), "{error}");
        assert!(resample(5, true).trace(&few, "w", 5).is_ok());
        let error =
            resample(1, false).trace(&data([(0, 1)]), "w", 5).expect_err("none").to_string();
        assert!(error.contains("has no whole day"), "{error}");
    }

    #[test]
    fn demand_grows_within_its_days() {
        let steps = vec![(SimTime(0), MilliCpu(100)), (SimTime(5), MilliCpu(150))];
        let demand = Demand { steps, period: Some(SimDuration(DAY_MS)), ..Demand::default() };
        let grown = scale(&["130%"]).demand(&demand, 1);
        assert_eq!(grown.steps, [(SimTime(0), MilliCpu(130)), (SimTime(5), MilliCpu(195))]);
        assert_eq!(grown.period, demand.period);
        assert_eq!(demand_days(&demand), 1);
        assert_eq!(scale(&["130%"]).replicas(10), 13);
        let odd = Demand { period: Some(SimDuration(DAY_MS + 1)), ..demand };
        assert_eq!(demand_days(&odd), 0);
    }
}
