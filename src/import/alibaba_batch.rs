//! The batch jobs of Alibaba's cluster of 2017, one row a task with all its
//! instances (the simplified task table that scheduling studies derive from
//! `cluster-trace-v2017`).
//!
//! | column | use |
//! | --- | --- |
//! | `submit_time` | arrival, seconds as the trace counts them |
//! | `duration` | run time of each instance, seconds; the mean over the task's instances, hence fractional |
//! | `cpu` | cores that each instance requests |
//! | `memory` | memory that each instance requests, as a share of one machine: times `memory-scale`, rounded up to bytes |
//! | `job_id`, `task_id` | name, as `JOB-TASK` |
//! | `instances_num` | pods in the row; they stay one row of the trace |
//! | first column without name, `disk` | not used |
//!
//! | | what happens |
//! | --- | --- |
//! | required option | `memory-scale`: the memory of a whole machine, which the trace does not state |
//! | sorted | tasks before an earlier submission, counted |
//! | rejected | `no-instances`: a task of no instance |
//! | bad | a missing or extra field, a value that is no number, negative or absurdly large, memory of more than a whole machine |
//! | clipped | nothing |
//! | warned | `zero-run-time`: the instances are replayed and end as they start |

use std::fmt::Write as _;
use std::io::Read;

use super::swf::ZERO_RUN_TIME;
use crate::error::Result;
use crate::text;
use crate::units::{Bytes, MilliCpu};
use crate::workload::source::{BadRow, Code, Next, RawRow, RowSource};
use crate::workload::table::Table;

const NO_INSTANCES: Code = Code { name: "no-instances", text: "tasks of no instance" };

/// Columns that must be present, in the order of their use.
const REQUIRED: [&str; 7] =
    ["submit_time", "duration", "cpu", "memory", "job_id", "task_id", "instances_num"];
/// Most instances of a task.
const MOST_INSTANCES: i64 = 100_000_000;

/// Reads the table of tasks.
pub struct AlibabaBatch {
    table: Table,
    at: [usize; REQUIRED.len()],
    memory_scale: Bytes,
    name: String,
}

/// The values of a row that are used.
struct Task {
    submitted_ms: i64,
    duration_ms: i64,
    cpu: MilliCpu,
    memory: Bytes,
    instances: i64,
}

impl AlibabaBatch {
    /// Reads `input`, which errors call `name`. `memory_scale` is the memory
    /// of a whole machine.
    ///
    /// # Errors
    /// When it cannot be read or lacks a column.
    pub fn new(input: Box<dyn Read>, name: &str, memory_scale: Bytes) -> Result<Self> {
        let table = Table::new(input, name)?;
        let at = table.require(REQUIRED, "a task table of alibaba-batch-2017")?;
        Ok(AlibabaBatch { table, at, memory_scale, name: String::new() })
    }

    fn task(&self) -> std::result::Result<Task, BadRow> {
        let table = &self.table;
        table.check_width()?;
        let cell = |i: usize| table.cell(self.at[i]).trim_ascii();
        let fault = |i: usize, cause: &str| table.fault(self.at[i], cause);
        let seconds = |i: usize| text::seconds_ms(cell(i)).map_err(|c| fault(i, c));
        let share = text::share(cell(3)).map_err(|c| fault(3, c))?;
        Ok(Task {
            submitted_ms: seconds(0)?,
            duration_ms: seconds(1)?,
            cpu: text::cpu(cell(2)).map_err(|c| fault(2, &c))?,
            memory: Bytes((share * self.memory_scale.0 as f64).ceil() as i64),
            instances: text::integer(cell(6), 0, MOST_INSTANCES).map_err(|c| fault(6, &c))?,
        })
    }
}

impl RowSource for AlibabaBatch {
    fn extended(&self) -> &[String] {
        &[]
    }

    fn next_row(&mut self) -> Result<Next<'_>> {
        if !self.table.advance()? {
            return Ok(Next::End);
        }
        let task = match self.task() {
            Ok(task) => task,
            Err(bad) => return Ok(Next::Bad(bad)),
        };
        if task.instances == 0 {
            return Ok(Next::Rejected(NO_INSTANCES));
        }
        let id = |i: usize| String::from_utf8_lossy(self.table.cell(self.at[i]).trim_ascii());
        self.name.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.name, "{}-{}", id(4), id(5));
        Ok(Next::Row(RawRow {
            name: &self.name,
            arrival_ms: task.submitted_ms,
            duration_ms: task.duration_ms,
            cpu: Some(task.cpu),
            memory: Some(task.memory),
            count: task.instances,
            warnings: [(task.duration_ms == 0).then_some(ZERO_RUN_TIME), None, None],
            ..RawRow::default()
        }))
    }

    fn position(&self) -> u64 {
        self.table.line()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::source::{LoadedTrace, OnBadRow, TraceOptions, load};
    use proptest::prelude::*;
    use std::io::Cursor;

    const HEADER: &str = ",submit_time,duration,cpu,memory,job_id,task_id,instances_num,disk\n";
    const ROWS: &str = "0,539,116.3816,1.0,0.25,1,7,283,0\n1,20,0,0.5,0.1,9,23,2,0\n";

    fn read(text: &[u8], on_bad_row: OnBadRow) -> Result<LoadedTrace> {
        let input = text::unpack(Cursor::new(text.to_vec())).expect("memory");
        let mut source = AlibabaBatch::new(input, "t.csv", Bytes(1 << 30))?;
        load(&mut source, "t.csv", &TraceOptions { on_bad_row, ..TraceOptions::default() })
    }

    fn rows(rows: &str, on_bad_row: OnBadRow) -> Result<LoadedTrace> {
        read([HEADER, rows].concat().as_bytes(), on_bad_row)
    }

    #[test]
    fn tasks_become_rows_of_many_pods() {
        let text = [ROWS, "2,600,1,3,1,9,24,0,0\n"].concat();
        let loaded = rows(&text, OnBadRow::Fail).expect("fine");
        let trace = &loaded.data.trace;
        assert_eq!(trace.arrival_ms, [20_000, 539_000]);
        assert_eq!(trace.duration_ms, [0, 116_382]);
        assert_eq!((&trace.count[..], trace.pods()), (&[2, 283][..], 285));
        assert_eq!((trace.name(0), trace.name(1)), ("9-23", "1-7"));
        let shape = |row: usize| {
            let shape = &loaded.data.shapes[trace.template[row].index()];
            (shape.cpu.map(|c| c.0), shape.memory.map(|m| m.0))
        };
        assert_eq!(shape(1), (Some(1_000), Some(1 << 28)));
        // A tenth of 2^30 is 107,374,182.4.
        assert_eq!(shape(0), (Some(500), Some(107_374_183)));
        assert_eq!(loaded.report.rejected["no-instances"].rows, 1);
        assert_eq!(loaded.report.warnings["zero-run-time"].rows, 1);
        assert_eq!(loaded.report.sorted, 1);
    }

    #[test]
    fn bad_rows_and_headers_are_named() {
        let text = "0,-1,1,1,0.5,1,1,1,0\n\
            0,1,nan,1,0.5,1,1,1,0\n\
            0,1,1,-1,0.5,1,1,1,0\n\
            0,1,1,1,1.01,1,1,1,0\n\
            0,1,1,1,-0.5,1,1,1,0\n\
            0,1,1,1,0.5,1,1,1e9,0\n\
            0,1,1\n";
        let error = rows(text, OnBadRow::Fail).expect_err("bad").to_string();
        for part in [
            "line 2, column `submit_time`: `-1` is negative",
            "line 3, column `duration`: `nan` is not a finite number of seconds",
            "line 4, column `cpu`: `-1`",
            "line 5, column `memory`: `1.01` is not a share between 0 and 1",
            "line 6, column `memory`: `-0.5` is not a share between 0 and 1",
            "line 7, column `instances_num`: `1e9` is not a whole number",
            "line 8: has 3 fields where the header has 9",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let error = read(b"name,cpu\n", OnBadRow::Fail).expect_err("foreign").to_string();
        let wanted = "`t.csv` is not a task table of alibaba-batch-2017: it lacks the columns \
            `submit_time`, `duration`, `memory`, `job_id`, `task_id`, `instances_num`";
        assert_eq!(error, wanted);
    }

    #[test]
    fn the_real_table_has_the_documented_counts() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let path = shared.join("data/traces/alibaba-batch-2017/jobs.csv.gz");
        let input = text::open(&path).expect("opens");
        let mut source = AlibabaBatch::new(input, "jobs", Bytes(1 << 38)).expect("header");
        let loaded = load(&mut source, "jobs", &TraceOptions::default()).expect("reads");
        let trace = &loaded.data.trace;
        assert_eq!((loaded.report.accepted, loaded.report.pods), (31_756, 2_551_075));
        assert_eq!((loaded.report.sorted, loaded.data.shapes.len()), (614, 682));
        assert_eq!((trace.arrival_ms[0], trace.arrival_ms.last()), (0, Some(&59_829_000)));
        let sum = |of: &dyn Fn(usize) -> f64| (0..trace.len()).map(of).sum::<f64>();
        let shape = |row: usize| &loaded.data.shapes[trace.template[row].index()];
        let hours =
            |row: usize| f64::from(trace.count[row]) * trace.duration_ms[row] as f64 / 3.6e6;
        // 31,331.63 core-hours and 558.779 machine-hours of memory.
        let cores = sum(&|row| hours(row) * shape(row).cpu.expect("stated").0 as f64 / 1e3);
        assert!((cores - 31_331.63).abs() < 0.01, "{cores}");
        let machine = (1u64 << 38) as f64;
        let memory = sum(&|row| hours(row) * shape(row).memory.expect("stated").0 as f64 / machine);
        assert!((memory - 558.779).abs() < 0.001, "{memory}");

        // Half of the packed file is an error, not a shorter trace.
        let bytes = std::fs::read(&path).expect("reads");
        let error = read(&bytes[..bytes.len() / 2], OnBadRow::Quarantine).expect_err("cut");
        assert!(error.to_string().starts_with("cannot read `t.csv` after line "), "{error}");
    }

    proptest! {
        #[test]
        fn no_changed_byte_panics(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
            let mut text = [HEADER, ROWS].concat().into_bytes();
            let i = at.index(text.len());
            text[i] = byte;
            let _ = read(&text, OnBadRow::Quarantine);
            let _ = read(&text[..i], OnBadRow::Fail);
        }

        #[test]
        fn any_numbers_are_a_task_or_an_error(row in "([-+0-9.e]{0,12},){8}[0-9]{0,19}\n") {
            let _ = rows(&row, OnBadRow::Quarantine);
        }
    }
}
