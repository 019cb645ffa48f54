//! Advice for one resource of one container, pod or shape; or the reason why
//! there is none.

use super::policy::{AbsentRequests, Expression, LimitRule, Method, Policy, Statistic};
use super::series::{Resource, Series, mean_weighted, nearest_rank_weighted};
use super::vpa;
use crate::units::{Bytes, Percent, SimDuration};

/// Usage at or above this share of a limit, in a hundred, is cut off by it: a
/// container at its cpu limit is throttled, one at its memory limit killed.
const AT_LIMIT: i128 = 95;
/// Share of the time at the cpu limit, in a hundred, from which on usage says
/// more about the limit than about the need.
const THROTTLED: u128 = 5;

/// What is requested today, in units of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Current {
    /// `None` where nothing is requested.
    pub request: Option<i64>,
    /// `None` where there is no limit, or the source does not say.
    pub limit: Option<i64>,
}

/// Why there is no advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// Nobody knows what it uses.
    NoUsage,
    /// Its pods are drawn at random: no usage belongs to them.
    DrawnPods,
    /// Fewer samples than the policy demands.
    TooFewSamples {
        /// Samples there are.
        have: u64,
        /// Samples there should be.
        want: u64,
    },
    /// A shorter history than the policy demands.
    TooShort {
        /// From the first sample to the end of the last.
        have: SimDuration,
        /// What it should be.
        want: SimDuration,
    },
    /// Samples cover too little of the time they span.
    Gaps {
        /// Covered share.
        have: Percent,
        /// What it should be.
        want: Percent,
    },
    /// It requests nothing today and the policy leaves such as they are.
    NoRequestKnown,
    /// The statistic or method needs series where only columns of a trace are
    /// known.
    NoSeries,
    /// Memory ran at its limit, or would run over the new one.
    OomRisk,
    /// Cpu was throttled at its limit: what it needs was not seen.
    Throttled,
    /// Series of some of its containers are missing.
    ContainerUnknown,
}

impl Withheld {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Withheld::NoUsage => "no-usage",
            Withheld::DrawnPods => "drawn-pods",
            Withheld::TooFewSamples { .. } => "too-few-samples",
            Withheld::TooShort { .. } => "too-short",
            Withheld::Gaps { .. } => "gaps",
            Withheld::NoRequestKnown => "no-request-known",
            Withheld::NoSeries => "no-series",
            Withheld::OomRisk => "oom-risk",
            Withheld::Throttled => "throttled",
            Withheld::ContainerUnknown => "container-unknown",
        }
    }

    /// What was found.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Withheld::NoUsage => "no usage is known".to_owned(),
            Withheld::DrawnPods => "its pods are drawn at random".to_owned(),
            Withheld::TooFewSamples { have, want } => format!("{have} samples, {want} wanted"),
            Withheld::TooShort { have, want } => {
                format!("{} of history, {} wanted", rough(have), rough(want))
            }
            Withheld::Gaps { have, want } => {
                let percent = |p: Percent| p.ppm / 10_000;
                format!("samples cover {} % of the time, {} % wanted", percent(have), percent(want))
            }
            Withheld::NoRequestKnown => "it requests nothing today".to_owned(),
            Withheld::NoSeries => "only columns of a trace are known, no series".to_owned(),
            Withheld::OomRisk => {
                "memory reached the limit in force or would pass the new one".to_owned()
            }
            Withheld::Throttled => "cpu ran at its limit: the need was not seen".to_owned(),
            Withheld::ContainerUnknown => "usage of a container is missing".to_owned(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Withheld::NoUsage => "add an export of its usage, or usage columns to its trace",
            Withheld::DrawnPods => "replay a trace with usage instead of drawing pods",
            Withheld::TooFewSamples { .. } => "export more, or lower min-samples",
            Withheld::TooShort { .. } => "export a longer time, or lower min-history",
            Withheld::Gaps { .. } => "close the gaps of the export, or lower min-coverage",
            Withheld::NoRequestKnown => "state absent-requests: set to give it one",
            Withheld::NoSeries => "use method pooled or per-pod-max, or add series of its usage",
            Withheld::OomRisk => "raise the limit or the statistic, and look again",
            Withheld::Throttled => "raise or remove the cpu limit, and look again",
            Withheld::ContainerUnknown => "export the usage of every container",
        }
    }
}

/// A length of time by its largest unit.
fn rough(d: SimDuration) -> String {
    let minutes = d.0 / crate::units::MINUTE_MS;
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1_440),
    }
}

/// What should be known about advice that is given all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caution {
    /// The request was held at the limit, which is below the usage.
    CappedAtLimit,
    /// The ceiling held the request below the usage.
    CappedAtCeiling,
    /// Series are means over replicas: peaks of single pods are hidden.
    MeanOverReplicas,
    /// The columns of a trace lack the statistic: a larger one was taken.
    LargerStatistic,
    /// Replicas follow cpu usage as a share of the request: a smaller request
    /// means more replicas.
    ScalesOnCpu,
}

impl Caution {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Caution::CappedAtLimit => "capped-at-limit",
            Caution::CappedAtCeiling => "capped-at-ceiling",
            Caution::MeanOverReplicas => "mean-over-replicas",
            Caution::LargerStatistic => "larger-statistic",
            Caution::ScalesOnCpu => "scales-on-cpu",
        }
    }
}

/// Quantiles of usage over all pods, in units of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quantiles {
    /// Mean over time, rounded up.
    pub mean: i64,
    /// Median.
    pub p50: i64,
    /// 95th percentile.
    pub p95: i64,
    /// 99th percentile.
    pub p99: i64,
    /// Largest peak.
    pub max: i64,
}

/// What to request of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// Of what.
    pub resource: Resource,
    /// What is requested today.
    pub current: Current,
    /// The new request in units of requests, or why it stays.
    pub request: Result<i64, Withheld>,
    /// The limit that goes with it; `None` for no limit.
    pub limit: Option<i64>,
    /// What was used; `None` where nothing is known.
    pub quantiles: Option<Quantiles>,
    /// Share of the time above today's request: means of cpu, peaks of
    /// memory. `None` without usage or request.
    pub above_current: Option<f64>,
    /// As `above_current`, above the request that would be in force.
    pub above_request: Option<f64>,
    /// As `above_current`, above the limit that would be in force.
    pub above_limit: Option<f64>,
    /// Bounds of method `vpa`, in units of requests.
    pub bounds: Option<(i64, i64)>,
    /// What else should be known, ascending.
    pub cautions: Vec<Caution>,
    /// Samples behind it.
    pub samples: u64,
}

impl Advice {
    /// No advice and nothing known.
    #[must_use]
    pub fn withheld(resource: Resource, current: Current, why: Withheld) -> Advice {
        Advice {
            resource,
            current,
            request: Err(why),
            limit: current.limit,
            quantiles: None,
            above_current: None,
            above_request: None,
            above_limit: None,
            bounds: None,
            cautions: Vec::new(),
            samples: 0,
        }
    }

    /// The request that would be in force.
    #[must_use]
    pub fn in_force(&self) -> Option<i64> {
        self.request.ok().or(self.current.request)
    }

    /// Whether the request changes.
    #[must_use]
    pub fn is_edit(&self) -> bool {
        self.request.is_ok_and(|r| Some(r) != self.current.request)
    }
}

/// Usage of one pod of a trace, in units of usage, as its columns say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Columns {
    /// Mean.
    pub mean: Option<i64>,
    /// 95th percentile.
    pub p95: Option<i64>,
    /// Largest.
    pub max: Option<i64>,
    /// Run time of all pods of the row together, milliseconds.
    pub weight: u64,
    /// From its arrival to the end of its work, milliseconds.
    pub extent: (i64, i64),
}

/// Advice for a container from the series of its pods. `cpu` are the same
/// pods' cpu series, which decide the confidence of method `vpa`; `containers`
/// share a pod.
#[must_use]
pub fn advise(
    resource: Resource,
    series: &[Series],
    cpu: &[Series],
    current: Current,
    containers: usize,
    policy: &Policy,
) -> Advice {
    let mut advice = Advice::withheld(resource, current, Withheld::NoUsage);
    advice.samples = series.iter().map(|s| s.samples.len() as u64).sum();
    if advice.samples == 0 {
        return advice;
    }
    let mut means: Vec<(i64, u64)> = series.iter().flat_map(Series::weighted).collect();
    means.sort_unstable();
    let mut risk = match resource {
        Resource::Cpu => means.clone(),
        Resource::Memory => peaks(series),
    };
    risk.sort_unstable();
    let max = series.iter().filter_map(Series::peak).max().unwrap_or(0);
    advice.quantiles = Some(quantiles(&means, max));
    if series.iter().any(|s| s.replicas > 1) {
        advice.cautions.push(Caution::MeanOverReplicas);
    }
    let expression = expression(resource, policy);
    let value = thin(series, advice.samples, policy).map_or(Ok(()), Err).and_then(|()| {
        if policy.method == Method::Vpa {
            let Statistic::Percentile(percent) = expression.statistic else {
                return Err(Withheld::NoSeries);
            };
            let margin = expression.margin.ppm;
            let got = vpa::recommend(resource, series, cpu, percent, margin, containers)
                .ok_or(Withheld::NoUsage)?;
            advice.bounds = Some((got.lower, got.upper));
            return Ok(got.target);
        }
        let one = |s: &[Series]| statistic(s, expression.statistic);
        let value = match policy.method {
            Method::PerPodMax => series.iter().filter_map(|s| one(std::slice::from_ref(s))).max(),
            _ => one(series),
        };
        Ok(with_margin(resource, value.ok_or(Withheld::NoUsage)?, expression))
    });
    settle(advice, value, &risk, policy)
}

/// Advice for pods of a trace that are alike in shape, from the columns of
/// their rows. A row that lacks the column of the statistic counts with the
/// next larger one it has, so that advice is never below what was asked for.
/// Risk is an upper bound: 95 % of a pod's time counts as at its 95th
/// percentile, the rest as at its largest.
#[must_use]
pub fn advise_columns(
    resource: Resource,
    rows: &[Columns],
    current: Current,
    policy: &Policy,
) -> Advice {
    let mut advice = Advice::withheld(resource, current, Withheld::NoUsage);
    let expression = expression(resource, policy);
    let (mut values, mut means, mut risk) = (Vec::new(), Vec::new(), Vec::new());
    let mut larger = false;
    let mut all = 0u128;
    for row in rows {
        all += u128::from(row.weight);
        let wanted = match expression.statistic {
            Statistic::Mean => [row.mean, row.p95, row.max],
            Statistic::Percentile(p) if p <= 95 => [row.p95, row.max, None],
            _ => [row.max, None, None],
        };
        if let Some(value) = wanted.into_iter().flatten().next() {
            let exact = match expression.statistic {
                Statistic::Percentile(95) => row.p95.is_some(),
                Statistic::Percentile(_) => false,
                Statistic::Max => true,
                Statistic::Mean => row.mean.is_some(),
            };
            larger |= !exact;
            values.push((value, row.weight));
        }
        means.extend(row.mean.or(row.p95).or(row.max).map(|v| (v, row.weight)));
        // At most 5 % of the time lies above the 95th percentile; what is not
        // known better counts with the largest that is.
        let largest = row.max.or(row.p95).or(row.mean);
        risk.extend(row.p95.or(largest).map(|v| (v, row.weight.saturating_mul(95))));
        risk.extend(largest.map(|v| (v, row.weight.saturating_mul(5))));
    }
    for list in [&mut values, &mut means, &mut risk] {
        list.sort_unstable();
    }
    advice.samples = means.len() as u64;
    if let Some((max, _)) = risk.last() {
        let at = |p| nearest_rank_weighted(&risk, p).unwrap_or(0);
        let known = quantiles(&means, *max);
        advice.quantiles = Some(Quantiles { p95: at(95), p99: at(99), ..known });
    }
    if larger {
        advice.cautions.push(Caution::LargerStatistic);
    }
    let value = (|| {
        if values.is_empty() {
            return Err(if risk.is_empty() { Withheld::NoUsage } else { Withheld::NoSeries });
        }
        if policy.method == Method::Vpa {
            return Err(Withheld::NoSeries);
        }
        let extents = rows.iter().map(|r| r.extent);
        let (first, last) = extents.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or_default();
        let known = values.iter().map(|(_, w)| u128::from(*w)).sum();
        thin_by(last - first, known, all, policy).map_or(Ok(()), Err)?;
        let value = match (policy.method, expression.statistic) {
            (Method::PerPodMax, _) | (_, Statistic::Max) => values.last().map(|(v, _)| *v),
            (_, Statistic::Mean) => mean_weighted(&values),
            (_, Statistic::Percentile(p)) => nearest_rank_weighted(&values, p),
        };
        Ok(with_margin(resource, value.ok_or(Withheld::NoUsage)?, expression))
    })();
    settle(advice, value, &risk, policy)
}

fn expression(resource: Resource, policy: &Policy) -> Expression {
    match resource {
        Resource::Cpu => policy.cpu,
        Resource::Memory => policy.memory,
    }
}

fn peaks(series: &[Series]) -> Vec<(i64, u64)> {
    let of = |s: &Series| {
        let replicas = u64::from(s.replicas);
        s.samples.iter().map(|p| (p.peak, p.span_ms as u64 * replicas)).collect::<Vec<_>>()
    };
    series.iter().flat_map(of).collect()
}

fn quantiles(means: &[(i64, u64)], max: i64) -> Quantiles {
    let at = |p| nearest_rank_weighted(means, p).unwrap_or(0);
    Quantiles {
        mean: mean_weighted(means).unwrap_or(0),
        p50: at(50),
        p95: at(95),
        p99: at(99),
        max,
    }
}

fn statistic(series: &[Series], statistic: Statistic) -> Option<i64> {
    let mut means: Vec<(i64, u64)> = series.iter().flat_map(Series::weighted).collect();
    match statistic {
        Statistic::Max => series.iter().filter_map(Series::peak).max(),
        Statistic::Mean => mean_weighted(&means),
        Statistic::Percentile(percent) => {
            means.sort_unstable();
            nearest_rank_weighted(&means, percent)
        }
    }
}

/// Usage with its margin as a request, both rounded up.
fn with_margin(resource: Resource, usage: i64, expression: Expression) -> i64 {
    let scaled = i128::from(usage) * i128::from(1_000_000 + expression.margin.ppm);
    up(scaled, 1_000_000 * i128::from(resource.usage_per_request()))
}

/// `numerator / denominator` rounded up.
fn up(numerator: i128, denominator: i128) -> i64 {
    let denominator = denominator.max(1);
    i64::try_from((numerator + denominator - 1).div_euclid(denominator)).unwrap_or(i64::MAX)
}

/// Whether series say too little.
fn thin(series: &[Series], samples: u64, policy: &Policy) -> Option<Withheld> {
    if samples < policy.min_samples {
        return Some(Withheld::TooFewSamples { have: samples, want: policy.min_samples });
    }
    let extents = || series.iter().filter_map(Series::extent);
    let (first, last) = extents().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let covered = series.iter().map(|s| s.covered_ms() as u128).sum();
    let spanned = extents().map(|(a, b)| (b - a).max(0) as u128).sum();
    thin_by(last - first, covered, spanned, policy)
}

fn thin_by(history_ms: i64, covered: u128, spanned: u128, policy: &Policy) -> Option<Withheld> {
    let have = SimDuration(history_ms);
    if have < policy.min_history {
        return Some(Withheld::TooShort { have, want: policy.min_history });
    }
    let ppm = (covered * 1_000_000).checked_div(spanned).map_or(1_000_000, |p| p.min(1_000_000));
    let have = Percent { ppm: ppm as i64 };
    (have < policy.min_coverage).then_some(Withheld::Gaps { have, want: policy.min_coverage })
}

/// Share of the weight above a request or limit.
fn above(resource: Resource, ascending: &[(i64, u64)], request: Option<i64>) -> Option<f64> {
    let bound = i128::from(request?) * i128::from(resource.usage_per_request());
    let total: u128 = ascending.iter().map(|(_, w)| u128::from(*w)).sum();
    let from = ascending.partition_point(|(v, _)| i128::from(*v) <= bound);
    let over: u128 = ascending.iter().skip(from).map(|(_, w)| u128::from(*w)).sum();
    (total > 0).then(|| over as f64 / total as f64)
}

/// Bounds, limits and risk: from a value to the finished advice.
fn settle(
    mut advice: Advice,
    value: Result<i64, Withheld>,
    risk: &[(i64, u64)],
    policy: &Policy,
) -> Advice {
    let resource = advice.resource;
    let current = advice.current;
    advice.above_current = above(resource, risk, current.request);
    let (round, floor, ceiling) = match resource {
        Resource::Cpu => (policy.round.0.0, policy.floor.0.0, policy.ceiling.0.map(|c| c.0)),
        Resource::Memory => (policy.round.1.0, policy.floor.1.0, policy.ceiling.1.map(|b| b.0)),
    };
    let round = round.max(1);
    let rounded = |value: i64| up(i128::from(value), i128::from(round)).saturating_mul(round);
    let decided = value.and_then(|value| {
        if current.request.is_none() && policy.absent_requests == AbsentRequests::Keep {
            return Err(Withheld::NoRequestKnown);
        }
        let mut target = rounded(value).max(floor);
        if let Some(ceiling) = ceiling.filter(|c| target > *c) {
            target = ceiling;
            advice.cautions.push(Caution::CappedAtCeiling);
        }
        if let (LimitRule::Keep, Some(limit)) = (policy.limits, current.limit)
            && target > limit
        {
            target = limit;
            advice.cautions.push(Caution::CappedAtLimit);
        }
        let limit = match (policy.limits, current.limit) {
            (LimitRule::Ratio, Some(limit)) => {
                let request = current.request.filter(|r| *r > 0);
                let scaled = request.map_or(limit, |r| {
                    rounded(up(i128::from(limit) * i128::from(target), i128::from(r)))
                });
                Some(scaled.max(target))
            }
            (_, limit) => limit,
        };
        if current.request.is_some_and(|r| target < r) {
            cut_off(resource, risk, current.limit).map_or(Ok(()), Err)?;
            // A limit that falls below what was used kills the container.
            let over = above(resource, risk, limit).is_some_and(|share| share > 0.0);
            if resource == Resource::Memory && over {
                return Err(Withheld::OomRisk);
            }
        }
        Ok((target, limit))
    });
    advice.request = decided.map(|(target, _)| target);
    advice.limit = decided.map_or(current.limit, |(_, limit)| limit);
    advice.above_request = above(resource, risk, advice.in_force());
    advice.above_limit = above(resource, risk, advice.limit);
    advice.cautions.sort_unstable();
    advice
}

/// Whether the limit cut usage off, so that lowering the request would trust
/// figures that the limit made.
fn cut_off(resource: Resource, risk: &[(i64, u64)], limit: Option<i64>) -> Option<Withheld> {
    let limit = i128::from(limit?) * i128::from(resource.usage_per_request());
    let from = risk.partition_point(|(v, _)| i128::from(*v) * 100 < limit * AT_LIMIT);
    let weight = |part: &[(i64, u64)]| part.iter().map(|(_, w)| u128::from(*w)).sum::<u128>();
    let at_limit = weight(risk.get(from..).unwrap_or_default());
    match resource {
        Resource::Memory => (at_limit > 0).then_some(Withheld::OomRisk),
        Resource::Cpu => (at_limit * 100 > weight(risk) * THROTTLED).then_some(Withheld::Throttled),
    }
}

/// Today's request or limit as a quantity, for messages and tables.
#[must_use]
pub fn quantity(resource: Resource, amount: Option<i64>) -> String {
    amount.map_or_else(|| "none".to_owned(), |a| resource.quantity(a))
}

/// Usage as a quantity, rounded up to a request's unit (memory to a MiB).
#[must_use]
pub fn usage_quantity(resource: Resource, usage: i64) -> String {
    match resource {
        Resource::Cpu => resource.quantity(up(i128::from(usage), 1_000)),
        Resource::Memory => Bytes(up(i128::from(usage), 1 << 20) << 20).to_string(),
    }
}
