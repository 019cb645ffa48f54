//! What became of everything in a source: the table that `import` prints.

use super::pools::{Kind, Pool};
use crate::import::cluster::{Cluster, Findings, OwnerKind, Sort};

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// What it is about: nodes, pods, not modelled, left out, warning.
    pub topic: &'static str,
    /// The code of a finding; empty for plain counts.
    pub code: &'static str,
    /// What is counted.
    pub what: String,
    /// How many.
    pub count: u64,
    /// Of how many, where that is known.
    pub of: Option<u64>,
    /// The first few it happened to.
    pub examples: Vec<String>,
}

/// The table. Readers of other sources add rows of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// Its lines, in order.
    pub rows: Vec<Row>,
}

impl Coverage {
    /// Adds a plain count, behind those of its topic.
    pub fn count(&mut self, topic: &'static str, what: &str, count: u64, of: Option<u64>) {
        let (code, what, examples) = ("", what.to_owned(), Vec::new());
        let last = self.rows.iter().rposition(|row| row.topic == topic);
        let at = last.map_or(self.rows.len(), |at| at + 1);
        self.rows.insert(at, Row { topic, code, what, count, of, examples });
    }

    /// Adds a count with a code.
    pub fn coded(&mut self, topic: &'static str, code: &'static str, what: &str, count: u64) {
        let (what, examples) = (what.to_owned(), Vec::new());
        self.rows.push(Row { topic, code, what, count, of: None, examples });
    }

    /// Adds a line for each finding.
    pub fn findings(&mut self, findings: &Findings) {
        for sort in [Sort::NotModelled, Sort::LeftOut, Sort::Doubt] {
            for (code, finding) in findings.iter().filter(|(_, f)| f.sort == sort) {
                self.rows.push(Row {
                    topic: sort.topic(),
                    code,
                    what: finding.text.clone(),
                    count: finding.count,
                    of: None,
                    examples: finding.examples.clone(),
                });
            }
        }
    }
}

/// Counts a cluster that was grouped into pools.
pub(super) fn of(cluster: &Cluster, pools: &[Pool]) -> Coverage {
    let mut it = Coverage::default();
    let nodes = cluster.nodes.len() as u64;
    let known = |wanted: bool| {
        pools
            .iter()
            .filter(|pool| matches!(pool.kind, Kind::Type(_)) == wanted)
            .map(|pool| pool.nodes.len() as u64)
            .sum()
    };
    let fargate = cluster.nodes.values().filter(|node| node.fargate).count() as u64;
    it.count("nodes", "nodes of types with published prices", known(true), Some(nodes));
    it.count("nodes", "nodes with a price that was stated", known(false), Some(nodes));
    it.count("nodes", "machines of Fargate", fargate, Some(nodes));
    let pods = cluster.pods.len() as u64;
    let those = |test: &dyn Fn(&crate::import::cluster::Pod) -> bool| {
        cluster.pods.values().filter(|pod| test(pod)).count() as u64
    };
    it.count("pods", "pods in the scenario", pods, None);
    it.count("pods", "pods that request cpu", those(&|p| p.requests.cpu.is_some()), Some(pods));
    let memory = those(&|p| p.requests.memory.is_some());
    it.count("pods", "pods that request memory", memory, Some(pods));
    let owned = those(&|p| p.owner.kind != OwnerKind::None);
    it.count("pods", "pods with an owner", owned, Some(pods));
    it.count("pods", "pods on a node", those(&|p| p.node.is_some()), Some(pods));
    it.count("pods", "pods that are pending", those(&|p| p.node.is_none()), Some(pods));
    it.findings(&cluster.findings);
    it
}
