//! `plimsoll import`: other people's descriptions of a cluster, as a scenario.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Console, Format, Outcome, print};
use crate::catalog::{self, Catalog, Region};
use crate::import::today::{self, Market, SoldType, Span, Written};
use crate::import::{cluster::Cluster, kubernetes, redact};
use crate::units::{MilliCpu, Rate};
use crate::{Error, Result, report};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// From what `kubectl get nodes,pods -A -o json` (or yaml) prints
    ///
    /// Files come in any order; lists of Deployments, ReplicaSets, StatefulSets, DaemonSets and
    /// Jobs tell owners and the replicas they want, Services and PodDisruptionBudgets what their
    /// constraints refer to. The scenario holds today's nodes by name and
    /// today's pods on them, so that `plimsoll run` prices the cluster as it is. Manifests
    /// without a cluster need --nodes and --region.
    Kubectl(Kubectl),
    /// From reports of the OpenShift cost-management operator, pods by the hour
    ///
    /// The scenario replays what was recorded: nodes, pods that stayed bound to them, pods that
    /// came and went as traces, and what all of them used.
    ClusterHourly(super::import_hourly::Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Kubectl {
    /// Files of Kubernetes objects, JSON or YAML, plain or gzip
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Replace the names of namespaces, workloads, nodes and labels by neutral ones
    #[arg(long)]
    redact: bool,
    /// For manifests without a cluster: nodes to run them on, as in --nodes m5.large=3
    /// (repeatable); in the Region's first three zones in turn
    #[arg(long = "nodes", value_name = "TYPE=COUNT", value_parser = nodes)]
    nodes: Vec<(String, u32)>,
    #[command(flatten)]
    to: Target,
}

/// What every import says about the scenario it writes.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// Directory of the scenario; made if it is not there
    #[arg(short, long, value_name = "DIR", default_value = "today")]
    output: PathBuf,
    /// Name of the scenario; that of the directory unless stated
    #[arg(long)]
    name: Option<String>,
    /// AWS Region whose prices apply; the nodes' own unless stated
    #[arg(long)]
    region: Option<String>,
    /// Price of a node and hour for a type, as in --price m5.large=0.08 (repeatable); `unlabelled`
    /// stands for nodes that state no type
    #[arg(long = "price", value_name = "TYPE=USD", value_parser = price)]
    prices: Vec<(String, Rate)>,
    /// Overwrite a scenario that is there already
    #[arg(long)]
    force: bool,
    /// Use the price tables in this directory
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_PRICING")]
    pricing: Option<PathBuf>,
    /// How to print what was imported
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn price(text: &str) -> std::result::Result<(String, Rate), String> {
    let (kind, usd) = text.split_once('=').ok_or("expected TYPE=USD, as in m5.large=0.08")?;
    let usd = usd.trim_start_matches('$').parse::<Rate>().map_err(|e| e.to_string())?;
    if usd < Rate::default() {
        return Err("a price is not negative".to_owned());
    }
    Ok((kind.to_owned(), usd))
}

fn nodes(text: &str) -> std::result::Result<(String, u32), String> {
    let (kind, count) = text.split_once('=').ok_or("expected TYPE=COUNT, as in m5.large=3")?;
    match count.parse() {
        Ok(count @ 1..=1_000_000) => Ok((kind.to_owned(), count)),
        _ => Err("expected a number of nodes, at least 1".to_owned()),
    }
}

pub(super) fn run(verb: &Verb, console: &Console) -> Result<Outcome> {
    match verb {
        Verb::Kubectl(args) => {
            let cluster = kubernetes::load(&args.files)?;
            let cluster = if args.redact { redact::redact(cluster) } else { cluster };
            let mut nodes = BTreeMap::new();
            for (kind, count) in &args.nodes {
                if nodes.insert(kind.clone(), *count).is_some() {
                    return Err(Error::input(format!("`--nodes` of `{kind}` is stated twice")));
                }
            }
            written(cluster, nodes, None, &args.to, console, |_, _| Ok(()))
        }
        Verb::ClusterHourly(args) => super::import_hourly::run(args, console),
    }
}

/// Writes an imported cluster and prints what became of it. `beside` writes
/// what else the directory holds, before the scenario.
pub(super) fn written(
    cluster: Cluster,
    nodes: BTreeMap<String, u32>,
    span: Option<Span>,
    to: &Target,
    console: &Console,
    beside: impl FnOnce(&mut Written, &Path) -> Result<()>,
) -> Result<Outcome> {
    let path = to.output.join("scenario.yaml");
    if path.exists() && !to.force {
        return Err(Error::input(format!(
            "`{}` exists already; name another directory with `-o`, or use `--force`",
            path.display()
        )));
    }
    let options = today::Options {
        name: to.name.clone().unwrap_or_else(|| name_of(&to.output)),
        region: to.region.clone(),
        prices: prices(&to.prices)?,
        span,
        nodes,
    };
    let market = Tables {
        catalog: super::prices::load(to.pricing.as_deref(), console)?,
        regions: RefCell::default(),
    };
    let mut written = today::write(cluster, &options, &market)?;
    fs::create_dir_all(&to.output).map_err(|e| Error::write(&to.output, &e))?;
    beside(&mut written, &to.output)?;
    let partial = to.output.join(".scenario.yaml.partial");
    fs::write(&partial, &written.yaml).map_err(|e| Error::write(&partial, &e))?;
    fs::rename(&partial, &path).map_err(|e| Error::write(&path, &e))?;
    print(&report::coverage(&written.coverage, to.format.into())?)?;
    let shown = path.display();
    console.note(&format!("wrote {shown}; next: plimsoll run {shown}"));
    Ok(Outcome::Fine)
}

fn prices(given: &[(String, Rate)]) -> Result<BTreeMap<String, Rate>> {
    let mut prices = BTreeMap::new();
    for (kind, usd) in given {
        if prices.insert(kind.clone(), *usd).is_some() {
            return Err(Error::input(format!("`--price` of `{kind}` is stated twice")));
        }
    }
    Ok(prices)
}

/// The directory's name as that of the scenario.
fn name_of(directory: &Path) -> String {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let plain: String = name
        .chars()
        .take(100)
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .collect();
    let plain = plain.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if plain.is_empty() { "today".to_owned() } else { plain.to_owned() }
}

/// The price tables, as an import asks them.
struct Tables {
    catalog: Catalog,
    /// Regions that were asked for.
    regions: RefCell<BTreeMap<String, Option<Region>>>,
}

impl Tables {
    fn with<T>(&self, region: &str, ask: impl FnOnce(&Region) -> Option<T>) -> Option<T> {
        let mut regions = self.regions.borrow_mut();
        let known =
            regions.entry(region.to_owned()).or_insert_with(|| self.catalog.region(region).ok());
        known.as_ref().and_then(ask)
    }
}

impl Market for Tables {
    fn has_region(&self, region: &str) -> bool {
        self.with(region, |_| Some(())).is_some()
    }

    fn instance_type(&self, region: &str, name: &str) -> Option<SoldType> {
        self.with(region, |region| {
            region.on_demand(name)?;
            let kind = region.instance_type(name)?;
            Some(SoldType {
                cpu: MilliCpu(i64::from(kind.vcpu) * 1_000),
                memory: kind.os_memory,
                spot: region.spot(name).is_some(),
            })
        })
    }

    fn has_kubernetes(&self, version: &str) -> bool {
        catalog::kubernetes_versions().any(|known| known == version)
    }
}
