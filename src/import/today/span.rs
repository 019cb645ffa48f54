//! A cluster that was recorded over a span of time: what the scenario says
//! beside nodes and the pods that stayed.

use std::fmt::Write as _;

use super::yaml::comment;
use super::{Names, slug};
use crate::import::cluster::Owner;
use crate::scenario::tree::yaml_text as quoted;

/// A span and the files beside the scenario that describe it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Span {
    /// Start, Unix milliseconds.
    pub start_unix_ms: i64,
    /// End, Unix milliseconds.
    pub end_unix_ms: i64,
    /// Namespace and owner of pods that came or went; each is a trace.
    pub batches: Vec<(String, Owner)>,
    /// Directory of the traces.
    pub traces: String,
    /// File of usage, in the format `native`.
    pub usage: String,
}

impl Span {
    /// A workload name for each batch, none of them taken.
    pub(super) fn names(&self, names: &mut Names) -> Vec<String> {
        self.batches
            .iter()
            .map(|(namespace, owner)| {
                let full = slug(&format!("{namespace}-{}", owner.name));
                names.take(&[slug(&owner.name), full])
            })
            .collect()
    }

    /// Times as a scenario writes them. Writing to a String cannot fail.
    pub(super) fn time(&self, out: &mut String) {
        let start = jiff::Timestamp::from_millisecond(self.start_unix_ms).unwrap_or_default();
        let seconds = (self.end_unix_ms - self.start_unix_ms).max(1_000) / 1_000;
        let (hours, rest) = (seconds / 3_600, seconds % 3_600);
        let length = if rest == 0 { format!("{hours}h") } else { format!("{seconds}s") };
        let _ = writeln!(
            out,
            "# What was recorded, as long as it was recorded.\n\
             time: {{ start: {start}, horizon: {length}, warmup: 0s }}"
        );
    }

    /// The traces as workloads, by the names given to them.
    pub(super) fn workloads(&self, names: &[String], out: &mut String) {
        for (name, (namespace, owner)) in names.iter().zip(&self.batches) {
            let owner = format!("{} {namespace}/{}", owner.kind.as_str(), owner.name);
            let _ = writeln!(
                out,
                "  {}:   # {}: came or went\n    namespace: {}\n    trace: {}",
                quoted(name),
                comment(&owner),
                quoted(namespace),
                quoted(&format!("{}/{name}.csv", self.traces)),
            );
        }
    }

    /// The key `usage`.
    pub(super) fn usage(&self, out: &mut String) {
        let _ = write!(
            out,
            "\n# What the pods used. Workloads that state no usage get the mean of their series.\n\
             usage:\n  recorded: {{ files: {} }}\n",
            quoted(&self.usage)
        );
    }
}
