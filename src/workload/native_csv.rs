//! Native traces as CSV, plain or gzip: reading and writing. The columns are
//! those of [`super::native`].
//!
//! Cost: about 0.5 µs a row of four columns, so a million rows take some
//! 0.5 CPU-s.

use std::io::{self, Read, Write};
use std::path::Path;

use super::intern::TraceData;
use super::model::Usage;
use super::native::{COLUMNS, Layout, memory_text, push_seconds, quantity, usage_text};
use super::source::{Next, RowSource, TraceOptions};
use super::table::Table;
use crate::error::Result;

/// Reads native CSV.
pub struct NativeCsv {
    table: Table,
    layout: Layout,
}

impl NativeCsv {
    /// Opens a file and understands its header.
    ///
    /// # Errors
    /// When it cannot be read or its columns are not those of a native trace.
    pub fn open(path: &Path, options: &TraceOptions) -> Result<Self> {
        NativeCsv::from_table(Table::open(path)?, options)
    }

    /// As [`NativeCsv::open`] for bytes from elsewhere.
    ///
    /// # Errors
    /// As [`NativeCsv::open`].
    pub fn new(input: Box<dyn Read>, name: &str, options: &TraceOptions) -> Result<Self> {
        NativeCsv::from_table(Table::new(input, name)?, options)
    }

    fn from_table(table: Table, options: &TraceOptions) -> Result<Self> {
        let header = table.header().iter().map(String::as_str);
        let layout = Layout::new(table.name(), header, options)?;
        Ok(NativeCsv { table, layout })
    }
}

impl RowSource for NativeCsv {
    fn extended(&self) -> &[String] {
        self.layout.extended()
    }

    fn next_row(&mut self) -> Result<Next<'_>> {
        if !self.table.advance()? {
            return Ok(Next::End);
        }
        if let Err(bad) = self.table.check_width() {
            return Ok(Next::Bad(bad));
        }
        let table = &self.table;
        Ok(match self.layout.row(|column| table.cell(column)) {
            Ok(row) => Next::Row(row),
            Err(mut bad) => {
                bad.text = table.row_text();
                Next::Bad(bad)
            }
        })
    }

    fn position(&self) -> u64 {
        self.table.line()
    }
}

/// The columns a trace needs when written: the four required ones, and of
/// the others those that say something.
pub(crate) struct Written {
    columns: Vec<(usize, &'static str)>,
    extended: Vec<String>,
}

impl Written {
    /// Decides for a trace.
    pub(crate) fn of(data: &TraceData) -> Self {
        let trace = &data.trace;
        let any = |column: &[Usage], cpu: bool| {
            column.iter().any(|u| if cpu { u.cpu.is_some() } else { u.memory.is_some() })
        };
        let needed = |name: &str| match name {
            "count" => trace.count.iter().any(|c| *c != 1),
            "name" => trace.has_names(),
            "priority" => data.shapes.iter().any(|s| s.priority != 0),
            "cpu_avg" => any(&trace.usage, true),
            "cpu_p95" => any(&trace.usage_p95, true),
            "cpu_max" => any(&trace.usage_max, true),
            "memory_avg" => any(&trace.usage, false),
            "memory_p95" => any(&trace.usage_p95, false),
            "memory_max" => any(&trace.usage_max, false),
            _ => true,
        };
        let mut extended: Vec<String> =
            data.shapes.iter().flat_map(|s| s.extended.iter().map(|(n, _)| n.clone())).collect();
        extended.sort();
        extended.dedup();
        Written {
            columns: COLUMNS.iter().copied().enumerate().filter(|(_, c)| needed(c)).collect(),
            extended,
        }
    }

    /// The header.
    pub(crate) fn header(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(_, name)| *name).chain(self.extended.iter().map(String::as_str))
    }

    /// The cells of a row, in the order of the header.
    pub(crate) fn cells(&self, data: &TraceData, row: usize, mut put: impl FnMut(&str)) {
        let values = data.trace.row(row);
        let shape = &data.shapes[values.template.index()];
        let mut seconds = String::new();
        for (_, name) in &self.columns {
            seconds.clear();
            match *name {
                "arrival" | "duration" => {
                    let ms =
                        if *name == "arrival" { values.arrival_ms } else { values.duration_ms };
                    push_seconds(&mut seconds, ms);
                    put(&seconds);
                }
                "cpu" => put(&quantity(shape.cpu)),
                "memory" => put(&memory_text(shape.memory)),
                "count" => put(&values.count.to_string()),
                "name" => put(values.name),
                "namespace" => put(&shape.namespace),
                "priority" => put(&shape.priority.to_string()),
                "cpu_avg" => put(&usage_text(values.usage).0),
                "cpu_p95" => put(&usage_text(values.usage_p95).0),
                "cpu_max" => put(&usage_text(values.usage_max).0),
                "memory_avg" => put(&usage_text(values.usage).1),
                "memory_p95" => put(&usage_text(values.usage_p95).1),
                _ => put(&usage_text(values.usage_max).1),
            }
        }
        for resource in &self.extended {
            let amount = shape.extended.iter().find(|(n, _)| n == resource).map_or(0, |(_, n)| *n);
            put(&amount.to_string());
        }
    }
}

/// Writes a trace as native CSV that reads back as the same trace, byte for
/// byte the same for the same trace. Cells are written as they are: a name
/// that starts like a formula stays one, because changing it would change
/// the trace; open foreign traces in a spreadsheet as text.
///
/// # Errors
/// When writing fails.
pub fn write_native_csv(data: &TraceData, out: impl Write) -> io::Result<()> {
    let written = Written::of(data);
    let mut csv = csv::WriterBuilder::new().buffer_capacity(64 << 10).from_writer(out);
    csv.write_record(written.header())?;
    let mut result = Ok(());
    for row in 0..data.trace.len() {
        written.cells(data, row, |cell| {
            if result.is_ok() {
                result = csv.write_field(cell);
            }
        });
        result?;
        result = csv.write_record(None::<&[u8]>);
    }
    result?;
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCpu};
    use crate::workload::source::{LoadedTrace, OnBadRow, load};
    use proptest::prelude::*;
    use std::io::Cursor;

    fn read(text: impl Into<Vec<u8>>, options: &TraceOptions) -> Result<LoadedTrace> {
        let input = crate::text::unpack(Cursor::new(text.into())).expect("memory");
        load(&mut NativeCsv::new(input, "t.csv", options)?, "t.csv", options)
    }

    fn fail(text: &str) -> String {
        read(text, &TraceOptions::default()).expect_err("bad").to_string()
    }

    #[test]
    fn a_trace_is_read_sorted_and_interned() {
        let loaded = read(
            "arrival,duration,cpu,memory,count\n10,60,500m,1Gi,2\n0.5,1,500m,1Gi,\n20,1,,2Gi,1\n",
            &TraceOptions::default(),
        )
        .expect("fine");
        let trace = &loaded.data.trace;
        assert_eq!(trace.arrival_ms, [500, 10_000, 20_000]);
        assert_eq!(trace.count, [1, 2, 1]);
        assert_eq!(trace.template.iter().map(|t| t.0).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(loaded.data.shapes[1].cpu, None);
        assert_eq!(loaded.data.shapes[1].memory, Some(Bytes(2 << 30)));
        let report = &loaded.report;
        assert_eq!((report.rows, report.accepted, report.pods, report.sorted), (3, 3, 4, 1));
        assert!(report.warnings.contains_key("unsorted"));
    }

    #[test]
    fn bad_rows_are_shown_together_with_place_cause_and_remedy() {
        let text = "arrival,duration,cpu,memory\n\
            x,1,1,1Gi\n0,NaN,1,1Gi\n0,1,-1,1Gi\n0,1,1,9999Pi\n0,1,1\n0,1,1,1,1\ninf,1,1,1\n0,-3,1,1\n0,1,2000000,1\n";
        let error = fail(text);
        for part in [
            "`t.csv`: 9 bad rows",
            "--> t.csv: line 2, column `arrival`: `x` is not a number of seconds",
            "line 3, column `duration`: `NaN` is not a finite number",
            "line 4, column `cpu`: `-1` is not a number",
            "line 5, column `memory`: `9999Pi` is too large",
            "line 6: has 3 fields where the header has 4",
            "line 7: has 5 fields",
            "line 8, column `arrival`: `inf`",
            "line 9, column `duration`: `-3` is negative",
            "line 10, column `cpu`: `2000000` is too large",
            "`on-bad-row: quarantine`",
        ] {
            assert!(error.contains(part), "{part}\n{error}");
        }
    }

    #[test]
    fn at_most_twenty_bad_rows_are_shown() {
        let text = format!("arrival,duration,cpu,memory\n{}", "x,1,1,1\n".repeat(1_000));
        let error = fail(&text);
        assert!(error.contains("the first 20 bad rows"), "{error}");
        assert_eq!(error.matches("-->").count(), 20);
    }

    #[test]
    fn quarantine_leaves_bad_rows_out_and_lists_them() {
        let options = TraceOptions { on_bad_row: OnBadRow::Quarantine, ..TraceOptions::default() };
        let text = "arrival,duration,cpu,memory\n0,1,1,1\nx,1,1,1\n1,1,1,1\n";
        let loaded = read(text, &options).expect("two rows are fine");
        assert_eq!((loaded.report.accepted, loaded.report.quarantined), (2, 1));
        assert_eq!(loaded.report.quarantined_rows[0].position, 3);
        assert_eq!(loaded.report.quarantined_rows[0].bad.text, "x,1,1,1");
        let error = read("arrival,duration,cpu,memory\nx,1,1,1\n", &options)
            .expect_err("nothing left")
            .to_string();
        assert!(error.contains("none of its 1 rows can be replayed"), "{error}");
    }

    #[test]
    fn an_empty_trace_is_an_error() {
        assert!(fail("arrival,duration,cpu,memory\n").contains("has no rows"));
        assert!(fail("").contains("is empty"));
    }

    #[test]
    fn timestamps_need_a_start() {
        let text = "arrival,duration,cpu,memory\n2026-01-05T00:00:10Z,1,1,1\n";
        assert!(fail(text).contains("set `time.start`"));
        let options =
            TraceOptions { start_unix_ms: Some(1_767_571_200_000), ..TraceOptions::default() };
        assert_eq!(read(text, &options).expect("fine").data.trace.arrival_ms, [10_000]);
    }

    #[test]
    fn peaks_and_names_are_carried_only_where_present() {
        let loaded = read(
            "arrival,duration,cpu,memory,cpu_p95,name\n0,1,1,1Gi,,a\n1,1,1,1Gi,250m,=b\n",
            &TraceOptions::default(),
        )
        .expect("fine");
        let trace = &loaded.data.trace;
        assert!(trace.usage.is_empty() && trace.usage_max.is_empty());
        assert_eq!(trace.usage_p95[0], Usage::default());
        assert_eq!(trace.usage_p95[1].cpu, Some(MilliCpu(250)));
        let mut out = Vec::new();
        write_native_csv(&loaded.data, &mut out).expect("memory");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "arrival,duration,cpu,memory,name,namespace,cpu_p95\n\
             0,1,1,1Gi,a,default,\n1,1,1,1Gi,=b,default,250m\n"
        );
    }

    prop_compose! {
        fn any_row()(
            arrival in 0i64..10_000_000, duration in 0i64..100_000,
            cpu in proptest::option::of(0i64..100_000), memory in proptest::option::of(0i64..1 << 40),
            count in 1u32..5, gpu in 0i64..3, name in "[a-z\",= ]{0,6}", ns in "[a-z]{1,3}",
            priority in -3i32..3, avg in proptest::option::of(0i64..9),
            peak in proptest::option::of(0i64..9),
        ) -> String {
            let seconds = |ms: i64| { let mut s = String::new(); push_seconds(&mut s, ms); s };
            let name = name.trim().replace('"', "\"\"");
            let text = |v: Option<i64>, unit: &str| v.map_or(String::new(), |v| format!("{v}{unit}"));
            format!(
                "{},{},{},{},{count},{gpu},\"{name}\",{ns},{priority},{},{}\n",
                seconds(arrival), seconds(duration), text(cpu, "m"), text(memory, ""),
                text(avg, "m"), text(peak, "Mi"),
            )
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(rows in proptest::collection::vec(any_row(), 1..20)) {
            let header = "arrival,duration,cpu,memory,count,nvidia.com/gpu,name,namespace,priority,cpu_avg,memory_max\n";
            let options = TraceOptions::default();
            let first = read(format!("{header}{}", rows.concat()), &options).expect("valid");
            let mut text = Vec::new();
            write_native_csv(&first.data, &mut text).expect("memory");
            let second = read(text.clone(), &options).expect("own output");
            // Template numbers follow first use, which sorting may change.
            let rows = |d: &TraceData| (0..d.trace.len()).map(|i| {
                let mut row = d.trace.row(i);
                let shape = d.shapes[row.template.index()].clone();
                row.template = crate::workload::LocalTemplate(0);
                (format!("{row:?}"), shape)
            }).collect::<Vec<_>>();
            prop_assert_eq!(rows(&first.data), rows(&second.data));
            let mut again = Vec::new();
            write_native_csv(&second.data, &mut again).expect("memory");
            prop_assert_eq!(text, again);
        }

        #[test]
        fn any_bytes_are_a_trace_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..400), header in any::<bool>(),
            quarantine in any::<bool>(),
        ) {
            let mut text = if header { b"arrival,duration,cpu,memory\n".to_vec() } else { Vec::new() };
            text.extend(bytes);
            let on_bad_row = if quarantine { OnBadRow::Quarantine } else { OnBadRow::Fail };
            let _ = read(text, &TraceOptions { on_bad_row, ..TraceOptions::default() });
        }

        #[test]
        fn nearly_valid_text_never_panics(text in "[0-9.,x\"\n-]{0,300}") {
            let text = format!("arrival,duration,cpu,memory\n{text}");
            let options = TraceOptions { on_bad_row: OnBadRow::Quarantine, ..TraceOptions::default() };
            let _ = read(text, &options);
        }
    }
}
