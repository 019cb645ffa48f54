//! The verdict on a sweep: which combination to choose, how sure, and what
//! would change it.

use super::flips::{Flip, flips_among};
use super::verdict::paired_sums;
use crate::sweep::{Estimate, Metric, SweepStudy};

/// The verdict on a sweep. Combinations are indices into
/// [`SweepStudy::combinations`].
#[derive(Debug, Clone, PartialEq)]
pub struct SweepVerdict {
    /// The one to choose: the cheapest that does the baseline's work and meets
    /// every goal; where none does, goals are set aside.
    pub chosen: usize,
    /// Whether the chosen one meets every goal.
    pub goals_met: bool,
    /// What was chosen among, the cheapest first.
    pub candidates: Vec<usize>,
    /// Baseline less chosen, paired by seed; `None` for the baseline itself.
    pub saving: Option<Estimate>,
    /// The saving as a share of the baseline's cost.
    pub saving_share: Option<f64>,
    /// The next candidate, and what it costs more, paired by seed.
    pub runner_up: Option<(usize, Estimate)>,
    /// Candidates whose difference to the chosen one noise alone may explain.
    pub within_noise: Vec<usize>,
    /// Cheaper combinations that do less work or miss a goal, the cheapest
    /// first.
    pub passed_over: Vec<usize>,
    /// Price levels at which another candidate becomes as cheap.
    pub flips: Vec<Flip>,
}

impl SweepVerdict {
    /// Judges a sweep; `None` where no combination has a finished cell.
    #[must_use]
    pub fn of(study: &SweepStudy) -> Option<SweepVerdict> {
        let ranked = study.ranked();
        let &chosen = ranked.first()?;
        let misses =
            |at: usize| study.combinations.get(at).is_none_or(|c| c.goals_met() == Some(false));
        let less = |at: usize| study.combinations.get(at).is_none_or(|c| c.serves_less);
        let goals_met = !misses(chosen);
        let fits = |at: &usize| !less(*at) && (!goals_met || !misses(*at));
        let candidates: Vec<usize> = ranked.iter().copied().filter(fits).collect();
        let cost = |at: usize| study.estimate(at, Metric::Cost).map_or(f64::INFINITY, |e| e.mean);
        let mut passed_over: Vec<usize> =
            ranked.iter().copied().filter(|at| !fits(at) && cost(*at) < cost(chosen)).collect();
        passed_over.sort_by(|a, b| cost(*a).total_cmp(&cost(*b)));
        let more = |at: usize| study.difference(chosen, at, Metric::Cost);
        let saving = if chosen == 0 { None } else { study.difference(chosen, 0, Metric::Cost) };
        let saving_share = saving.and_then(|s| {
            let (base, it) = (study.combinations.first()?, study.combinations.get(chosen)?);
            let (sum, _, n) = paired_sums(&base.outcomes, &it.outcomes, |o| o.cost.total)?;
            let mean = sum.to_f64() / n as f64;
            (mean > 0.0).then(|| s.mean / mean)
        });
        let outcomes = |at: usize| study.combinations.get(at).map(|c| c.outcomes.as_slice());
        Some(SweepVerdict {
            chosen,
            goals_met,
            saving,
            saving_share,
            runner_up: candidates
                .iter()
                .find(|c| **c != chosen)
                .and_then(|c| Some((*c, more(*c)?))),
            within_noise: candidates
                .iter()
                .copied()
                .filter(|c| *c != chosen && more(*c).and_then(|d| d.within_noise()) == Some(true))
                .collect(),
            passed_over,
            flips: flips_among(&outcomes, &|_| None, chosen, &candidates),
            candidates,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::sample::sweep_sample;
    use crate::units::Money;

    #[test]
    fn the_cheapest_that_does_the_work_and_meets_the_goals_is_chosen() {
        let study = sweep_sample();
        let verdict = SweepVerdict::of(&study).expect("finished");
        assert_eq!(verdict.chosen, study.ranked()[0]);
        assert!(verdict.goals_met && verdict.candidates.contains(&verdict.chosen));
        assert!(verdict.saving.expect("not the baseline").mean > 0.0);
        let (next, more) = verdict.runner_up.expect("others");
        assert!(next != verdict.chosen && more.mean >= 0.0);
        assert!(SweepVerdict::of(&SweepStudy::default()).is_none());
    }

    #[test]
    fn what_does_less_is_passed_over_however_cheap() {
        let mut study = sweep_sample();
        let cheapest = SweepVerdict::of(&study).expect("finished").chosen;
        study.combinations[cheapest].serves_less = true;
        let verdict = SweepVerdict::of(&study).expect("finished");
        assert_ne!(verdict.chosen, cheapest);
        assert!(verdict.passed_over.contains(&cheapest));
        assert!(!verdict.candidates.contains(&cheapest));
    }

    #[test]
    fn goals_are_set_aside_where_nobody_meets_them() {
        let mut study = sweep_sample();
        for goal in study
            .combinations
            .iter_mut()
            .flat_map(|c| c.outcomes.iter_mut().flatten())
            .flat_map(|o| &mut o.goals)
        {
            goal.met = false;
        }
        let verdict = SweepVerdict::of(&study).expect("finished");
        assert!(!verdict.goals_met);
        assert_eq!(verdict.candidates.len(), study.combinations.len());
    }

    #[test]
    fn a_price_that_ties_two_combinations_is_found() {
        let mut study = sweep_sample();
        study.combinations.truncate(2);
        let money = |usd: i128| Money::from_pico(usd * 1_000_000_000_000);
        // 100 of which 40 at Spot prices, against 110 without Spot: equal once
        // Spot costs 1 + 10/40 times as much.
        for (at, total, spot) in [(0, 100, 40), (1, 110, 0)] {
            for outcome in study.combinations[at].outcomes.iter_mut().flatten() {
                outcome.cost.total = money(total);
                outcome.cost.by_purchase = [("spot".to_owned(), money(spot))].into();
            }
        }
        let verdict = SweepVerdict::of(&study).expect("finished");
        assert_eq!(verdict.chosen, 0);
        let flip = verdict.flips.first().expect("a flip");
        assert!((flip.factor - 1.25).abs() < 1e-12 && flip.case == 1, "{flip:?}");
    }
}
