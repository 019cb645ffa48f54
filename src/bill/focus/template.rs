//! What the rows of one SKU have in common.

use serde_json::{Map, Value};

use super::charges::{self, Category, Item, Meaning};
use super::columns::Column;
use super::table::{Labels, Sources};
use crate::bill::around::AroundCharge;
use crate::bill::charge::Charge;
use crate::bill::discounts::Contract;
use crate::bill::model::{PurchaseOption, Resource, Sku, SkuOf, Unit};
use crate::bill::prices::{BillingPlan, CapacityReservation, Commitment};
use crate::cluster::NodeShape;
use crate::units::{Percent, Rate};
use crate::{Error, Result};

/// How the costs of a row follow from its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Billed as it stands.
    Plain,
    /// Covered by a commitment.
    Covered,
    /// What of a commitment nothing used.
    Unused,
    /// Taken back after the fact.
    Credit,
    /// The commitment itself.
    Purchase,
}

/// What the rows of one SKU, or the purchases of one commitment, have in
/// common.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) role: Role,
    pub(super) unit: Unit,
    /// `ContractedUnitPrice`: what the `list` of the bill's lines is made of.
    pub(super) price: Rate,
    /// Its list price, where that is another.
    pub(super) contract: Option<Contract>,
    /// What its quantity counts was consumed.
    pub(super) consumed: bool,
    /// Follows the id of the resource.
    pub(super) part: &'static str,
    /// Of what on the cluster it is.
    of: Option<SkuOf>,
    /// Of so many units of a commitment what is paid: all Reserved Instances
    /// for an hour, or a dollar of a Savings Plan's spend. `None` where that is
    /// a dollar.
    pub(super) unit_of_commitment: Option<(Rate, u32)>,
    text: Vec<Option<String>>,
}

impl Template {
    /// The text of a column that is the same in all rows; `None` also where
    /// it is not.
    pub(super) fn text(&self, column: Column) -> Option<&str> {
        self.text.get(column as usize)?.as_deref()
    }

    /// The charge around the compute that it is of.
    pub(super) fn around<'a>(&self, plan: &'a BillingPlan) -> Option<&'a AroundCharge> {
        around(self.of, plan).map(|(charge, _)| charge)
    }

    /// The capacity reservation that it is of.
    pub(super) fn reservation<'a>(&self, plan: &'a BillingPlan) -> Option<&'a CapacityReservation> {
        reservation(self.of, plan)
    }

    /// Whether every row has the same in this column.
    pub(super) fn is_fixed(column: Column) -> bool {
        column.kind() != super::columns::Kind::Time
            && column.kind() != super::columns::Kind::Decimal
            && !matches!(
                column,
                Column::AvailabilityZone | Column::ResourceId | Column::ResourceName | Column::Tags
            )
    }

    fn new(meaning: Meaning, unit: Unit, price: Rate, role: Role, labels: &Labels<'_>) -> Self {
        let mut it = Template {
            role,
            unit,
            price,
            contract: None,
            consumed: meaning.consumed,
            part: meaning.part,
            of: None,
            unit_of_commitment: None,
            text: vec![None; Column::ALL.len()],
        };
        let (service, category, subcategory) = meaning.service.names();
        let (provider, publisher, issuer) = meaning.service.vendor();
        let charge = if role == Role::Purchase { Category::Purchase } else { meaning.category };
        for (column, text) in [
            (Column::BillingAccountId, "plimsoll/payer"),
            (Column::BillingAccountName, "Simulated payer"),
            (Column::BillingCurrency, "USD"),
            (Column::SubAccountId, "plimsoll/account"),
            (Column::SubAccountName, "Simulated account"),
            (Column::ProviderName, provider),
            (Column::PublisherName, publisher),
            (Column::InvoiceIssuerName, issuer),
            (Column::RegionId, labels.region),
            (Column::RegionName, super::regions::name(labels.region)),
            (Column::ServiceName, service),
            (Column::ServiceCategory, category),
            (Column::ServiceSubcategory, subcategory),
            (Column::SkuMeter, meaning.meter),
            (Column::ResourceType, meaning.resource_type),
            (Column::ChargeCategory, charge.name()),
            (Column::ChargeFrequency, "Usage-Based"),
        ] {
            it.set(column, text);
        }
        it
    }

    fn set(&mut self, column: Column, text: impl Into<String>) {
        self.text[column as usize] = Some(text.into());
    }

    fn price_ids(&mut self, labels: &Labels<'_>, meter: &str, item: &str, way: &str) {
        let id = format!("plimsoll/{}/{}/{item}", labels.region, slug(meter));
        self.set(Column::SkuPriceId, format!("{id}/{way}"));
        self.set(Column::SkuId, id);
    }

    fn commitment(&mut self, labels: &Labels<'_>, c: &Commitment) {
        let (category, kind, unit) = charges::commitment(c.kind);
        self.set(Column::CommitmentDiscountCategory, category);
        self.set(Column::CommitmentDiscountType, kind);
        self.set(Column::CommitmentDiscountId, labels.commitment(c));
        self.set(Column::CommitmentDiscountName, c.name.as_str());
        self.set(Column::CommitmentDiscountUnit, unit);
        self.unit_of_commitment = match &c.reserved {
            Some(r) => Some((c.fee_discount.off_rate(c.usd_per_hour), r.count)),
            None if c.fee_discount == Percent::default() => None,
            None => Some((c.fee_discount.off_rate(Rate::from_pico(Unit::Usd.per().into())), 1)),
        };
    }

    /// The price of a row of a commitment itself, and what was negotiated off
    /// it.
    fn fee(&mut self, c: &Commitment, list: Rate) {
        self.price = c.fee_discount.off_rate(list);
        self.contract = (c.fee_discount != Percent::default())
            .then_some(Contract { list, contracted: self.price });
    }

    /// Of a commitment's purchases, hour by hour: its recurring fee, or the
    /// part of its upfront payment that falls to the hour.
    pub(super) fn of_purchase(
        c: &Commitment,
        (upfront, list): (bool, Rate),
        labels: &Labels<'_>,
    ) -> Template {
        let meaning = sold(
            charges::meaning(Charge::UnusedCommitment, PurchaseOption::SavingsPlan, Unit::Usd),
            c,
        );
        let mut it = Template::new(meaning, Unit::Hours, list, Role::Purchase, labels);
        it.fee(c, list);
        let price = it.price;
        let (way, what, frequency) = if upfront {
            ("upfront", "the hour's part of the upfront payment", "One-Time")
        } else {
            ("recurring", "recurring fee, used or not", "Recurring")
        };
        it.price_ids(labels, meaning.meter, &c.name, way);
        it.commitment(labels, c);
        it.set(Column::ChargeFrequency, frequency);
        it.set(Column::PricingCategory, "Standard");
        it.set(Column::PricingUnit, Unit::Hours.name());
        let (_, kind, _) = charges::commitment(c.kind);
        it.set(
            Column::ChargeDescription,
            format!("{kind} `{}`: {price} USD per hour, {what}", c.name),
        );
        it.set(Column::XCharge, "commitment-purchase");
        it.set(Column::XPriceStatus, c.price_status().name());
        it.set(Column::XPurchaseOption, c.kind.purchase_option().name());
        it
    }

    /// Of a SKU, one of whose lines is about this resource.
    ///
    /// # Errors
    /// A SKU, shape or commitment that the sources do not know.
    pub(super) fn of_sku(sku: &Sku, first: Resource, sources: &Sources<'_>) -> Result<Template> {
        let labels = &sources.labels;
        let mut meaning = charges::meaning(sku.charge, sku.purchase, sku.unit);
        if let (Charge::FeeRounding | Charge::FeeMinimum, Resource::Node(n)) = (sku.charge, first)
            && let Some(fee) = fee_of(n, sources)
        {
            let of = charges::meaning(fee, sku.purchase, sku.unit);
            meaning = Meaning { consumed: false, ..of };
        }
        let shape = match first {
            Resource::Node(n) => sources
                .record
                .nodes
                .get(n as usize)
                .map(|node| (node.shape.index(), node.zone.index())),
            Resource::Fargate(_) | Resource::Cluster | Resource::Commitment(_) => None,
        };
        let name = shape.and_then(|(shape, _)| sources.cluster.shapes.get(shape));
        let commitment = sku.commitment.and_then(|c| sources.plan.commitments.get(usize::from(c)));
        let role = match (sku.charge, commitment) {
            (Charge::SpotFirstHour, _) => Role::Credit,
            (Charge::UnusedCommitment | Charge::UnusedReservedInstance, _) => Role::Unused,
            (_, Some(_)) => Role::Covered,
            (_, None) => Role::Plain,
        };
        let lost = || Error::failed(format!("`{}` has lines of unknown origin", sku.name));
        let (item, price) = match meaning.item {
            Item::Commitment => {
                let c: &Commitment = commitment.ok_or_else(lost)?;
                meaning = sold(meaning, c);
                (c.name.as_str(), c.usd_per_hour)
            }
            Item::Shape => {
                let shape_name = name.map(|s| s.name.as_str()).ok_or_else(lost)?;
                (shape_name, contracted_price(sku, first, sources, role).ok_or_else(lost)?)
            }
            Item::Around => {
                let (it, _) = around(sku.of, sources.plan).ok_or_else(lost)?;
                (if it.sort.is_empty() { it.charge.name() } else { &it.sort }, sku.rate)
            }
            Item::Reservation => {
                let it = reservation(sku.of, sources.plan).ok_or_else(lost)?;
                (it.instance_type.as_str(), it.on_demand.rate)
            }
            Item::RootVolume => {
                let kind = sources.plan.root_volume.ok_or_else(lost)?.kind;
                meaning.item = Item::Named(kind);
                (kind, contracted_price(sku, first, sources, role).ok_or_else(lost)?)
            }
            Item::Named(named) => {
                (named, contracted_price(sku, first, sources, role).ok_or_else(lost)?)
            }
        };
        let unit = if role == Role::Unused { Unit::Hours } else { sku.unit };
        let mut it = Template::new(meaning, unit, price, role, labels);
        it.contract = sku.contract;
        if let (Role::Unused, Some(c)) = (role, commitment) {
            it.fee(c, price);
        }
        it.of = sku.of;
        let zone = shape.and_then(|(_, zone)| sources.cluster.zones.get(zone));
        let way = way(role, sku.purchase, zone.map_or("", String::as_str));
        // Platforms are SKUs of their own; kinds of support of a cluster, tiers,
        // and the fees of pools are prices of one SKU.
        let item = match first {
            Resource::Fargate(f) if meaning.service == charges::Service::Fargate => {
                let pool = sources.record.fargate.get(f as usize).map(|pod| pod.pool as usize);
                let prices = pool.and_then(|pool| sources.plan.fargate.get(pool));
                format!("{item}/{}", prices.ok_or_else(lost)?.platform)
            }
            _ => item.to_owned(),
        };
        let piece = piece(sku, first, sources);
        let way = if piece.is_empty() { way } else { format!("{way}/{}", slug(piece)) };
        let item = item.as_str();
        it.price_ids(labels, meaning.meter, item, &way);
        if let Some(details) = details(meaning, sku.unit, item, name) {
            it.set(Column::SkuPriceDetails, details);
        }
        if let Some(reserved) = it.reservation(sources.plan) {
            it.set(Column::CapacityReservationId, labels.reservation(reserved));
            it.set(Column::CapacityReservationStatus, "Unused");
        }
        let pricing = if role == Role::Credit { "Other" } else { charges::pricing(sku.purchase) };
        it.set(Column::PricingCategory, pricing);
        if role != Role::Credit {
            it.set(Column::PricingUnit, unit.name());
        }
        if matches!(role, Role::Plain | Role::Covered) {
            it.set(Column::ConsumedUnit, unit.name());
        }
        if let Some(c) = commitment {
            it.commitment(labels, c);
            let status = if role == Role::Unused { "Unused" } else { "Used" };
            it.set(Column::CommitmentDiscountStatus, status);
        }
        let description = match role {
            Role::Credit => format!("{}: {}", sku.charge.label(), item),
            Role::Unused | Role::Purchase => format!("{} of `{item}`", sku.charge.label()),
            Role::Plain => format!("{price} USD per {} of {}", singular(unit), sku.name),
            Role::Covered => {
                format!("{} USD per {} of {}", sku.rate, singular(unit), sku.name)
            }
        };
        it.set(Column::ChargeDescription, description);
        it.set(Column::XCharge, sku.charge.name());
        it.set(Column::XPriceStatus, sku.status.name());
        it.set(Column::XPurchaseOption, sku.purchase.name());
        Ok(it)
    }
}

/// The charge around the compute that a SKU is of, and which of its prices.
fn around(of: Option<SkuOf>, plan: &BillingPlan) -> Option<(&AroundCharge, usize)> {
    match of {
        Some(SkuOf::Around(charge, piece)) => {
            plan.around.get(charge as usize).map(|it| (it, piece.into()))
        }
        Some(SkuOf::Reservation(_)) | None => None,
    }
}

/// The capacity reservation whose unused hours a SKU is of.
fn reservation(of: Option<SkuOf>, plan: &BillingPlan) -> Option<&CapacityReservation> {
    match of {
        Some(SkuOf::Reservation(i)) => plan.capacity_reservations.get(i as usize),
        Some(SkuOf::Around(..)) | None => None,
    }
}

/// How something is bought, in the id of its price.
fn way(role: Role, purchase: PurchaseOption, zone: &str) -> String {
    match (role, purchase) {
        (Role::Unused | Role::Purchase, _) => "committed".to_owned(),
        (_, PurchaseOption::Spot) => format!("spot/{zone}"),
        (_, PurchaseOption::FargateSpot) => "spot".to_owned(),
        // What a commitment covers is listed at its On-Demand price.
        (
            _,
            PurchaseOption::OnDemand
            | PurchaseOption::SavingsPlan
            | PurchaseOption::ReservedInstance
            | PurchaseOption::Fargate
            | PurchaseOption::Custom
            | PurchaseOption::Other,
        ) => "on-demand".to_owned(),
    }
}

/// Which of the prices of one SKU it is; empty where there is one.
fn piece<'a>(sku: &Sku, first: Resource, sources: &Sources<'a>) -> &'a str {
    match first {
        Resource::Node(n) if fee_of(n, sources).is_some_and(|f| is_fee(sku.charge, f)) => {
            let pool = sources.record.nodes.get(n as usize).map(|node| node.pool.index());
            pool.and_then(|p| sources.cluster.pools.get(p)).map_or("", |p| p.name.as_str())
        }
        _ => around(sku.of, sources.plan).map_or("", |(it, piece)| it.pricing.piece(piece)),
    }
}

/// Whether a charge of a node is its fee, or follows it.
fn is_fee(charge: Charge, fee: Charge) -> bool {
    charge == fee || matches!(charge, Charge::FeeRounding | Charge::FeeMinimum)
}

/// The fee that a node pays for being managed.
fn fee_of(node: u32, sources: &Sources<'_>) -> Option<Charge> {
    let pool = sources.record.nodes.get(node as usize)?.pool;
    Some(sources.plan.pools.get(pool.index())?.fee.as_ref()?.charge)
}

/// A commitment's charge as what its seller calls it.
fn sold(meaning: Meaning, c: &Commitment) -> Meaning {
    let (_, kind, _) = charges::commitment(c.kind);
    Meaning { service: charges::seller(c.kind), resource_type: kind, ..meaning }
}

/// The price before commitments, after negotiated discounts, per unit of the
/// SKU.
fn contracted_price(sku: &Sku, first: Resource, sources: &Sources<'_>, role: Role) -> Option<Rate> {
    if role != Role::Covered {
        return Some(sku.rate);
    }
    match first {
        Resource::Node(n) => {
            let shape = sources.record.nodes.get(n as usize)?.shape.index();
            Some(sources.plan.shapes.get(shape)?.on_demand?.rate)
        }
        Resource::Fargate(f) => {
            let pool = sources.record.fargate.get(f as usize)?.pool;
            let prices = sources.plan.fargate.get(pool as usize)?;
            let memory = sku.unit == Unit::GbHours;
            Some(if memory { prices.gb_hour.rate } else { prices.vcpu_hour.rate })
        }
        // Capacity reservations and charges around the compute know theirs.
        Resource::Cluster | Resource::Commitment(_) => None,
    }
}

/// `SkuPriceDetails`: what is known and belongs to one unit of the SKU; `shape`
/// is that of the node, where AWS sells it.
fn details(meaning: Meaning, unit: Unit, item: &str, shape: Option<&NodeShape>) -> Option<String> {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
    match (meaning.item, item) {
        (Item::Shape | Item::Reservation, _) => {
            if let Some((series, _)) = item.split_once('.') {
                put("InstanceType", item.into());
                put("InstanceSeries", series.into());
                if meaning.service == charges::Service::Ec2 {
                    put("OperatingSystem", "Linux".into());
                }
            }
            // Of an hour of the instance, which not every unit is.
            if let (Unit::Hours, Some(shape)) = (unit, shape) {
                // Whole cores or a finite decimal: thousandths.
                put("CoreCount", (shape.capacity.cpu.0 as f64 / 1e3).into());
                let gib = shape.nominal_memory.0 as f64 / (1u64 << 30) as f64;
                put("MemorySize", gib.into());
            }
        }
        (_, "gp3" | "gp2" | "io1" | "io2" | "st1" | "sc1") => {
            let kind = if matches!(item, "st1" | "sc1") { "HDD" } else { "SSD" };
            put("DiskType", kind.into());
            put("x_VolumeType", item.into());
        }
        _ => {}
    }
    (!map.is_empty()).then(|| Value::Object(map).to_string())
}

/// A meter's name as part of an id.
fn slug(text: &str) -> String {
    text.to_lowercase().replace(' ', "-")
}

const fn singular(unit: Unit) -> &'static str {
    match unit {
        Unit::Hours => "hour",
        Unit::VcpuHours => "vCPU-hour",
        Unit::GbHours => "GB-hour",
        Unit::GbMonths => "GB-month",
        Unit::Usd => "USD",
        Unit::Gb => "GB",
        Unit::LcuHours => "LCU-hour",
        Unit::IopsMonths => "IOPS-month",
        Unit::MibpsMonths => "MiBps-month",
        Unit::MetricMonths => "metric-month",
        Unit::MillionObservations => "million observations",
    }
}
