//! What a pool can launch: zones, shapes, and offers with their prices.

use super::control::Hazard;
use super::defaults::ZONE_LETTERS;
use super::nodes::{CLOUD_LABELS, Common, Linker, ShapeKind, ShapeOrigin};
use super::notes::Notes;
use crate::bill::{Price, PriceStatus, ShapePrice};
use crate::catalog::InstanceType;
use crate::cluster::{
    Capacity, Member, NodeShape, Offer, PoolId, Purchase, ShapeId, SpotPool, ZoneId,
};
use crate::scenario::{self, NonEmpty, Spanned, quote};
use crate::units::{Bytes, MilliCpu};
use crate::workload::intern::VOLUMES;

/// Largest memory of a custom shape: a day of it in KiB·ms stays well inside
/// the integrals of a node's account.
const LARGEST_SHAPE: Bytes = Bytes(64 << 40);

impl Linker<'_> {
    /// The zones of a pool; `None` after a reported error.
    pub(super) fn zones(
        &mut self,
        path: &str,
        kind: &str,
        given: Option<&NonEmpty<Spanned<String>>>,
        notes: &mut Notes<'_>,
    ) -> Option<Vec<ZoneId>> {
        let region = self.region.name().to_owned();
        let Some(given) = given else {
            let letters: &[char] =
                if is_local_zone(&region) { &['a'] } else { &ZONE_LETTERS.value };
            let names: Vec<String> = letters.iter().map(|l| format!("{region}{l}")).collect();
            notes.default(
                format!("{path}.{kind}zones"),
                format!("[{}]", names.join(", ")),
                ZONE_LETTERS.note,
            );
            return Some(names.into_iter().map(|n| self.zone(n)).collect());
        };
        let mut zones = Some(Vec::new());
        for name in given.iter() {
            let zone = self.named_zone(name, notes);
            let twice = given.iter().any(|n| n.value == name.value && n.span < name.span);
            if zone.is_some() && twice {
                notes.diags.error(name.span, format!("{} is listed twice", quote(&name.value)));
                zones = None;
            } else if let (Some(zone), Some(zones)) = (zone, &mut zones) {
                zones.push(zone);
            } else {
                zones = None;
            }
        }
        zones
    }

    /// A zone of the Region by its name; `None` after a reported error.
    fn named_zone(&mut self, name: &Spanned<String>, notes: &mut Notes<'_>) -> Option<ZoneId> {
        let region = self.region.name().to_owned();
        if is_zone_of(&region, &name.value) {
            return Some(self.zone(name.value.clone()));
        }
        notes
            .diags
            .error(name.span, format!("{} is no Availability Zone of {region}", quote(&name.value)))
            .help(format!("a zone is the Region and a letter, such as `{region}a`"));
        None
    }

    /// The zones of nodes with names, each once, in the order of first use, in
    /// which their offers will stand; `None` after a reported error. The nodes
    /// become members of the pool that is linked next.
    pub(super) fn members(
        &mut self,
        nodes: &scenario::Keyed<Spanned<String>>,
        notes: &mut Notes<'_>,
    ) -> Option<Vec<ZoneId>> {
        let pool = PoolId(self.done.pools.len() as u32);
        let mut zones = Vec::new();
        let mut fine = true;
        for (name, zone) in nodes.iter() {
            if self.names.contains(&name.value) {
                let message = format!("node {} is in two pools", quote(&name.value));
                notes.diags.error(name.span, message);
                fine = false;
            }
            let Some(zone) = self.named_zone(zone, notes) else {
                fine = false;
                continue;
            };
            let offer = zones.iter().position(|z| *z == zone).unwrap_or_else(|| {
                zones.push(zone);
                zones.len() - 1
            });
            let name = name.value.clone();
            self.names.insert(name.clone());
            self.done.members.push(Member { name, pool, offer: offer as u32 });
        }
        fine.then_some(zones)
    }

    fn zone(&mut self, name: String) -> ZoneId {
        let zones = &mut self.done.zones;
        let at = zones.iter().position(|z| *z == name).unwrap_or_else(|| {
            zones.push(name);
            zones.len() - 1
        });
        ZoneId(at as u32)
    }

    /// The shape of an instance type; `None` after a reported error.
    pub(super) fn instance_shape(
        &mut self,
        kind: &Spanned<String>,
        common: &Common<'_>,
        notes: &mut Notes<'_>,
    ) -> Option<ShapeId> {
        let Some(found) = self.region.instance_type(&kind.value) else {
            notes
                .diags
                .error(kind.span, format!("unknown instance type {}", quote(&kind.value)))
                .suggest(&kind.value, self.region.names());
            return None;
        };
        // A pool says nothing of a container instance.
        let kube = self.ecs.is_none();
        let origin = ShapeOrigin {
            kind: ShapeKind::Type(kind.value.clone()),
            max_pods: common.max_pods.filter(|_| kube),
            reserved: common.reserved.filter(|_| kube),
            on_demand: None,
        };
        if let Some(id) = self.find(&origin) {
            return Some(id);
        }
        let extended: Vec<i64> =
            self.extended.iter().map(|name| extended_amount(found, name)).collect();
        if let Some(instances) = self.ecs {
            return self.container_instance(instances, kind, found, extended, notes);
        }
        let pods = common.max_pods.unwrap_or(found.max_pods_eni);
        let (cpu, memory) = match common.reserved {
            Some((cpu, memory)) => (
                MilliCpu((i64::from(found.vcpu) * 1_000 - cpu.0).max(0)),
                Bytes((found.os_memory.0 - memory.0).max(0)),
            ),
            None => found.allocatable(found.max_pods_eni),
        };
        notes.catalog(
            format!("instance-types.{}.allocatable", found.name),
            format!("cpu {cpu}, memory {memory}, {}", crate::nouns::counted(pods, "pod")),
            format!(
                "memory seen by the system: {}; reserves: {}",
                found.os_memory_origin,
                if common.reserved.is_some() { "the pool's" } else { "EKS AMI bootstrap" }
            ),
        );
        let id = self.add(
            NodeShape {
                name: found.name.to_string(),
                capacity: Capacity {
                    cpu: MilliCpu(i64::from(found.vcpu) * 1_000),
                    memory: found.os_memory,
                    pods,
                    extended: extended.clone(),
                },
                allocatable: Capacity { cpu, memory, pods, extended },
                nominal_memory: found.memory,
            },
            origin,
        );
        Some(id)
    }

    pub(super) fn custom_shape(
        &mut self,
        shape: &Spanned<scenario::NodeShape>,
        common: &Common<'_>,
        notes: &mut Notes<'_>,
    ) -> ShapeId {
        let (cpu, memory) = (shape.vcpu.value.0, shape.memory.value.0);
        if memory > LARGEST_SHAPE {
            let message = format!("a shape has at most {LARGEST_SHAPE} of memory");
            notes.diags.error(shape.memory.span, message);
        }
        let pods = common.max_pods.unwrap_or(shape.pods.get() as u32);
        let (kept_cpu, kept_memory) = match (self.ecs, common.reserved) {
            (Some(ecs), _) => (MilliCpu(0), ecs.reserved_memory),
            (None, Some(reserved)) => reserved,
            (None, None) => {
                let note = "a shape of your own offers all it has";
                notes.default(format!("{}.reserved", common.path), "none", note);
                Default::default()
            }
        };
        if kept_cpu >= cpu || kept_memory >= memory {
            notes.diags.error(shape.span, "`reserved` leaves nothing of this shape");
        }
        let extended: Vec<i64> = self
            .extended
            .iter()
            .map(|name| shape.extended.get(name).map_or(0, |n| n.value.get() as i64))
            .collect();
        let id = self.add(
            NodeShape {
                name: common.name.value.clone(),
                capacity: Capacity { cpu, memory, pods, extended: extended.clone() },
                allocatable: Capacity {
                    cpu: MilliCpu((cpu.0 - kept_cpu.0).max(0)),
                    memory: Bytes((memory.0 - kept_memory.0).max(0)),
                    pods,
                    extended,
                },
                nominal_memory: memory,
            },
            ShapeOrigin {
                kind: ShapeKind::Custom(common.name.value.clone()),
                max_pods: common.max_pods,
                reserved: common.reserved,
                on_demand: None,
            },
        );
        if let Some(price) = self.done.prices.get_mut(id.index()) {
            price.on_demand = Some(Price::new(shape.usd_per_hour.value, PriceStatus::Stated));
            price.custom = true;
        }
        id
    }

    fn find(&self, wanted: &ShapeOrigin) -> Option<ShapeId> {
        let same = |o: &ShapeOrigin| {
            (&o.kind, o.max_pods, o.reserved) == (&wanted.kind, wanted.max_pods, wanted.reserved)
        };
        self.done.origins.iter().position(same).map(|at| ShapeId(at as u32))
    }

    pub(super) fn add(&mut self, shape: NodeShape, origin: ShapeOrigin) -> ShapeId {
        self.done.shapes.push(shape);
        self.done.origins.push(origin);
        self.done.prices.push(ShapePrice::default());
        ShapeId(self.done.shapes.len() as u32 - 1)
    }

    /// The offers of an instance type, one a zone; `None` after a reported
    /// error.
    pub(super) fn offers(
        &mut self,
        shape: ShapeId,
        kind: &Spanned<String>,
        spot: bool,
        zones: &[ZoneId],
        common: &Common<'_>,
        notes: &mut Notes<'_>,
    ) -> Option<Vec<Offer>> {
        let name = &kind.value;
        let region = self.region;
        let arch = region.instance_type(name)?.arch.word();
        let mut offers = Vec::with_capacity(zones.len());
        for zone in zones {
            let (price, hazard) = if spot {
                self.spot_price(shape, kind, *zone, notes)?
            } else {
                (self.on_demand_price(shape, kind, notes)?, 0.0)
            };
            offers.push(Offer {
                shape,
                zone: *zone,
                purchase: if spot { Purchase::Spot } else { Purchase::OnDemand },
                hourly: price.rate,
                hazard_per_hour: hazard,
                labels: self.labels(common, name, arch, *zone, spot),
            });
        }
        Some(offers)
    }

    /// What a type costs On-Demand.
    fn on_demand_price(
        &mut self,
        shape: ShapeId,
        kind: &Spanned<String>,
        notes: &mut Notes<'_>,
    ) -> Option<Price> {
        let (name, region) = (&kind.value, self.region);
        let Some(quote) = region.on_demand(name) else {
            notes
                .diags
                .error(kind.span, format!("no On-Demand price for `{name}` in {}", region.name()))
                .suggest(name, region.names());
            return None;
        };
        let path = format!("ec2-on-demand.{name}");
        let price = notes.price(kind.span, path, "instance-hour", quote)?;
        if let Some(known) = self.done.prices.get_mut(shape.index()) {
            known.on_demand = Some(price);
        }
        if let Some(origin) = self.done.origins.get_mut(shape.index()) {
            origin.on_demand.get_or_insert(kind.span);
        }
        Some(price)
    }

    /// What a type costs on the Spot market of a zone at the start of the run,
    /// and how often it is reclaimed.
    fn spot_price(
        &mut self,
        shape: ShapeId,
        kind: &Spanned<String>,
        zone: ZoneId,
        notes: &mut Notes<'_>,
    ) -> Option<(Price, f64)> {
        let (name, region) = (&kind.value, self.region);
        let Some(quote) = region.spot(name) else {
            let with_spot = region.names().filter(|n| region.spot(n).is_some());
            notes
                .diags
                .error(kind.span, format!("no Spot price for `{name}` in {}", region.name()))
                .suggest(name, with_spot);
            return None;
        };
        let hazard = match self.hazard {
            Hazard::Advisor => quote.hazard_per_hour,
            Hazard::Fixed(hazard) => hazard,
        };
        let zone_name = self.done.zones.get(zone.index()).map_or("", String::as_str);
        let (price, moves) = self.market.price(region, kind, zone_name, &quote, notes)?;
        if let Some(known) = self.done.prices.get_mut(shape.index()) {
            // What Spot saves is told against On-Demand, whoever buys it.
            if let (None, Some(quote)) = (&known.on_demand, region.on_demand(name)) {
                known.on_demand = Some(super::notes::bill_price(quote));
            }
            if known.spot.len() <= zone.index() {
                known.spot.resize(zone.index() + 1, None);
            }
            if let Some(slot) = known.spot.get_mut(zone.index()) {
                *slot = Some(price);
            }
        }
        let known = self.done.spot_pools.iter().any(|p| (p.shape, p.zone) == (shape, zone));
        if let (Some(moves), false) = (moves, known) {
            self.done.spot_pools.push(SpotPool { shape, zone, price: moves });
        }
        Some((price, hazard))
    }

    /// What the cloud writes on such a node, sorted by key.
    pub(super) fn labels(
        &self,
        common: &Common<'_>,
        kind: &str,
        arch: &str,
        zone: ZoneId,
        spot: bool,
    ) -> Vec<(String, String)> {
        if self.ecs.is_some() {
            return self.attributes(kind, arch, zone);
        }
        let zone = self.done.zones.get(zone.index()).map_or("", String::as_str);
        let capacity = if spot { "SPOT" } else { "ON_DEMAND" };
        let values =
            [kind, zone, self.region.name(), arch, "linux", capacity, common.name.value.as_str()];
        let mut labels: Vec<(String, String)> = CLOUD_LABELS
            .iter()
            .zip(values)
            .map(|(key, value)| ((*key).to_owned(), value.to_owned()))
            .collect();
        for (old, key) in FORMER_LABELS {
            let value = labels.iter().find(|(k, _)| k == key).map(|(_, value)| value.clone());
            labels.extend(value.map(|value| (old.to_owned(), value)));
        }
        labels.sort();
        labels
    }
}

/// Former names of labels, which the controllers still write beside them
/// (kubernetes `pkg/controller/nodelifecycle/node_lifecycle_controller.go` and
/// `staging/src/k8s.io/cloud-provider/controllers/node/node_controller.go`, 1.31,
/// `labelReconcileInfo`).
const FORMER_LABELS: [(&str, &str); 5] = [
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
];

/// Whether a code names a Local or Wavelength Zone: `us-east-1-atl-1`.
fn is_local_zone(region: &str) -> bool {
    let numbers = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
    region.split('-').filter(numbers).count() > 1
}

/// How much of an extended resource the device plugin of its vendor offers
/// on a type.
fn extended_amount(kind: &InstanceType, name: &str) -> i64 {
    let gpu = kind.gpu_name.as_deref().unwrap_or("");
    let accelerator = kind.accelerator_name.as_deref().unwrap_or("");
    match name {
        "nvidia.com/gpu" if !gpu.starts_with("radeon") => i64::from(kind.gpu_count),
        "amd.com/gpu" if gpu.starts_with("radeon") => i64::from(kind.gpu_count),
        "aws.amazon.com/neuron"
            if accelerator.starts_with("inferentia") || accelerator.starts_with("trainium") =>
        {
            i64::from(kind.accelerator_count)
        }
        VOLUMES => volume_limit(&kind.name),
        _ => 0,
    }
}

/// How many EBS volumes a node attaches (kubernetes
/// `pkg/volume/util/attach_limit.go`, 1.31).
///
/// DIFFERENCE: the EBS CSI driver states what its node has left beside network
/// interfaces and the root volume; types of which that is published are not
/// told apart here.
/// Whether a name is that of a zone of a Region: the Region and a letter.
pub(super) fn is_zone_of(region: &str, name: &str) -> bool {
    let letter = name.strip_prefix(region).unwrap_or("");
    letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_lowercase())
}

fn volume_limit(kind: &str) -> i64 {
    let older = ["c5", "m5", "r5"].iter().any(|family| kind.starts_with(family))
        || kind.contains("t3")
        || kind.contains("z1d");
    if older { 25 } else { 39 }
}
