//! A recorded scenario: what went in, and what the real component decided.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::objects::{Budget, Namespace, Node, Owning, Pod, Service};
use crate::kubernetes::or_default;
use crate::{Error, Result};

/// What kind of component a scenario records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// kube-scheduler.
    Scheduler,
    /// The Cluster Autoscaler, which is not replayed.
    Autoscaler,
}

/// The part of every scenario that says what it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Head {
    #[serde(deserialize_with = "or_default")]
    schema_version: i64,
    #[serde(deserialize_with = "or_default")]
    kind: String,
}

/// A scenario of kube-scheduler.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Scenario {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) settings: Settings,
    #[serde(deserialize_with = "or_default")]
    pub(super) input: Input,
    #[serde(deserialize_with = "or_default")]
    pub(super) expected: Expected,
}

/// How the scheduler was set up.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Settings {
    #[serde(deserialize_with = "or_default")]
    profile: Option<String>,
    #[serde(deserialize_with = "or_default")]
    percentage_of_nodes_to_score: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    pub(super) preemption: bool,
}

/// The cluster and the queue.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Input {
    #[serde(deserialize_with = "or_default")]
    pub(super) nodes: Vec<Node>,
    #[serde(deserialize_with = "or_default")]
    pub(super) existing_pods: Vec<Pod>,
    #[serde(deserialize_with = "or_default")]
    pub(super) pods: Vec<Pod>,
    #[serde(deserialize_with = "or_default")]
    pub(super) namespaces: Vec<Namespace>,
    #[serde(deserialize_with = "or_default")]
    pub(super) services: Vec<Service>,
    #[serde(deserialize_with = "or_default")]
    pub(super) replica_sets: Vec<Owning>,
    #[serde(deserialize_with = "or_default")]
    pub(super) stateful_sets: Vec<Owning>,
    #[serde(deserialize_with = "or_default")]
    pub(super) replication_controllers: Vec<Service>,
    #[serde(deserialize_with = "or_default")]
    pub(super) pod_disruption_budgets: Vec<Budget>,
}

/// The recorded answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Expected {
    #[serde(deserialize_with = "or_default")]
    pub(super) node_order: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) scheduled: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    pub(super) decisions: Vec<Decision>,
}

/// One recorded decision. Numbers of nodes are indices into `node_order`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Decision {
    #[serde(deserialize_with = "or_default")]
    pub(super) pod: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) selected: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) feasible_count: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    pub(super) top: Vec<usize>,
    /// By node: filtered out, or the total; -1 for one that was not scored.
    #[serde(deserialize_with = "or_default")]
    pub(super) scores: Option<Vec<Option<i64>>>,
    #[serde(deserialize_with = "or_default")]
    pub(super) rejections: BTreeMap<String, u64>,
    #[serde(deserialize_with = "or_default")]
    pub(super) rejected_by: Option<BTreeMap<String, Vec<usize>>>,
    #[serde(deserialize_with = "or_default")]
    pub(super) plugin_scores: Option<BTreeMap<String, Vec<Option<i64>>>>,
    #[serde(deserialize_with = "or_default")]
    pub(super) preemption: Option<Preemption>,
}

/// What preemption decided.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Preemption {
    #[serde(deserialize_with = "or_default")]
    pub(super) nominated_node: String,
    /// Sorted.
    #[serde(deserialize_with = "or_default")]
    pub(super) victims: Vec<String>,
}

/// The scenario files at `path`: itself, or those in the directory and in the
/// directories directly below it, sorted.
///
/// # Errors
/// When there are none, or a directory cannot be read.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let meta = fs::metadata(path).map_err(|e| Error::read(path, &e))?;
    if !meta.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in entries(path)? {
        if entry.is_dir() {
            found.extend(entries(&entry)?.into_iter().filter(|path| is_scenario(path)));
        } else if is_scenario(&entry) {
            found.push(entry);
        }
    }
    if found.is_empty() {
        return Err(Error::input(format!(
            "no scenario (*.json or *.json.gz) in `{}` or a directory in it",
            path.display()
        )));
    }
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| Error::read(dir, &e))? {
        paths.push(entry.map_err(|e| Error::read(dir, &e))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// By its name; `index.json` lists scenarios and is none.
fn is_scenario(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".json").is_some_and(|stem| stem != "index" && !stem.starts_with('.'))
}

/// The text of a file, unpacked if it is gzip by its first bytes.
fn text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|e| Error::read(path, &e))?;
    let mut text = String::new();
    let read = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text)
    } else {
        bytes.as_slice().read_to_string(&mut text)
    };
    read.map_err(|e| Error::read(path, &e))?;
    Ok(text)
}

/// Reads one file; `None` for a kind that is not replayed.
///
/// # Errors
/// When it is no scenario.
pub(super) fn load(path: &Path) -> Result<Option<Scenario>> {
    let text = text(path)?;
    let wrong = |e: &serde_json::Error| {
        Error::input(format!("`{}` is no recorded scenario: {e}", path.display()))
    };
    let head: Head = serde_json::from_str(&text).map_err(|e| wrong(&e))?;
    match kind(&head).map_err(|e| Error::input(format!("`{}`: {e}", path.display())))? {
        Kind::Autoscaler => Ok(None),
        Kind::Scheduler => {
            let mut scenario: Scenario = serde_json::from_str(&text).map_err(|e| wrong(&e))?;
            if scenario.id.is_empty() {
                scenario.id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            }
            check(&scenario).map_err(|e| Error::input(format!("`{}`: {e}", path.display())))?;
            Ok(Some(scenario))
        }
    }
}

/// Whether the record is whole, and of a scheduler that is replayed: nothing
/// is counted as equal that was not recorded.
fn check(scenario: &Scenario) -> std::result::Result<(), String> {
    let Settings { profile, percentage_of_nodes_to_score: percentage, .. } = &scenario.settings;
    if let Some(profile) = profile.as_deref().filter(|p| *p != "default") {
        return Err(format!("settings.profile is `{profile}`; only `default` is replayed"));
    }
    if let Some(percentage) = percentage.filter(|p| *p != 100) {
        return Err(format!(
            "settings.percentageOfNodesToScore is {percentage}; only 100 is replayed"
        ));
    }
    let (decisions, pods) = (&scenario.expected.decisions, &scenario.input.pods);
    if decisions.len() != pods.len() {
        return Err(format!(
            "expected.decisions has {} entries for {} pods in input.pods",
            decisions.len(),
            pods.len()
        ));
    }
    let bare = |d: &&Decision| d.feasible_count.is_some_and(|n| n >= 2) && d.scores.is_none();
    if let Some(decision) = decisions.iter().find(bare) {
        return Err(format!("the decision of pod `{}` has no scores", decision.pod));
    }
    let placed = decisions.iter().filter(|d| d.selected.is_some()).count() as u64;
    if let Some(stated) = scenario.expected.scheduled.filter(|n| *n > placed) {
        return Err(format!(
            "expected.scheduled is {stated}, but {placed} decisions select a node"
        ));
    }
    Ok(())
}

fn kind(head: &Head) -> std::result::Result<Kind, String> {
    if head.schema_version != 1 {
        return Err(format!("expected \"schemaVersion\": 1, found {}", head.schema_version));
    }
    match head.kind.as_str() {
        "scheduler" => Ok(Kind::Scheduler),
        "ca-scale-up" | "ca-scale-down" => Ok(Kind::Autoscaler),
        other => {
            Err(format!("unknown kind `{other}`; expected scheduler, ca-scale-up or ca-scale-down"))
        }
    }
}
