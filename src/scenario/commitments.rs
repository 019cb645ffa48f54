//! What is committed to, whatever is used.

use jiff::Timestamp;

use super::decode::{Ctx, Spanned};
use super::diagnostic::Span;
use super::leaf::RelPath;
use super::number::{Int, Share};
use super::record::{names, record};
use crate::units::{Money, Rate};

record! {
    /// A Savings Plan or Reserved Instances that are owned.
    pub struct Commitment {
        /// Which.
        "kind" => kind: Spanned<CommitmentKind>,
        /// For how long it was bought.
        "term" => term: Spanned<Term>,
        /// How it is paid.
        "payment" => payment: Spanned<Payment>,
        /// Of a Savings Plan, the commitment per hour at plan rates; of Reserved Instances, what one costs per hour beside its upfront payment, from the price tables unless stated.
        "usd-per-hour" => usd_per_hour: Option<Spanned<Rate>>,
        /// What a Savings Plan takes off the On-Demand price of everything it covers, such as 28%, where its rates are known to you; from the price tables unless stated.
        "discount" => discount: Option<Spanned<Share>>,
        /// The family an EC2 Instance Savings Plan covers, such as m7i.
        "family" => family: Option<Spanned<String>>,
        /// What is reserved, such as m7i.large.
        "instance-type" => instance_type: Option<Spanned<String>>,
        /// How many of it.
        "count" => count: Option<Spanned<Int<0, 1_000_000>>>,
        /// regional, or the zone in which capacity is reserved; regional unless stated.
        "scope" => scope: Option<Spanned<String>>,
        /// What one Reserved Instance costs upfront; from the price tables unless stated.
        "upfront-usd" => upfront_usd: Option<Spanned<Money>>,
        /// When it was bought, with an offset from UTC; before the run and in force to its end unless stated.
        "start" => start: Option<Spanned<Timestamp>>,
    }
    check check_commitment;
}

record! {
    /// On-Demand capacity that is reserved in a zone, and charged whether instances run in it or not.
    pub struct CapacityReservation {
        /// Of what, such as m7i.large.
        "instance-type" => instance_type: Spanned<String>,
        /// Where, such as us-east-1a.
        "zone" => zone: Spanned<String>,
        /// How many instances.
        "count" => count: Spanned<Int<0, 1_000_000>>,
    }
}

/// The most a `discount` is, in millionths: far above any plan of AWS.
const MOST_OFF_PPM: i64 = 990_000;

record! {
    /// What the payer of the commitments uses outside the scenario.
    pub struct OtherUsage {
        /// CSV with the columns hour (the start of a clock hour, RFC 3339) or hour_of_week (0 to 167 from Monday 00:00 UTC on), kind (an instance type, fargate-vcpu or fargate-gb) and quantity (instance-hours, vCPU-hours or GB-hours, On-Demand).
        "file" => file: Spanned<RelPath>,
        /// Whose account owns the commitments and is covered first; scenario unless stated.
        "owner" => owner: Option<Spanned<CommitmentOwner>>,
    }
}

names! {
    /// Who owns commitments.
    pub enum CommitmentOwner {
        /// The account of the scenario.
        "scenario" => Scenario,
        /// The account of the other usage.
        "other" => Other,
    }
}

fn check_commitment(it: &Commitment, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    let kind = it.kind.value;
    let (family, reserved) = (kind == CommitmentKind::Ec2InstanceSp, kind.is_reserved());
    let keys = [
        ("family", it.family.as_ref().map(|f| f.span), family, family),
        ("instance-type", it.instance_type.as_ref().map(|f| f.span), reserved, reserved),
        ("count", it.count.map(|f| f.span), reserved, reserved),
        ("usd-per-hour", it.usd_per_hour.map(|f| f.span), true, !reserved),
        ("discount", it.discount.map(|f| f.span), !reserved, false),
        ("scope", it.scope.as_ref().map(|f| f.span), reserved, false),
        ("upfront-usd", it.upfront_usd.map(|f| f.span), reserved, false),
    ];
    let mut fine = true;
    for (key, given, allowed, needed) in keys {
        match given {
            Some(span) if !allowed => {
                ctx.diags().error(span, format!("{kind} has no `{key}`"));
                fine = false;
            }
            None if needed => {
                ctx.diags().error(owner, format!("{kind} needs `{key}`"));
                fine = false;
            }
            _ => {}
        }
    }
    let negative = it.upfront_usd.filter(|u| u.value < Money::ZERO);
    if let Some(upfront) = negative {
        ctx.diags().error(upfront.span, "an upfront payment is not negative");
    }
    // At 100 % usage is free, and no commitment is too small or too large.
    let free = it.discount.filter(|d| d.value.0.ppm > MOST_OFF_PPM);
    if let Some(discount) = free {
        ctx.diags()
            .error(discount.span, "a Savings Plan takes at most 99 % off the On-Demand price")
            .help("`discount` is what is taken off, such as 28%; not what is left to pay");
    }
    fine && negative.is_none() && free.is_none()
}

names! {
    /// Kinds of commitments.
    pub enum CommitmentKind {
        /// A Compute Savings Plan: EC2 and Fargate.
        "compute-sp" => ComputeSp,
        /// An EC2 Instance Savings Plan: one family in the Region.
        "ec2-instance-sp" => Ec2InstanceSp,
        /// Standard Reserved Instances.
        "standard-ri" => StandardRi,
        /// Convertible Reserved Instances.
        "convertible-ri" => ConvertibleRi,
    }
}

impl CommitmentKind {
    /// Whether it is Reserved Instances.
    #[must_use]
    pub fn is_reserved(self) -> bool {
        matches!(self, CommitmentKind::StandardRi | CommitmentKind::ConvertibleRi)
    }
}

names! {
    /// Terms of commitments.
    pub enum Term {
        /// One year.
        "1y" => OneYear,
        /// Three years.
        "3y" => ThreeYears,
    }
}

names! {
    /// Payment options of commitments.
    pub enum Payment {
        /// Monthly.
        "no-upfront" => NoUpfront,
        /// Half at the start.
        "partial-upfront" => PartialUpfront,
        /// All at the start.
        "all-upfront" => AllUpfront,
    }
}
