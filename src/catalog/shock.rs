//! What-ifs about prices: rates multiplied on top of the tables.
//!
//! | factor | multiplies |
//! | --- | --- |
//! | `on-demand` | EC2 On-Demand rates |
//! | `spot` | EC2 Spot rates, from the listed ones: a factor on On-Demand does not move them |
//! | `fargate` | Fargate rates: vCPU, memory, storage |
//! | `savings-plans` | Savings Plan rates, from the listed ones: a plan keeps its rates for its term |
//! | `types` | On-Demand and Spot rates of the instance types that match, `*` and `?` as wildcards |
//!
//! A factor of `types` multiplies with that of the purchase; two patterns must
//! not meet on a type. The product is formed first and the rate is
//! rounded once, half-even, to twelve decimals. Spot may come to cost more
//! than On-Demand. Other charges, and prices that a scenario states itself,
//! stay. A multiplied rate is at best `derived`, and its source names the
//! factor. Policies that look at prices see the multiplied ones.

use super::quote::{PriceStatus, Quote, Text};
use crate::names::wildcard;
use crate::units::Percent;

/// Factors on prices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceShock {
    /// On EC2 On-Demand rates.
    pub on_demand: Option<Percent>,
    /// On EC2 Spot rates.
    pub spot: Option<Percent>,
    /// On Fargate rates.
    pub fargate: Option<Percent>,
    /// On Savings Plan rates.
    pub savings_plans: Option<Percent>,
    /// On both rates of the instance types that match a pattern.
    pub types: Vec<(String, Percent)>,
}

/// Parts of a whole, as in [`Percent::ppm`].
const WHOLE: i128 = 1_000_000;

impl PriceShock {
    /// The listed rate of an instance type, multiplied.
    pub(super) fn on_type(&self, name: &str, purchase: Option<Percent>, listed: &Quote) -> Quote {
        let types = self.types.iter().filter(|(pattern, _)| wildcard(pattern, name));
        multiplied(purchase.into_iter().chain(types.map(|(_, factor)| *factor)), listed)
    }
}

/// A quote times all factors, rounded once.
pub(super) fn multiplied(factors: impl IntoIterator<Item = Percent>, listed: &Quote) -> Quote {
    let (mut numerator, mut denominator) = (1i128, 1i128);
    let mut text = String::new();
    for factor in factors {
        // Two factors of at most 100, each of a million parts, keep the product
        // with any rate that is read (10^21 pico-USD) inside i128.
        let (next, whole) = reduced(i128::from(factor.ppm), WHOLE);
        if next == whole {
            continue;
        }
        (numerator, denominator) = reduced(numerator * next, denominator * whole);
        text.push_str(" × ");
        text.push_str(&factor.to_string());
    }
    if text.is_empty() {
        return listed.clone();
    }
    Quote {
        rate: listed.rate.scale(numerator, denominator),
        status: listed.status.max(PriceStatus::Derived),
        as_of: listed.as_of.clone(),
        source: Text::from(format!("{}{text} (the scenario's `prices`)", listed.source)),
    }
}

fn reduced(numerator: i128, denominator: i128) -> (i128, i128) {
    let (mut a, mut b) = (numerator, denominator);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { (numerator, denominator) } else { (numerator / a, denominator / a) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Arch, Catalog, Payment, PlanItem, Region, Term};
    use crate::units::Rate;

    fn percent(text: &str) -> Percent {
        text.parse().expect("a percentage")
    }

    fn rate(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    fn region(shock: PriceShock) -> Region {
        let catalog = Catalog::load(None).expect("the tables of the binary");
        catalog.region("us-east-1").expect("a Region").shocked(shock)
    }

    fn quote(usd: &str) -> Quote {
        Quote {
            rate: rate(usd),
            status: PriceStatus::Real,
            as_of: "2026-01-01".into(),
            source: "list".into(),
        }
    }

    #[test]
    fn factors_multiply_exactly_and_round_once() {
        let times = |usd: &str, factors: &[&str]| {
            multiplied(factors.iter().map(|f| percent(f)), &quote(usd))
        };
        let more = times("0.096", &["110%", "150%"]);
        assert_eq!(more.rate, rate("0.1584"));
        assert_eq!(more.status, PriceStatus::Derived);
        assert_eq!(&*more.source, "list × 110% × 150% (the scenario's `prices`)");
        // Ties go to the even neighbour: 0.5 and 1.5 of the last place.
        assert_eq!(times("0.000000000001", &["50%"]).rate, rate("0"));
        assert_eq!(times("0.000000000003", &["50%"]).rate, rate("0.000000000002"));
        // Rounded once, not after each factor: 1 × 0.5 × 2 is 1.
        assert_eq!(times("0.000000000001", &["50%", "200%"]).rate, rate("0.000000000001"));
        assert_eq!(times("0.096", &["100%"]), quote("0.096"));
        assert_eq!(times("0.096", &[]), quote("0.096"));
    }

    #[test]
    fn each_factor_moves_its_own_rates() {
        let plain = region(PriceShock::default());
        let plan = |region: &Region, item| {
            region
                .compute_plan_rate(Term::OneYear, Payment::NoUpfront, item)
                .expect("a rate")
                .quote
                .rate
        };
        let rates = |region: &Region| {
            let fargate = region.fargate(Arch::Amd64).expect("rates");
            [
                region.on_demand("m5.large").expect("listed").rate,
                region.spot("m5.large").expect("listed").quote.rate,
                fargate.vcpu_hour.rate,
                fargate.gb_hour.rate,
                plan(region, PlanItem::Ec2("m5.large")),
                plan(region, PlanItem::FargateVcpu(Arch::Amd64)),
                region.on_demand("c5.large").expect("listed").rate,
            ]
        };
        let listed = rates(&plain);
        assert_eq!(listed[0], rate("0.096"));
        let moved = |shock: PriceShock| {
            let moved = rates(&region(shock));
            (0..listed.len()).filter(|i| moved[*i] != listed[*i]).collect::<Vec<_>>()
        };
        let factor = Some(percent("150%"));
        assert_eq!(moved(PriceShock { on_demand: factor, ..PriceShock::default() }), [0, 6]);
        assert_eq!(moved(PriceShock { spot: factor, ..PriceShock::default() }), [1]);
        assert_eq!(moved(PriceShock { fargate: factor, ..PriceShock::default() }), [2, 3]);
        assert_eq!(moved(PriceShock { savings_plans: factor, ..PriceShock::default() }), [4, 5]);
        let types = vec![("m5.*".to_owned(), percent("150%"))];
        assert_eq!(moved(PriceShock { types, ..PriceShock::default() }), [0, 1]);
        // The type's factor times the purchase's.
        let types = vec![("m*".to_owned(), percent("50%"))];
        let both = region(PriceShock { on_demand: factor, types, ..PriceShock::default() });
        assert_eq!(both.on_demand("m5.large").expect("listed").rate, rate("0.072"));
        assert_eq!(both.on_demand("m5.large").expect("listed").status, PriceStatus::Derived);
        let double = Some(percent("200%"));
        let dear = region(PriceShock { spot: double, ..PriceShock::default() });
        let pico = |region: &Region| region.spot("m5.large").expect("listed").quote.rate.pico();
        assert_eq!(pico(&dear), 2 * pico(&plain));
    }
}
