//! Parquet files decoded into plain columns, whatever they hold: reading the
//! file, refusing damage, and telling the columns' types.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use polars::prelude::{
    ChunkedArray, DataType, Float64Type, Int64Type, ParallelStrategy, ParquetReader,
    SerReader as _, StringChunked,
};

use super::pages;
use crate::error::{Error, Result};
use crate::import::numbers::{NumberTable, Numbers};
use crate::text::excerpt;
use crate::workload::source::MAX_ROWS;

/// Largest file, since it is held in memory while it is decoded.
const MAX_FILE_BYTES: u64 = 4 << 30;
/// Most cells: a small file can claim very many equal ones.
const MAX_CELLS: u64 = 500_000_000;

/// The bytes of a file; errors call it `shown`.
pub(super) fn read_file(path: &Path, shown: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.exists() {
        crate::text::check_regular(path)?;
    }
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| Error::input(format!("cannot read `{shown}`: {e}")))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::input(format!("`{shown}` is larger than 4 GiB; split the trace")));
    }
    Ok(bytes)
}

/// Reads these columns of a file, which must be numbers, in this order;
/// others are left alone.
///
/// # Errors
/// When it cannot be read, is no Parquet file, lacks a column, or one of them
/// holds anything but numbers.
pub(super) fn read_numbers(path: &Path, shown: &str, wanted: &[&str]) -> Result<NumberTable> {
    let bytes = read_file(path, shown)?;
    numbers(&bytes, shown, wanted)
}

fn numbers(bytes: &[u8], name: &str, wanted: &[&str]) -> Result<NumberTable> {
    let decoded = decode(bytes, name, |names| {
        let missing: Vec<String> = wanted
            .iter()
            .filter(|w| names.iter().all(|n| n != *w))
            .map(|w| format!("`{w}`"))
            .collect();
        if missing.is_empty() {
            return Ok(Some(wanted.iter().map(ToString::to_string).collect()));
        }
        let missing = missing.join(", ");
        Err(Error::input(format!(
            "`{name}` lacks the columns {missing}; it has {}",
            names.join(", ")
        )))
    })?;
    let mut columns = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let found = decoded.columns.iter().find(|(name, _)| name == wanted);
        columns.push(match found.map(|(_, values)| values) {
            Some(Values::Whole(v)) => Numbers::Whole(v.iter().collect()),
            Some(Values::Floating(v)) => Numbers::Floating(v.iter().collect()),
            _ => {
                let message = format!("`{name}`: column `{wanted}` holds text, not numbers");
                return Err(Error::input(message));
            }
        });
    }
    Ok(NumberTable { rows: decoded.rows, columns })
}

/// A file in columns.
pub(super) struct Decoded {
    /// Names and values.
    pub(super) columns: Vec<(String, Values)>,
    pub(super) rows: usize,
}

/// The values of a column.
pub(super) enum Values {
    Whole(ChunkedArray<Int64Type>),
    Floating(ChunkedArray<Float64Type>),
    Text(StringChunked),
}

impl Values {
    /// The text of a cell, empty for null.
    pub(super) fn write(&self, row: usize, out: &mut String) {
        out.clear();
        // Writing to a string cannot fail.
        let _ = match self {
            Values::Whole(v) => v.get(row).map_or(Ok(()), |v| write!(out, "{v}")),
            // The shortest decimal that reads back as the same number.
            Values::Floating(v) => v.get(row).map_or(Ok(()), |v| write!(out, "{v}")),
            Values::Text(v) => out.write_str(v.get(row).unwrap_or_default()),
        };
    }
}

/// Decodes a file at hand; errors call it `name`. `choose` sees the names of
/// its columns and may take some of them only.
///
/// # Errors
/// When it is no Parquet file, what `choose` says, or when a chosen column has
/// a type that is neither number nor text.
pub(super) fn decode(
    bytes: &[u8],
    name: &str,
    choose: impl FnOnce(&[String]) -> Result<Option<Vec<String>>>,
) -> Result<Decoded> {
    let broken = |cause: &str| unreadable(name, cause);
    if bytes.len() < 12 || !bytes.starts_with(b"PAR1") {
        return Err(broken("it does not start as one"));
    }
    if !bytes.ends_with(b"PAR1") {
        return Err(broken("its end is missing; was it cut off?"));
    }
    match quietly(|| decode_sound(bytes, name, choose)) {
        Some(Ok(read)) => Ok(read),
        Some(Err(Refused::Damaged(cause))) => Err(broken(&cause)),
        Some(Err(Refused::Unfit(error))) => Err(error),
        None => Err(broken("its contents are damaged")),
    }
}

/// A file that is no Parquet file, or a damaged one.
pub(super) fn unreadable(name: &str, cause: &str) -> Error {
    let cause = excerpt(cause.as_bytes(), 200);
    Error::input(format!("`{name}` is not a readable Parquet file: {cause}"))
}

/// Why a file is not read.
enum Refused {
    /// It is damaged: the decoder's words.
    Damaged(String),
    /// It is well formed but not what was asked for.
    Unfit(Error),
}

impl From<polars::error::PolarsError> for Refused {
    fn from(e: polars::error::PolarsError) -> Self {
        Refused::Damaged(e.to_string())
    }
}

thread_local! {
    /// Whether this thread expects a panic and will report it itself.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs the decoder, which checks most of a damaged file and panics on the
/// rest (polars-parquet 0.55.2). `None` after a panic: nothing of the decoder
/// survives it, and the user reads of a damaged file, not of a panic.
pub(super) fn quietly<T>(decode: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                others(info);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    QUIET.set(false);
    result.ok()
}

fn decode_sound(
    bytes: &[u8],
    name: &str,
    choose: impl FnOnce(&[String]) -> Result<Option<Vec<String>>>,
) -> std::result::Result<Decoded, Refused> {
    let unfit = |message: String| Refused::Unfit(Error::input(format!("`{name}`: {message}")));
    let mut reader = ParquetReader::new(Cursor::new(bytes)).read_parallel(ParallelStrategy::None);
    let rows = reader.num_rows()?;
    if rows as u64 > MAX_ROWS {
        return Err(unfit(format!("more than {MAX_ROWS} rows; split the trace")));
    }
    let schema = reader.schema()?;
    let names: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
    let chosen = choose(&names).map_err(Refused::Unfit)?;
    let is_chosen =
        |column: &str| chosen.as_ref().is_none_or(|chosen| chosen.iter().any(|c| c == column));
    let width = names.iter().filter(|n| is_chosen(n)).count();
    if (rows as u64).saturating_mul(width as u64) > MAX_CELLS {
        return Err(unfit(format!("more than {MAX_CELLS} cells; split the trace")));
    }
    for (column, field) in schema.iter().filter(|(column, _)| is_chosen(column)) {
        // Before decoding, because types outside this build are not decoded.
        let dtype = DataType::from_arrow_field(field);
        if !(dtype.is_integer() || dtype.is_float() || dtype == DataType::String) {
            return Err(unfit(format!(
                "column `{column}` has type {dtype}; write it as a number or as text"
            )));
        }
    }
    check_pages(&mut reader, bytes)?;
    let frame = reader.with_columns(chosen).finish()?;
    let mut columns = Vec::new();
    for column in frame.columns() {
        let series = column.as_materialized_series().rechunk();
        // A damaged page can leave a column of another length than it claims.
        let held: usize = series.chunks().iter().map(|chunk| chunk.len()).sum();
        if held != frame.height() || series.len() != frame.height() {
            return Err(Refused::Damaged(format!("column `{}` is incomplete", series.name())));
        }
        let values = match series.dtype() {
            DataType::String => Values::Text(series.str()?.clone()),
            dtype if dtype.is_float() => {
                Values::Floating(series.strict_cast(&DataType::Float64)?.f64()?.clone())
            }
            _ => {
                let whole = series
                    .strict_cast(&DataType::Int64)
                    .map_err(|_| unfit(format!("column `{}` exceeds 64 bits", series.name())))?;
                Values::Whole(whole.i64()?.clone())
            }
        };
        columns.push((series.name().to_string(), values));
    }
    Ok(Decoded { columns, rows: frame.height() })
}

/// Refuses a file whose pages claim what cannot be.
fn check_pages(
    reader: &mut ParquetReader<Cursor<&[u8]>>,
    bytes: &[u8],
) -> std::result::Result<(), Refused> {
    let damaged = |cause: &str| Refused::Damaged(cause.to_owned());
    let rows = reader.num_rows()?;
    let groups = &reader.get_metadata()?.row_groups;
    let grouped = groups.iter().try_fold(0usize, |sum, group| sum.checked_add(group.num_rows()));
    if grouped != Some(rows) {
        return Err(damaged("its row groups do not add up to its rows"));
    }
    let chunks = groups.iter().flat_map(|group| {
        let rows = group.num_rows();
        group.byte_ranges_iter().map(move |bytes| pages::Chunk { bytes, rows })
    });
    pages::check(bytes, chunks).map_err(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::PARQUET;
    use crate::import::{Format, OtherFile, TraceSource};
    use crate::units::Bytes;
    use crate::workload::Usage;
    use crate::workload::source::{LoadedTrace, TraceOptions};
    use polars::prelude::{DataFrame, IntoColumn as _, NamedFrom as _, ParquetWriter, Series};
    use proptest::prelude::*;

    /// A trace of the shared data whose run starts then.
    fn opendc(
        dir: &Path,
        tasks: &str,
        fragments: Option<&str>,
        memory_unit: Bytes,
        start: &str,
    ) -> Result<LoadedTrace> {
        let start: jiff::Timestamp = start.parse().expect("a time");
        let fragments = fragments
            .map(|name| OtherFile { path: dir.join(name), shown: format!("shown/{name}") });
        TraceSource {
            path: dir.join(tasks),
            shown: tasks.to_owned(),
            format: Format::Opendc { memory_unit, fragments },
            options: TraceOptions {
                start_unix_ms: Some(start.as_millisecond()),
                ..TraceOptions::default()
            },
        }
        .load(PARQUET)
    }

    #[test]
    fn half_a_year_of_surf_has_the_documented_counts() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let dir = shared.join("data/traces/opendc/surf_halfyear");
        let unit = Bytes(1 << 20);
        let loaded = opendc(&dir, "tasks.parquet", None, unit, "2022-06-30T00:00Z").expect("reads");
        let trace = &loaded.data.trace;
        assert_eq!((trace.len(), loaded.report.sorted), (194_917, 7_758));
        // 57,720 s and 124 days 13,099 s after the start.
        assert_eq!(trace.arrival_ms[0], 57_720_000);
        assert_eq!(trace.arrival_ms.last(), Some(&10_760_299_000));
        let [shape] = &*loaded.data.shapes else { panic!("one shape") };
        assert_eq!(shape.cpu.map(|c| c.0), Some(16_000));
        assert_eq!(shape.memory, Some(Bytes(100_000 << 20)));
        let hours = trace.duration_ms.iter().sum::<i64>() as f64 * 16.0 / 3.6e6;
        assert!((hours - 5_699_244.44).abs() < 0.01, "{hours}");
        assert!(trace.usage.is_empty());
        let late = opendc(&dir, "tasks.parquet", None, unit, "2022-07-01T00:00Z");
        let late = late.expect_err("rows before the start").to_string();
        assert!(late.contains("is before the start of the run; set `time.start`"), "{late}");
    }

    #[test]
    fn machines_of_bitbrains_have_usage_by_their_fragments() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        let dir = shared.join("data/traces/opendc/bitbrains-small");
        let read = |fragments| {
            opendc(&dir, "tasks.parquet", fragments, Bytes(1 << 10), "2013-08-12T00:00Z")
        };
        let loaded = read(Some("fragments.parquet")).expect("reads");
        let trace = &loaded.data.trace;
        assert_eq!((trace.len(), loaded.report.sorted), (50, 6));
        assert_eq!(loaded.report.warnings["above-capacity"].rows, 9);
        assert!(!loaded.report.warnings.contains_key("no-fragments"));
        let milli = |usage: &[Usage], row: usize| usage[row].cpu.map_or(-1, |c| c.0);
        for (name, mean, p95, max) in
            [("1019", 1, 4, 13), ("116", 58, 66, 202), ("740", 539, 945, 3_536)]
        {
            let row = (0..50).find(|row| trace.name(*row) == name).expect("a machine");
            let found = [&trace.usage, &trace.usage_p95, &trace.usage_max].map(|u| milli(u, row));
            assert_eq!(found, [mean, p95, max], "{name}");
        }
        let sum: i64 = (0..50).map(|row| milli(&trace.usage, row)).sum();
        assert_eq!(sum, 31_097);
        // A table of tasks is none of fragments.
        let error = read(Some("tasks.parquet")).expect_err("foreign").to_string();
        let wanted =
            "`shown/tasks.parquet` lacks the columns `cpu_usage`; it has id, submission_time";
        assert!(error.starts_with(wanted), "{error}");
    }

    #[test]
    fn columns_that_are_not_asked_for_may_hold_anything() {
        let columns = vec![
            Series::new("id".into(), [1i32, 2]).into_column(),
            Series::new("odd".into(), [true, false]).into_column(),
            Series::new("mhz".into(), [Some(1.5f64), None]).into_column(),
            Series::new("text".into(), ["a", "b"]).into_column(),
        ];
        let mut frame = DataFrame::new(2, columns).expect("equal lengths");
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).expect("memory");
        let read = |wanted: &[&str]| numbers(&bytes, "t.parquet", wanted);
        let table = read(&["mhz", "id"]).expect("numbers");
        assert_eq!(table.rows, 2);
        let wanted =
            [Numbers::Floating(vec![Some(1.5), None]), Numbers::Whole(vec![Some(1), Some(2)])];
        assert_eq!(table.columns, wanted);
        let error = read(&["text"]).expect_err("text").to_string();
        assert_eq!(error, "`t.parquet`: column `text` holds text, not numbers");
        let error = read(&["odd"]).expect_err("flag").to_string();
        assert!(error.contains("column `odd` has type bool"), "{error}");
        let error = read(&["id", "no"]).expect_err("absent").to_string();
        assert_eq!(error, "`t.parquet` lacks the columns `no`; it has id, odd, mhz, text");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damage_is_an_error_or_a_table(
            at in any::<proptest::sample::Index>(), byte in any::<u8>(),
        ) {
            let columns = vec![
                Series::new("id".into(), [1i64, 2, 3]).into_column(),
                Series::new("mhz".into(), [1.5f64, 2.5, 0.0]).into_column(),
            ];
            let mut frame = DataFrame::new(3, columns).expect("equal lengths");
            let mut bytes = Vec::new();
            ParquetWriter::new(&mut bytes).finish(&mut frame).expect("memory");
            let i = at.index(bytes.len());
            bytes[i] = byte;
            let _ = numbers(&bytes, "t.parquet", &["id", "mhz"]);
            bytes.truncate(i);
            prop_assert!(numbers(&bytes, "t.parquet", &["id"]).is_err());
        }
    }

    #[test]
    fn files_of_other_writers_pass_the_page_check() {
        let Some(shared) = crate::testing::shared_dir() else { return };
        for file in ["surf_halfyear/tasks", "bitbrains-small/tasks", "bitbrains-small/fragments"] {
            let path = shared.join(format!("data/traces/opendc/{file}.parquet"));
            let bytes = std::fs::read(path).expect("reads");
            let mut reader = ParquetReader::new(Cursor::new(bytes.as_slice()));
            assert!(check_pages(&mut reader, &bytes).is_ok(), "{file}");
        }
    }
}
