//! Commitments from their keys to what they cover at which price.

use super::tests::{codes, errors, fixed, plan, setting, with};
use crate::bill::{Commitment, CommitmentKind, PriceStatus, Reserved};
use crate::units::{HOUR_MS, Money};

fn linked(kind: &str, commitment: &str) -> Commitment {
    let text = with(&fixed(kind), &format!("commitments: {{ c: {{ {commitment} }} }}\n"));
    plan(&text).cases[0].billing.commitments[0].clone()
}

#[test]
fn reserved_instances_take_the_price_of_their_type() {
    let c = linked(
        "t3.medium",
        "kind: standard-ri, term: 1y, payment: no-upfront, instance-type: t3.medium, count: 3",
    );
    assert_eq!(c.kind, CommitmentKind::StandardRi);
    // 37.27 % off 0.0416, published; three of them.
    let price = c.shapes[0].expect("covered");
    assert_eq!((price.rate.to_string().as_str(), price.status), ("0.02609568", PriceStatus::Real));
    assert_eq!(c.usd_per_hour.to_string(), "0.07828704");
    assert_eq!((c.fees.upfront, c.fees.hourly), (Money::ZERO, c.usd_per_hour));
    let expected = Reserved {
        instance_type: "t3.medium".into(),
        count: 3,
        zone: None,
        size_flexible: true,
        status: PriceStatus::Real,
    };
    assert_eq!(c.reserved, Some(expected));
    // An m5 by the discount of EC2 Instance Savings Plans of its group: 37 %.
    let of_m5 = "kind: standard-ri, term: 1y, payment: no-upfront, instance-type: m5.large";
    let c = linked("m5.xlarge", &format!("{of_m5}, count: 1"));
    let price = c.shapes[0].expect("a size of its family");
    assert_eq!(
        (price.rate.to_string().as_str(), price.status),
        ("0.12096", PriceStatus::Representative)
    );
    assert_eq!(c.usd_per_hour.to_string(), "0.06048");
    // A zonal one covers no other size.
    let warned = with(
        &fixed("m5.xlarge"),
        &format!("commitments: {{ c: {{ {of_m5}, count: 1, scope: us-east-1a }} }}\n"),
    );
    let plan = plan(&warned);
    assert_eq!(codes(&plan)[0], "commitment-unused");
    assert_eq!(plan.cases[0].billing.commitments[0].shapes, [None]);
}

#[test]
fn own_prices_are_spread_over_the_term() {
    let c = linked(
        "m5.large",
        "kind: convertible-ri, term: 3y, payment: partial-upfront, instance-type: m5.large, \
         count: 2, upfront-usd: 525.6, usd-per-hour: 0.03, start: 2025-01-07T00:00Z",
    );
    // 525.6 / 26,280 h = 0.02, and 0.03.
    let price = c.shapes[0].expect("covered");
    assert_eq!((price.rate.to_string().as_str(), price.status), ("0.05", PriceStatus::Stated));
    assert_eq!(c.usd_per_hour.to_string(), "0.1");
    assert_eq!(c.fees.upfront.to_string(), "1051.2");
    assert_eq!(c.fees.hourly.to_string(), "0.06");
    assert_eq!(c.in_force.1 - c.in_force.0, 26_280 * HOUR_MS);
    assert_eq!(c.in_force.0, 1_736_208_000_000);
}

#[test]
fn an_instance_plan_covers_its_family_and_no_fargate() {
    let text = with(
        &fixed("m5.large"),
        "commitments:
  m: { kind: ec2-instance-sp, term: 1y, payment: partial-upfront, family: m5, usd-per-hour: 1 }
  c: { kind: ec2-instance-sp, term: 1y, payment: all-upfront, family: c5, usd-per-hour: 1 }
",
    );
    let plan = plan(&text);
    let [m, c] = plan.cases[0].billing.commitments.as_slice() else { panic!("two") };
    // 40 % off 0.096.
    assert_eq!(m.shapes[0].expect("covered").rate.to_string(), "0.0576");
    assert_eq!((m.kind, &m.fargate), (CommitmentKind::Ec2InstanceSp, &vec![]));
    assert_eq!(
        (m.fees.upfront.to_string().as_str(), m.fees.hourly.to_string().as_str()),
        ("4380", "0.5")
    );
    assert_eq!(c.shapes, [None]);
    assert_eq!(
        (c.fees.upfront.to_string().as_str(), c.fees.hourly.to_string().as_str()),
        ("8760", "0")
    );
    assert_eq!(codes(&plan)[0], "commitment-unused");
    assert_eq!(setting(&plan.cases[0], "commitments.m.start").value, "before the run");
}

#[test]
fn what_does_not_fit_a_kind_is_refused() {
    let refused = |commitment: &str| {
        errors(&with(&fixed("m5.large"), &format!("commitments: {{ c: {{ {commitment} }} }}\n")))
    };
    let ri = "kind: standard-ri, term: 1y, payment: no-upfront";
    for (commitment, expected) in [
        (format!("{ri}, count: 1"), "standard-ri needs `instance-type`"),
        (format!("{ri}, instance-type: m5.large"), "standard-ri needs `count`"),
        (format!("{ri}, count: 1, instance-type: m5.large, family: m5"), "has no `family`"),
        (format!("{ri}, count: 1, instance-type: m5.lage"), "did you mean `m5.large`?"),
        (
            format!("{ri}, count: 1, instance-type: m5.large, scope: eu-west-1a"),
            "no Availability Zone",
        ),
        (format!("{ri}, count: 1, instance-type: m5.large, upfront-usd: 5"), "no upfront payment"),
        (format!("{ri}, count: 1, instance-type: g5.xlarge"), "state `usd-per-hour` of"),
        ("kind: compute-sp, term: 1y, payment: no-upfront".into(), "needs `usd-per-hour`"),
        (
            "kind: ec2-instance-sp, term: 1y, payment: no-upfront, usd-per-hour: 1".into(),
            "needs `family`",
        ),
        (
            "kind: ec2-instance-sp, term: 1y, payment: no-upfront, usd-per-hour: 1, family: m55"
                .into(),
            "unknown instance family",
        ),
    ] {
        let message = refused(&commitment);
        assert!(message.contains(expected), "{commitment}: {message}");
    }
}

#[test]
fn half_a_price_is_refused() {
    let of = |payment: &str, price: &str| {
        let ri = "kind: standard-ri, term: 1y, instance-type: m5.large, count: 1";
        with(
            &fixed("m5.large"),
            &format!("commitments: {{ c: {{ {ri}, payment: {payment}, {price} }} }}\n"),
        )
    };
    for (payment, price, expected) in [
        ("partial-upfront", "usd-per-hour: 0.03", "add `upfront-usd`"),
        ("partial-upfront", "upfront-usd: 250", "add `usd-per-hour`"),
        ("no-upfront", "upfront-usd: 0", "add `usd-per-hour`"),
        ("no-upfront", "upfront-usd: 5, usd-per-hour: 0.03", "remove `upfront-usd`"),
        ("all-upfront", "usd-per-hour: 0", "add `upfront-usd`"),
        ("all-upfront", "upfront-usd: 500, usd-per-hour: 0.03", "remove `usd-per-hour`"),
    ] {
        let message = errors(&of(payment, price));
        assert!(message.contains(expected), "{payment}, {price}: {message}");
        assert!(message.contains("s.yaml:"), "{payment}, {price}: {message}");
    }
    // 8,760 hours: the half that a payment does not have may be stated as zero.
    for (payment, price, per_hour) in [
        ("no-upfront", "upfront-usd: 0, usd-per-hour: 0.03", "0.03"),
        ("no-upfront", "usd-per-hour: 0.03", "0.03"),
        ("all-upfront", "upfront-usd: 438, usd-per-hour: 0", "0.05"),
        ("all-upfront", "upfront-usd: 438", "0.05"),
        ("partial-upfront", "upfront-usd: 438, usd-per-hour: 0.03", "0.08"),
    ] {
        let plan = plan(&of(payment, price));
        let c = &plan.cases[0].billing.commitments[0];
        assert_eq!(c.usd_per_hour.to_string(), per_hour, "{payment}, {price}");
    }
}

#[test]
fn a_discount_of_nearly_everything_is_refused() {
    let of = |discount: &str| {
        let sp = "kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0";
        let text = format!("commitments: {{ c: {{ {sp}, discount: {discount} }} }}\n");
        with(&fixed("m5.large"), &text)
    };
    for discount in ["100%", "99.99%", "99.01%"] {
        let message = errors(&of(discount));
        assert!(message.contains("at most 99 % off"), "{discount}: {message}");
        assert!(message.contains("s.yaml:"), "{discount}: {message}");
    }
    let plan = plan(&of("99%"));
    let rate = plan.cases[0].billing.commitments[0].shapes[0].expect("covered").rate;
    // A hundredth of 0.096.
    assert_eq!(rate.to_string(), "0.00096");
}

#[test]
fn an_unknown_type_is_said_once() {
    let message = errors(&with(
        &fixed("m5.large"),
        "commitments: { c: { kind: standard-ri, term: 1y, payment: no-upfront, count: 1, \
         instance-type: m5.lage } }\n",
    ));
    assert!(message.contains("unknown instance type `m5.lage`"), "{message}");
    assert_eq!(message.matches("--> s.yaml").count(), 1, "{message}");
    assert!(!message.contains("no price"), "{message}");
}

#[test]
fn a_commitment_that_ended_is_said() {
    let text = with(
        &fixed("m5.large"),
        "commitments: { c: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 1, \
         start: 2023-01-01T00:00Z } }\n",
    );
    assert_eq!(codes(&plan(&text))[0], "commitment-ended");
}

#[test]
fn a_commitment_that_has_not_begun_is_said() {
    let of = |start: &str| {
        let text = with(
            &fixed("m5.large"),
            &format!(
                "commitments: {{ c: {{ kind: compute-sp, term: 1y, payment: no-upfront, \
                 usd-per-hour: 1, start: {start} }} }}\n"
            ),
        );
        codes(&plan(&format!("{text}time: {{ start: 2026-07-06T00:00Z, horizon: 1d }}\n")))
    };
    let code = "commitment-not-begun";
    // A day: its end is the first moment of which nothing is billed.
    for (start, said) in [
        ("2027-01-01T00:00Z", true),
        ("2026-07-07T00:00Z", true),
        ("2026-07-06T23:59Z", false),
        ("2026-07-01T00:00Z", false),
    ] {
        assert_eq!(of(start).contains(&code), said, "{start}");
    }
}

#[test]
fn capacity_reservations_know_what_covers_them() {
    let text = with(
        &fixed("m5.large"),
        "commitments:
  sp: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 1 }
  c5: { kind: ec2-instance-sp, term: 1y, payment: no-upfront, usd-per-hour: 1, family: c5 }
  ri: { kind: standard-ri, term: 1y, payment: no-upfront, instance-type: m5.large, count: 2 }
  z: { kind: standard-ri, term: 1y, payment: no-upfront, instance-type: m5.xlarge, count: 2,
       scope: us-east-1a }
capacity-reservations:
  kept: { instance-type: m5.xlarge, zone: us-east-1a, count: 4 }
",
    );
    let plan = plan(&text);
    let [kept] = plan.cases[0].billing.capacity_reservations.as_slice() else { panic!("one") };
    assert_eq!((kept.count, kept.on_demand.rate.to_string().as_str()), (4, "0.192"));
    let rates: Vec<Option<String>> =
        kept.covered.iter().map(|p| p.map(|p| p.rate.to_string())).collect();
    // 27 % off; another family; twice an m5.large at 37 % off; zonal.
    let expected = [Some("0.14016"), None, Some("0.12096"), None];
    assert_eq!(rates, expected.map(|p| p.map(str::to_owned)));
    // A plan that states its discount: 25 % off 0.192, no row of the tables.
    let stated = text.replace("family: c5 }", "family: m5, discount: 25% }");
    let stated = super::tests::plan(&stated);
    let price = stated.cases[0].billing.capacity_reservations[0].covered[1].expect("covered");
    assert_eq!((price.rate.to_string().as_str(), price.status), ("0.144", PriceStatus::Stated));
    for (given, expected) in [
        ("{ instance-type: m5.lage, zone: us-east-1a, count: 1 }", "did you mean `m5.large`?"),
        ("{ instance-type: m5.large, zone: eu-west-1a, count: 1 }", "no Availability Zone"),
    ] {
        let text = format!("{}capacity-reservations: {{ c: {given} }}\n", fixed("m5.large"));
        let message = errors(&text);
        assert!(message.contains(expected), "{message}");
    }
}
