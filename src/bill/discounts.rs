//! Negotiated discounts: contracted prices instead of list prices.
//!
//! Private pricing (AWS Enterprise Discount Program) takes a percentage off
//! what a service lists. It is applied to prices, before any commitment:
//! Reserved Instances and Savings Plans compare their rates with contracted
//! On-Demand prices, and what they leave uncovered is billed at those. FOCUS
//! 1.2 calls the three stages list, contracted and effective cost.
//!
//! An agreement across services also takes its percentage off the fees of
//! Savings Plans and Reserved Instances: AWS's cost and usage report has net
//! columns for them (`savings_plan_net_*`, `reservation_net_*`). What was
//! committed to, and what it covers at which rates, stays: every fee of it,
//! upfront or recurring, used or not, costs `1 − d` of itself.
//!
//! Agreements are private, so it is a choice that Spot prices stay as they are,
//! and every price that the scenario states itself, but for fees: those are
//! stated as AWS shows them to an owner, before the agreement. A contracted rate
//! is the list rate times `1 − d`, rounded once, half-even, to twelve decimals,
//! and is at best `derived`.

use super::around::Pricing;
use super::charge::Charge;
use super::model::Unit;
use super::prices::{BillingPlan, FargatePrice, Price, PriceStatus};
use crate::units::{Money, Percent, Rate};

/// Two prices of one thing, per unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract {
    /// What AWS lists.
    pub list: Rate,
    /// What was negotiated.
    pub contracted: Rate,
}

impl Contract {
    /// What costs `contracted` at the contracted price, at list price: from
    /// its quantity (in the small unit), or, of a share of a line whose
    /// money was split first, from that money. Rounded once.
    #[must_use]
    pub fn list_cost(&self, contracted: Money, quantity: i128, unit: Unit) -> Money {
        let per = i128::from(unit.per());
        if self.contracted <= Rate::ZERO || self.contracted.charge(quantity, per) == contracted {
            return self.list.charge(quantity, per);
        }
        contracted.scale(self.list.pico(), self.contracted.pico())
    }
}

/// What is taken off the list prices of each service; `None` takes `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Discounts {
    /// On-Demand instances, reserved capacity, surplus credits.
    pub ec2: Option<Percent>,
    /// Fargate: vCPU, memory, storage, licences; not Fargate Spot.
    pub fargate: Option<Percent>,
    /// EBS volumes of nodes and pods.
    pub ebs: Option<Percent>,
    /// EKS: clusters, Auto Mode, EKS Anywhere.
    pub eks: Option<Percent>,
    /// ECS: Managed Instances, ECS Anywhere.
    pub ecs: Option<Percent>,
    /// VPC: public IPv4 addresses, NAT gateways.
    pub vpc: Option<Percent>,
    /// Elastic Load Balancing.
    pub load_balancing: Option<Percent>,
    /// Traffic between zones and to the internet.
    pub data_transfer: Option<Percent>,
    /// CloudWatch.
    pub cloudwatch: Option<Percent>,
    /// Every service that has none of its own; fees of commitments are none.
    pub other: Option<Percent>,
    /// Fees of Savings Plans.
    pub savings_plans: Option<Percent>,
    /// Fees of Reserved Instances.
    pub reserved_instances: Option<Percent>,
}

/// Takes a percentage off a list price.
fn take_off(price: &mut Price, discount: Option<Percent>) {
    let Some(discount) = discount.filter(|d| d.ppm > 0) else { return };
    if price.status == PriceStatus::Stated {
        return;
    }
    let list = price.rate;
    *price = Price {
        rate: discount.off_rate(list),
        status: price.status.max(PriceStatus::Derived),
        list: Some(list),
    };
}

impl Discounts {
    /// Puts contracted prices in the place of list prices, once.
    pub fn apply(&self, plan: &mut BillingPlan) {
        let on_ec2 = self.of(Charge::Instance);
        for price in plan.shapes.iter_mut().filter_map(|shape| shape.on_demand.as_mut()) {
            take_off(price, on_ec2);
        }
        for reservation in &mut plan.capacity_reservations {
            take_off(&mut reservation.on_demand, on_ec2);
        }
        // The agreement is the payer's, as the commitments are.
        for item in plan.other_usage.iter_mut().flat_map(|other| &mut other.items) {
            let fargate = self.of(Charge::FargateCpu);
            take_off(&mut item.on_demand, if item.is_instance { on_ec2 } else { fargate });
        }
        for burst in plan.bursts.iter_mut().flatten() {
            take_off(&mut burst.vcpu_hour, on_ec2);
        }
        for it in &mut plan.commitments {
            let reserved = it.kind.is_reserved();
            let discount = if reserved { self.reserved_instances } else { self.savings_plans };
            it.fee_discount = discount.unwrap_or_default();
        }
        for pool in &mut plan.fargate {
            self.on_fargate(pool);
        }
        for fee in plan.pools.iter_mut().filter_map(|pool| pool.fee.as_mut()) {
            let discount = self.of(fee.charge);
            for price in fee.shapes.iter_mut().flatten() {
                take_off(price, discount);
            }
        }
        if let Some(volume) = &mut plan.root_volume {
            let beyond = [volume.iops.as_mut(), volume.throughput.as_mut()];
            let beyond = beyond.into_iter().flatten().map(|(_, price)| price);
            for price in beyond.chain([&mut volume.gb_month]) {
                take_off(price, self.of(Charge::RootVolume));
            }
        }
        if let Some(price) = &mut plan.public_ipv4 {
            take_off(price, self.of(Charge::PublicIpv4));
        }
        for charge in &mut plan.around {
            let discount = self.of(charge.charge);
            match &mut charge.pricing {
                Pricing::Flat(price) => take_off(price, discount),
                Pricing::Dated(prices) => {
                    for (_, dated) in prices {
                        take_off(&mut dated.price, discount);
                    }
                }
                Pricing::Tiered(tiers) => {
                    for tier in &mut tiers.tiers {
                        take_off(&mut tier.price, discount);
                    }
                }
            }
        }
    }

    fn on_fargate(&self, pool: &mut FargatePrice) {
        let discount = self.of(Charge::FargateCpu);
        // Of Fargate Spot only what it saves is told against On-Demand.
        let (vcpu, gb) = match &mut pool.spot_of {
            Some((vcpu, gb)) => (vcpu, gb),
            None => (&mut pool.vcpu_hour, &mut pool.gb_hour),
        };
        take_off(vcpu, discount);
        take_off(gb, discount);
        let others = [pool.os_licence.as_mut(), pool.storage_gb_hour.as_mut()];
        for price in others.into_iter().flatten() {
            take_off(price, discount);
        }
        if let Some(price) = &mut pool.public_ipv4 {
            take_off(price, self.of(Charge::PublicIpv4));
        }
    }

    /// What is taken off a charge.
    fn of(&self, charge: Charge) -> Option<Percent> {
        let service = match charge {
            Charge::Instance
            | Charge::InstanceRounding
            | Charge::InstanceMinimum
            | Charge::UnusedCapacity
            | Charge::SurplusCredits => self.ec2,
            Charge::FargateCpu
            | Charge::FargateMemory
            | Charge::FargateRounding
            | Charge::FargateMinimum
            | Charge::FargateStorage
            | Charge::FargateOsLicence => self.fargate,
            Charge::RootVolume
            | Charge::VolumeRounding
            | Charge::VolumeMinimum
            | Charge::VolumeIops
            | Charge::VolumeThroughput
            | Charge::PodVolume => self.ebs,
            Charge::ControlPlane | Charge::EksAutoMode | Charge::EksAnywhere => self.eks,
            Charge::EcsManagedInstances | Charge::EcsAnywhere => self.ecs,
            Charge::PublicIpv4 | Charge::NatGateway | Charge::NatGatewayData => self.vpc,
            Charge::LoadBalancer | Charge::LoadBalancerCapacity => self.load_balancing,
            Charge::CrossAz | Charge::Egress => self.data_transfer,
            Charge::ContainerInsights | Charge::LogIngestion => self.cloudwatch,
            // Services without a key of their own; licences have stated prices.
            Charge::Efs
            | Charge::Fsx
            | Charge::ImageStorage
            | Charge::NodeLicence
            | Charge::FargateLicence => None,
            // Have no price that something is taken off: credits of Spot,
            // commitments, and what follows the fee of a node.
            Charge::SpotFirstHour
            | Charge::UnusedCommitment
            | Charge::UnusedReservedInstance
            | Charge::CommitmentUpfront
            | Charge::CommitmentRecurring
            | Charge::FeeRounding
            | Charge::FeeMinimum => return None,
        };
        service.or(self.other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::around::{DatedPrice, Tier, Tiers};
    use crate::bill::prices::{Burst, CapacityReservation, NodeFee, PoolCharges, RootVolume};
    use crate::bill::tests::{control_plane, money, prices, real};
    use crate::units::{HOUR_MS, MilliCpu};

    fn rate(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    fn percent(text: &str) -> Percent {
        text.parse().expect("a percentage")
    }

    /// Everything a discount can be taken off, at 1 USD but nodes and Fargate.
    fn everything() -> BillingPlan {
        let one = real("1");
        let around = |charge, pricing| {
            let mut it = control_plane();
            (it.charge, it.pricing) = (charge, pricing);
            it
        };
        let fee = |charge| PoolCharges {
            fee: Some(NodeFee { charge, shapes: vec![None, Some(one)], minimum_ms: 0 }),
            outside_aws: false,
        };
        let dated = DatedPrice { name: "", price: one };
        let tier = Tier { name: "", up_to: None, price: one };
        let mut plan = BillingPlan {
            capacity_reservations: vec![CapacityReservation {
                name: "kept".into(),
                instance_type: "m5.large".into(),
                zone: "us-east-1a".into(),
                count: 1,
                on_demand: one,
                covered: vec![],
            }],
            bursts: vec![None, Some(Burst { baseline: MilliCpu(200), vcpu_hour: one })],
            pools: vec![fee(Charge::EksAutoMode), fee(Charge::EcsManagedInstances)],
            root_volume: Some(RootVolume {
                kind: "gp3",
                gib: 20,
                gb_month: one,
                iops: Some((1_000, one)),
                throughput: Some((75, one)),
            }),
            public_ipv4: Some(one),
            node_licence: Some(Price::new(rate("1"), PriceStatus::Stated)),
            around: vec![
                around(Charge::ControlPlane, Pricing::Dated(vec![(0, dated)])),
                around(Charge::NatGateway, Pricing::Flat(one)),
                around(Charge::LoadBalancer, Pricing::Flat(one)),
                around(Charge::Egress, Pricing::Tiered(Tiers { elsewhere: 0, tiers: vec![tier] })),
                around(Charge::ContainerInsights, Pricing::Flat(one)),
                around(Charge::Efs, Pricing::Flat(one)),
                around(Charge::PodVolume, Pricing::Flat(one)),
            ],
            ..prices()
        };
        plan.fargate[0].storage_gb_hour = Some(one);
        plan.fargate[0].os_licence = Some(one);
        let mut spot = plan.fargate[0].clone();
        spot.spot_of = Some((one, one));
        plan.fargate.push(spot);
        plan
    }

    /// Which prices differ from those of [`everything`].
    fn moved(discounts: Discounts) -> Vec<&'static str> {
        let mut plan = everything();
        discounts.apply(&mut plan);
        let of = |plan: &BillingPlan| {
            let mut all: Vec<(&'static str, Option<Price>)> = Vec::new();
            for (name, shape) in ["large", "xlarge", "mine"].into_iter().zip(&plan.shapes) {
                all.push((name, shape.on_demand));
            }
            all.push(("spot", plan.shapes[0].spot[0]));
            all.push(("reservation", Some(plan.capacity_reservations[0].on_demand)));
            all.push(("burst", plan.bursts[1].as_ref().map(|b| b.vcpu_hour)));
            for (names, pool) in [["cpu", "gb", "storage", "windows"], ["", "", "also", "too"]]
                .into_iter()
                .zip(&plan.fargate)
            {
                let [cpu, gb, storage, windows] = names;
                if pool.spot_of.is_none() {
                    all.extend([(cpu, Some(pool.vcpu_hour)), (gb, Some(pool.gb_hour))]);
                } else {
                    let spot =
                        [("spot cpu", Some(pool.vcpu_hour)), ("spot gb", Some(pool.gb_hour))];
                    all.extend(spot);
                    all.push(("instead of spot", pool.spot_of.map(|p| p.0)));
                }
                all.extend([(storage, pool.storage_gb_hour), (windows, pool.os_licence)]);
                all.push(("ipv4 of tasks", pool.public_ipv4));
            }
            for (name, pool) in ["auto mode", "managed instances"].into_iter().zip(&plan.pools) {
                all.push((name, pool.fee.as_ref().and_then(|f| f.shapes[1])));
            }
            let volume = plan.root_volume.expect("a volume");
            all.push(("volume", Some(volume.gb_month)));
            all.push(("iops", volume.iops.map(|i| i.1)));
            all.push(("throughput", volume.throughput.map(|i| i.1)));
            all.push(("ipv4", plan.public_ipv4));
            all.push(("licence", plan.node_licence));
            let names = ["cluster", "nat", "elb", "egress", "insights", "efs", "pod volume"];
            for (name, charge) in names.into_iter().zip(&plan.around) {
                let price = match &charge.pricing {
                    Pricing::Flat(price) => *price,
                    Pricing::Dated(dated) => dated[0].1.price,
                    Pricing::Tiered(tiers) => tiers.tiers[0].price,
                };
                all.push((name, Some(price)));
            }
            all
        };
        let (listed, now) = (of(&everything()), of(&plan));
        let changed = listed.into_iter().zip(now).filter(|(a, b)| a != b);
        changed
            .map(|((name, was), (_, is))| {
                let (was, is) = (was.expect("a price"), is.expect("a price"));
                assert_eq!(is.list, Some(was.rate), "{name}");
                assert_eq!(is.rate, was.rate.scale(9, 10), "{name}");
                assert_eq!(is.status, PriceStatus::Derived, "{name}");
                name
            })
            .collect()
    }

    #[test]
    fn each_service_has_its_own_prices() {
        let d = Some(percent("10%"));
        let none = Discounts::default();
        assert_eq!(moved(none), Vec::<&str>::new());
        let ec2 = ["large", "xlarge", "reservation", "burst"];
        assert_eq!(moved(Discounts { ec2: d, ..none }), ec2);
        let fargate = ["cpu", "gb", "storage", "windows", "instead of spot", "also", "too"];
        assert_eq!(moved(Discounts { fargate: d, ..none }), fargate);
        let ebs = ["volume", "iops", "throughput", "pod volume"];
        assert_eq!(moved(Discounts { ebs: d, ..none }), ebs);
        assert_eq!(moved(Discounts { eks: d, ..none }), ["auto mode", "cluster"]);
        assert_eq!(moved(Discounts { ecs: d, ..none }), ["managed instances"]);
        assert_eq!(moved(Discounts { vpc: d, ..none }), ["ipv4", "nat"]);
        assert_eq!(moved(Discounts { load_balancing: d, ..none }), ["elb"]);
        assert_eq!(moved(Discounts { data_transfer: d, ..none }), ["egress"]);
        assert_eq!(moved(Discounts { cloudwatch: d, ..none }), ["insights"]);
        // What is named keeps its own, be it nothing.
        let zero = Some(percent("0%"));
        let most = Discounts {
            other: d,
            ec2: zero,
            fargate: zero,
            ebs: zero,
            eks: zero,
            vpc: zero,
            cloudwatch: zero,
            ..none
        };
        assert_eq!(moved(most), ["managed instances", "elb", "egress", "efs"]);
        // Spot, what the scenario states itself and licences never move.
        let all = moved(Discounts { other: d, ..none });
        for stays in ["mine", "spot", "spot cpu", "spot gb", "licence"] {
            assert!(!all.contains(&stays), "{stays}");
        }
        assert_eq!(all.len(), 4 + 7 + 4 + 2 + 1 + 2 + 1 + 1 + 1 + 1);
    }

    #[test]
    fn rates_are_rounded_once() {
        let times = |usd: &str, text: &str| {
            let mut price = real(usd);
            take_off(&mut price, Some(percent(text)));
            price.rate
        };
        assert_eq!(times("0.096", "5%"), rate("0.0912"));
        assert_eq!(times("0.04048", "3.5%"), rate("0.0390632"));
        // Ties go to the even neighbour: 0.5 and 1.5 of the last place.
        assert_eq!(times("0.000000000001", "50%"), rate("0"));
        assert_eq!(times("0.000000000003", "50%"), rate("0.000000000002"));
        let mut believed = Price::new(rate("1"), PriceStatus::Believed);
        take_off(&mut believed, Some(percent("10%")));
        assert_eq!(believed.status, PriceStatus::Believed);
    }

    #[test]
    fn list_cost_follows_the_quantity_or_the_money() {
        let contract = Contract { list: rate("0.096"), contracted: rate("0.0912") };
        let hours = |h: i64| i128::from(h * HOUR_MS);
        let whole = contract.list_cost(money("0.2736"), hours(3), Unit::Hours);
        assert_eq!(whole, money("0.288"));
        // A third of an hour to the millisecond, its money split elsewhere.
        let part = contract.list_cost(money("0.0304"), 1_199_999, Unit::Hours);
        assert_eq!(part, money("0.032"));
    }
}
