//! Nodes that are alike: what becomes one pool of the scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Market, Names, Options, SoldType, UNLABELLED, quote, slug};
use crate::error::{Error, Result};
use crate::import::cluster::{Amounts, CapacityType, Cluster, Findings, Node};
use crate::units::{Bytes, MilliCpu, Rate};
use crate::workload::Taint;

/// Labels that the engine writes on every node by itself, so that a pool need
/// not state them.
const OWN_LABELS: [&str; 11] = [
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "eks.amazonaws.com/capacityType",
];

/// A pool of the scenario.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pool {
    /// Its name, unique.
    pub(super) name: String,
    /// What its nodes are.
    pub(super) kind: Kind,
    /// How they are bought.
    pub(super) spot: bool,
    /// Node to zone.
    pub(super) nodes: BTreeMap<String, String>,
    /// Labels that constraints of pods refer to.
    pub(super) labels: BTreeMap<String, String>,
    /// Taints.
    pub(super) taints: BTreeSet<Taint>,
    /// Most pods on a node.
    pub(super) max_pods: Option<u32>,
    /// What the type offers beyond what pods may request.
    pub(super) reserved: Option<(MilliCpu, Bytes)>,
}

/// What nodes are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// An instance type of the tables.
    Type(String),
    /// Something else, with the price that the user stated.
    Shape {
        /// What the nodes call their type.
        stated: String,
        /// Cpu of the machine.
        cpu: MilliCpu,
        /// Memory of the machine.
        memory: Bytes,
        /// Most pods.
        pods: u32,
        /// Devices.
        extended: BTreeMap<String, i64>,
        /// `arm64`, where it is not amd64.
        arm: bool,
        /// The price.
        usd_per_hour: Rate,
    },
}

/// The pools, and what was noticed about nodes.
pub(super) struct Pools {
    pub(super) list: Vec<Pool>,
    /// A free name for the pods on Fargate.
    pub(super) fargate: String,
    pub(super) findings: Findings,
}

/// What makes two nodes belong to different pools.
type Key = (
    Option<String>,
    String,
    bool,
    BTreeMap<String, String>,
    BTreeSet<Taint>,
    Amounts,
    Option<(Amounts, bool)>,
);

/// Groups all nodes but those of Fargate. `selected` are the label keys that
/// pods select nodes by.
pub(super) fn group(
    cluster: &Cluster,
    selected: &BTreeSet<&str>,
    region: &str,
    options: &Options,
    market: &dyn Market,
) -> Result<Pools> {
    let mut findings = Findings::default();
    let mut unknown: BTreeMap<String, Unknown> = BTreeMap::new();
    let mut groups: BTreeMap<Key, BTreeMap<String, String>> = BTreeMap::new();
    for node in cluster.nodes.values().filter(|node| !node.fargate) {
        let kind = node.instance_type.clone().unwrap_or_else(|| UNLABELLED.to_owned());
        let spot = node.capacity_type == Some(CapacityType::Spot);
        let priced = options.prices.contains_key(&kind);
        let sold = sold(node, region, market).filter(|sold| !spot || sold.spot);
        if !priced && sold.is_none() {
            unknown.entry(kind).or_insert_with(|| Unknown::of(node, region, market)).nodes += 1;
            continue;
        }
        if node.capacity_type.is_none() && !priced {
            let text = "nodes that do not say how they are bought, priced On-Demand";
            findings.doubt("capacity-type", text, &node.name);
        }
        let shape = priced.then(|| {
            let capacity = Amounts {
                memory: node.capacity.memory.or(node.allocatable.memory),
                cpu: node.capacity.cpu.or(node.allocatable.cpu),
                pods: None,
                extended: devices(&node.capacity),
                ..Amounts::default()
            };
            (capacity, node.arch.as_deref() == Some("arm64"))
        });
        let offers = Amounts {
            memory: node.allocatable.memory.map(|m| Bytes(m.0 >> 20 << 20)),
            extended: BTreeMap::new(),
            ..node.allocatable.clone()
        };
        let labels = labels(node, selected);
        let key = (node.group.clone(), kind, spot, labels, node.taints.clone(), offers, shape);
        let zone = zone(node, region, &mut findings);
        groups.entry(key).or_default().insert(node.name.clone(), zone);
    }
    refuse(&unknown, region)?;
    note_unused_prices(cluster, options, &mut findings);
    let mut names = Names::default();
    let mut pools = Vec::new();
    for ((group, kind, spot, labels, taints, offers, shape), nodes) in groups {
        let bought = if spot { format!("{kind}-spot") } else { kind.clone() };
        let full = group.as_ref().map_or_else(|| bought.clone(), |g| format!("{g}-{bought}"));
        let name = names.take(&[slug(&full)]);
        let (kind, machine) = if let Some((capacity, arm)) = shape {
            custom(&kind, &capacity, arm, &offers, options)?
        } else {
            let sold = market.instance_type(region, &kind);
            (Kind::Type(kind), sold.map(|s| (s.cpu, s.memory)))
        };
        let reserved = reserved(machine, &offers, nodes.keys(), &mut findings);
        let spot = spot && matches!(kind, Kind::Type(_));
        let max_pods = offers.pods.map(|pods| pods.clamp(1, 10_000));
        pools.push(Pool { name, kind, spot, nodes, labels, taints, max_pods, reserved });
    }
    let fargate = names.take(&["fargate".to_owned(), "eks-fargate".to_owned()]);
    Ok(Pools { list: pools, fargate, findings })
}

/// The type in the price tables. Their prices are those of Linux.
fn sold(node: &Node, region: &str, market: &dyn Market) -> Option<SoldType> {
    let name = node.instance_type.as_deref().filter(|_| node.foreign_os.is_none())?;
    market.instance_type(region, name)
}

/// Nodes of a type without a price.
struct Unknown {
    nodes: u64,
    /// What they have, for the message.
    size: String,
    why: String,
}

impl Unknown {
    fn of(node: &Node, region: &str, market: &dyn Market) -> Self {
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
        let size = format!(
            "{} vCPU, {} of memory",
            or_unknown(node.capacity.cpu.map(|c| c.to_string())),
            or_unknown(node.capacity.memory.map(|m| format!("{} MiB", m.0 >> 20)))
        );
        let why = match (&node.foreign_os, &node.instance_type) {
            (Some(os), _) => format!("prices of {} are not in the tables", quote(os)),
            (None, None) => "they have no label `node.kubernetes.io/instance-type`".to_owned(),
            (None, Some(name)) if market.instance_type(region, name).is_some() => {
                format!("no Spot price in {region}")
            }
            (None, Some(_)) => format!("no type that is sold in {region}"),
        };
        Unknown { nodes: 0, size, why }
    }
}

fn refuse(unknown: &BTreeMap<String, Unknown>, region: &str) -> Result<()> {
    if unknown.is_empty() {
        return Ok(());
    }
    let mut text = "some nodes have no price:".to_owned();
    for (name, it) in unknown {
        let plural = if it.nodes == 1 { "node" } else { "nodes" };
        let named = quote(name);
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {} {plural} of {named} ({}): {}", it.nodes, it.size, it.why);
    }
    let flags: Vec<String> = unknown.keys().map(|name| format!("--price {name}=USD")).collect();
    Err(Error::input(format!(
        "{text}\n  = help: state what one of them costs per hour, 0 allowed: {}; or another \
         `--region` than {region}",
        crate::text::excerpt(flags.join(" ").as_bytes(), 400)
    )))
}

/// A price of a type that no node has may be a slip of the keyboard.
fn note_unused_prices(cluster: &Cluster, options: &Options, findings: &mut Findings) {
    let types: BTreeSet<&str> = cluster
        .nodes
        .values()
        .filter(|node| !node.fargate)
        .map(|node| node.instance_type.as_deref().unwrap_or(UNLABELLED))
        .collect();
    for name in options.prices.keys().filter(|name| !types.contains(name.as_str())) {
        findings.left_out("unused-price", "stated prices of a type that no node is", name);
    }
}

fn devices(amounts: &Amounts) -> BTreeMap<String, i64> {
    let known = |name: &String| super::workloads::DEVICES.contains(&name.as_str());
    let of = amounts.extended.iter().filter(|(name, _)| known(name));
    of.map(|(name, n)| (name.clone(), (*n).min(1_000_000))).collect()
}

/// A machine that is in no table.
fn custom(
    stated: &str,
    capacity: &Amounts,
    arm: bool,
    offers: &Amounts,
    options: &Options,
) -> Result<(Kind, Option<(MilliCpu, Bytes)>)> {
    let usd_per_hour = options.prices.get(stated).copied().unwrap_or_default();
    let (Some(cpu), Some(memory)) =
        (capacity.cpu.filter(|c| c.0 > 0), capacity.memory.filter(|m| m.0 > 0))
    else {
        return Err(Error::input(format!(
            "nodes of {} state no cpu and memory in `status.capacity`",
            quote(stated)
        )));
    };
    let kind = Kind::Shape {
        stated: stated.to_owned(),
        cpu,
        memory,
        pods: offers.pods.unwrap_or(110).clamp(1, 10_000),
        extended: capacity.extended.clone(),
        arm,
        usd_per_hour,
    };
    Ok((kind, Some((cpu, memory))))
}

/// What a machine has and does not offer. The type's own figures count, not
/// the node's capacity, so that pods may request exactly what the node states.
fn reserved<'n>(
    machine: Option<(MilliCpu, Bytes)>,
    offers: &Amounts,
    mut nodes: impl Iterator<Item = &'n String>,
    findings: &mut Findings,
) -> Option<(MilliCpu, Bytes)> {
    let (cpu, memory) = machine?;
    let (free_cpu, free_memory) = (offers.cpu?, offers.memory?);
    if free_cpu.0 <= 0 || free_memory.0 <= 0 {
        return None;
    }
    if free_cpu > cpu || free_memory > memory {
        let text = "kinds of nodes that offer more than their type has in the tables";
        findings.doubt("offers-more", text, nodes.next().cloned().unwrap_or_default());
    }
    Some((MilliCpu((cpu.0 - free_cpu.0).max(0)), Bytes((memory.0 - free_memory.0).max(0))))
}

/// Labels that pods select by and the engine does not write itself. The node
/// group counts as stated: a pool of the scenario has another name.
fn labels(node: &Node, selected: &BTreeSet<&str>) -> BTreeMap<String, String> {
    node.labels
        .iter()
        .filter(|(key, _)| selected.contains(key.as_str()) && !OWN_LABELS.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The zone of a node, or the Region's first where it states none that is one.
fn zone(node: &Node, region: &str, findings: &mut Findings) -> String {
    let is_zone = |zone: &&String| {
        let letter = zone.strip_prefix(region).unwrap_or_default();
        letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_lowercase())
    };
    node.zone.as_ref().filter(is_zone).cloned().unwrap_or_else(|| {
        let text = "nodes without a zone of the Region, put into its first";
        findings.doubt("zone", text, &node.name);
        format!("{region}a")
    })
}
