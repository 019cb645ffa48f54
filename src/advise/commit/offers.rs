//! What could be bought: the Savings Plans of the scenario with
//! `usd-per-hour: 0`, or else a Compute Savings Plan and an EC2 Instance Savings
//! Plan for each of the costliest families.
//!
//! They are linked like any commitment, so that rates, their status and their
//! sources are those that a bill would use. That is done after the simulation,
//! which does not depend on them and says which families there are.

use super::advice::{advise, sized};
use super::held::{costliest, rests_on_guess, unpublished};
use super::hours::Hours;
use super::model::{Answer, Band, Candidate, Commitments, Elsewhere, Question, SeedUsage};
use crate::bill::{ALWAYS, BillingPlan, Commitment};
use crate::catalog::{Payment, Term};
use crate::plan::CasePlan;
use crate::scenario::quote;
use crate::scenario::tree::yaml_text;
use crate::units::{Percent, Rate};
use crate::{Error, Result};

/// Families for which a plan of their own is considered, the costliest.
const FAMILIES: usize = 6;

/// Which plans are wanted, unless the scenario says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// A Compute Savings Plan.
    pub compute: bool,
    /// EC2 Instance Savings Plans.
    pub families: bool,
    /// For how long.
    pub term: Term,
    /// How they are paid.
    pub payment: Payment,
}

/// A plan by the name of its commitment.
#[derive(Debug)]
struct Offer {
    name: String,
    candidate: Candidate,
}

/// What could be bought.
#[derive(Debug, Default)]
pub struct Offers {
    settings: Vec<(String, String)>,
    /// Found together.
    candidates: Vec<Offer>,
    /// Each alone.
    alternatives: Vec<Offer>,
}

impl Offers {
    /// For a case that uses this.
    #[must_use]
    pub fn of(case: &CasePlan, wanted: Wanted, seeds: &[SeedUsage]) -> Offers {
        let owned = &case.billing.commitments;
        let free = |wanted: &str| {
            let taken = |name: &String| owned.iter().any(|c| c.name == *name);
            let numbered = (2..).map(|n| format!("{wanted}-{n}"));
            let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
            names.find(|name| !taken(name)).unwrap_or_default()
        };
        let terms = (wanted.term, wanted.payment);
        let mut offers = Offers {
            candidates: owned
                .iter()
                .filter(|c| is_open(c))
                .filter_map(|c| stated(case, c))
                .collect(),
            ..Offers::default()
        };
        if offers.candidates.is_empty() {
            if wanted.compute {
                let name = free("compute-sp");
                let offer = offers.plan((&name, &name), None, terms);
                offers.candidates.push(offer);
            }
            let families = if wanted.families { families(seeds) } else { Vec::new() };
            for family in families.into_iter().take(FAMILIES) {
                let name = free(&format!("ec2-sp-{family}"));
                let offer = offers.plan((&name, &name), Some(&family), terms);
                offers.candidates.push(offer);
            }
        }
        for &term in Term::ALL {
            for &payment in Payment::ALL {
                let name = free(&format!("compute-sp-{term}-{payment}"));
                let shown = free("compute-sp");
                let mut offer = offers.plan((&name, &shown), None, (term, payment));
                offer.candidate.label = format!("{} {term} {payment}", offer.candidate.label);
                offers.alternatives.push(offer);
            }
        }
        offers
    }

    /// The settings (path, value) that add what the scenario does not have.
    #[must_use]
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Adds a Savings Plan, called `shown` where advised: of a family, or a
    /// Compute Savings Plan. Names of families are those of the catalog:
    /// letters, digits and hyphens.
    fn plan(
        &mut self,
        (name, shown): (&str, &str),
        family: Option<&str>,
        (term, payment): (Term, Payment),
    ) -> Offer {
        let (kind, label) = match family {
            None => ("compute-sp".to_owned(), "Compute SP".to_owned()),
            Some(family) => {
                (format!("ec2-instance-sp, family: {family}"), format!("EC2 Instance SP {family}"))
            }
        };
        let of = format!("kind: {kind}, term: {term}, payment: {payment},");
        let nothing = format!("{{ {of} usd-per-hour: 0 }}");
        self.settings.push((format!("commitments.{name}"), nothing));
        let before = format!("  {shown}:\n    {{ {of}\n      usd-per-hour: ");
        offer(name, label, (term, payment), (before, " }\n".to_owned()))
    }

    /// How much to commit for a case that was linked with [`Offers::settings`].
    /// Where nobody published a rate, the answer is withheld, or a band between
    /// discounts `spread_ppm` (millionths of the list price) lower and
    /// higher. Without a spread no plan alone rests on such a rate either.
    ///
    /// # Errors
    /// As [`advise`].
    pub fn answer(
        &self,
        scenario: &str,
        case: &CasePlan,
        seeds: &[SeedUsage],
        spread_ppm: Option<i64>,
    ) -> Result<Answer> {
        let mut question = self.question(&case.billing, seeds, 0);
        let guessed = unpublished(&question);
        let band = match spread_ppm {
            _ if guessed.is_empty() => None,
            None => return Ok(Answer::Withheld(guessed)),
            Some(spread) => {
                let hours = Hours::new(seeds);
                let at = |ppm| sized(&self.question(&case.billing, seeds, ppm), &hours);
                let ((low, dearer), (high, cheaper)) = (at(-spread), at(spread));
                let after_per_hour = (dearer, cheaper);
                Some(Band { spread_ppm: spread, low, high, after_per_hour })
            }
        };
        if spread_ppm.is_none() {
            let published = |plan: &&Candidate| !rests_on_guess(&question, plan);
            question.alternatives =
                question.alternatives.iter().filter(published).cloned().collect();
        }
        let owned = question.owned.iter().filter_map(|n| case.billing.commitments.get(*n));
        let other = case.billing.other_usage.as_ref();
        Ok(Answer::Advised(Box::new(Commitments {
            scenario: scenario.to_owned(),
            case: case.name.clone(),
            advice: advise(&question)?,
            band,
            resampled: case.workload.resamples_days(),
            owned: owned.map(|commitment| commitment.name.clone()).collect(),
            elsewhere: other.map(|other| Elsewhere { first: other.owner }),
        })))
    }

    fn question<'a>(
        &self,
        plan: &'a BillingPlan,
        seeds: &'a [SeedUsage],
        shift_ppm: i64,
    ) -> Question<'a> {
        let numbered = |Offer { name, candidate }: &Offer| {
            let commitment = plan.commitments.iter().position(|c| c.name == *name)?;
            let fee_discount = plan.commitments.get(commitment)?.fee_discount;
            Some(Candidate { commitment, fee_discount, ..candidate.clone() })
        };
        let offers = || self.candidates.iter().chain(&self.alternatives);
        let is_owned = |(_, it): &(usize, &Commitment)| offers().all(|o| o.name != it.name);
        let owned = plan.commitments.iter().enumerate().filter(is_owned);
        Question {
            seeds,
            plan,
            owned: owned.map(|(number, _)| number).collect(),
            candidates: self.candidates.iter().filter_map(numbered).collect(),
            alternatives: self.alternatives.iter().filter_map(numbered).collect(),
            shift_ppm,
        }
    }

    /// What is to be bought is looked at as if held all the time, so that no
    /// plan of the scenario that is to be bought has a start.
    ///
    /// # Errors
    /// Where one has.
    pub fn check(case: &CasePlan) -> Result<()> {
        let dated = |c: &&Commitment| is_open(c) && c.in_force != ALWAYS;
        let Some(found) = case.billing.commitments.iter().find(dated) else { return Ok(()) };
        let start = quote(&format!("commitments.{}.start", found.name));
        let name = quote(&found.name);
        Err(Error::input(format!(
            "error: {name} is to be bought (`usd-per-hour: 0`), so it cannot have a `start`: its \
             size is found for usage that it covers from the first hour to the last\n\
             help: remove {start}, or state the `usd-per-hour` of what you own"
        )))
    }
}

/// Families of instances that plans can cover, the costliest first.
fn families(seeds: &[SeedUsage]) -> Vec<String> {
    costliest(seeds.iter().flat_map(SeedUsage::costs).filter_map(|(item, list)| {
        let family = item.ec2.as_ref()?.instance_type.split('.').next()?;
        Some((family, list))
    }))
}

/// A Savings Plan whose size the scenario leaves open.
fn is_open(commitment: &Commitment) -> bool {
    commitment.reserved.is_none() && commitment.usd_per_hour == Rate::ZERO
}

/// A plan of the scenario itself.
fn stated(case: &CasePlan, commitment: &Commitment) -> Option<Offer> {
    let name = &commitment.name;
    let terms = case.commitment_terms(name)?;
    let yaml = (format!("  {}:\n    usd-per-hour: ", yaml_text(name)), "\n".to_owned());
    Some(offer(name, name.clone(), terms, yaml))
}

fn offer(
    name: &str,
    label: String,
    (term, payment): (Term, Payment),
    yaml: (String, String),
) -> Offer {
    // Its number and what was negotiated are known once it is linked.
    let fee_discount = Percent::default();
    let candidate = Candidate { commitment: 0, label, term, payment, fee_discount, yaml };
    Offer { name: name.to_owned(), candidate }
}
