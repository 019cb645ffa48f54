//! NAT gateways, and traffic between zones, through them and to the internet.

use super::Around;
use super::traffic::Flow;
use crate::bill::{AroundCharge, Charge, Price, Pricing, Target, Tier, Tiers, Unit};
use crate::catalog::ChargeItem;
use crate::plan::notes::{Notes, bill_price};
use crate::scenario::{NatGateways, Span};
use crate::units::Rate;

/// GB in each but the last tier of transfer to the internet, together: 10, 50
/// and 150 TB of 1,024 GB.
const EGRESS_GB: [i64; 3] = [10 << 10, 50 << 10, 150 << 10];

impl Around<'_> {
    /// NAT gateways by the hour, each with a public address.
    pub(super) fn nat_gateways(&self, notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let Some(given) = &self.scenario.charges.nat_gateways else { return Vec::new() };
        let count = match &given.value {
            NatGateways::PerZone => self.zones(notes),
            NatGateways::Count(n) => n.get() as i64,
        };
        if count == 0 {
            return Vec::new();
        }
        [
            ("NAT gateways", Charge::NatGateway, ChargeItem::NatGateway),
            ("addresses of NAT gateways", Charge::PublicIpv4, ChargeItem::PublicIpv4),
        ]
        .into_iter()
        .filter_map(|(name, charge, item)| {
            let pricing = Pricing::Flat(self.price(item, given.span, notes)?);
            let of = (charge, Unit::Hours);
            let charge = AroundCharge::constant(name, of, count, pricing, Target::Shared);
            let resource = if charge.charge == Charge::PublicIpv4 { "nat" } else { "" };
            Some(AroundCharge { resource: resource.to_owned(), ..charge })
        })
        .collect()
    }

    /// What each workload sends between zones, through NAT and to the internet.
    pub(super) fn traffic(&self, flows: &[Flow], notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let mut charges = Vec::new();
        for flow in flows {
            let kinds = [
                // Out of one zone and into the other: each direction is charged.
                (
                    Charge::CrossAz,
                    "traffic between zones",
                    2 * flow.cross_ppm,
                    self.flat(ChargeItem::CrossAz, flow.span, notes, flow.cross_ppm),
                ),
                (
                    Charge::NatGatewayData,
                    "NAT data",
                    flow.nat_ppm,
                    self.flat(ChargeItem::NatGatewayData, flow.span, notes, flow.nat_ppm),
                ),
                (
                    Charge::Egress,
                    "to the internet",
                    flow.internet_ppm,
                    self.egress(flow.span, notes, flow.internet_ppm),
                ),
            ];
            for (charge, what, ppm, pricing) in kinds {
                let Some(pricing) = pricing else { continue };
                let (name, of) = (format!("{}, {what}", flow.name), (charge, Unit::Gb));
                let target = Target::Workload(flow.workload);
                let charge = AroundCharge::new(name, of, flow.bytes(ppm), pricing, target);
                charges.push(AroundCharge { resource: flow.name.clone(), ..charge });
            }
        }
        charges
    }

    fn flat(
        &self,
        item: ChargeItem,
        span: Span,
        notes: &mut Notes<'_>,
        ppm: i128,
    ) -> Option<Pricing> {
        (ppm > 0).then(|| self.price(item, span, notes))?.map(Pricing::Flat)
    }

    /// The tiers of transfer to the internet, after what is free.
    fn egress(&self, span: Span, notes: &mut Notes<'_>, ppm: i128) -> Option<Pricing> {
        if ppm == 0 {
            return None;
        }
        let free = self.region.charge(ChargeItem::EgressFree)?;
        let free_gb = i64::try_from(free.rate.pico() / 1_000_000_000_000).ok()?;
        let path = format!("charges.{}", ChargeItem::EgressFree);
        let note = format!("a month, {}, {}, {}", free.status, &*free.as_of, &*free.source);
        notes.catalog(path, format!("{free_gb} GB"), note);
        let first = self.price(ChargeItem::Egress1, span, notes)?;
        let nothing = Price::new(Rate::ZERO, bill_price(free).status);
        let gb = |n: i64| Some(n << 30);
        let mut tiers = vec![
            Tier { name: "free", up_to: gb(free_gb), price: nothing },
            Tier { name: "first 10 TB", up_to: gb(EGRESS_GB[0]), price: first },
        ];
        for (name, up_to, item) in [
            ("next 40 TB", gb(EGRESS_GB[1]), ChargeItem::Egress2),
            ("next 100 TB", gb(EGRESS_GB[2]), ChargeItem::Egress3),
            ("above 150 TB", None, ChargeItem::Egress4),
        ] {
            tiers.push(Tier { name, up_to, price: self.price(item, span, notes)? });
        }
        let elsewhere = self.scenario.charges.other_egress.map_or_else(
            || {
                let note = "choice: the free GB and the tiers are this cluster's alone";
                notes.default("charges.other-egress-per-month", "none", note);
                0
            },
            |given| given.value.0,
        );
        Some(Pricing::Tiered(Tiers { elsewhere, tiers }))
    }
}
