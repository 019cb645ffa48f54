//! Commitments over the items of a usage file: in every Region what a plan
//! covers there, as if pools bought it.

use std::collections::{BTreeMap, BTreeSet};

use super::commitments::Linker;
use super::fargate::ArchPrice;
use super::nodes::{NodePools, ShapeKind, ShapeOrigin};
use super::notes::Notes;
use super::usage_prices::UsagePrices;
use crate::bill::commitments::{Ec2Item, ItemSource, UsageItem};
use crate::bill::statement::ItemFacts;
use crate::bill::{
    Commitment, FargatePrice, MAX_COMMITMENTS, Price, PriceStatus, ShapePrice, Unit,
};
use crate::catalog::Arch;
use crate::scenario::{self, Diagnostics, Owned, Span, quote};
use crate::units::Rate;
use crate::{Error, Result};

/// What is alike, in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ItemKey {
    pub(super) region: String,
    pub(super) what: What,
    /// Of an instance that a zonal Reserved Instance may cover.
    pub(super) zone: Option<String>,
    pub(super) idle: bool,
    /// What it costs where no commitment covers it.
    pub(super) on_demand: Rate,
    pub(super) status: PriceStatus,
    /// What AWS lists, of which rates are a share: the same but for what was
    /// negotiated off it.
    pub(super) list: (Rate, PriceStatus),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum What {
    Instance(String),
    Fargate { arm64: bool, memory: bool },
}

impl What {
    /// What its quantities count.
    pub(super) const fn unit(&self) -> Unit {
        match self {
            What::Instance(_) => Unit::Hours,
            What::Fargate { memory: false, .. } => Unit::VcpuHours,
            What::Fargate { memory: true, .. } => Unit::GbHours,
        }
    }
}

impl ItemKey {
    fn place<T>(&self, what: T) -> Place<T> {
        (self.region.clone(), what, self.list.0, self.list.1)
    }

    fn name(&self, alone: bool) -> String {
        let mut name = match &self.what {
            What::Instance(kind) => kind.clone(),
            What::Fargate { arm64, memory } => {
                let what = if *memory { "memory" } else { "vCPU" };
                format!("Fargate {what}{}", if *arm64 { " arm64" } else { "" })
            }
        };
        if self.idle {
            name.push_str(" unused reservation");
        }
        if let Some(zone) = &self.zone {
            name = format!("{name} {zone}");
        } else if !alone {
            name = format!("{name} {}", self.region);
        }
        name
    }
}

/// Types that a Reserved Instance of one zone is for.
pub(super) fn zonal_types(owned: &Owned) -> BTreeSet<String> {
    let zonal = |it: &&scenario::Commitment| {
        it.scope.as_ref().is_some_and(|scope| scope.value != "regional")
    };
    let all = owned.commitments.iter().map(|(_, it)| it);
    all.filter(zonal).filter_map(|it| Some(it.instance_type.as_ref()?.value.clone())).collect()
}

/// The Region of what is bound to one: the one stated, or the only one used.
pub(super) fn home(owned: &Owned, keys: &[ItemKey], diags: &mut Diagnostics) -> Option<String> {
    if let Some(region) = &owned.region {
        return Some(region.value.clone());
    }
    let regions: BTreeSet<&str> = keys.iter().map(|key| key.region.as_str()).collect();
    if let [only] = regions.iter().copied().collect::<Vec<_>>()[..] {
        return Some(only.to_owned());
    }
    for (name, it) in owned.commitments.iter() {
        if it.kind.value == scenario::CommitmentKind::ComputeSp {
            continue;
        }
        let message = format!("{} is bound to a Region, and usage is of several", quote(name));
        diags.error(name.span, message).help("state `region:` beside `commitments:`");
    }
    None
}

/// Instance types and Fargate of every Region at every price, numbered
/// through: a discount of a plan is one of the price.
pub(super) struct Places {
    shapes: Vec<Place<String>>,
    /// Whether it is ARM64; vCPU and memory are places of their own.
    fargate: Vec<Place<bool>>,
    zones: BTreeSet<String>,
}

/// Region, what it is, list price and how well it is known.
type Place<T> = (String, T, Rate, PriceStatus);

impl Places {
    pub(super) fn of(keys: &[ItemKey]) -> Self {
        let mut shapes = BTreeSet::new();
        let mut fargate = BTreeSet::new();
        for key in keys {
            match &key.what {
                What::Instance(kind) => {
                    shapes.insert(key.place(kind.clone()));
                }
                What::Fargate { arm64, .. } => {
                    fargate.insert(key.place(*arm64));
                }
            }
        }
        Places {
            shapes: shapes.into_iter().collect(),
            fargate: fargate.into_iter().collect(),
            zones: keys.iter().filter_map(|key| key.zone.clone()).collect(),
        }
    }

    fn regions(&self) -> BTreeSet<&str> {
        let shapes = self.shapes.iter().map(|(region, ..)| region.as_str());
        shapes.chain(self.fargate.iter().map(|(region, ..)| region.as_str())).collect()
    }
}

/// Links commitments to what is used.
pub(super) struct Linking<'a> {
    pub(super) owned: &'a Owned,
    /// The Region of what is bound to one.
    pub(super) home: Option<String>,
    pub(super) places: Places,
    pub(super) start_unix_ms: i64,
    pub(super) allow_believed: bool,
}

impl Linking<'_> {
    /// Every commitment over all places.
    pub(super) fn link(
        &mut self,
        prices: &mut UsagePrices,
        diags: &mut Diagnostics,
    ) -> Result<Vec<Commitment>> {
        if self.owned.commitments.iter().count() > MAX_COMMITMENTS {
            return Err(Error::input(format!("more than {MAX_COMMITMENTS} commitments")));
        }
        let mut linked = Vec::new();
        for (name, it) in self.owned.commitments.iter() {
            let mut whole: Option<Commitment> = None;
            let mut weak = BTreeMap::new();
            let mut dated = BTreeMap::new();
            let everywhere = it.kind.value == scenario::CommitmentKind::ComputeSp;
            let mut unknown = Vec::new();
            let mut regions: BTreeSet<&str> = self.places.regions();
            if !everywhere {
                regions = self.home.as_deref().into_iter().collect();
            }
            for region in regions {
                let Some(list) = prices.region(region)?.cloned() else {
                    match &self.owned.region {
                        Some(stated) if stated.value == region => {
                            let message = format!("unknown Region {}", quote(&stated.value));
                            diags.error(stated.span, message);
                        }
                        _ => unknown.push(quote(region)),
                    }
                    continue;
                };
                let nodes = self.nodes(region, name.span);
                let fargate = self.fargate(region);
                let mut notes = Notes {
                    diags: &mut *diags,
                    settings: Vec::new(),
                    weak: &mut weak,
                    dated: &mut dated,
                    allow_believed: self.allow_believed,
                };
                let linker = Linker {
                    region: &list,
                    nodes: &nodes,
                    fargate: &fargate,
                    others: &[],
                    start_unix_ms: self.start_unix_ms,
                };
                if let Some(part) = linker.link(name, it, &mut notes) {
                    self.join(&mut whole, region, &part);
                }
            }
            if !unknown.is_empty() {
                let message = format!(
                    "{} covers nothing in {}: no price table has rates there",
                    quote(name),
                    unknown.join(", ")
                );
                if whole.is_some() {
                    diags.warning("no-plan-rate", name.span, message);
                } else {
                    diags.error(name.span, message);
                }
            }
            if whole.as_ref().is_some_and(|it| it.usd_per_hour > Rate::MOST) {
                let message = format!("{} costs more than {} USD an hour", quote(name), Rate::MOST);
                diags.error(name.span, message);
            }
            linked.extend(whole);
        }
        Ok(linked)
    }

    /// The instance types of a Region, as pools would hold them. Findings
    /// about them point at the commitment.
    fn nodes(&self, region: &str, span: Span) -> NodePools {
        let here = || self.places.shapes.iter().filter(|(r, ..)| r == region);
        let origin = |(_, kind, ..): &Place<String>| ShapeOrigin {
            kind: ShapeKind::Type(kind.clone()),
            max_pods: None,
            reserved: None,
            on_demand: Some(span),
        };
        let price = |(_, _, rate, status): &Place<String>| ShapePrice {
            on_demand: Some(Price::new(*rate, *status)),
            ..ShapePrice::default()
        };
        NodePools {
            zones: self.places.zones.iter().cloned().collect(),
            origins: here().map(origin).collect(),
            prices: here().map(price).collect(),
            ..NodePools::default()
        }
    }

    /// Fargate of a Region. An item takes the one rate that is its own: a
    /// place has the price of its vCPU or of its memory for both.
    fn fargate(&self, region: &str) -> Vec<ArchPrice> {
        self.places
            .fargate
            .iter()
            .filter(|(r, ..)| r == region)
            .map(|(_, arm64, rate, status)| {
                let arch = if *arm64 { Arch::Arm64 } else { Arch::Amd64 };
                let price = Price::new(*rate, *status);
                (FargatePrice::new(price, price), arch)
            })
            .collect()
    }

    /// Puts the rates of a Region in their places.
    fn join(&self, whole: &mut Option<Commitment>, region: &str, part: &Commitment) {
        let mut shapes = part.shapes.iter().copied();
        let mut fargate = part.fargate.iter().copied();
        let whole = whole.get_or_insert_with(|| Commitment {
            shapes: vec![None; self.places.shapes.len()],
            fargate: vec![None; self.places.fargate.len()],
            ..part.clone()
        });
        for (slot, _) in
            whole.shapes.iter_mut().zip(&self.places.shapes).filter(|(_, (of, ..))| of == region)
        {
            *slot = shapes.next().flatten();
        }
        for (slot, _) in
            whole.fargate.iter_mut().zip(&self.places.fargate).filter(|(_, (of, ..))| of == region)
        {
            *slot = fargate.next().flatten();
        }
    }

    /// The items of the table, and what else is to be known about each.
    pub(super) fn items(&self, keys: &[ItemKey]) -> (Vec<UsageItem>, Vec<ItemFacts>) {
        let alone = self.places.regions().len() == 1;
        keys.iter()
            .map(|key| {
                let here = self.home.as_deref() == Some(&key.region);
                let (ec2, source) = match &key.what {
                    What::Instance(kind) => {
                        let place = key.place(kind.clone());
                        let shape = self.places.shapes.binary_search(&place).unwrap_or(usize::MAX);
                        // Reserved Instances cover no other Region.
                        let ec2 = here.then(|| Ec2Item {
                            instance_type: kind.clone(),
                            zone: key.zone.clone(),
                        });
                        (ec2, ItemSource::Shape(shape))
                    }
                    What::Fargate { arm64, memory } => {
                        let place = key.place(*arm64);
                        let pool = self.places.fargate.binary_search(&place).unwrap_or(usize::MAX);
                        if *memory {
                            (None, ItemSource::FargateMemory(pool))
                        } else {
                            (None, ItemSource::FargateCpu(pool))
                        }
                    }
                };
                let facts = ItemFacts { region: key.region.clone(), status: key.status };
                let item = UsageItem {
                    name: key.name(alone),
                    unit: key.what.unit(),
                    on_demand: key.on_demand,
                    ec2,
                    owner: true,
                    idle_reservation: key.idle,
                    source,
                };
                (item, facts)
            })
            .unzip()
    }
}
