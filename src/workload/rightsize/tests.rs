use super::advice::{Advice, Caution, Columns, Current, Withheld, advise, advise_columns};
use super::policy::{AbsentRequests, Expression, LimitRule, Method, Policy, Statistic};
use super::series::{Resource, Sample, Series};
use crate::units::{Bytes, HOUR_MS, MilliCpu, Percent, SimDuration};

const MI: i64 = 1 << 20;

/// Hours one after another, each a mean and a peak.
fn hours(values: impl IntoIterator<Item = (i64, i64)>) -> Series {
    let sample = |(i, (mean, peak)): (usize, (i64, i64))| Sample {
        start_ms: i as i64 * HOUR_MS,
        span_ms: HOUR_MS,
        mean,
        peak,
    };
    Series { samples: values.into_iter().enumerate().map(sample).collect(), replicas: 1 }
}

fn flat(hours_: usize, value: i64) -> Series {
    hours(std::iter::repeat_n((value, value), hours_))
}

fn expression(statistic: Statistic, percent: i64) -> Expression {
    Expression { statistic, margin: Percent { ppm: percent * 10_000 } }
}

fn of(request: i64, limit: Option<i64>) -> Current {
    Current { request: Some(request), limit }
}

fn cpu(series: &[Series], current: Current, policy: &Policy) -> Advice {
    advise(Resource::Cpu, series, series, current, 1, policy)
}

fn memory(series: &[Series], current: Current, policy: &Policy) -> Advice {
    advise(Resource::Memory, series, &[], current, 1, policy)
}

#[test]
fn statistics_of_a_day_by_hand() {
    // 24 hours at 10m, 20m … 240m, the peak of each 5m above.
    let day = [hours((1..=24).map(|h| (h * 10_000, h * 10_000 + 5_000)))];
    // Rank of p50: 12; p90: ceil(21.6) = 22; p95: ceil(22.8) = 23; p99: 24.
    for (statistic, milli) in [
        (Statistic::Percentile(50), 120),
        (Statistic::Percentile(90), 220),
        (Statistic::Percentile(95), 230),
        (Statistic::Percentile(99), 240),
        (Statistic::Max, 245),
        (Statistic::Mean, 125),
    ] {
        let policy = Policy { cpu: expression(statistic, 0), ..Policy::default() };
        let advice = cpu(&day, of(1_000, None), &policy);
        assert_eq!(advice.request, Ok(milli), "{statistic}");
    }
    let policy = Policy { cpu: expression(Statistic::Percentile(95), 15), ..Policy::default() };
    let advice = cpu(&day, of(1_000, None), &policy);
    // 264.5m, up. No mean is above; of today's 1,000m none is either.
    assert_eq!((advice.request, advice.above_request), (Ok(265), Some(0.0)));
    assert_eq!(advice.above_current, Some(0.0));
    let q = advice.quantiles.expect("usage");
    assert_eq!((q.mean, q.p50, q.p95, q.p99, q.max), (125_000, 120_000, 230_000, 240_000, 245_000));
    // p50 leaves the 12 hours above it: half of the time.
    let policy = Policy { cpu: expression(Statistic::Percentile(50), 0), ..Policy::default() };
    assert_eq!(cpu(&day, of(1_000, None), &policy).above_request, Some(0.5));
}

#[test]
fn pooling_averages_away_what_per_pod_max_keeps() {
    // One busy pod among nine idle ones: 10 % of the time is busy.
    let mut pods = vec![flat(24, 10_000); 9];
    pods.push(flat(24, 900_000));
    let policy = |method, p| Policy {
        method,
        cpu: expression(Statistic::Percentile(p), 0),
        ..Policy::default()
    };
    assert_eq!(cpu(&pods, of(500, None), &policy(Method::Pooled, 90)).request, Ok(10));
    assert_eq!(cpu(&pods, of(500, None), &policy(Method::Pooled, 95)).request, Ok(900));
    assert_eq!(cpu(&pods, of(500, None), &policy(Method::PerPodMax, 90)).request, Ok(900));
    let risk = cpu(&pods, of(500, None), &policy(Method::Pooled, 90)).above_request;
    assert_eq!(risk, Some(0.1));
}

#[test]
fn memory_rises_where_usage_exceeds_the_request() {
    let policy = Policy::default();
    let usage = [hours((0..24).map(|h| (200 * MI, (200 + h) * MI)))];
    // Peak 223 Mi × 1.15 = 256.45 Mi, up.
    let advice = memory(&usage, of(128 * MI, None), &policy);
    assert_eq!((advice.request, advice.above_current), (Ok(257 * MI), Some(1.0)));
    assert_eq!(advice.above_request, Some(0.0));
    let none = memory(&usage, Current::default(), &policy);
    assert_eq!((none.request, none.above_current), (Ok(257 * MI), None));
}

#[test]
fn results_are_rounded_up_then_held_between_floor_and_ceiling() {
    let policy = Policy {
        floor: (MilliCpu(25), Bytes(32 * MI)),
        ceiling: (Some(MilliCpu(1_001)), None),
        round: (MilliCpu(50), Bytes(64 * MI)),
        ..Policy::default()
    };
    let at = |micro| cpu(&[flat(24, micro)], of(2_000, None), &policy);
    assert_eq!(at(100_001).request, Ok(150));
    assert_eq!(at(0).request, Ok(25));
    let capped = at(3_000_000);
    assert_eq!((capped.request, capped.cautions), (Ok(1_001), vec![Caution::CappedAtCeiling]));
    // 100 Mi × 1.15 = 115 Mi → 128 Mi.
    let advice = memory(&[flat(24, 100 * MI)], of(1 << 30, None), &policy);
    assert_eq!(advice.request, Ok(128 * MI));
}

#[test]
fn thin_data_is_no_ground_for_advice() {
    let policy = Policy::default();
    let why = |series: &[Series]| cpu(series, of(500, None), &policy).request;
    assert_eq!(why(&[]), Err(Withheld::NoUsage));
    assert_eq!(why(&[flat(0, 1)]), Err(Withheld::NoUsage));
    assert_eq!(why(&[flat(19, 1)]), Err(Withheld::TooFewSamples { have: 19, want: 20 }));
    let (have, want) = (SimDuration(20 * HOUR_MS), SimDuration(24 * HOUR_MS));
    assert_eq!(why(&[flat(20, 1)]), Err(Withheld::TooShort { have, want }));
    // 24 of 40 hours: every sample there is, then one at the far end.
    let mut holes = flat(24, 1);
    holes.samples[23].start_ms = 39 * HOUR_MS;
    let (have, want) = (Percent { ppm: 600_000 }, Percent { ppm: 750_000 });
    assert_eq!(why(&[holes]), Err(Withheld::Gaps { have, want }));
    // Two pods after one another are no gap.
    let mut later = flat(12, 1);
    later.samples.iter_mut().for_each(|s| s.start_ms += 100 * HOUR_MS);
    assert_eq!(why(&[flat(12, 1), later]), Ok(1));
    let keep = Policy { absent_requests: AbsentRequests::Keep, ..policy };
    let advice = cpu(&[flat(24, 1)], Current::default(), &keep);
    assert_eq!(advice.request, Err(Withheld::NoRequestKnown));
    assert_eq!(advice.in_force(), None);
}

#[test]
fn usage_at_a_limit_proves_no_small_need() {
    let policy = Policy { memory: expression(Statistic::Percentile(50), 0), ..Policy::default() };
    // Once at 96 of 100 Mi: the median must not lower the request.
    let spiky = [hours((0..24).map(|h| (50 * MI, if h == 7 { 96 * MI } else { 50 * MI })))];
    let advice = memory(&spiky, of(80 * MI, Some(100 * MI)), &policy);
    assert_eq!(advice.request, Err(Withheld::OomRisk));
    // At 90 Mi it is not cut off, but the limit would follow to 63 Mi.
    let spiky = [hours((0..24).map(|h| (50 * MI, if h == 7 { 90 * MI } else { 50 * MI })))];
    let advice = memory(&spiky, of(80 * MI, Some(100 * MI)), &policy);
    assert_eq!(advice.request, Err(Withheld::OomRisk));
    let keep = Policy { limits: LimitRule::Keep, ..policy };
    let advice = memory(&spiky, of(80 * MI, Some(100 * MI)), &keep);
    assert_eq!((advice.request, advice.limit), (Ok(50 * MI), Some(100 * MI)));
    // One hour of 24 above the new request.
    assert_eq!(advice.above_request, Some(1.0 / 24.0));
    // Cpu: 2 of 24 hours at the limit are 8 %, one is 4 %.
    let p50 = Policy { cpu: expression(Statistic::Percentile(50), 0), ..Policy::default() };
    let busy = |n: i64| [hours((0..24).map(|h| if h < n { (190_000, 0) } else { (10_000, 0) }))];
    let advice = cpu(&busy(2), of(100, Some(200)), &p50);
    assert_eq!(advice.request, Err(Withheld::Throttled));
    let advice = cpu(&busy(1), of(100, Some(200)), &p50);
    // 10m of 100m: the limit keeps its ratio of two.
    assert_eq!((advice.request, advice.limit), (Ok(10), Some(20)));
    assert_eq!(advice.above_limit, Some(1.0 / 24.0));
}

#[test]
fn limits_keep_their_ratio_or_stay() {
    let usage = [flat(24, 300_000)];
    let ratio = cpu(&usage, of(100, Some(150)), &Policy::default());
    assert_eq!((ratio.request, ratio.limit), (Ok(300), Some(450)));
    let keep = Policy { limits: LimitRule::Keep, ..Policy::default() };
    let keep = cpu(&usage, of(100, Some(150)), &keep);
    assert_eq!((keep.request, keep.limit), (Ok(150), Some(150)));
    assert_eq!(keep.cautions, [Caution::CappedAtLimit]);
    assert_eq!(keep.above_limit, Some(1.0));
    // A limit without request stays, and never falls below the request.
    let absent = Current { request: None, limit: Some(150) };
    assert_eq!(cpu(&usage, absent, &Policy::default()).limit, Some(300));
}

#[test]
fn the_vertical_pod_autoscaler_takes_quantiles_only() {
    let p90 = Policy {
        method: Method::Vpa,
        cpu: expression(Statistic::Percentile(90), 15),
        memory: expression(Statistic::Percentile(90), 15),
        ..Policy::default()
    };
    let week = [flat(168, 350_000)];
    let advice = cpu(&week, of(1_000, None), &p90);
    // Worked example: bucket end 0.3572 × 1.15 = 410.8m, up.
    assert_eq!(advice.request, Ok(411));
    let (lower, upper) = advice.bounds.expect("bounds");
    assert!(lower <= 411 && upper > 411, "{lower} {upper}");
    let usage = [flat(168, 1 << 30)];
    let advice = advise(Resource::Memory, &usage, &week, of(1 << 30, None), 1, &p90);
    // 1,238,659,777 B is 1181.3 Mi.
    assert_eq!(advice.request, Ok(1_182 * MI));
    let max = Policy { cpu: expression(Statistic::Max, 0), ..p90 };
    assert_eq!(cpu(&week, of(1_000, None), &max).request, Err(Withheld::NoSeries));
}

#[test]
fn columns_of_a_trace_serve_where_there_are_no_series() {
    let row = |mean, p95, max, hours: u64| Columns {
        mean: Some(mean),
        p95: Some(p95),
        max,
        weight: hours * HOUR_MS as u64,
        extent: (0, 24 * HOUR_MS),
    };
    let rows = [row(100_000, 200_000, Some(300_000), 19), row(150_000, 400_000, Some(500_000), 1)];
    let with =
        |method, statistic| Policy { method, cpu: expression(statistic, 0), ..Policy::default() };
    let at = |method, statistic| {
        advise_columns(Resource::Cpu, &rows, of(1_000, None), &with(method, statistic))
    };
    // 19 of 20 pod-hours are at or below 200m: exactly 95 %.
    assert_eq!(at(Method::Pooled, Statistic::Percentile(95)).request, Ok(200));
    // Of the first pods 5 % may be above 200m, of the last one all: 5 % of 19
    // and 20 of 20 hours.
    let risk = at(Method::Pooled, Statistic::Percentile(95)).above_request.expect("usage");
    assert!((risk - (0.05 * 19.0 + 1.0) / 20.0).abs() < 1e-12, "{risk}");
    assert_eq!(at(Method::PerPodMax, Statistic::Percentile(95)).request, Ok(400));
    assert_eq!(at(Method::Pooled, Statistic::Max).request, Ok(500));
    // (19 × 100 + 150) / 20 = 102.5.
    assert_eq!(at(Method::Pooled, Statistic::Mean).request, Ok(103));
    let p99 = at(Method::Pooled, Statistic::Percentile(99));
    assert_eq!((p99.request, p99.cautions), (Ok(500), vec![Caution::LargerStatistic]));
    assert_eq!(at(Method::Vpa, Statistic::Percentile(90)).request, Err(Withheld::NoSeries));
    // Half of the pod time is unknown.
    let mut unknown = rows.to_vec();
    unknown.push(Columns { weight: 20 * HOUR_MS as u64, ..Columns::default() });
    let policy = with(Method::Pooled, Statistic::Max);
    let advice = advise_columns(Resource::Cpu, &unknown, of(1_000, None), &policy);
    let (have, want) = (Percent { ppm: 500_000 }, Percent { ppm: 750_000 });
    assert_eq!(advice.request, Err(Withheld::Gaps { have, want }));
    // A third of it known, in weights whose sum is beyond u64.
    let mut huge = rows[..1].to_vec();
    huge.extend([Columns::default(); 2]);
    for row in &mut huge {
        row.weight = 1 << 63;
    }
    let advice = advise_columns(Resource::Cpu, &huge, of(1_000, None), &policy);
    let have = Percent { ppm: 333_333 };
    assert_eq!(advice.request, Err(Withheld::Gaps { have, want }));
    let nothing = advise_columns(Resource::Memory, &[], of(1, None), &policy);
    assert_eq!(nothing.request, Err(Withheld::NoUsage));
}

#[test]
fn a_mean_over_replicas_weighs_as_many_and_says_so() {
    let mut three = flat(24, 30_000);
    three.replicas = 3;
    let policy = Policy { cpu: expression(Statistic::Percentile(75), 0), ..Policy::default() };
    let advice = cpu(&[three, flat(24, 90_000)], of(500, None), &policy);
    assert_eq!(advice.request, Ok(30));
    assert_eq!(advice.cautions, [Caution::MeanOverReplicas]);
}

#[test]
fn codes_and_remedies_are_told_apart() {
    let all = [
        Withheld::NoUsage,
        Withheld::DrawnPods,
        Withheld::TooFewSamples { have: 1, want: 2 },
        Withheld::TooShort { have: SimDuration(HOUR_MS), want: SimDuration(48 * HOUR_MS) },
        Withheld::Gaps { have: Percent { ppm: 1 }, want: Percent { ppm: 2 } },
        Withheld::NoRequestKnown,
        Withheld::NoSeries,
        Withheld::OomRisk,
        Withheld::Throttled,
        Withheld::ContainerUnknown,
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|w| w.code()).collect();
    assert_eq!(codes.len(), all.len());
    assert!(all.iter().all(|w| !w.remedy().is_empty() && !w.text().is_empty()));
    assert_eq!(all[3].text(), "60 min of history, 2 d wanted");
}
