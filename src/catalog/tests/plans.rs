//! Rates of commitments.

use super::*;

#[test]
fn plan_rates_take_the_most_specific_row() {
    let (home, ireland, tokyo) =
        (region("us-east-1"), region("eu-west-1"), region("ap-northeast-1"));
    let rate = |region: &Region, term, payment, name: &str| {
        region.compute_plan_rate(term, payment, PlanItem::Ec2(name))
    };
    // The group: 27 % off 0.096.
    let plan = rate(&home, Term::OneYear, Payment::NoUpfront, "m5.large").expect("group");
    assert_eq!(plan.quote.rate.to_string(), "0.07008");
    assert_eq!(plan.discount_ppm, 270_000);
    assert_eq!(plan.on_demand.to_string(), "0.096");
    assert_eq!(plan.quote.status, PriceStatus::Representative);
    // The type itself, by its Reserved Instance: 27.88 % off 0.0416.
    let plan = rate(&home, Term::OneYear, Payment::NoUpfront, "t3.medium").expect("type");
    assert_eq!(plan.quote.rate.to_string(), "0.03000192");
    assert_eq!(plan.quote.status, PriceStatus::Representative);
    assert!(plan.quote.source.contains("t3.medium convertible Reserved Instance"));
    // Its family, also from another Region.
    let plan = rate(&home, Term::OneYear, Payment::NoUpfront, "t3.xlarge").expect("family");
    assert_eq!(plan.discount_ppm, 278_800);
    let plan = rate(&ireland, Term::OneYear, Payment::NoUpfront, "t3.large").expect("family");
    assert_eq!(plan.discount_ppm, 278_800);
    // This Region's row goes before that of us-east-1.
    let plan = rate(&ireland, Term::OneYear, Payment::NoUpfront, "c4.large").expect("type");
    assert_eq!(plan.discount_ppm, 212_400);
    // A plan's own row for the type.
    let plan = rate(&tokyo, Term::OneYear, Payment::AllUpfront, "r8g.2xlarge").expect("own");
    assert_eq!(plan.discount_ppm, 300_000);
    // Outside every group.
    assert_eq!(rate(&home, Term::OneYear, Payment::NoUpfront, "g5.xlarge"), None);
    assert_eq!(rate(&home, Term::OneYear, Payment::NoUpfront, "t4g.medium"), None);
    assert_eq!(rate(&home, Term::OneYear, Payment::NoUpfront, "nonsense"), None);
}

#[test]
fn fargate_plan_rates() {
    let home = region("us-east-1");
    let rate = |term, payment| {
        let item = PlanItem::FargateVcpu(Arch::Amd64);
        home.compute_plan_rate(term, payment, item).expect("a rate").quote
    };
    // 20 % off 0.04048.
    let quote = rate(Term::OneYear, Payment::NoUpfront);
    assert_eq!(
        (quote.rate.to_string().as_str(), quote.status),
        ("0.032384", PriceStatus::Representative)
    );
    // 25 % off, from a worked example.
    let quote = rate(Term::OneYear, Payment::AllUpfront);
    assert_eq!((quote.rate.to_string().as_str(), quote.status), ("0.03036", PriceStatus::Derived));
    let memory = home
        .compute_plan_rate(
            Term::ThreeYears,
            Payment::NoUpfront,
            PlanItem::FargateMemory(Arch::Arm64),
        )
        .expect("a rate");
    // 40 % off 0.00356.
    assert_eq!(memory.quote.rate.to_string(), "0.002136");
}

#[test]
fn each_kind_of_commitment_has_its_rates() {
    let home = region("us-east-1");
    let rate = |kind, name| {
        let found = home.plan_rate(kind, Term::OneYear, Payment::NoUpfront, PlanItem::Ec2(name))?;
        Some((found.discount_ppm, found.quote.status))
    };
    let representative = PriceStatus::Representative;
    // A published Reserved Instance keeps its status for its own type only.
    assert_eq!(rate(PlanKind::StandardRi, "t3.medium"), Some((372_700, PriceStatus::Real)));
    assert_eq!(rate(PlanKind::StandardRi, "t3.large"), Some((372_700, representative)));
    assert_eq!(rate(PlanKind::ConvertibleRi, "t3.medium"), Some((278_800, PriceStatus::Real)));
    // Each of a pair stands in for the other.
    assert_eq!(rate(PlanKind::Ec2InstanceSp, "t3.medium"), Some((372_700, representative)));
    assert_eq!(rate(PlanKind::ComputeSp, "t3.medium"), Some((278_800, representative)));
    assert_eq!(rate(PlanKind::Ec2InstanceSp, "m5.large"), Some((370_000, representative)));
    assert_eq!(rate(PlanKind::StandardRi, "m5.large"), Some((370_000, representative)));
    assert_eq!(rate(PlanKind::ConvertibleRi, "m5.large"), Some((270_000, representative)));
    let fargate = PlanItem::FargateVcpu(Arch::Amd64);
    let none = home.plan_rate(PlanKind::Ec2InstanceSp, Term::OneYear, Payment::NoUpfront, fargate);
    assert_eq!(none, None);
}
