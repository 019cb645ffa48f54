//! The pod list of the Alibaba openb trace, 2023 (`openb_pod_list_*.csv` of
//! the `cluster-trace-gpu-v2023` release).
//!
//! | column | use |
//! | --- | --- |
//! | `name` | the pod's name |
//! | `cpu_milli`, `memory_mib` | requests; "BE" pods carry requests too |
//! | `num_gpu`, `gpu_milli` | whole GPUs, as the extended resource `gpu-resource` (default `nvidia.com/gpu`) |
//! | `creation_time` | arrival, seconds as the trace counts them |
//! | `deletion_time` − `scheduled_time` | duration |
//! | `gpu_spec` | not used: GPU models of that cluster are not sold here; counted |
//! | `qos`, `pod_phase`, others | not used |
//!
//! | | what happens |
//! | --- | --- |
//! | required option | none; `select` takes `all` (default), `cpu-only` or `gpu` pods |
//! | sorted | pods before an earlier creation, counted |
//! | rejected | `not-selected` · `never-scheduled`: no scheduled time, so how long it would have run is unknown · `never-deleted`: no deletion time |
//! | bad | a missing or extra field, a value that is no number or absurdly large, deletion before scheduling, a GPU share above 1,000 |
//! | clipped | `end-of-trace`: deletion at the latest time of the file; the pod ran on beyond it |
//! | warned | `gpu-rounded-up`: a share of a GPU became a whole one · `gpu-spec-ignored` · `zero-run-time` |

use std::io::Read;
use std::path::Path;

use super::swf::ZERO_RUN_TIME;
use crate::error::Result;
use crate::text;
use crate::units::{Bytes, MilliCpu};
use crate::workload::source::{BadRow, Code, Next, RawRow, RowSource};
use crate::workload::table::Table;

const NOT_SELECTED: Code = Code { name: "not-selected", text: "pods that `select` leaves out" };
const NEVER_SCHEDULED: Code = Code {
    name: "never-scheduled",
    text: "pods without a scheduled time, whose run time is therefore unknown",
};
const NEVER_DELETED: Code = Code { name: "never-deleted", text: "pods without a deletion time" };
const END_OF_TRACE: Code = Code {
    name: "end-of-trace",
    text: "pods deleted at the latest time of the trace, which ran on beyond it",
};
const GPU_ROUNDED_UP: Code = Code {
    name: "gpu-rounded-up",
    text: "pods that asked for a share of a GPU and get a whole one",
};
const GPU_SPEC_IGNORED: Code =
    Code { name: "gpu-spec-ignored", text: "pods whose demand for a GPU model is not used" };

/// Columns that must be present, in the order of [`Columns`].
const REQUIRED: [&str; 8] = [
    "name",
    "cpu_milli",
    "memory_mib",
    "num_gpu",
    "gpu_milli",
    "creation_time",
    "deletion_time",
    "scheduled_time",
];

/// Which pods are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Select {
    /// Every pod.
    #[default]
    All,
    /// Pods without GPU.
    CpuOnly,
    /// Pods with GPU.
    Gpu,
}

/// What the user says about an openb file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenbOptions {
    /// Which pods are replayed.
    pub select: Select,
    /// Name of the extended resource that GPUs become.
    pub gpu_resource: String,
}

impl Default for OpenbOptions {
    fn default() -> Self {
        OpenbOptions { select: Select::All, gpu_resource: "nvidia.com/gpu".into() }
    }
}

/// Where each column stands.
struct Columns {
    at: [usize; REQUIRED.len()],
    gpu_spec: Option<usize>,
}

/// Reads an openb pod list.
pub struct Openb {
    table: Table,
    columns: Columns,
    select: Select,
    extended: [String; 1],
    gpus: [i64; 1],
    /// Latest deletion of any pod, and how many accepted pods share it.
    latest: (i64, u64),
}

impl Openb {
    /// Opens a file, plain or gzip.
    ///
    /// # Errors
    /// When it cannot be read or lacks a column.
    pub fn open(path: &Path, options: OpenbOptions) -> Result<Self> {
        Openb::from_table(Table::open(path)?, options)
    }

    /// Reads `input`, which errors call `name`.
    ///
    /// # Errors
    /// When it cannot be read or lacks a column.
    pub fn new(input: Box<dyn Read>, name: &str, options: OpenbOptions) -> Result<Self> {
        Openb::from_table(Table::new(input, name)?, options)
    }

    fn from_table(table: Table, options: OpenbOptions) -> Result<Self> {
        let at = table.require(REQUIRED, "an openb pod list")?;
        let columns = Columns { at, gpu_spec: table.find("gpu_spec") };
        Ok(Openb {
            table,
            columns,
            select: options.select,
            extended: [options.gpu_resource],
            gpus: [0],
            latest: (i64::MIN, 0),
        })
    }
}

/// The values of a row that are used.
struct Pod {
    cpu: MilliCpu,
    memory: Bytes,
    gpus: i64,
    gpu_share: bool,
    created_ms: i64,
    deleted_ms: Option<i64>,
    scheduled_ms: Option<i64>,
}

impl Columns {
    fn pod(&self, table: &Table) -> std::result::Result<Pod, BadRow> {
        let cell = |i: usize| table.cell(self.at[i]).trim_ascii();
        let fault = |i: usize, cause: &str| table.fault(self.at[i], cause);
        let number =
            |i: usize, most: i64| text::integer(cell(i), 0, most).map_err(|c| fault(i, &c));
        let time = |i: usize| match cell(i) {
            b"" => Ok(None),
            value => text::seconds_ms(value).map(Some).map_err(|c| fault(i, c)),
        };
        table.check_width()?;
        let (gpus, share) = (number(3, 1_000)?, number(4, 1_000)?);
        let pod = Pod {
            cpu: MilliCpu(number(1, 1_000_000_000)?),
            memory: Bytes(number(2, 1 << 32)? << 20),
            gpus,
            gpu_share: gpus > 0 && share < 1_000,
            created_ms: time(5)?.ok_or_else(|| fault(5, "is not a time in seconds"))?,
            deleted_ms: time(6)?,
            scheduled_ms: time(7)?,
        };
        if let (Some(deleted), Some(scheduled)) = (pod.deleted_ms, pod.scheduled_ms)
            && deleted < scheduled
        {
            return Err(fault(6, "is before the scheduled time"));
        }
        Ok(pod)
    }
}

impl RowSource for Openb {
    fn extended(&self) -> &[String] {
        &self.extended
    }

    fn next_row(&mut self) -> Result<Next<'_>> {
        if !self.table.advance()? {
            return Ok(Next::End);
        }
        let pod = match self.columns.pod(&self.table) {
            Ok(pod) => pod,
            Err(bad) => return Ok(Next::Bad(bad)),
        };
        if let Some(deleted) = pod.deleted_ms
            && deleted > self.latest.0
        {
            self.latest = (deleted, 0);
        }
        let selected = match self.select {
            Select::All => true,
            Select::CpuOnly => pod.gpus == 0,
            Select::Gpu => pod.gpus > 0,
        };
        if !selected {
            return Ok(Next::Rejected(NOT_SELECTED));
        }
        let Some(scheduled_ms) = pod.scheduled_ms else {
            return Ok(Next::Rejected(NEVER_SCHEDULED));
        };
        let Some(deleted_ms) = pod.deleted_ms else {
            return Ok(Next::Rejected(NEVER_DELETED));
        };
        let table = &self.table;
        let Ok(name) = std::str::from_utf8(table.cell(self.columns.at[0])) else {
            return Ok(Next::Bad(table.fault(self.columns.at[0], "is not text")));
        };
        if deleted_ms == self.latest.0 {
            self.latest.1 += 1;
        }
        let spec = self.columns.gpu_spec.is_some_and(|c| !table.cell(c).trim_ascii().is_empty());
        let duration_ms = deleted_ms - scheduled_ms;
        let gpu_warning = if pod.gpu_share {
            Some(GPU_ROUNDED_UP)
        } else {
            (duration_ms == 0).then_some(ZERO_RUN_TIME)
        };
        self.gpus = [pod.gpus];
        Ok(Next::Row(RawRow {
            name,
            arrival_ms: pod.created_ms,
            duration_ms,
            cpu: Some(pod.cpu),
            memory: Some(pod.memory),
            extended: &self.gpus,
            count: 1,
            warnings: [gpu_warning, spec.then_some(GPU_SPEC_IGNORED), None],
            ..RawRow::default()
        }))
    }

    fn position(&self) -> u64 {
        self.table.line()
    }

    fn clipped_at_end(&self) -> Option<(Code, u64)> {
        Some((END_OF_TRACE, self.latest.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::source::{LoadedTrace, OnBadRow, TraceOptions, load};
    use proptest::prelude::*;
    use std::io::Cursor;

    const HEADER: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n";

    fn read(rows: &[u8], select: Select, on_bad_row: OnBadRow) -> Result<LoadedTrace> {
        let text = [HEADER.as_bytes(), rows].concat();
        let options = OpenbOptions { select, ..OpenbOptions::default() };
        let mut source = Openb::new(Box::new(Cursor::new(text)), "t.csv", options)?;
        load(&mut source, "t.csv", &TraceOptions { on_bad_row, ..TraceOptions::default() })
    }

    #[test]
    fn rows_become_pods() {
        let rows = b"a,12000,16384,1,460,,LS,Running,5,100,10\n\
            b,500,1,0,0,,BE,Succeeded,3,20,4\n\
            c,500,1,8,1000,V100M16|V100M32,BE,Running,6,100,100\n\
            d,500,1,0,0,,BE,Pending,7,90,\n\
            e,500,1,0,0,,BE,Running,7,,9\n";
        let loaded = read(rows, Select::All, OnBadRow::Fail).expect("fine");
        let trace = &loaded.data.trace;
        assert_eq!(trace.arrival_ms, [3_000, 5_000, 6_000]);
        assert_eq!(trace.duration_ms, [16_000, 90_000, 0]);
        let shape = &loaded.data.shapes[trace.template[1].index()];
        assert_eq!((shape.cpu, shape.memory), (Some(MilliCpu(12_000)), Some(Bytes(16 << 30))));
        assert_eq!(shape.extended, [("nvidia.com/gpu".to_owned(), 1)]);
        let report = &loaded.report;
        assert_eq!(report.rejected["never-scheduled"].rows, 1);
        assert_eq!(report.rejected["never-deleted"].rows, 1);
        assert_eq!(report.clipped["end-of-trace"].rows, 2);
        for code in ["gpu-rounded-up", "gpu-spec-ignored", "zero-run-time"] {
            assert_eq!(report.warnings[code].rows, 1, "{code}");
        }
        let cpu = read(rows, Select::CpuOnly, OnBadRow::Fail).expect("fine");
        assert_eq!((cpu.report.accepted, cpu.report.rejected["not-selected"].rows), (1, 2));
        assert!(cpu.report.clipped.is_empty());
        assert_eq!(read(rows, Select::Gpu, OnBadRow::Fail).expect("fine").report.accepted, 2);
    }

    #[test]
    fn bad_rows_and_headers_are_named() {
        let rows = b"a,-1,1,0,0,,LS,Running,5,100,10\n\
            a,1,1,0,0,,LS,Running,5,9,10\n\
            a,1,1,1,1001,,LS,Running,5,11,10\n\
            a,1,1,1,1000,,LS,Running,,11,10\n\
            a,1,1\n";
        let error = read(rows, Select::All, OnBadRow::Fail).expect_err("bad").to_string();
        for part in [
            "line 2, column `cpu_milli`: `-1` is not a whole number from 0",
            "line 3, column `deletion_time`: `9` is before the scheduled time",
            "line 4, column `gpu_milli`: `1001` is not a whole number from 0 to 1000",
            "line 5, column `creation_time`: the empty value is not a time",
            "line 6: has 3 fields where the header has 11",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let input = Box::new(Cursor::new(b"sn,cpu_milli,memory_mib,gpu,model\n".to_vec()));
        let error = Openb::new(input, "nodes.csv", OpenbOptions::default())
            .err()
            .expect("a node list")
            .to_string();
        assert!(error.contains("is not an openb pod list: it lacks the columns `name`"), "{error}");
    }

    #[test]
    fn the_real_list_has_the_documented_counts() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let path = shared.join("data/traces/alibaba-openb-2023/openb_pod_list_default.csv");
        let run = |select| {
            let options = OpenbOptions { select, ..OpenbOptions::default() };
            let mut source = Openb::open(&path, options).expect("opens");
            load(&mut source, "openb", &TraceOptions::default()).expect("reads").report
        };
        let all = run(Select::All);
        assert_eq!((all.rows, all.accepted), (8_152, 7_255));
        assert_eq!(all.rejected["never-scheduled"].rows, 897);
        assert_eq!(all.clipped["end-of-trace"].rows, 34);
        let cpu = run(Select::CpuOnly);
        let gpu = run(Select::Gpu);
        assert_eq!(cpu.accepted + gpu.accepted, all.accepted);
        assert_eq!(cpu.rejected["not-selected"].rows, 7_064);
        assert_eq!(gpu.rejected["not-selected"].rows, 1_088);
        assert_eq!(cpu.accepted, 1_052);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..400), quarantine in any::<bool>(),
        ) {
            let on_bad_row = if quarantine { OnBadRow::Quarantine } else { OnBadRow::Fail };
            let _ = read(&bytes, Select::All, on_bad_row);
        }

        #[test]
        fn nearly_valid_text_never_panics(rows in "([0-9]{0,19},){10}[0-9]{0,3}\n") {
            let _ = read(rows.as_bytes(), Select::All, OnBadRow::Quarantine);
        }
    }
}
