//! Native traces as Parquet: reading and writing. Columns and values are
//! those of [`crate::workload::native`]; each cell goes through the same
//! reading as its text in a CSV file would, so both formats accept the same
//! and word the same errors, with the row's number in place of a line.
//!
//! Numbers may be whole or floating (0.3 cores is read as `0.3`, not as its
//! binary neighbour), quantities may be text. Null is an empty cell.
//! Calendar timestamps must be text: the decoder is built without Parquet's
//! own timestamp type.
//!
//! Cost: about 0.6 µs a row of four numeric columns.

use std::io::Write;
use std::path::Path;

use polars::prelude::{Column, DataFrame, IntoColumn as _, NamedFrom as _, ParquetWriter, Series};

use super::columns::{Values, decode, read_file};
use crate::error::{Error, Result};
use crate::text::excerpt;
use crate::workload::intern::TraceData;
use crate::workload::native::Layout;
use crate::workload::native_csv::Written;
use crate::workload::source::{Next, RowSource, TraceOptions};

/// Opens a native Parquet trace; errors call it `shown`.
///
/// # Errors
/// When it cannot be read, is no Parquet file, or its columns are not those
/// of a native trace.
pub fn open_native_parquet(
    path: &Path,
    shown: &str,
    options: &TraceOptions,
) -> Result<Box<dyn RowSource>> {
    let bytes = read_file(path, shown)?;
    Ok(Box::new(NativeParquet::new(&bytes, shown, options)?))
}

/// A native trace in columns.
pub struct NativeParquet {
    layout: Layout,
    columns: Vec<Values>,
    /// Text of each cell of the current row.
    cells: Vec<String>,
    rows: usize,
    next: usize,
}

impl NativeParquet {
    /// Decodes a file at hand; errors call it `name`.
    ///
    /// # Errors
    /// As [`open_native_parquet`].
    pub fn new(bytes: &[u8], name: &str, options: &TraceOptions) -> Result<Self> {
        let mut layout = None;
        let decoded = decode(bytes, name, |names| {
            layout = Some(Layout::new(name, names.iter().map(String::as_str), options)?);
            Ok(None)
        })?;
        let Some(layout) = layout else {
            return Err(Error::failed("a table was decoded without a look at its columns"));
        };
        let columns: Vec<Values> = decoded.columns.into_iter().map(|(_, values)| values).collect();
        let cells = vec![String::new(); columns.len()];
        Ok(NativeParquet { layout, columns, cells, rows: decoded.rows, next: 0 })
    }
}

impl RowSource for NativeParquet {
    fn extended(&self) -> &[String] {
        self.layout.extended()
    }

    fn next_row(&mut self) -> Result<Next<'_>> {
        if self.next >= self.rows {
            return Ok(Next::End);
        }
        for (values, cell) in self.columns.iter().zip(&mut self.cells) {
            values.write(self.next, cell);
        }
        self.next += 1;
        let cells = &self.cells;
        Ok(match self.layout.row(|column| cells.get(column).map_or(b"", |c| c.as_bytes())) {
            Ok(row) => Next::Row(row),
            Err(mut bad) => {
                bad.text = excerpt(cells.join(",").as_bytes(), 200);
                Next::Bad(bad)
            }
        })
    }

    fn position(&self) -> u64 {
        self.next as u64
    }

    fn unit(&self) -> &'static str {
        "row"
    }
}

/// Writes a trace as native Parquet that reads back as the same trace: times
/// and cpu as floating seconds and cores, memory in bytes, unknown as null.
///
/// # Errors
/// When writing fails.
pub fn write_native_parquet(data: &TraceData, out: impl Write) -> Result<()> {
    let failed = |e: polars::error::PolarsError| {
        Error::failed(format!("cannot write the Parquet trace: {e}"))
    };
    let written = Written::of(data);
    let trace = &data.trace;
    let columns: Vec<Column> =
        written.header().map(|name| column(data, name).into_column()).collect();
    let mut frame = DataFrame::new(trace.len(), columns).map_err(failed)?;
    ParquetWriter::new(out).set_parallel(false).finish(&mut frame).map_err(failed)?;
    Ok(())
}

fn column(data: &TraceData, name: &str) -> Series {
    let trace = &data.trace;
    let rows = 0..trace.len();
    let shape = |row: usize| &data.shapes[trace.template[row].index()];
    let seconds = |column: &[i64]| {
        Series::new(name.into(), column.iter().map(|ms| *ms as f64 / 1e3).collect::<Vec<_>>())
    };
    let cores = |value: &dyn Fn(usize) -> Option<crate::units::MilliCpu>| {
        let cores: Vec<Option<f64>> =
            rows.clone().map(|row| value(row).map(|c| c.0 as f64 / 1e3)).collect();
        Series::new(name.into(), cores)
    };
    let bytes = |value: &dyn Fn(usize) -> Option<crate::units::Bytes>| {
        let bytes: Vec<Option<i64>> = rows.clone().map(|row| value(row).map(|b| b.0)).collect();
        Series::new(name.into(), bytes)
    };
    match name {
        "arrival" => seconds(&trace.arrival_ms),
        "duration" => seconds(&trace.duration_ms),
        "cpu" => cores(&|row| shape(row).cpu),
        "memory" => bytes(&|row| shape(row).memory),
        "count" => Series::new(name.into(), trace.count.as_slice()),
        "name" => Series::new(name.into(), rows.map(|row| trace.name(row)).collect::<Vec<_>>()),
        "namespace" => Series::new(
            name.into(),
            rows.map(|row| shape(row).namespace.as_str()).collect::<Vec<_>>(),
        ),
        "priority" => {
            Series::new(name.into(), rows.map(|row| shape(row).priority).collect::<Vec<_>>())
        }
        "cpu_avg" => cores(&|row| trace.row(row).usage.cpu),
        "cpu_p95" => cores(&|row| trace.row(row).usage_p95.cpu),
        "cpu_max" => cores(&|row| trace.row(row).usage_max.cpu),
        "memory_avg" => bytes(&|row| trace.row(row).usage.memory),
        "memory_p95" => bytes(&|row| trace.row(row).usage_p95.memory),
        "memory_max" => bytes(&|row| trace.row(row).usage_max.memory),
        resource => {
            let amount = |row: usize| {
                let extended = &shape(row).extended;
                extended.iter().find(|(n, _)| n == resource).map_or(0, |(_, amount)| *amount)
            };
            Series::new(name.into(), rows.map(amount).collect::<Vec<_>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::native_csv::{NativeCsv, write_native_csv};
    use crate::workload::source::{LoadedTrace, OnBadRow, load};
    use proptest::prelude::*;
    use std::io::Cursor;

    const CSV: &str = "arrival,duration,cpu,memory,count,name,namespace,priority,cpu_avg,memory_max,nvidia.com/gpu\n\
        0.001,60,500m,1Gi,2,a,x,0,,,0\n\
        1.5,0.3,300m,,1,b,y,-5,1m,7,2\n\
        86400,1,,1000,1,,x,0,,8,0\n";

    fn csv() -> TraceData {
        let options = TraceOptions::default();
        let input = Box::new(Cursor::new(CSV.as_bytes().to_vec()));
        let mut source = NativeCsv::new(input, "t.csv", &options).expect("header");
        load(&mut source, "t.csv", &options).expect("rows").data
    }

    fn parquet(data: &TraceData) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_native_parquet(data, &mut bytes).expect("memory");
        bytes
    }

    fn frame(columns: Vec<Series>) -> Vec<u8> {
        let height = columns[0].len();
        let columns = columns.into_iter().map(polars::prelude::IntoColumn::into_column).collect();
        let mut frame = DataFrame::new(height, columns).expect("equal lengths");
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).expect("memory");
        bytes
    }

    fn read(bytes: &[u8], on_bad_row: OnBadRow) -> Result<LoadedTrace> {
        let options = TraceOptions { on_bad_row, ..TraceOptions::default() };
        let mut source = NativeParquet::new(bytes, "t.parquet", &options)?;
        load(&mut source, "t.parquet", &options)
    }

    #[test]
    fn csv_and_parquet_read_alike() {
        let data = csv();
        let bytes = parquet(&data);
        assert_eq!(bytes, parquet(&data));
        let again = read(&bytes, OnBadRow::Fail).expect("own output").data;
        assert_eq!(again, data);
        let mut text = Vec::new();
        write_native_csv(&again, &mut text).expect("memory");
        assert_eq!(String::from_utf8(text).expect("text"), CSV);
    }

    #[test]
    fn cells_of_any_numeric_or_text_type_are_read() {
        let bytes = frame(vec![
            Series::new("arrival".into(), [3i32, 1]),
            Series::new("duration".into(), [0.1f64, 0.25]),
            Series::new("cpu".into(), ["500m", "2"]),
            Series::new("memory".into(), [1u64 << 30, 5]),
        ]);
        let loaded = read(&bytes, OnBadRow::Fail).expect("fine");
        assert_eq!(loaded.data.trace.arrival_ms, [1_000, 3_000]);
        assert_eq!(loaded.data.trace.duration_ms, [250, 100]);
        assert_eq!(loaded.report.sorted, 1);
    }

    #[test]
    fn bad_rows_name_their_number() {
        let bytes = frame(vec![
            Series::new("arrival".into(), [Some(0.0f64), Some(f64::NAN), None, Some(-1.0)]),
            Series::new("duration".into(), [1i64, 1, 1, 1]),
            Series::new("cpu".into(), [1i64, 1, 1, 1]),
            Series::new("memory".into(), [1.0f64, 1.0, 1.0, 1e300]),
        ]);
        let error = read(&bytes, OnBadRow::Fail).expect_err("bad").to_string();
        for part in [
            "`t.parquet`: 3 bad rows",
            "t.parquet: row 2, column `arrival`: `NaN` is not a finite number",
            "row 3, column `arrival`: the empty value is not a number",
            "row 4, column `arrival`: `-1` is negative",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let loaded = read(&bytes, OnBadRow::Quarantine).expect("one row");
        assert_eq!((loaded.report.accepted, loaded.report.quarantined), (1, 3));
    }

    #[test]
    fn other_columns_and_types_are_refused() {
        let column = |name: &str| Series::new(name.into(), [1i64]);
        let unknown = frame(vec![column("arrival"), column("druation")]);
        let error = read(&unknown, OnBadRow::Fail).expect_err("unknown").to_string();
        assert!(error.contains("unknown column `druation`; did you mean `duration`?"), "{error}");
        let flag = frame(vec![
            column("arrival"),
            column("duration"),
            column("memory"),
            Series::new("cpu".into(), [true]),
        ]);
        let error = read(&flag, OnBadRow::Fail).expect_err("type").to_string();
        assert!(error.contains("column `cpu` has type bool; write it as a number"), "{error}");
    }

    #[test]
    fn truncated_and_foreign_files_are_clear_errors() {
        let bytes = parquet(&csv());
        for cut in [0, 3, 8, bytes.len() / 2, bytes.len() - 1] {
            let error = read(&bytes[..cut], OnBadRow::Fail).expect_err("cut").to_string();
            assert!(error.starts_with("`t.parquet` is not a readable Parquet file"), "{error}");
        }
        assert!(read(b"PAR1 junk in between PAR1", OnBadRow::Fail).is_err());
        let missing = open_native_parquet(Path::new("no/such"), "s", &TraceOptions::default());
        let error = missing.err().expect("missing").to_string();
        assert!(error.starts_with("cannot read `s`: "), "{error}");
    }

    #[test]
    fn a_real_file_with_other_columns_names_them() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let path = shared.join("data/traces/opendc/surf_halfyear/tasks.parquet");
        let error = open_native_parquet(&path, "tasks.parquet", &TraceOptions::default())
            .err()
            .expect("another schema")
            .to_string();
        assert!(error.contains("unknown column `submission_time`"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damage_is_an_error_or_a_trace(
            at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = parquet(&csv());
            let i = at.index(bytes.len());
            bytes[i] = byte;
            let _ = read(&bytes, OnBadRow::Quarantine);
            let start = 4 + cut.index(bytes.len() - 8);
            bytes.remove(start);
            let _ = read(&bytes, OnBadRow::Quarantine);
        }
    }
}
