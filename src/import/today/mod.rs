//! An imported cluster as a scenario that `plimsoll run` prices at once.
//!
//! The rules, which the head of the written file repeats:
//!
//! * Nodes alike in group, instance type, purchase, taints and what they offer
//!   make one `fixed` pool, with every node by its name. Memory offered counts
//!   in whole MiB, rounded down, so that a few KiB between kernels do not split
//!   a pool; DIFFERENCE: pods may use up to a MiB less of such a node.
//! * Pods of one owner that ask for the same make one workload; pods are bound
//!   to the nodes they are on.
//! * A name of the scenario is the object's own, every character but letters,
//!   digits, `_` and `-` replaced by `-`; where that is taken, the namespace
//!   stands before it, and then a number behind it.
//! * A price is never made up: a type without one must be given one.
//!
//! Prices and types belong to `catalog`, so a caller passes in what it needs to
//! know of them as a [`Market`].

mod constraints;
mod coverage;
mod pools;
mod span;
mod workloads;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub use coverage::{Coverage, Row};
pub use span::Span;

use super::cluster::{Cluster, Sort};
use super::quote;
use crate::error::{Error, Result};
use crate::scenario::{BASE_CASE, Source};
use crate::units::{Bytes, MilliCpu, Rate};

const UNREADABLE: &str = "the objects hold what no cluster has, as the scenario made of them shows";

/// What a user may say about an import.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name of the scenario.
    pub name: String,
    /// The Region, instead of the one the nodes' labels tell.
    pub region: Option<String>,
    /// Prices of types per node and hour; they count before any known one.
    pub prices: BTreeMap<String, Rate>,
    /// The span that was recorded, where it was more than a moment.
    pub span: Option<Span>,
    /// Instance types and how many nodes of each, for manifests that come
    /// without nodes.
    pub nodes: BTreeMap<String, u32>,
}

/// Key of [`Options::prices`] for nodes that state no type.
pub const UNLABELLED: &str = "unlabelled";

/// What an import must know of what can be bought.
pub trait Market {
    /// Whether there are prices for a Region of this name.
    fn has_region(&self, region: &str) -> bool;
    /// An instance type that is sold On-Demand in the Region.
    fn instance_type(&self, region: &str, name: &str) -> Option<SoldType>;
    /// Whether the behaviour of this version of Kubernetes is known (`1.35`).
    fn has_kubernetes(&self, version: &str) -> bool;
}

/// An instance type, as far as an import needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoldType {
    /// Logical CPUs.
    pub cpu: MilliCpu,
    /// Memory that the operating system sees.
    pub memory: Bytes,
    /// Whether it has a Spot price.
    pub spot: bool,
}

/// A scenario and what it covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The text of the scenario file.
    pub yaml: String,
    /// What became of everything in the source.
    pub coverage: Coverage,
    /// Names of the workloads that [`Span::batches`] became, in that order.
    pub batches: Vec<String>,
}

/// Writes a cluster as a scenario.
///
/// # Errors
/// When it has no nodes or no pods, when its Region is not known, when a type
/// has no price, and when it has what the API server would refuse, such as a
/// label with a space: each with what to do about it.
pub fn write(mut cluster: Cluster, options: &Options, market: &dyn Market) -> Result<Written> {
    if options.span.as_ref().is_none_or(|span| span.batches.is_empty()) {
        refuse_empty(&cluster, options)?;
    }
    let region = region(&cluster, options, market)?;
    refuse_unsold(options, &region, market)?;
    let referred = constraints::prepare(&mut cluster);
    let mut names = Names::default();
    let entries = workloads::group(&mut cluster, &mut names);
    let batches = options.span.as_ref().map_or_else(Vec::new, |span| span.names(&mut names));
    let selectors = entries.iter().flat_map(|e| e.rules.node_selector.keys());
    let selected: BTreeSet<&str> = selectors.chain(&referred.nodes).map(String::as_str).collect();
    let pools = pools::group(&cluster, &selected, &region, options, market)?;
    cluster.findings.extend(pools.findings);
    let coverage = coverage::of(&cluster, &pools.list);
    let yaml = yaml::render(&yaml::Parts {
        cluster: &cluster,
        options,
        region: &region,
        pools: &pools.list,
        fargate: &pools.fargate,
        entries: &entries,
        batches: &batches,
        kubernetes: kubernetes(&cluster, market),
    });
    refuse_unreadable(&yaml)?;
    Ok(Written { yaml, coverage, batches })
}

/// What the API server takes can be said in a scenario; files of other origin
/// may hold more.
fn refuse_unreadable(yaml: &str) -> Result<()> {
    let source = Source::parse(Path::new("scenario.yaml"), yaml.as_bytes())?;
    let mut diags = source.diagnostics();
    source.resolve(BASE_CASE, &mut diags);
    diags.into_result().map(drop).map_err(|e| e.context(UNREADABLE))
}

/// Refuses stated nodes of a type that is not sold, or beside nodes of the files.
fn refuse_unsold(options: &Options, region: &str, market: &dyn Market) -> Result<()> {
    for kind in options.nodes.keys() {
        if market.instance_type(region, kind).is_none() {
            return Err(Error::input(format!(
                "`--nodes`: {} is no type that is sold in {region}",
                quote(kind)
            )));
        }
    }
    Ok(())
}

fn refuse_empty(cluster: &Cluster, options: &Options) -> Result<()> {
    if !cluster.nodes.is_empty() && !options.nodes.is_empty() {
        return Err(Error::input(format!(
            "the files hold {} nodes already\n  = help: leave out `--nodes`, which is for manifests \
             alone",
            cluster.nodes.len()
        )));
    }
    let mut lacks = Vec::new();
    if cluster.nodes.is_empty() && options.nodes.is_empty() {
        lacks.push("Node");
    }
    if cluster.pods.is_empty() && cluster.wanted.iter().all(|w| w.replicas.unwrap_or(0) == 0) {
        lacks.push("unfinished Pod");
    }
    if lacks.is_empty() {
        return Ok(());
    }
    let mut has = Vec::new();
    for (count, what) in [
        (cluster.nodes.len() as u64, "nodes"),
        (cluster.pods.len() as u64, "pods"),
        (cluster.wanted.len() as u64, "owners of pods"),
    ] {
        if count > 0 {
            has.push(format!("{count} {what}"));
        }
    }
    for (_, finding) in cluster.findings.iter().filter(|(_, f)| f.sort == Sort::LeftOut) {
        has.push(format!("{} {}", finding.count, finding.text));
    }
    let has = if has.is_empty() { "nothing".to_owned() } else { has.join(", ") };
    Err(Error::input(format!(
        "the files hold no {}, so there is no cluster to price; they hold {has}\n  = help: add \
         the output of `kubectl get nodes,pods -A -o json`{}",
        lacks.join(" and no "),
        if lacks.as_slice() == ["Node"] {
            ", or state what manifests run on, as in `--nodes m5.large=3`"
        } else {
            ""
        }
    )))
}

/// The Region of the nodes, or the user's.
fn region(cluster: &Cluster, options: &Options, market: &dyn Market) -> Result<String> {
    if let Some(given) = &options.region {
        if market.has_region(given) {
            return Ok(given.clone());
        }
        return Err(Error::input(format!("unknown Region {}", quote(given))));
    }
    let of_zone = |zone: &String| {
        let region = zone.strip_suffix(|c: char| c.is_ascii_lowercase())?;
        region.ends_with(|c: char| c.is_ascii_digit()).then(|| region.to_owned())
    };
    let stated: BTreeSet<String> = cluster
        .nodes
        .values()
        .filter_map(|n| n.region.clone().or_else(|| n.zone.as_ref().and_then(of_zone)))
        .collect();
    let mut regions = stated.iter();
    let help = "state whose prices apply, as in `--region us-east-1`";
    match (regions.next(), regions.next()) {
        (Some(region), None) if market.has_region(region) => Ok(region.clone()),
        (Some(region), None) => Err(Error::input(format!(
            "the nodes are in {}, for which there are no prices\n  = help: {help}",
            quote(region)
        ))),
        (None, _) => Err(Error::input(format!(
            "no node has a label `topology.kubernetes.io/region`\n  = help: {help}"
        ))),
        (Some(one), Some(other)) => Err(Error::input(format!(
            "the nodes are in several Regions, among them {} and {}\n  = help: import one \
             cluster at a time, or {help}",
            quote(one),
            quote(other)
        ))),
    }
}

/// The cluster's minor version, where all nodes run one that is known.
fn kubernetes(cluster: &Cluster, market: &dyn Market) -> Option<String> {
    let minor = |version: &String| {
        let mut parts = version.strip_prefix('v')?.split('.');
        Some(format!("{}.{}", parts.next()?, parts.next()?))
    };
    let versions: BTreeSet<Option<String>> =
        cluster.nodes.values().map(|n| n.kubelet_version.as_ref().and_then(minor)).collect();
    match (versions.len(), versions.into_iter().next().flatten()) {
        (1, Some(version)) if market.has_kubernetes(&version) => Some(version),
        _ => None,
    }
}

/// A name for the scenario: see the rules at the top.
fn slug(name: &str) -> String {
    let plain: String = name
        .chars()
        .take(100)
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
        .collect();
    let trimmed = plain.trim_matches('-');
    if trimmed.is_empty() { "unnamed".to_owned() } else { trimmed.to_owned() }
}

/// Names in use, so that none is given twice.
#[derive(Debug, Default)]
struct Names {
    used: BTreeSet<String>,
    /// The last number given behind a name.
    numbers: BTreeMap<String, u64>,
}

impl Names {
    /// The first of `wishes` that is free, else the last of them with the next
    /// number from 2 on that makes it so.
    fn take(&mut self, wishes: &[String]) -> String {
        for wish in wishes {
            if self.used.insert(wish.clone()) {
                return wish.clone();
            }
        }
        let last = wishes.last().map_or("unnamed", String::as_str);
        let number = self.numbers.entry(last.to_owned()).or_insert(1);
        loop {
            *number += 1;
            let name = format!("{last}-{number}");
            if self.used.insert(name.clone()) {
                return name;
            }
        }
    }
}
