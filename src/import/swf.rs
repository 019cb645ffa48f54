//! The Standard Workload Format, version 2.2, of the Parallel Workloads
//! Archive: one job a line, 18 numbers, `;` starts a comment, -1 is unknown.
//!
//! | field | use |
//! | --- | --- |
//! | 1 job number | messages only: a name would cost more than the row |
//! | 2 submit time | arrival, seconds as the log counts them |
//! | 4 run time | duration |
//! | 8 requested, else 5 allocated processors | cpu: one core each, all in one pod |
//! | 10 requested, else 7 used memory (KiB per processor) | memory: times processors |
//! | 6 average cpu time per processor | mean cpu usage: divided by run time, times processors |
//! | 7 used memory | mean memory usage: times processors |
//! | 11 status | 2, 3 and 4 mark partial executions of a job that has a line of its own |
//! | others | not used; wait time and processors of the original system least of all |
//!
//! A job of many processors becomes one pod that needs them on one node.
//! Zero processors or memory count as unknown.
//!
//! | | what happens |
//! | --- | --- |
//! | required option | `memory-per-cpu` or `memory`, if a job states neither requested nor used memory; `memory-per-cpu` wins |
//! | sorted | jobs before an earlier submission, counted |
//! | rejected | `unknown-run-time`: field 4 is -1 · `unknown-submit-time`: field 2 is -1 · `unknown-processors`: fields 5 and 8 are unknown · `partial-execution`: status 2, 3 or 4 |
//! | bad | not 18 fields, a field that is no number, below -1 or absurdly large |
//! | clipped | nothing; runs that the original system cut off at a limit cannot be told apart |
//! | warned | `zero-run-time`: the job is replayed and ends as it starts |

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::text::{self, Lines, excerpt};
use crate::units::{Bytes, MilliCpu};
use crate::workload::Usage;
use crate::workload::source::{BadRow, Code, Next, RawRow, RowSource, bad_value};

/// Fields of a line.
const FIELDS: usize = 18;

const FIELD_NAMES: [&str; FIELDS] = [
    "job number",
    "submit time",
    "wait time",
    "run time",
    "allocated processors",
    "average cpu time",
    "used memory",
    "requested processors",
    "requested time",
    "requested memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding job",
    "think time",
];

const UNKNOWN_RUN_TIME: Code =
    Code { name: "unknown-run-time", text: "jobs whose run time is unknown (-1)" };
const UNKNOWN_SUBMIT_TIME: Code =
    Code { name: "unknown-submit-time", text: "jobs whose submit time is unknown (-1)" };
const UNKNOWN_PROCESSORS: Code = Code {
    name: "unknown-processors",
    text: "jobs with neither requested nor allocated processors",
};
const PARTIAL_EXECUTION: Code = Code {
    name: "partial-execution",
    text: "lines about a part of a job that has a line of its own (status 2, 3 or 4)",
};
pub(super) const ZERO_RUN_TIME: Code =
    Code { name: "zero-run-time", text: "rows run for no time and end as they start" };

/// What the user says about an SWF file beyond [`TraceOptions`].
///
/// [`TraceOptions`]: crate::workload::source::TraceOptions
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SwfOptions {
    /// Memory per processor of jobs that state none.
    pub memory_per_cpu: Option<Bytes>,
    /// Memory of such jobs whatever their size.
    pub memory: Option<Bytes>,
}

/// Reads SWF.
pub struct Swf {
    name: String,
    lines: Lines,
    options: SwfOptions,
}

impl Swf {
    /// Opens a file, plain or gzip.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path, options: SwfOptions) -> Result<Self> {
        Ok(Swf::new(text::open(path)?, &path.display().to_string(), options))
    }

    /// Reads `input`, which errors call `name`.
    #[must_use]
    pub fn new(input: Box<dyn Read>, name: &str, options: SwfOptions) -> Self {
        Swf { name: name.to_owned(), lines: Lines::new(input), options }
    }
}

impl RowSource for Swf {
    fn extended(&self) -> &[String] {
        &[]
    }

    fn next_row(&mut self) -> Result<Next<'_>> {
        loop {
            let more = self.lines.advance().map_err(|e| {
                let line = self.lines.number();
                Error::input(format!("cannot read `{}` after line {line}: {e}", self.name))
            })?;
            if !more {
                return Ok(Next::End);
            }
            let line = self.lines.current().trim_ascii();
            if !line.is_empty() && line[0] != b';' {
                break;
            }
        }
        let job = match Job::parse(self.lines.current()) {
            Ok(job) => job,
            Err(bad) => return Ok(Next::Bad(bad)),
        };
        let (Some(arrival_ms), Some(duration_ms)) = (job.submit_ms, job.run_ms) else {
            let unknown =
                if job.submit_ms.is_none() { UNKNOWN_SUBMIT_TIME } else { UNKNOWN_RUN_TIME };
            return Ok(Next::Rejected(unknown));
        };
        if job.partial {
            return Ok(Next::Rejected(PARTIAL_EXECUTION));
        }
        let Some(processors) = job.processors else {
            return Ok(Next::Rejected(UNKNOWN_PROCESSORS));
        };
        let memory = self.memory(&job, processors)?;
        Ok(Next::Row(RawRow {
            arrival_ms,
            duration_ms,
            cpu: Some(MilliCpu(processors * 1_000)),
            memory: Some(memory),
            count: 1,
            usage: Usage {
                cpu: job.busy_cpu(processors, duration_ms),
                memory: job.used_kib.and_then(|kib| kib_times(kib, processors)),
            },
            warnings: [(duration_ms == 0).then_some(ZERO_RUN_TIME), None, None],
            ..RawRow::default()
        }))
    }

    fn position(&self) -> u64 {
        self.lines.number()
    }
}

impl Swf {
    fn memory(&self, job: &Job<'_>, processors: i64) -> Result<Bytes> {
        let stated = job.requested_kib.or(job.used_kib);
        let memory = match (stated, self.options.memory_per_cpu, self.options.memory) {
            (Some(kib), ..) => kib_times(kib, processors),
            (None, Some(per_cpu), _) => per_cpu.0.checked_mul(processors).map(Bytes),
            (None, None, Some(memory)) => Some(memory),
            (None, None, None) => {
                return Err(Error::input(format!(
                    "`{}`: line {}: job {} states neither requested nor used memory; \
                     set `memory-per-cpu` or `memory` for the workload",
                    self.name,
                    self.lines.number(),
                    excerpt(job.name.as_bytes(), 20),
                )));
            }
        };
        // A product that leaves i64 is above every bound: let the range
        // check of the loader word it.
        Ok(memory.unwrap_or(Bytes(i64::MAX)))
    }
}

fn kib_times(kib: i64, processors: i64) -> Option<Bytes> {
    kib.checked_mul(1 << 10)?.checked_mul(processors).map(Bytes)
}

/// The fields of a line that are used; `None` is unknown.
struct Job<'a> {
    name: &'a str,
    submit_ms: Option<i64>,
    run_ms: Option<i64>,
    processors: Option<i64>,
    cpu_time_ms: Option<i64>,
    used_kib: Option<i64>,
    requested_kib: Option<i64>,
    partial: bool,
}

impl<'a> Job<'a> {
    fn parse(line: &'a [u8]) -> std::result::Result<Self, BadRow> {
        let mut fields: [&[u8]; FIELDS] = [b""; FIELDS];
        let mut n = 0;
        for field in line.split(u8::is_ascii_whitespace).filter(|f| !f.is_empty()) {
            if let Some(slot) = fields.get_mut(n) {
                *slot = field;
            }
            n += 1;
        }
        if n != FIELDS {
            return Err(BadRow {
                column: String::new(),
                cause: format!("has {n} fields where the format has {FIELDS}"),
                text: excerpt(line, 200),
            });
        }
        let fault = |i: usize, cause: &str| bad_value(FIELD_NAMES[i], fields[i], cause, line);
        let seconds = |i: usize| match fields[i] {
            b"-1" => Ok(None),
            value => text::seconds_ms(value).map(Some).map_err(|cause| fault(i, cause)),
        };
        // Some logs write whole numbers with decimals.
        let number = |i: usize, most: i64| match seconds(i)? {
            None | Some(0) => Ok(None),
            Some(thousandths) if thousandths <= most.saturating_mul(1_000) => {
                Ok(Some(thousandths.div_euclid(1_000) + i64::from(thousandths % 1_000 != 0)))
            }
            Some(_) => Err(fault(i, "is too large")),
        };
        let allocated = number(4, 1_000_000)?;
        let requested = number(7, 1_000_000)?;
        let status = text::integer(fields[10], -1, 99).map_err(|cause| fault(10, &cause))?;
        Ok(Job {
            name: std::str::from_utf8(fields[0]).map_err(|_| fault(0, "is not text"))?,
            submit_ms: seconds(1)?,
            run_ms: seconds(3)?,
            processors: requested.or(allocated),
            cpu_time_ms: seconds(5)?,
            used_kib: number(6, 1 << 42)?,
            requested_kib: number(9, 1 << 42)?,
            partial: (2..=4).contains(&status),
        })
    }

    /// Mean cpu while running, rounded up to milli-cores.
    fn busy_cpu(&self, processors: i64, run_ms: i64) -> Option<MilliCpu> {
        let milli = i128::from(self.cpu_time_ms?) * i128::from(processors) * 1_000;
        if run_ms == 0 {
            return None;
        }
        let run = i128::from(run_ms);
        // More than a million cores busy is a slip of the log, not usage.
        i64::try_from((milli + run - 1) / run).ok().filter(|m| *m <= 1_000_000_000).map(MilliCpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::source::{LoadedTrace, OnBadRow, TraceOptions, load};
    use proptest::prelude::*;
    use std::io::Cursor;

    fn options() -> SwfOptions {
        SwfOptions { memory_per_cpu: Some(Bytes(2 << 30)), memory: None }
    }

    fn read(text: &[u8], swf: SwfOptions, on_bad_row: OnBadRow) -> Result<LoadedTrace> {
        let mut source = Swf::new(Box::new(Cursor::new(text.to_vec())), "t.swf", swf);
        load(&mut source, "t.swf", &TraceOptions { on_bad_row, ..TraceOptions::default() })
    }

    #[test]
    fn fields_become_pods() {
        let log = b"; Version: 2.2\n\n\
            1 5 9 10 4 2.5 1024 2 60 -1 1 1 1 -1 -1 1 -1 -1\n\
            2 0 9 0 3 -1 -1 -1 60 2048 0 1 1 -1 -1 1 -1 -1\n\
            3 7 9 1 3 -1 -1 -1 60 -1 5 1 1 -1 -1 1 -1 -1\n";
        let loaded = read(log, options(), OnBadRow::Fail).expect("fine");
        let (trace, shapes) = (&loaded.data.trace, &loaded.data.shapes);
        assert_eq!(trace.arrival_ms, [0, 5_000, 7_000]);
        let shape = |row: usize| {
            let shape = &shapes[trace.template[row].index()];
            (shape.cpu.map(|c| c.0), shape.memory.map(|m| m.0))
        };
        // Job 1: two requested processors, 1 MiB used by each.
        assert_eq!(shape(1), (Some(2_000), Some(2 << 20)));
        // 2.5 s on each of 2 processors in 10 s: half a core.
        let usage = Usage { cpu: Some(MilliCpu(500)), memory: Some(Bytes(2 << 20)) };
        assert_eq!(trace.usage[1], usage);
        // Job 2: three allocated, 2 MiB requested for each, usage unknown.
        assert_eq!(shape(0), (Some(3_000), Some(6 << 20)));
        assert_eq!(trace.usage[0], Usage::default());
        // Job 3: the option.
        assert_eq!(shape(2), (Some(3_000), Some(6 << 30)));
        assert_eq!(loaded.report.warnings["zero-run-time"].rows, 1);
        assert_eq!(loaded.report.sorted, 1);
        assert!(!trace.has_names());
    }

    #[test]
    fn missing_memory_names_the_option() {
        let log = b"1 5 9 10 4 -1 -1 2 60 -1 1 1 1 -1 -1 1 -1 -1\n";
        let error = read(log, SwfOptions::default(), OnBadRow::Quarantine)
            .expect_err("no memory")
            .to_string();
        assert!(error.contains("line 1") && error.contains("`memory-per-cpu`"), "{error}");
        let fixed = SwfOptions { memory: Some(Bytes(7)), memory_per_cpu: None };
        let loaded = read(log, fixed, OnBadRow::Fail).expect("fine");
        assert_eq!(loaded.data.shapes[0].memory, Some(Bytes(7)));
    }

    #[test]
    fn every_reason_for_rejection_is_counted() {
        let log = b"\
            1 5 9 -1 4 -1 -1 2 60 -1 -1 1 1 -1 -1 1 -1 -1\n\
            2 -1 9 1 4 -1 -1 2 60 -1 1 1 1 -1 -1 1 -1 -1\n\
            3 5 9 1 -1 -1 -1 0 60 -1 1 1 1 -1 -1 1 -1 -1\n\
            4 5 9 1 1 -1 -1 1 60 -1 2 1 1 -1 -1 1 -1 -1\n\
            5 5 9 1 1 -1 -1 1 60 -1 1 1 1 -1 -1 1 -1 -1\n";
        let loaded = read(log, options(), OnBadRow::Fail).expect("one job");
        let names: Vec<_> = loaded.report.rejected.keys().copied().collect();
        let expected =
            ["partial-execution", "unknown-processors", "unknown-run-time", "unknown-submit-time"];
        assert_eq!(names, expected);
        assert_eq!((loaded.report.rows, loaded.report.accepted), (5, 1));
    }

    #[test]
    fn bad_lines_name_field_and_line() {
        let log = b"; c\n1 2 3\n1 x 9 1 1 -1 -1 1 60 -1 1 1 1 -1 -1 1 -1 -1\n\
            1 5 9 -7 1 -1 -1 1 60 -1 1 1 1 -1 -1 1 -1 -1\n\
            1 5 9 7 99999999 -1 -1 1 60 -1 1 1 1 -1 -1 1 -1 -1\n";
        let error = read(log, options(), OnBadRow::Fail).expect_err("bad").to_string();
        for part in [
            "line 2: has 3 fields where the format has 18",
            "line 3, column `submit time`: `x` is not a number",
            "line 4, column `run time`: `-7` is negative",
            "line 5, column `allocated processors`: `99999999` is too large",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn real_logs_have_the_documented_counts() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let swf = shared.join("data/traces/swf");
        let run = |file: &str| {
            let mut source = Swf::open(&swf.join(file), options()).expect("opens");
            load(&mut source, file, &TraceOptions::default()).expect("reads")
        };
        let lcg = run("LCG-2005-1.swf.gz");
        assert_eq!(lcg.report.accepted, 188_041);
        assert_eq!(lcg.report.warnings["zero-run-time"].rows, 521);
        assert!(lcg.report.rejected.is_empty() && lcg.report.sorted == 0);
        assert_eq!(lcg.data.shapes.len(), 1);
        // 417,370 cpu·h to the nearest hour, one processor a job.
        let core_ms: i64 = lcg.data.trace.duration_ms.iter().sum();
        assert_eq!((core_ms + 1_800_000) / 3_600_000, 417_370);

        let hpc2n = run("HPC2N-2002-head.swf");
        assert_eq!(hpc2n.report.rows, 3_170);
        assert_eq!(hpc2n.report.accepted, 3_145);
        assert_eq!(hpc2n.report.rejected["unknown-run-time"].rows, 25);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_log_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..400), quarantine in any::<bool>(),
        ) {
            let on_bad_row = if quarantine { OnBadRow::Quarantine } else { OnBadRow::Fail };
            let _ = read(&bytes, options(), on_bad_row);
        }

        #[test]
        fn any_numbers_are_a_job_or_an_error(fields in proptest::collection::vec(-2i64..i64::MAX, 18)) {
            let line = fields.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
            let _ = read(line.as_bytes(), options(), OnBadRow::Quarantine);
            let small = fields.iter().map(|f| (f % 5).to_string()).collect::<Vec<_>>().join(" ");
            let _ = read(small.as_bytes(), options(), OnBadRow::Quarantine);
        }
    }
}
