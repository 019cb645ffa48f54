//! The native trace: which columns it has and what their values mean.
//!
//! Shared by the CSV and the Parquet reader, so that both accept the same
//! values and word the same errors. One row is one pod, or `count` pods
//! submitted together.
//!
//! | column | meaning | |
//! | --- | --- | --- |
//! | `arrival` | seconds since the start of the run, as a decimal, or a timestamp (RFC 3339; without a zone it is UTC), counted from `time.start` | required |
//! | `duration` | run time in seconds, as a decimal | required |
//! | `cpu` | requested cpu: a Kubernetes quantity (`500m`) or cores (`0.5`) | required unless the workload states `cpu` |
//! | `memory` | requested memory: a Kubernetes quantity (`2Gi`) or bytes | required unless the workload states `memory` |
//! | `count` | pods in the row, 1 to 1,000,000 | 1 |
//! | `name` | name of the pod or job | none |
//! | `namespace` | its namespace | the workload's |
//! | `priority` | scheduling priority | the workload's |
//! | `cpu_avg` `cpu_p95` `cpu_max` | cpu used while running | unknown |
//! | `memory_avg` `memory_p95` `memory_max` | memory used while running | unknown |
//! | a name with a slash, such as `nvidia.com/gpu` | amount of that extended resource, whole units | 0 |
//!
//! Times are kept to the millisecond (nearest), cpu and memory round up to
//! milli-cores and bytes as Kubernetes does. An empty cell means what an
//! absent column means; an empty `cpu` or `memory` that the workload does
//! not state either is a pod without that request. Any other column is an
//! error. Rows may stand in any order and are sorted by arrival.
//!
//! | | what happens |
//! | --- | --- |
//! | sorted | rows before an earlier arrival, counted |
//! | rejected | nothing |
//! | bad | a value outside its column's meaning, NaN, infinite or negative numbers, more than a million cores or 4 PiB, times beyond 1,000 years, a row with too many or too few fields |
//! | clipped | nothing |

use super::model::Usage;
use super::source::{BadRow, RawRow, TraceOptions, bad_value};
use crate::error::{Error, Result};
use crate::names::nearest;
use crate::text;
use crate::units::{Bytes, MilliCpu};

/// Columns other than extended resources, in the order in which they are
/// written.
pub const COLUMNS: [&str; 14] = [
    "arrival",
    "duration",
    "cpu",
    "memory",
    "count",
    "name",
    "namespace",
    "priority",
    "cpu_avg",
    "cpu_p95",
    "cpu_max",
    "memory_avg",
    "memory_p95",
    "memory_max",
];

/// Most columns of extended resources.
const MAX_EXTENDED: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Arrival,
    Duration,
    Cpu,
    Memory,
    Count,
    Name,
    Namespace,
    Priority,
    CpuAvg,
    CpuP95,
    CpuMax,
    MemoryAvg,
    MemoryP95,
    MemoryMax,
    Extended(usize),
}

/// In the order of [`COLUMNS`].
const KINDS: [Column; 14] = [
    Column::Arrival,
    Column::Duration,
    Column::Cpu,
    Column::Memory,
    Column::Count,
    Column::Name,
    Column::Namespace,
    Column::Priority,
    Column::CpuAvg,
    Column::CpuP95,
    Column::CpuMax,
    Column::MemoryAvg,
    Column::MemoryP95,
    Column::MemoryMax,
];

/// The columns of one file, and how to read a row of them.
#[derive(Debug)]
pub struct Layout {
    columns: Vec<Column>,
    names: Vec<String>,
    extended: Vec<String>,
    amounts: Vec<i64>,
    start_unix_ms: Option<i64>,
}

impl Layout {
    /// Understands a header.
    ///
    /// # Errors
    /// Lists every unknown, repeated and missing column of the file `file`.
    pub fn new<'a>(
        file: &str,
        header: impl Iterator<Item = &'a str>,
        options: &TraceOptions,
    ) -> Result<Self> {
        let mut layout = Layout {
            columns: Vec::new(),
            names: Vec::new(),
            extended: Vec::new(),
            amounts: Vec::new(),
            start_unix_ms: options.start_unix_ms,
        };
        let mut faults = Vec::new();
        for (i, raw) in header.enumerate() {
            // A byte order mark belongs to the file, not to the first name.
            let name = if i == 0 { raw.strip_prefix('\u{feff}').unwrap_or(raw) } else { raw };
            let name = name.trim();
            let shown = text::excerpt(name.as_bytes(), 60);
            if layout.names.iter().any(|n| n == name) {
                faults.push(format!("column `{shown}` appears twice"));
                continue;
            }
            let column = match COLUMNS.iter().position(|c| *c == name) {
                Some(at) => KINDS[at],
                None if is_extended(name) && layout.extended.len() < MAX_EXTENDED => {
                    layout.extended.push(name.to_owned());
                    Column::Extended(layout.extended.len() - 1)
                }
                None => {
                    let hint = nearest(name, COLUMNS).map_or_else(
                        || format!("known columns are {}", COLUMNS.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    faults.push(format!("unknown column `{shown}`; {hint}"));
                    if faults.len() >= 20 {
                        break;
                    }
                    continue;
                }
            };
            layout.columns.push(column);
            layout.names.push(name.to_owned());
        }
        for (name, column, given) in [
            ("arrival", Column::Arrival, false),
            ("duration", Column::Duration, false),
            ("cpu", Column::Cpu, options.cpu.is_some()),
            ("memory", Column::Memory, options.memory.is_some()),
        ] {
            if !given && !layout.columns.contains(&column) {
                let remedy = match column {
                    Column::Cpu | Column::Memory => {
                        format!("; add it, or state `{name}` for the workload")
                    }
                    _ => "; a native trace needs at least arrival and duration".to_owned(),
                };
                faults.push(format!("column `{name}` is missing{remedy}"));
            }
        }
        if !faults.is_empty() {
            return Err(Error::input(format!("`{file}`: {}", faults.join("\n  "))));
        }
        layout.amounts = vec![0; layout.extended.len()];
        Ok(layout)
    }

    /// Names of the columns, in the file's order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Names of the extended resources.
    #[must_use]
    pub fn extended(&self) -> &[String] {
        &self.extended
    }

    /// Reads one row whose cells `cell` yields by column.
    ///
    /// # Errors
    /// Names the first value that has no meaning in its column.
    pub fn row<'a>(
        &'a mut self,
        cell: impl Fn(usize) -> &'a [u8],
    ) -> std::result::Result<RawRow<'a>, BadRow> {
        let mut row = RawRow { count: 1, ..RawRow::default() };
        for (i, column) in self.columns.iter().enumerate() {
            let value = cell(i);
            let fault = read_cell(*column, value, self.start_unix_ms, &mut row, &mut self.amounts);
            if let Err(cause) = fault {
                return Err(bad_value(&self.names[i], value, &cause, b""));
            }
        }
        row.extended = &self.amounts;
        Ok(row)
    }
}

fn read_cell<'a>(
    column: Column,
    value: &'a [u8],
    start_unix_ms: Option<i64>,
    row: &mut RawRow<'a>,
    amounts: &mut [i64],
) -> std::result::Result<(), String> {
    match column {
        Column::Arrival => row.arrival_ms = text::time_ms(value, start_unix_ms)?,
        Column::Duration => row.duration_ms = text::seconds_ms(value)?,
        Column::Cpu => row.cpu = optional(value, text::cpu)?,
        Column::Memory => row.memory = optional(value, text::memory)?,
        Column::Count => {
            row.count = optional(value, |v| text::integer(v, 1, 1_000_000))?.unwrap_or(1);
        }
        Column::Name => row.name = utf8(value)?,
        Column::Namespace => row.namespace = Some(utf8(value)?).filter(|n| !n.is_empty()),
        Column::Priority => {
            let bounds = (i64::from(i32::MIN), i64::from(i32::MAX));
            row.priority =
                optional(value, |v| text::integer(v, bounds.0, bounds.1))?.map(|p| p as i32);
        }
        Column::CpuAvg => row.usage.cpu = optional(value, text::cpu)?,
        Column::CpuP95 => row.usage_p95.cpu = optional(value, text::cpu)?,
        Column::CpuMax => row.usage_max.cpu = optional(value, text::cpu)?,
        Column::MemoryAvg => row.usage.memory = optional(value, text::memory)?,
        Column::MemoryP95 => row.usage_p95.memory = optional(value, text::memory)?,
        Column::MemoryMax => row.usage_max.memory = optional(value, text::memory)?,
        Column::Extended(at) => {
            amounts[at] = optional(value, |v| text::integer(v, 0, 1_000_000_000))?.unwrap_or(0);
        }
    }
    Ok(())
}

fn optional<T>(
    value: &[u8],
    read: impl Fn(&[u8]) -> std::result::Result<T, String>,
) -> std::result::Result<Option<T>, String> {
    if value.trim_ascii().is_empty() { Ok(None) } else { read(value).map(Some) }
}

fn utf8(value: &[u8]) -> std::result::Result<&str, String> {
    std::str::from_utf8(value).map(str::trim).map_err(|_| "is not UTF-8 text".to_owned())
}

/// Whether a column can only be an extended resource: those carry a domain.
fn is_extended(name: &str) -> bool {
    name.len() <= 317
        && name.split_once('/').is_some_and(|(domain, rest)| {
            let fine = |part: &str| {
                !part.is_empty()
                    && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
            };
            fine(domain) && fine(rest)
        })
}

/// Seconds of a whole number of milliseconds: `12.5`, `3`.
pub(crate) fn push_seconds(out: &mut String, ms: i64) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _ = write!(out, "{}", ms / 1_000);
    let part = ms % 1_000;
    if part != 0 {
        let digits = format!(".{part:03}");
        out.push_str(digits.trim_end_matches('0'));
    }
}

/// Cpu and memory of a usage column; empty where unknown.
pub(crate) fn usage_text(usage: Usage) -> (String, String) {
    (quantity(usage.cpu), memory_text(usage.memory))
}

/// A quantity, empty where unknown.
pub(crate) fn quantity(cpu: Option<MilliCpu>) -> String {
    cpu.map_or_else(String::new, |c| c.to_string())
}

/// As [`quantity`].
pub(crate) fn memory_text(memory: Option<Bytes>) -> String {
    memory.map_or_else(String::new, |m| m.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str) -> Result<Layout> {
        Layout::new("t.csv", names.split(','), &TraceOptions::default())
    }

    #[test]
    fn a_header_names_all_its_faults_at_once() {
        let error = header("arival,duration,cpu,cpu,Memory,node").expect_err("faults").to_string();
        for part in [
            "unknown column `arival`; did you mean `arrival`?",
            "column `cpu` appears twice",
            "did you mean `memory`?",
            "unknown column `node`; ",
            "column `arrival` is missing",
            "column `memory` is missing; add it, or state `memory` for the workload",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn extended_resources_carry_a_domain() {
        let layout = header("arrival,duration,cpu,memory,nvidia.com/gpu,aws.amazon.com/neuron")
            .expect("fine");
        assert_eq!(layout.extended(), ["nvidia.com/gpu", "aws.amazon.com/neuron"]);
        assert!(header("arrival,duration,cpu,memory,/gpu").is_err());
        assert!(header("arrival,duration,cpu,memory,a/b c").is_err());
    }

    #[test]
    fn options_stand_in_for_columns() {
        let options = TraceOptions {
            cpu: Some(MilliCpu(1)),
            memory: Some(Bytes(1)),
            ..TraceOptions::default()
        };
        assert!(Layout::new("t", "duration,arrival".split(','), &options).is_ok());
    }

    #[test]
    fn every_column_is_read() {
        let mut layout = header(&format!("{},a.b/c", COLUMNS.join(","))).expect("fine");
        let cells = "1.5,2,500m,1Gi,3,job,ns,-5,1m,2m,3m,1,2,3,4".split(',').collect::<Vec<_>>();
        let row = layout.row(|i| cells[i].as_bytes()).expect("fine");
        let usage = |cpu, memory| Usage { cpu: Some(MilliCpu(cpu)), memory: Some(Bytes(memory)) };
        assert_eq!((row.arrival_ms, row.duration_ms, row.count), (1_500, 2_000, 3));
        assert_eq!((row.cpu, row.memory), (Some(MilliCpu(500)), Some(Bytes(1 << 30))));
        assert_eq!((row.name, row.namespace, row.priority), ("job", Some("ns"), Some(-5)));
        assert_eq!(row.usage, usage(1, 1));
        assert_eq!(row.usage_p95, usage(2, 2));
        assert_eq!(row.usage_max, usage(3, 3));
        assert_eq!(row.extended, [4]);
    }

    #[test]
    fn seconds_are_written_without_noise() {
        for (ms, text) in [(0, "0"), (1_500, "1.5"), (1_001, "1.001"), (60_000, "60")] {
            let mut out = String::new();
            push_seconds(&mut out, ms);
            assert_eq!(out, text);
        }
    }
}
