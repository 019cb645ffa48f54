//! Service instances of Alibaba's recommendation models, 2025
//! (`disaggregated_DLRM_trace.csv` of `cluster-trace-gpu-v2025`).
//!
//! | column | use |
//! | --- | --- |
//! | `instance_sn` | the pod's name |
//! | `cpu_request` | cores |
//! | `memory_request` | GiB |
//! | `gpu_request` | whole GPUs, as the extended resource `gpu-resource` (default `nvidia.com/gpu`) |
//! | `rdma_request` | percent of a network card, as the extended resource `rdma-resource` where one is named: 100 units a card; else not used |
//! | `creation_time` | arrival, seconds since the start of the trace |
//! | `scheduled_time`, `deletion_time` | duration; empty where the instance ran already or ran on |
//! | `max_instance_per_node` | not used: a cap per application and node; counted |
//! | `role`, `app_name`, limits, `disk_request` | not used |
//!
//! The trace covers 31 days: from 0 to 2,678,400 s. An instance is replayed
//! as a pod that runs until it was deleted; `on-interrupt: resume` says that
//! its replacement takes over for the rest.
//!
//! | | what happens |
//! | --- | --- |
//! | required option | none |
//! | sorted | instances before an earlier creation, counted |
//! | rejected | `never-scheduled`: created, but never scheduled, so that it never ran |
//! | bad | a missing or extra field, a value that is no number, negative or absurdly large, a time after the end of the trace, deletion before scheduling, scheduling before creation |
//! | clipped | `already-running`: no creation and no scheduling, arrives at 0 · `still-running`: no deletion, runs until the end of the trace · `open-both-ends`: both |
//! | warned | `per-node-cap-ignored` · `rdma-ignored`: without `rdma-resource` · `zero-run-time` |

use std::io::Read;

use super::swf::ZERO_RUN_TIME;
use crate::error::Result;
use crate::text;
use crate::units::{Bytes, MilliCpu};
use crate::workload::source::{BadRow, Code, Next, RawRow, RowSource};
use crate::workload::table::Table;

/// End of the trace: 31 days.
const END_MS: i64 = 31 * 86_400_000;

const NEVER_SCHEDULED: Code =
    Code { name: "never-scheduled", text: "instances that were created and never scheduled" };
const ALREADY_RUNNING: Code = Code {
    name: "already-running",
    text: "instances that ran before the trace begins; they arrive at its start",
};
const STILL_RUNNING: Code = Code {
    name: "still-running",
    text: "instances that ran on beyond the trace; they end with it",
};
const OPEN_BOTH_ENDS: Code = Code {
    name: "open-both-ends",
    text: "instances that ran before the trace begins and beyond its end; they take all of it",
};
const CAP_IGNORED: Code = Code {
    name: "per-node-cap-ignored",
    text: "instances whose application caps its instances per node, which is not modelled",
};
const RDMA_IGNORED: Code = Code {
    name: "rdma-ignored",
    text: "instances whose share of a network card is not used; `rdma-resource` names a resource for it",
};

/// Columns that must be present, in the order of their use.
const REQUIRED: [&str; 9] = [
    "instance_sn",
    "cpu_request",
    "memory_request",
    "gpu_request",
    "rdma_request",
    "max_instance_per_node",
    "creation_time",
    "scheduled_time",
    "deletion_time",
];

/// What the user says about the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DlrmOptions {
    /// Name of the extended resource that GPUs become.
    pub gpu_resource: String,
    /// Name of the extended resource that percents of a network card become.
    pub rdma_resource: Option<String>,
}

/// Reads the list of instances.
pub struct AlibabaDlrm {
    table: Table,
    at: [usize; REQUIRED.len()],
    extended: Vec<String>,
    amounts: [i64; 2],
}

/// The values of a row that are used.
struct Instance {
    cpu: MilliCpu,
    memory: Bytes,
    amounts: [i64; 2],
    capped: bool,
    created_ms: Option<i64>,
    scheduled_ms: Option<i64>,
    deleted_ms: Option<i64>,
}

impl AlibabaDlrm {
    /// Reads `input`, which errors call `name`.
    ///
    /// # Errors
    /// When it cannot be read or lacks a column.
    pub fn new(input: Box<dyn Read>, name: &str, options: DlrmOptions) -> Result<Self> {
        let table = Table::new(input, name)?;
        let at = table.require(REQUIRED, "an instance list of alibaba-dlrm-2025")?;
        let extended = std::iter::once(options.gpu_resource).chain(options.rdma_resource).collect();
        Ok(AlibabaDlrm { table, at, extended, amounts: [0; 2] })
    }

    fn instance(&self) -> std::result::Result<Instance, BadRow> {
        let table = &self.table;
        table.check_width()?;
        let cell = |i: usize| table.cell(self.at[i]).trim_ascii();
        let fault = |i: usize, cause: &str| table.fault(self.at[i], cause);
        let whole = |i: usize, least: i64, most: i64| {
            text::integer(cell(i), least, most).map_err(|c| fault(i, &c))
        };
        let time = |i: usize| match cell(i) {
            b"" => Ok(None),
            value => match text::seconds_ms(value) {
                Ok(ms) if ms <= END_MS => Ok(Some(ms)),
                Ok(_) => Err(fault(i, "is after the end of the trace, 2678400 s")),
                Err(cause) => Err(fault(i, cause)),
            },
        };
        let gib = text::decimal(cell(2)).map_err(|c| fault(2, c))?;
        if gib > 1e6 {
            return Err(fault(2, "is more than a million GiB"));
        }
        let instance = Instance {
            cpu: text::cpu(cell(1)).map_err(|c| fault(1, &c))?,
            memory: Bytes((gib * (1u64 << 30) as f64).ceil() as i64),
            amounts: [whole(3, 0, 1_000)?, whole(4, 0, 100_000)?],
            capped: whole(5, -1, 1_000_000)? >= 0,
            created_ms: time(6)?,
            scheduled_ms: time(7)?,
            deleted_ms: time(8)?,
        };
        if let (Some(created), Some(scheduled)) = (instance.created_ms, instance.scheduled_ms)
            && scheduled < created
        {
            return Err(fault(7, "is before the creation time"));
        }
        if let (Some(scheduled), Some(deleted)) = (instance.scheduled_ms, instance.deleted_ms)
            && deleted < scheduled
        {
            return Err(fault(8, "is before the scheduled time"));
        }
        Ok(instance)
    }
}

impl RowSource for AlibabaDlrm {
    fn extended(&self) -> &[String] {
        &self.extended
    }

    fn next_row(&mut self) -> Result<Next<'_>> {
        if !self.table.advance()? {
            return Ok(Next::End);
        }
        let it = match self.instance() {
            Ok(instance) => instance,
            Err(bad) => return Ok(Next::Bad(bad)),
        };
        let (arrival_ms, start_ms) = match (it.created_ms, it.scheduled_ms) {
            (None, None) => (0, 0),
            (created, Some(scheduled)) => (created.unwrap_or(scheduled), scheduled),
            (Some(_), None) => return Ok(Next::Rejected(NEVER_SCHEDULED)),
        };
        let Ok(name) = std::str::from_utf8(self.table.cell(self.at[0])) else {
            return Ok(Next::Bad(self.table.fault(self.at[0], "is not text")));
        };
        let duration_ms = it.deleted_ms.unwrap_or(END_MS) - start_ms;
        self.amounts = it.amounts;
        let rdma_ignored = it.amounts[1] > 0 && self.extended.len() == 1;
        Ok(Next::Row(RawRow {
            name,
            arrival_ms,
            duration_ms,
            cpu: Some(it.cpu),
            memory: Some(it.memory),
            extended: &self.amounts[..self.extended.len()],
            count: 1,
            clipped: match (it.scheduled_ms.is_none(), it.deleted_ms.is_none()) {
                (true, true) => Some(OPEN_BOTH_ENDS),
                (true, false) => Some(ALREADY_RUNNING),
                (false, true) => Some(STILL_RUNNING),
                (false, false) => None,
            },
            warnings: [
                it.capped.then_some(CAP_IGNORED),
                rdma_ignored.then_some(RDMA_IGNORED),
                (duration_ms == 0).then_some(ZERO_RUN_TIME),
            ],
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

    const HEADER: &str = "instance_sn,role,app_name,cpu_request,cpu_limit,gpu_request,gpu_limit,\
        rdma_request,rdma_limit,memory_request,memory_limit,disk_request,disk_limit,\
        max_instance_per_node,creation_time,scheduled_time,deletion_time\n";

    fn options(rdma: Option<&str>) -> DlrmOptions {
        DlrmOptions { gpu_resource: "nvidia.com/gpu".into(), rdma_resource: rdma.map(Into::into) }
    }

    fn read(text: &[u8], rdma: Option<&str>, on_bad_row: OnBadRow) -> Result<LoadedTrace> {
        let input = text::unpack(Cursor::new(text.to_vec())).expect("memory");
        let mut source = AlibabaDlrm::new(input, "t.csv", options(rdma))?;
        load(&mut source, "t.csv", &TraceOptions { on_bad_row, ..TraceOptions::default() })
    }

    fn rows(rows: &str, rdma: Option<&str>, on_bad_row: OnBadRow) -> Result<LoadedTrace> {
        read([HEADER, rows].concat().as_bytes(), rdma, on_bad_row)
    }

    const ROWS: &str = "i0,HN,a,12,12,1,1,25,25,937.5,950,640,800,8,,,\n\
        i1,CN,a,64,64,0,0,0,0,320.0,320,640,800,-1,10,20.5,1000\n";

    #[test]
    fn instances_become_pods() {
        let text = [
            ROWS,
            "i2,CN,a,8,8,0,0,0,0,16,16,1,1,-1,,,60\n",
            "i3,CN,a,8,8,0,0,0,0,16,16,1,1,-1,2678300,2678390,\n",
            "i4,CN,a,8,8,0,0,0,0,16,16,1,1,-1,5,,\n",
            "i5,CN,a,8,8,0,0,0,0,16,16,1,1,-1,5,7,7\n",
        ]
        .concat();
        let loaded = rows(&text, Some("example.com/rdma"), OnBadRow::Fail).expect("fine");
        let trace = &loaded.data.trace;
        assert_eq!(trace.arrival_ms, [0, 0, 5_000, 10_000, 2_678_300_000]);
        assert_eq!(trace.duration_ms, [2_678_400_000, 60_000, 0, 979_500, 10_000]);
        let shape = &loaded.data.shapes[trace.template[0].index()];
        assert_eq!(
            (shape.cpu, shape.memory),
            (Some(MilliCpu(12_000)), Some(Bytes(937 * 1_073_741_824 + 536_870_912)))
        );
        let extended = [("nvidia.com/gpu".to_owned(), 1), ("example.com/rdma".to_owned(), 25)];
        assert_eq!(shape.extended, extended);
        let report = &loaded.report;
        for code in ["already-running", "still-running", "open-both-ends"] {
            assert_eq!(report.clipped[code].rows, 1, "{code}");
        }
        assert_eq!(report.rejected["never-scheduled"].rows, 1);
        assert_eq!(report.warnings["per-node-cap-ignored"].rows, 1);
        assert_eq!(report.warnings["zero-run-time"].rows, 1);
        assert!(!report.warnings.contains_key("rdma-ignored"));
        let without = rows(ROWS, None, OnBadRow::Fail).expect("fine");
        assert_eq!(without.report.warnings["rdma-ignored"].rows, 1);
        assert_eq!(without.data.shapes[0].extended, extended[..1]);
    }

    #[test]
    fn bad_rows_and_headers_are_named() {
        let row = |cpu: &str, memory: &str, cap: &str, times: &str| {
            format!("i,CN,a,{cpu},8,0,0,0,0,{memory},16,1,1,{cap},{times}\n")
        };
        let text = [
            row("-8", "16", "-1", "1,2,3"),
            row("8", "1e9", "-1", "1,2,3"),
            row("8", "16", "-2", "1,2,3"),
            row("8", "16", "-1", "3,2,4"),
            row("8", "16", "-1", "1,3,2"),
            row("8", "16", "-1", "1,2,2678401"),
            "i,CN\n".to_owned(),
        ]
        .concat();
        let error = rows(&text, None, OnBadRow::Fail).expect_err("bad").to_string();
        for part in [
            "line 2, column `cpu_request`: `-8`",
            "line 3, column `memory_request`: `1e9` is more than a million GiB",
            "line 4, column `max_instance_per_node`: `-2` is not a whole number from -1",
            "line 5, column `scheduled_time`: `2` is before the creation time",
            "line 6, column `deletion_time`: `2` is before the scheduled time",
            "line 7, column `deletion_time`: `2678401` is after the end of the trace",
            "line 8: has 2 fields where the header has 17",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let error = read(b"sn,cpu_milli\n", None, OnBadRow::Fail).expect_err("foreign").to_string();
        let wanted = "`t.csv` is not an instance list of alibaba-dlrm-2025: it lacks the columns `instance_sn`";
        assert!(error.starts_with(wanted), "{error}");
    }

    #[test]
    fn the_real_list_has_the_documented_counts() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let path = shared.join("data/traces/alibaba-dlrm-2025/dlrm_apps_even.csv.gz");
        let input = text::open(&path).expect("opens");
        let mut source = AlibabaDlrm::new(input, "dlrm", options(None)).expect("header");
        let loaded = load(&mut source, "dlrm", &TraceOptions::default()).expect("reads");
        let (trace, report) = (&loaded.data.trace, &loaded.report);
        assert_eq!((report.rows, report.accepted), (13_624, 13_624));
        let clipped = |code: &str| report.clipped[code].rows;
        assert_eq!(clipped("already-running"), 1_577);
        assert_eq!(clipped("still-running"), 2_370);
        assert_eq!(clipped("open-both-ends"), 2_949);
        assert_eq!(report.warnings["per-node-cap-ignored"].rows, 6_570);
        assert_eq!(report.warnings["rdma-ignored"].rows, 13_624);
        assert_eq!(report.warnings["zero-run-time"].rows, 13);
        let shape = |row: usize| &loaded.data.shapes[trace.template[row].index()];
        let sum = |of: &dyn Fn(usize) -> f64| {
            (0..trace.len()).map(|row| of(row) * trace.duration_ms[row] as f64 / 3.6e6).sum::<f64>()
        };
        let cores = sum(&|row| shape(row).cpu.expect("stated").0 as f64 / 1e3);
        assert!((cores - 152_379_178.85).abs() < 1.0, "{cores}");
        let gib = sum(&|row| shape(row).memory.expect("stated").0 as f64 / (1u64 << 30) as f64);
        assert!((gib - 776_983_084.57).abs() < 1.0, "{gib}");
        let gpus = sum(&|row| shape(row).extended.iter().map(|(_, n)| *n as f64).sum());
        assert!((gpus - 1_390_839.98).abs() < 0.1, "{gpus}");
    }

    proptest! {
        #[test]
        fn no_changed_byte_panics(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
            let mut text = [HEADER, ROWS].concat().into_bytes();
            let i = at.index(text.len());
            text[i] = byte;
            let _ = read(&text, None, OnBadRow::Quarantine);
            let _ = read(&text[..i], Some("a/b"), OnBadRow::Fail);
        }

        #[test]
        fn nearly_valid_text_never_panics(row in "i,CN,a,([-0-9.]{0,19},){13}[0-9]{0,9}\n") {
            let _ = rows(&row, None, OnBadRow::Quarantine);
        }
    }
}
