//! Negotiated discounts.

use super::decode::{Ctx, Spanned};
use super::diagnostic::Span;
use super::number::Share;
use super::record::record;

record! {
    /// Percentages off the list prices of AWS services, before commitments, and off the fees of commitments. Spot, what commitments cover and prices that the scenario states stay as they are.
    #[derive(Default)]
    pub struct Discounts {
        /// On-Demand instances, capacity reservations, surplus credits.
        "ec2" => ec2: Option<Spanned<Share>>,
        /// Fargate, but Fargate Spot.
        "fargate" => fargate: Option<Spanned<Share>>,
        /// EBS volumes.
        "ebs" => ebs: Option<Spanned<Share>>,
        /// EKS clusters, and fees of EKS for nodes.
        "eks" => eks: Option<Spanned<Share>>,
        /// Fees of ECS for nodes.
        "ecs" => ecs: Option<Spanned<Share>>,
        /// Public IPv4 addresses, NAT gateways.
        "vpc" => vpc: Option<Spanned<Share>>,
        /// Elastic Load Balancing.
        "load-balancing" => load_balancing: Option<Spanned<Share>>,
        /// Traffic between zones and to the internet.
        "data-transfer" => data_transfer: Option<Spanned<Share>>,
        /// CloudWatch.
        "cloudwatch" => cloudwatch: Option<Spanned<Share>>,
        /// Every service that is not named; fees of commitments are none.
        "other" => other: Option<Spanned<Share>>,
        /// Every fee of Savings Plans, used or not: they are committed to and drawn down at AWS's rates, and billed for less.
        "savings-plans" => savings_plans: Option<Spanned<Share>>,
        /// Every fee of Reserved Instances, upfront and recurring, used or not; your own prices of them too.
        "reserved-instances" => reserved_instances: Option<Spanned<Share>>,
    }
    check check_discounts;
}

fn check_discounts(it: &Discounts, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let all = [
        it.ec2,
        it.fargate,
        it.ebs,
        it.eks,
        it.ecs,
        it.vpc,
        it.load_balancing,
        it.data_transfer,
        it.cloudwatch,
        it.other,
        it.savings_plans,
        it.reserved_instances,
    ];
    let mut fine = true;
    for found in all.into_iter().flatten().filter(|d| d.value.0.ppm == 1_000_000) {
        let message = "a discount leaves something to pay";
        ctx.diags().error(found.span, message).help("state less than 100%");
        fine = false;
    }
    fine
}
