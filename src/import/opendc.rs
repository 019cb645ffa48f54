//! Tasks of OpenDC traces: a Parquet table of tasks, and one of what they
//! used over time (`opendc-trace-opendc`, format 2.0).
//!
//! | file, column | use |
//! | --- | --- |
//! | trace: `id` | the pod's name |
//! | trace: `submission_time` | arrival, Unix time in milliseconds; `time.start` says where the run begins |
//! | trace: `duration` | run time, milliseconds |
//! | trace: `cpu_count` | cores that the pod requests |
//! | trace: `cpu_capacity` | MHz of all its cores, to which `cpu_usage` refers |
//! | trace: `mem_capacity` | memory that the pod requests, times `memory-unit` |
//! | trace: others | not used; deadlines and deferral least of all |
//! | `fragments`: `id`, `duration`, `cpu_usage` | usage over time: milliseconds and MHz, one behind the other |
//!
//! Usage of a task is the mean, the 95th percentile and the largest of its
//! fragments, weighted by their durations: the percentile is the least usage
//! that is not exceeded for 95 % of the time. It is MHz over `cpu_capacity`
//! times `cpu_count`, to the nearest milli-core, and may exceed the request.
//! Without fragments, or for a task that has none, it is unknown.
//!
//! | | what happens |
//! | --- | --- |
//! | required option | `memory-unit`: the format says megabytes, but its traces hold kilobytes (bitbrains) and sizes of their own (surf) |
//! | sorted | tasks before an earlier submission, counted |
//! | rejected | nothing |
//! | bad | a missing value, one that is no number, negative or absurdly large, a submission before `time.start`; in the file of fragments any such value stops the reading |
//! | clipped | nothing |
//! | warned | `zero-run-time` · `above-capacity`: tasks that at times used more than their capacity · `no-fragments`: tasks of which the named file says nothing · `unknown-fragments`: fragments of tasks that are not in the trace |

use rustc_hash::{FxHashMap, FxHashSet};

use super::numbers::NumberTable;
use super::swf::ZERO_RUN_TIME;
use crate::error::{Error, Result};
use crate::text::MAX_MS;
use crate::units::{Bytes, MilliCpu};
use crate::workload::Usage;
use crate::workload::source::{BadRow, Code, Next, RawRow, RowSource, bad_value};

const ABOVE_CAPACITY: Code =
    Code { name: "above-capacity", text: "tasks that at times used more cpu than their capacity" };
const NO_FRAGMENTS: Code = Code {
    name: "no-fragments",
    text: "tasks without fragments, whose usage is therefore unknown",
};
const UNKNOWN_FRAGMENTS: Code =
    Code { name: "unknown-fragments", text: "fragments of tasks that are not in the trace" };

/// Columns of a table of tasks, in the order in which they are handed over.
pub const TASKS: [&str; 6] =
    ["id", "submission_time", "duration", "cpu_count", "cpu_capacity", "mem_capacity"];
/// Columns of a table of fragments.
pub const FRAGMENTS: [&str; 3] = ["id", "duration", "cpu_usage"];

/// Reads tasks.
pub struct Opendc {
    tasks: NumberTable,
    next: usize,
    memory_unit: Bytes,
    start_unix_ms: i64,
    /// By task, in MHz: mean, 95th percentile, largest; `None` where no file
    /// was named.
    used: Option<FxHashMap<i64, Used>>,
    unknown_fragments: u64,
    name: String,
}

/// Usage of a task, MHz.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Used {
    mean: f64,
    p95: f64,
    max: f64,
}

/// A task whose values are in range.
struct Task {
    id: i64,
    arrival_ms: i64,
    duration_ms: i64,
    cores: i64,
    capacity_mhz: f64,
    memory: Bytes,
}

impl Opendc {
    /// Reads the columns [`TASKS`], and those of [`FRAGMENTS`] from a file that
    /// errors call by the name beside them.
    ///
    /// # Errors
    /// When a fragment has a value that cannot be.
    pub fn new(
        tasks: NumberTable,
        fragments: Option<(&NumberTable, &str)>,
        memory_unit: Bytes,
        start_unix_ms: i64,
    ) -> Result<Self> {
        let mut used = None;
        let mut unknown_fragments = 0;
        if let Some((fragments, name)) = fragments {
            let id = |row: usize| tasks.columns[0].whole(row, i64::MIN, i64::MAX).ok();
            let ids: FxHashSet<i64> = (0..tasks.rows).filter_map(id).collect();
            let all = usage(fragments, name)?;
            let unknown = all.iter().filter(|(id, _)| !ids.contains(id));
            unknown_fragments = unknown.map(|(_, (fragments, _))| *fragments).sum();
            used = Some(all.into_iter().map(|(id, (_, used))| (id, used)).collect());
        }
        Ok(Opendc {
            tasks,
            next: 0,
            memory_unit,
            start_unix_ms,
            used,
            unknown_fragments,
            name: String::new(),
        })
    }

    fn task(&self, row: usize) -> std::result::Result<Task, BadRow> {
        let fault = |i: usize, cause: &str| {
            let cells: Vec<String> = self.tasks.columns.iter().map(|c| c.text(row)).collect();
            bad_value(TASKS[i], cells[i].as_bytes(), cause, cells.join(",").as_bytes())
        };
        let whole = |i: usize, least: i64, most: i64| {
            self.tasks.columns[i].whole(row, least, most).map_err(|c| fault(i, &c))
        };
        let submitted = whole(1, -(1 << 53), 1 << 53)?;
        let arrival_ms = submitted - self.start_unix_ms;
        if arrival_ms < 0 {
            return Err(fault(
                1,
                "is before the start of the run; set `time.start` to it or earlier",
            ));
        }
        let units = whole(5, 0, 1 << 53)?;
        Ok(Task {
            id: whole(0, i64::MIN, i64::MAX)?,
            arrival_ms,
            duration_ms: whole(2, 0, MAX_MS)?,
            cores: whole(3, 0, 1_000_000)?,
            capacity_mhz: self.tasks.columns[4].decimal(row).map_err(|c| fault(4, c))?,
            memory: units
                .checked_mul(self.memory_unit.0)
                .map(Bytes)
                .ok_or_else(|| fault(5, "times `memory-unit` is too large"))?,
        })
    }
}

/// By task: how many fragments, and what they say.
fn usage(table: &NumberTable, name: &str) -> Result<FxHashMap<i64, (u64, Used)>> {
    let NumberTable { rows, columns } = table;
    // (task, usage, duration)
    let mut fragments: Vec<(i64, f64, i64)> = Vec::with_capacity(*rows);
    for row in 0..*rows {
        let fault = |i: usize, cause: &str| {
            let bad = bad_value(FRAGMENTS[i], columns[i].text(row).as_bytes(), cause, b"");
            let (row, column) = (row + 1, bad.column);
            Error::input(format!("`{name}`: row {row}, column `{column}`: {}", bad.cause))
        };
        fragments.push((
            columns[0].whole(row, i64::MIN, i64::MAX).map_err(|c| fault(0, &c))?,
            columns[2].decimal(row).map_err(|c| fault(2, c))?,
            columns[1].whole(row, 0, MAX_MS).map_err(|c| fault(1, &c))?,
        ));
    }
    fragments.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut all = FxHashMap::default();
    for task in fragments.chunk_by(|a, b| a.0 == b.0) {
        let total: i128 = task.iter().map(|f| i128::from(f.2)).sum();
        let Some(last) = task.last().filter(|_| total > 0) else { continue };
        let weighted: f64 = task.iter().map(|f| f.1 * f.2 as f64).sum();
        let mut passed = 0i128;
        let p95 = task.iter().find(|f| {
            passed += i128::from(f.2);
            passed * 100 >= total * 95
        });
        let used =
            Used { mean: weighted / total as f64, p95: p95.map_or(last.1, |f| f.1), max: last.1 };
        all.insert(last.0, (task.len() as u64, used));
    }
    Ok(all)
}

impl RowSource for Opendc {
    fn extended(&self) -> &[String] {
        &[]
    }

    fn next_row(&mut self) -> Result<Next<'_>> {
        if self.next >= self.tasks.rows {
            return Ok(Next::End);
        }
        self.next += 1;
        let task = match self.task(self.next - 1) {
            Ok(task) => task,
            Err(bad) => return Ok(Next::Bad(bad)),
        };
        let used = self.used.as_ref().and_then(|all| all.get(&task.id)).copied();
        let milli = |mhz: f64| Usage {
            cpu: Some(MilliCpu((mhz / task.capacity_mhz * task.cores as f64 * 1e3).round() as i64))
                .filter(|_| task.capacity_mhz > 0.0),
            memory: None,
        };
        let known = |of: fn(Used) -> f64| used.map_or_else(Usage::default, |u| milli(of(u)));
        let above = used.is_some_and(|u| u.max > task.capacity_mhz);
        let lacking = self.used.is_some() && used.is_none();
        self.name = task.id.to_string();
        Ok(Next::Row(RawRow {
            name: &self.name,
            arrival_ms: task.arrival_ms,
            duration_ms: task.duration_ms,
            cpu: Some(MilliCpu(task.cores * 1_000)),
            memory: Some(task.memory),
            count: 1,
            usage: known(|u| u.mean),
            usage_p95: known(|u| u.p95),
            usage_max: known(|u| u.max),
            warnings: [
                (task.duration_ms == 0).then_some(ZERO_RUN_TIME),
                above.then_some(ABOVE_CAPACITY),
                lacking.then_some(NO_FRAGMENTS),
            ],
            ..RawRow::default()
        }))
    }

    fn position(&self) -> u64 {
        self.next as u64
    }

    fn unit(&self) -> &'static str {
        "row"
    }

    fn noted_at_end(&self) -> Option<(Code, u64)> {
        Some((UNKNOWN_FRAGMENTS, self.unknown_fragments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::numbers::Numbers;
    use crate::workload::source::{LoadedTrace, OnBadRow, TraceOptions, load};

    fn whole(values: &[i64]) -> Numbers {
        Numbers::Whole(values.iter().copied().map(Some).collect())
    }

    fn floating(values: &[f64]) -> Numbers {
        Numbers::Floating(values.iter().copied().map(Some).collect())
    }

    fn tasks() -> Vec<Numbers> {
        vec![
            whole(&[7, 8]),
            whole(&[5_000, 2_000]),
            whole(&[60_000, 0]),
            whole(&[4, 1]),
            floating(&[10_000.0, 2_500.0]),
            whole(&[100, 3]),
        ]
    }

    fn read(
        tasks: &[Numbers],
        fragments: Option<&[Numbers]>,
        on_bad_row: OnBadRow,
    ) -> Result<LoadedTrace> {
        let table = |columns: &[Numbers]| {
            let rows = match &columns[0] {
                Numbers::Whole(v) => v.len(),
                Numbers::Floating(v) => v.len(),
            };
            NumberTable { rows, columns: columns.to_vec() }
        };
        let fragments = fragments.map(table);
        let fragments = fragments.as_ref().map(|f| (f, "f.parquet"));
        let mut source = Opendc::new(table(tasks), fragments, Bytes(1 << 10), 1_000)?;
        load(&mut source, "t.parquet", &TraceOptions { on_bad_row, ..TraceOptions::default() })
    }

    #[test]
    fn tasks_become_pods_with_usage_by_their_fragments() {
        let fragments = [
            whole(&[7, 9, 7, 7]),
            whole(&[900_000, 1, 60_000, 40_000]),
            floating(&[1_000.0, 5.0, 5_000.0, 12_000.0]),
        ];
        let loaded = read(&tasks(), Some(&fragments), OnBadRow::Fail).expect("fine");
        let trace = &loaded.data.trace;
        assert_eq!(trace.arrival_ms, [1_000, 4_000]);
        assert_eq!(trace.duration_ms, [0, 60_000]);
        let shape = &loaded.data.shapes[trace.template[1].index()];
        assert_eq!((shape.cpu, shape.memory), (Some(MilliCpu(4_000)), Some(Bytes(102_400))));
        // (900 × 1,000 + 60 × 5,000 + 40 × 12,000) / 1,000 s = 1,680 MHz of
        // 10,000 that are 4 cores: 672 milli-cores. 90 % of the time at 1,000 MHz,
        // 96 % at 5,000 or less: 2,000 milli-cores. At most 4,800.
        let cpu = |usage: &[Usage]| usage[1].cpu.map(|c| c.0);
        assert_eq!(cpu(&trace.usage), Some(672));
        assert_eq!(cpu(&trace.usage_p95), Some(2_000));
        assert_eq!(cpu(&trace.usage_max), Some(4_800));
        assert_eq!(trace.usage[0], Usage::default());
        for code in ["above-capacity", "no-fragments", "unknown-fragments", "zero-run-time"] {
            assert_eq!(loaded.report.warnings[code].rows, 1, "{code}");
        }
        let without = read(&tasks(), None, OnBadRow::Fail).expect("fine");
        assert!(without.data.trace.usage.is_empty());
        let codes: Vec<_> = without.report.warnings.keys().copied().collect();
        assert_eq!(codes, ["unsorted", "zero-run-time"]);
    }

    #[test]
    fn bad_rows_name_row_and_column() {
        let bad = |column: usize, values: Numbers| {
            let mut tasks = tasks();
            tasks[column] = values;
            read(&tasks, None, OnBadRow::Fail).expect_err("bad").to_string()
        };
        for (error, part) in [
            (
                bad(1, whole(&[5_000, 999])),
                "row 2, column `submission_time`: `999` is before the start of the run; set `time.start`",
            ),
            (
                bad(2, whole(&[-1, 0])),
                "row 1, column `duration`: `-1` is not a whole number from 0",
            ),
            (
                bad(3, floating(&[1.5, 1.0])),
                "row 1, column `cpu_count`: `1.5` is not a whole number",
            ),
            (
                bad(4, floating(&[f64::NAN, 1.0])),
                "row 1, column `cpu_capacity`: `NaN` is not a number from 0",
            ),
            (
                bad(5, Numbers::Whole(vec![None, Some(1)])),
                "row 1, column `mem_capacity`: the empty value is not a whole number",
            ),
            (bad(5, whole(&[1 << 53, 1])), "is too large"),
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let fragments = [whole(&[7]), whole(&[1]), floating(&[-1.0])];
        let error = read(&tasks(), Some(&fragments), OnBadRow::Quarantine).expect_err("bad");
        let wanted = "`f.parquet`: row 1, column `cpu_usage`: `-1` is not a number from 0";
        assert_eq!(error.to_string(), wanted);
    }
}
