//! The verdict: which case to choose, against what, how sure.
//!
//! Candidates do as much work as the baseline ([`super::service`]) and meet
//! every goal; where none meets them all, goals are set aside and the verdict
//! says so. The cheapest candidate by net cost is chosen; the earlier case wins
//! a tie, so that nothing changes without a reason.

use super::flips::{Flip, flips};
use super::service::{Shortfall, shortfalls};
use crate::bill::PriceStatus;
use crate::sweep::{CaseStudy, Estimate, GoalValue, Metric, Outcome, Study, WorkloadMetric};
use crate::units::Money;

/// The verdict on a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The case to choose: index into `Study::cases`.
    pub chosen: usize,
    /// Whether the chosen case meets every goal.
    pub goals_met: bool,
    /// Cases that do the baseline's work and, if `goals_met`, meet every goal:
    /// what was chosen among, in scenario order.
    pub candidates: Vec<usize>,
    /// Every case with a finished cell, in scenario order.
    pub cases: Vec<CaseVerdict>,
    /// The cheapest candidate after the chosen one.
    pub runner_up: Option<RunnerUp>,
    /// Where the verdict would flip, by lever.
    pub flips: Vec<Flip>,
    /// Per workload: where it is cheapest.
    pub workloads: Vec<WorkloadVerdict>,
    /// Seeds per case at most.
    pub seeds: usize,
    /// Cases whose days are drawn anew for each seed.
    pub days_resampled: Resampled,
}

/// How many of the cases compared draw their days anew for each seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resampled {
    /// None of them.
    None,
    /// Some of them.
    Some,
    /// All of them.
    All,
}

impl Resampled {
    fn of(study: &Study) -> Self {
        let cases = || study.cases.iter().map(|c| c.resamples_days);
        match (cases().any(|r| r), cases().all(|r| r)) {
            (true, true) => Resampled::All,
            (true, false) => Resampled::Some,
            (false, _) => Resampled::None,
        }
    }
}

/// One case in the verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseVerdict {
    /// Index into `Study::cases`.
    pub case: usize,
    /// Net cost in the window: after commitments, amortised by the hour; cash
    /// where commitments have no upfront payment.
    pub cost: Estimate,
    /// The same scaled to 730 hours.
    pub monthly: Option<Estimate>,
    /// Whether the month extrapolates a window of no whole number of weeks.
    pub monthly_extrapolated: bool,
    /// Cost without commitments.
    pub list: Option<Estimate>,
    /// The share of compute that at most could be saved by placing the same
    /// pods otherwise.
    pub compute_gap: Option<Estimate>,
    /// Baseline minus case, paired by seed; `None` for the baseline.
    pub saving: Option<Estimate>,
    /// The saving as a share of the baseline's cost.
    pub saving_share: Option<f64>,
    /// 95th percentile of pending times, seconds.
    pub pending_p95: Option<Estimate>,
    /// Pods evicted by drains.
    pub evictions: Option<Estimate>,
    /// Pods lost with their node.
    pub interruptions: Option<Estimate>,
    /// Core-hours of demand unserved.
    pub unserved: Option<Estimate>,
    /// Core-hours of work done again.
    pub repeated: Option<Estimate>,
    /// Pods no pool can hold.
    pub rejected: Option<Estimate>,
    /// Pods unbound at the end.
    pub pending_at_end: Option<Estimate>,
    /// Work it leaves undone and the baseline does not.
    pub shortfalls: Vec<Shortfall>,
    /// Goals it misses.
    pub missed: Vec<MissedGoal>,
    /// Of its cost, mean over seeds: dollars at representative prices.
    pub representative: Money,
}

impl CaseVerdict {
    /// Whether it does as much work as the baseline.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.shortfalls.is_empty()
    }
}

/// A goal that a case misses, on the mean over seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct MissedGoal {
    /// Its name in the scenario.
    pub name: String,
    /// At most this.
    pub target: GoalValue,
    /// Mean over seeds, in the target's unit.
    pub mean: f64,
}

/// The cheapest candidate after the chosen one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunnerUp {
    /// Index into `Study::cases`.
    pub case: usize,
    /// What it costs more than the chosen one, paired by seed.
    pub difference: Estimate,
    /// Dollars of that difference at representative prices, mean over seeds.
    pub representative: Money,
}

impl RunnerUp {
    /// Whether noise alone may explain the difference; `None` for one seed.
    #[must_use]
    pub fn within_noise(&self) -> Option<bool> {
        self.difference.within_noise()
    }
}

/// Where one workload is cheapest.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadVerdict {
    /// Its name in the scenario.
    pub workload: String,
    /// The cheapest case that serves it as well as the baseline.
    pub case: usize,
    /// Its fully loaded cost there.
    pub cost: Estimate,
    /// Baseline minus that, paired by seed; `None` where the baseline is the
    /// cheapest.
    pub saving: Option<Estimate>,
    /// Pending p95 there, seconds.
    pub pending_p95: Option<Estimate>,
}

impl Verdict {
    /// Judges a study; `None` where no case has a finished cell.
    #[must_use]
    pub fn of(study: &Study) -> Option<Verdict> {
        let baseline = study.baseline()?;
        let cases: Vec<CaseVerdict> =
            (0..study.cases.len()).filter_map(|case| case_verdict(study, baseline, case)).collect();
        let serving = || cases.iter().filter(|c| c.serves());
        let goals_met = serving().any(|c| c.missed.is_empty());
        let candidates: Vec<&CaseVerdict> =
            serving().filter(|c| !goals_met || c.missed.is_empty()).collect();
        // Ranked by what they save against the baseline, which compares equal
        // seeds even where an interruption left some out.
        let rank = |c: &&CaseVerdict| -c.saving.map_or(0.0, |s| s.mean);
        let mut ranked = candidates.clone();
        ranked.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let chosen = ranked.first()?.case;
        let runner_up = ranked.get(1).and_then(|c| {
            let (first, second) = (study.cases.get(chosen)?, study.cases.get(c.case)?);
            let (a, b, n) = paired_sums(&first.outcomes, &second.outcomes, representative)?;
            Some(RunnerUp {
                case: c.case,
                difference: study.difference(chosen, c.case, Metric::Cost)?,
                representative: (b - a).scale(1, n),
            })
        });
        let candidates: Vec<usize> = candidates.iter().map(|c| c.case).collect();
        Some(Verdict {
            chosen,
            goals_met,
            runner_up,
            flips: flips(study, chosen, &candidates),
            workloads: workload_verdicts(study, baseline),
            seeds: cases.iter().map(|c| c.cost.n).max().unwrap_or(0),
            days_resampled: Resampled::of(study),
            candidates,
            cases,
        })
    }

    /// At most so many workloads and the rest: all in scenario order, or, where
    /// they are more, those that cost most in the baseline, the dearest first.
    #[must_use]
    pub fn dearest(&self, most: usize) -> (Vec<&WorkloadVerdict>, Vec<&WorkloadVerdict>) {
        let mut listed: Vec<&WorkloadVerdict> = self.workloads.iter().collect();
        if listed.len() <= most {
            return (listed, Vec::new());
        }
        let today = |w: &WorkloadVerdict| w.cost.mean + w.saving.map_or(0.0, |s| s.mean);
        listed.sort_by(|a, b| today(b).total_cmp(&today(a)));
        let rest = listed.split_off(most);
        (listed, rest)
    }

    /// The row of a case.
    #[must_use]
    pub fn case(&self, case: usize) -> Option<&CaseVerdict> {
        self.cases.iter().find(|c| c.case == case)
    }

    /// Cases cheaper than the chosen one that were passed over because they
    /// do less work or miss a goal.
    pub fn passed_over(&self) -> impl Iterator<Item = &CaseVerdict> {
        let saved = |c: &CaseVerdict| c.saving.map_or(0.0, |s| s.mean);
        let most = self.case(self.chosen).map_or(0.0, saved);
        self.cases.iter().filter(move |c| !self.candidates.contains(&c.case) && saved(c) > most)
    }
}

fn representative(o: &Outcome) -> Money {
    o.cost.by_price_status.get(PriceStatus::Representative.name()).copied().unwrap_or_default()
}

/// Sums of an amount over the seeds both have, and how many those are.
pub(super) fn paired_sums(
    a: &[Option<Outcome>],
    b: &[Option<Outcome>],
    amount: impl Fn(&Outcome) -> Money,
) -> Option<(Money, Money, i128)> {
    let mut sums = (Money::ZERO, Money::ZERO, 0);
    for (a, b) in a.iter().zip(b) {
        if let (Some(a), Some(b)) = (a, b) {
            sums = (sums.0 + amount(a), sums.1 + amount(b), sums.2 + 1);
        }
    }
    (sums.2 > 0).then_some(sums)
}

fn case_verdict(study: &Study, baseline: &CaseStudy, case: usize) -> Option<CaseVerdict> {
    let of = study.cases.get(case)?;
    let cost = study.estimate(case, Metric::Cost)?;
    let estimate = |metric| study.estimate(case, metric);
    let saving = if case == 0 {
        None
    } else {
        // Without a common seed there is nothing to compare with.
        Some(study.difference(case, 0, Metric::Cost)?)
    };
    let saving_share = saving.and_then(|s| {
        let (base, _, n) = paired_sums(&baseline.outcomes, &of.outcomes, |o| o.cost.total)?;
        let mean = base.to_f64() / n as f64;
        (mean > 0.0).then(|| s.mean / mean)
    });
    let (sum, _, n) = paired_sums(&of.outcomes, &of.outcomes, representative)?;
    Some(CaseVerdict {
        case,
        cost,
        monthly: estimate(Metric::CostMonthly),
        monthly_extrapolated: of.finished().any(|o| o.cost.monthly_extrapolated),
        list: estimate(Metric::CostList),
        saving,
        saving_share,
        pending_p95: estimate(Metric::PendingP95),
        compute_gap: estimate(Metric::ComputeGap),
        evictions: estimate(Metric::Evictions),
        interruptions: estimate(Metric::Interruptions),
        unserved: estimate(Metric::Unserved),
        repeated: estimate(Metric::Repeated),
        rejected: estimate(Metric::Rejected),
        pending_at_end: estimate(Metric::PendingAtEnd),
        shortfalls: if case == 0 {
            Vec::new()
        } else {
            shortfalls(&baseline.outcomes, &of.outcomes, None)
        },
        missed: missed_goals(of),
        representative: sum.scale(1, n),
    })
}

fn missed_goals(case: &CaseStudy) -> Vec<MissedGoal> {
    let mut missed = Vec::new();
    let Some(first) = case.finished().next() else { return missed };
    for (i, goal) in first.goals.iter().enumerate() {
        let values: Vec<GoalValue> =
            case.finished().filter_map(|o| o.goals.get(i)?.value).collect();
        if values.is_empty() {
            continue;
        }
        let mean = values.iter().map(|v| v.to_f64()).sum::<f64>() / values.len() as f64;
        // One value is compared exactly, where a float could not tell.
        let met = match (goal.target, values.as_slice()) {
            (GoalValue::Usd(target), [GoalValue::Usd(value)]) => *value <= target,
            (target, _) => mean <= target.to_f64(),
        };
        if !met {
            missed.push(MissedGoal { name: goal.name.clone(), target: goal.target, mean });
        }
    }
    missed
}

fn workload_verdicts(study: &Study, baseline: &CaseStudy) -> Vec<WorkloadVerdict> {
    let mut verdicts = Vec::new();
    for name in study.workloads() {
        let mut best: Option<(f64, usize)> = None;
        for (case, of) in study.cases.iter().enumerate() {
            if case > 0 && !shortfalls(&baseline.outcomes, &of.outcomes, Some(name)).is_empty() {
                continue;
            }
            let more = study.workload_difference(0, case, name, WorkloadMetric::Cost);
            if let Some(more) = more.filter(|m| best.is_none_or(|(b, _)| m.mean < b)) {
                best = Some((more.mean, case));
            }
        }
        let Some((_, case)) = best else { continue };
        let Some(cost) = study.workload_estimate(case, name, WorkloadMetric::Cost) else {
            continue;
        };
        verdicts.push(WorkloadVerdict {
            workload: name.to_owned(),
            case,
            cost,
            saving: (case > 0)
                .then(|| study.workload_difference(case, 0, name, WorkloadMetric::Cost))
                .flatten(),
            pending_p95: study.workload_estimate(case, name, WorkloadMetric::PendingP95),
        });
    }
    verdicts
}
