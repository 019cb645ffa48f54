//! What the commitments of a plan did hour by hour, and what the same usage
//! would cost with more or fewer of them.

use super::other::payer_usage;
use super::settlement::settle;
use super::terms::{Benefit, Terms};
use super::usage::HourlyUsage;
use crate::Result;
use crate::bill::prices::BillingPlan;
use crate::cluster::ClusterSpec;
use crate::observe::Record;
use crate::units::{Money, Rate};

/// All commitments together in one clock hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitmentHour {
    /// What they cost.
    pub committed: Money,
    /// What of it nothing used.
    pub unused: Money,
    /// What they covered, at the price without them.
    pub covered: Money,
    /// What they could have covered and did not.
    pub uncovered: Money,
    /// What other usage of the payer took of them.
    pub used_by_others: Money,
}

/// Commitments over time and at other levels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommitmentStudy {
    /// First clock hour (UTC) since the Unix epoch.
    pub first_hour: i64,
    /// Hour by hour.
    pub hours: Vec<CommitmentHour>,
    /// (Per cent of the commitments as they are, what eligible usage and
    /// commitments then cost together), ascending.
    pub levels: Vec<(u32, Money)>,
}

impl CommitmentStudy {
    /// Levels that are tried, per cent; 100 is as it is.
    pub const LEVELS: [u32; 9] = [0, 25, 50, 75, 100, 125, 150, 175, 200];

    /// Of a record under a plan; `None` where it has no commitments.
    ///
    /// # Errors
    /// As [`super::eligible_usage`].
    pub fn of_record(
        record: &Record,
        cluster: &ClusterSpec,
        plan: &BillingPlan,
    ) -> Result<Option<Self>> {
        if plan.commitments.is_empty() {
            return Ok(None);
        }
        let (usage, own) = payer_usage(record, cluster, plan)?;
        Ok(Some(Self::of(&usage, own, &Terms::of_plan(plan, &usage.items))))
    }

    /// Settles the usage as it is and at every level. The first `own` items
    /// are the scenario's; what others cover and cost is not in the result but
    /// for what they take of the commitments. Costs as many passes over (hours
    /// × items × commitments) as there are levels.
    #[must_use]
    pub fn of(usage: &HourlyUsage, own: usize, terms: &[Terms]) -> Self {
        let now = settle(usage, terms);
        let hours = (0..now.hours()).map(|hour| {
            let mut sum = CommitmentHour::default();
            for plan in 0..terms.len() {
                let spent = now.spent(hour, plan);
                sum.committed += spent.committed;
                sum.unused += spent.unused;
            }
            for cover in now.covers(hour) {
                if (cover.item as usize) < own {
                    sum.covered += cover.list;
                } else {
                    sum.used_by_others += cover.net;
                }
            }
            sum.uncovered = (0..own).map(|item| now.remaining(hour, item).1).sum();
            sum
        });
        let hours = hours.collect();
        let level = |percent: u32| {
            let scaled: Vec<Terms> = terms.iter().map(|t| scaled(t, percent)).collect();
            let settled = if percent == 100 { &now } else { &settle(usage, &scaled) };
            let hours = 0..settled.hours();
            (percent, hours.map(|hour| settled.hour_total_of(hour, own)).sum())
        };
        CommitmentStudy {
            first_hour: usage.first_hour(),
            hours,
            levels: Self::LEVELS.into_iter().map(level).collect(),
        }
    }

    /// What eligible usage and commitments cost together at a level.
    #[must_use]
    pub fn at(&self, percent: u32) -> Option<Money> {
        self.levels.iter().find(|l| l.0 == percent).map(|l| l.1)
    }
}

/// A commitment of `percent` of its size. Reserved capacity stays a whole
/// number of quarter units, the half rounded up.
fn scaled(terms: &Terms, percent: u32) -> Terms {
    let benefit = match &terms.benefit {
        Benefit::Capacity { quarters, zonal, sizes } => Benefit::Capacity {
            quarters: (quarters * u64::from(percent) + 50) / 100,
            zonal: *zonal,
            sizes: sizes.clone(),
        },
        spend @ Benefit::Spend { .. } => spend.clone(),
    };
    let rate = terms.usd_per_hour.pico() * i128::from(percent) / 100;
    Terms { usd_per_hour: Rate::from_pico(rate), benefit, ..terms.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::usage::{ItemSource, UsageItem};
    use super::*;
    use crate::bill::Unit;
    use crate::bill::prices::CommitmentKind;
    use crate::units::HOUR_MS;

    fn money(text: &str) -> Money {
        text.parse().expect("money")
    }

    /// Two hours of one item at 1.00: four units, then two. A plan at 0.50
    /// a unit commits 1.50: three units an hour.
    #[test]
    fn hours_and_levels_by_hand() {
        let item = UsageItem {
            name: "x".to_owned(),
            unit: Unit::Hours,
            on_demand: "1".parse().expect("rate"),
            ec2: None,
            owner: true,
            idle_reservation: false,
            source: ItemSource::Outside(0),
        };
        let mut usage = HourlyUsage::new(0, 2 * HOUR_MS, vec![item]).expect("small");
        usage.add(0, 0, 4 * HOUR_MS, money("4"));
        usage.add(1, 0, 2 * HOUR_MS, money("2"));
        let rate = "0.5".parse().ok();
        let kind = CommitmentKind::ComputeSp;
        let plan = Terms::savings_plan(kind, "1.5".parse().expect("rate"), vec![rate]);
        let study = CommitmentStudy::of(&usage, 1, &[plan]);
        assert_eq!(
            study.hours,
            [
                CommitmentHour {
                    committed: money("1.5"),
                    unused: Money::ZERO,
                    covered: money("3"),
                    uncovered: money("1"),
                    used_by_others: Money::ZERO,
                },
                CommitmentHour {
                    committed: money("1.5"),
                    unused: money("0.5"),
                    covered: money("2"),
                    uncovered: Money::ZERO,
                    used_by_others: Money::ZERO,
                },
            ]
        );
        // Nothing: 6. As it is: 3 + 1. Two units an hour: 2 + 2. Six: 6.
        assert_eq!(study.at(0), Some(money("6")));
        assert_eq!(study.at(100), Some(money("4")));
        // 0.75 an hour covers 1.5: 1.50 + 2.5 + 0.5.
        assert_eq!(study.at(50), Some(money("4.5")));
        assert_eq!(study.at(200), Some(money("6")));
    }
}
