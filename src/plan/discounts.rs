//! Negotiated discounts, from the scenario's words to contracted prices.

use super::notes::Notes;
use crate::bill::{BillingPlan, Discounts};
use crate::scenario;

/// Puts contracted prices into a bill that is otherwise complete. Nothing
/// else sees them, so a simulation stays the same: policies that look at
/// prices know list prices and overlays of their own (Karpenter's pricing
/// controller reads public lists too).
pub(super) fn link(given: &scenario::Discounts, billing: &mut BillingPlan, notes: &mut Notes<'_>) {
    if *given == scenario::Discounts::default() {
        return;
    }
    notes.default(
        "discounts",
        "off list prices of On-Demand usage and, where stated, off fees of commitments",
        "choice: agreements are private; Spot, what commitments cover and stated prices stay, and \
         policies see list prices",
    );
    let of = |off: Option<scenario::Spanned<scenario::Off>>| off.map(|off| off.value.0);
    Discounts {
        ec2: of(given.ec2),
        fargate: of(given.fargate),
        ebs: of(given.ebs),
        eks: of(given.eks),
        ecs: of(given.ecs),
        vpc: of(given.vpc),
        load_balancing: of(given.load_balancing),
        data_transfer: of(given.data_transfer),
        cloudwatch: of(given.cloudwatch),
        other: of(given.other),
        savings_plans: of(given.savings_plans),
        reserved_instances: of(given.reserved_instances),
    }
    .apply(billing);
}

#[cfg(test)]
mod tests {
    use super::super::model::CasePlan;
    use super::super::tests::{errors, fixed, plan, setting, with};
    use crate::units::Rate;

    fn rate(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    #[test]
    fn discounts_change_the_bill_alone() {
        let text = with(
            &fixed("m5.large"),
            "charges: { root-volume: 20Gi, node-licence: { usd-per-node-hour: 0.01 } }
commitments: { sp: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.1 } }
cases:
  listed: {}
  contracted: { set: { discounts: { ec2: 5%, other: 2.5% } } }
  nothing: { set: { discounts: { ec2: 0% } } }
",
        );
        let plan = plan(&text);
        let [listed, contracted, nothing] = plan.cases.as_slice() else { panic!("three") };
        // One simulation, in which policies see 0.096.
        assert_eq!((contracted.sim_key, nothing.sim_key), (listed.sim_key, listed.sim_key));
        assert_eq!(contracted.setup, listed.setup);
        assert_eq!(contracted.setup.cluster.pools[0].offers[0].hourly, rate("0.096"));
        let price = contracted.billing.shapes[0].on_demand.expect("priced");
        assert_eq!((price.rate, price.list), (rate("0.0912"), Some(rate("0.096"))));
        let volume = contracted.billing.root_volume.expect("a volume").gb_month;
        assert_eq!((volume.rate, volume.list), (rate("0.078"), Some(rate("0.08"))));
        // Neither the rate of the plan, 27 % below the list price, nor what is
        // stated.
        assert_eq!(contracted.billing.commitments, listed.billing.commitments);
        assert_eq!(contracted.billing.node_licence, listed.billing.node_licence);
        assert_eq!(nothing.billing, listed.billing);
        assert!(setting(contracted, "discounts").note.contains("Spot"));
        assert_eq!(setting(contracted, "discounts.ec2").value, "5%");
        assert!(contracted.changes.iter().any(|c| c.path.starts_with("discounts")));
    }

    #[test]
    fn fees_of_commitments_are_discounted_apart() {
        let text = with(
            &fixed("m5.large"),
            "commitments:
  sp: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.1 }
  ri: { kind: standard-ri, instance-type: m5.large, count: 2, term: 1y, payment: partial-upfront,
    upfront-usd: 100, usd-per-hour: 0.03 }
cases:
  listed: { set: { discounts: { other: 7% } } }
  plans: { set: { discounts: { savings-plans: 5% } } }
  both: { set: { discounts: { savings-plans: 5%, reserved-instances: 3% } } }
",
        );
        let plan = plan(&text);
        let [listed, plans, both] = plan.cases.as_slice() else { panic!("three") };
        assert_eq!((plans.sim_key, both.sim_key), (listed.sim_key, listed.sim_key));
        let off = |case: &CasePlan| {
            let all = case.billing.commitments.iter();
            all.map(|it| it.fee_discount.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(off(listed), ["0%", "0%"], "other services are not commitments");
        assert_eq!(
            (off(plans), off(both)),
            (vec!["5%".into(), "0%".into()], vec!["5%".into(), "3%".into()])
        );
        // Committed, covered and stated fees are as AWS has them.
        let (sp, ri) = (&both.billing.commitments[0], &both.billing.commitments[1]);
        assert_eq!(
            (sp.usd_per_hour, &sp.shapes),
            (rate("0.1"), &listed.billing.commitments[0].shapes)
        );
        assert_eq!((ri.fees.upfront.to_string(), ri.fees.hourly), ("200".into(), rate("0.06")));
        assert_eq!(both.billing.shapes, plans.billing.shapes);
    }

    #[test]
    fn mistakes_are_named() {
        let of = |text: &str| errors(&with(&fixed("m5.large"), &format!("discounts: {text}\n")));
        let whole = of("{ ec2: 100% }");
        assert!(whole.contains("leaves something to pay"), "{whole}");
        assert!(whole.contains("less than 100%"), "{whole}");
        for kind in ["savings-plans", "reserved-instances"] {
            let whole = of(&format!("{{ {kind}: 100% }}"));
            assert!(whole.contains("leaves something to pay"), "{whole}");
        }
        let more = of("{ ec2: 101% }");
        assert!(more.contains("more than 100%"), "{more}");
        let number = of("{ ec2: 5 }");
        assert!(number.contains("percentage"), "{number}");
        let negative = of("{ ec2: -5% }");
        assert!(negative.contains("percentage") || negative.contains("negative"), "{negative}");
        let unknown = of("{ fargat: 5% }");
        assert!(unknown.contains("did you mean `fargate`"), "{unknown}");
    }
}
