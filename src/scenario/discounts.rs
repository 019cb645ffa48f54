//! Negotiated discounts.

use super::decode::Spanned;
use super::number::Off;
use super::record::record;

record! {
    /// Percentages off the list prices of AWS services, before commitments, and off the fees of commitments. Spot, what commitments cover and prices that the scenario states stay as they are.
    #[derive(Default)]
    pub struct Discounts {
        /// On-Demand instances, capacity reservations, surplus credits.
        "ec2" => ec2: Option<Spanned<Off>>,
        /// Fargate, but Fargate Spot.
        "fargate" => fargate: Option<Spanned<Off>>,
        /// EBS volumes.
        "ebs" => ebs: Option<Spanned<Off>>,
        /// EKS clusters, and fees of EKS for nodes.
        "eks" => eks: Option<Spanned<Off>>,
        /// Fees of ECS for nodes.
        "ecs" => ecs: Option<Spanned<Off>>,
        /// Public IPv4 addresses, NAT gateways.
        "vpc" => vpc: Option<Spanned<Off>>,
        /// Elastic Load Balancing.
        "load-balancing" => load_balancing: Option<Spanned<Off>>,
        /// Traffic between zones and to the internet.
        "data-transfer" => data_transfer: Option<Spanned<Off>>,
        /// CloudWatch.
        "cloudwatch" => cloudwatch: Option<Spanned<Off>>,
        /// Every service that is not named; fees of commitments are none.
        "other" => other: Option<Spanned<Off>>,
        /// Every fee of Savings Plans, used or not: they are committed to and drawn down at AWS's rates, and billed for less.
        "savings-plans" => savings_plans: Option<Spanned<Off>>,
        /// Every fee of Reserved Instances, upfront and recurring, used or not; your own prices of them too.
        "reserved-instances" => reserved_instances: Option<Spanned<Off>>,
    }
}
