//! One pod's story and one owner's dollars, in full.
//!
//! A story is built from one simulated cell (`cost`, `pod`), then shown: as
//! JSON it is complete, as text it is blocks of at most 80 columns whose
//! long lists are cut and summed up. Names are made safe when a story is
//! built, so that no format has to.

mod blocks;
mod cost;
mod ecs;
mod names;
mod pod;

pub use cost::{CostStory, Subject, cost};
pub use ecs::{TaskStory, task};
pub use names::{find_pod, find_workload};
pub use pod::{PodStory, pod};

use jiff::Timestamp;

use super::text;
use crate::bill::pseudo;
use crate::cluster::{ClusterSpec, FargateSize};
use crate::observe::Record;
use crate::units::SimTime;
use crate::workload::Workloads;
use crate::{Error, Result};

/// Version of the layout of explanations as JSON.
pub const EXPLAIN_SCHEMA_VERSION: u32 = 1;

/// One simulated cell.
#[derive(Debug, Clone, Copy)]
pub struct CellFacts<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// Name of the case.
    pub case: &'a str,
    /// Its seed.
    pub seed: u64,
    /// The cluster.
    pub cluster: &'a ClusterSpec,
    /// What ran on it.
    pub workloads: &'a Workloads,
    /// What the simulation left.
    pub record: &'a Record,
}

/// Where and when a story plays: the head of every explanation.
#[derive(Debug, Clone, serde::Serialize)]
struct Head {
    schema_version: u32,
    plimsoll_version: &'static str,
    scenario: String,
    case: String,
    seed: u64,
}

impl CellFacts<'_> {
    fn head(&self) -> Head {
        Head {
            schema_version: EXPLAIN_SCHEMA_VERSION,
            plimsoll_version: env!("CARGO_PKG_VERSION"),
            scenario: text::name(self.scenario),
            case: text::name(self.case),
            seed: self.seed,
        }
    }

    /// A time of the run as a timestamp; `None` for never.
    fn timestamp(&self, at: SimTime) -> Option<String> {
        if at == SimTime::NEVER {
            return None;
        }
        unix(self.record.start_unix_ms.checked_add(at.ms())?)
    }

    /// Name of a pool: node pools first, then those of Fargate, last the
    /// cluster.
    fn pool(&self, index: usize) -> String {
        let nodes = &self.cluster.pools;
        let name = nodes.get(index).map(|p| &p.name);
        let fargate = || self.cluster.fargate.get(index.checked_sub(nodes.len())?).map(|p| &p.name);
        name.or_else(fargate).map_or_else(|| pseudo::CLUSTER_POOL.to_owned(), |n| text::name(n))
    }
}

/// A Unix time in milliseconds as RFC 3339 writes it.
fn unix(ms: i64) -> Option<String> {
    Timestamp::from_millisecond(ms).ok().map(|t| t.to_string())
}

/// A Fargate size as AWS writes it: `0.5 vCPU 1 GB`.
fn fargate_size(size: FargateSize) -> String {
    format!("{} vCPU {} GB", size.cpu.0 as f64 / 1e3, size.memory.kib() as f64 / f64::from(1 << 20))
}

/// What is not there, and what is.
fn unknown<'a>(what: &str, name: &str, all: impl Iterator<Item = &'a str> + Clone) -> Error {
    const SHOWN: usize = 8;
    let shown = text::name(name);
    let help = if let Some(near) = crate::names::nearest(name, all.clone()) {
        format!("did you mean `{}`?", text::name(near))
    } else {
        let names: Vec<String> = all.clone().take(SHOWN).map(text::name).collect();
        let rest = all.count() - names.len();
        match (names.is_empty(), rest) {
            (true, _) => "there is none".to_owned(),
            (false, 0) => format!("there are {}", names.join(", ")),
            (false, rest) => format!("there are {} and {rest} more", names.join(", ")),
        }
    };
    Error::input(format!("there is no {what} `{shown}`\n  = help: {help}"))
}

fn json(story: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(story)
        .map(|text| text + "\n")
        .map_err(|e| Error::failed(format!("cannot write the explanation as JSON: {e}")))
}
