//! Billing files as Parquet read as the CSV of the same rows does.

use std::io::{Seek as _, Write as _};
use std::path::Path;

use polars::prelude::{ArrowDataType, ArrowField, ArrowSchema, ArrowTimeUnit, PlSmallStr};
use polars_arrow::array::{
    Array, BooleanArray, ListArray, PrimitiveArray, StructArray, Utf8ViewArray,
};
use polars_arrow::record_batch::RecordBatchT;
use polars_parquet::write::{
    CompressionOptions, Encoding, FileWriter, RowGroupIterator, StatisticsOptions, Version,
    WriteOptions,
};
use proptest::prelude::*;

use super::rows::{BATCH, open_table};
use crate::bill::statement::{GroupBy, Statement};
use crate::testing::shared_dir;
use crate::{Result, text};

type Columns = Vec<Box<dyn Array>>;
type Tag = (String, Option<String>);

/// A Parquet file of these row groups.
fn parquet(fields: &[ArrowField], groups: Vec<Columns>) -> tempfile::NamedTempFile {
    let schema: ArrowSchema = fields.iter().map(|f| (f.name.clone(), f.clone())).collect();
    let options = WriteOptions {
        statistics: StatisticsOptions::default(),
        version: Version::V1,
        compression: CompressionOptions::Snappy,
        data_page_size: Some(2_000),
    };
    let leaves = |field: &ArrowField| match field.dtype() {
        ArrowDataType::LargeList(_) => 2,
        _ => 1,
    };
    let encodings: Vec<Vec<Encoding>> =
        fields.iter().map(|field| vec![Encoding::Plain; leaves(field)]).collect();
    let sizes: Vec<u64> = groups.iter().map(|columns| columns[0].len() as u64).collect();
    let batches = groups
        .into_iter()
        .map(|columns| RecordBatchT::try_new(columns[0].len(), schema.clone().into(), columns));
    let groups = RowGroupIterator::try_new(batches, &schema, options, encodings.into());
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut writer = FileWriter::try_new(file, schema.clone(), options).expect("a schema");
    for (size, group) in sizes.into_iter().zip(groups.expect("a schema")) {
        writer.write(size, group.expect("a group")).expect("written");
    }
    writer.end(None).expect("written");
    let mut file = writer.into_inner();
    file.flush().expect("written");
    file.rewind().expect("a file");
    file
}

fn field(name: &str, dtype: ArrowDataType) -> ArrowField {
    ArrowField::new(PlSmallStr::from_str(name), dtype, true)
}

/// A map of texts: a list of keys with values, which is how it stands in a file.
fn tags() -> ArrowDataType {
    let text = |name: &str, may_be_null| {
        ArrowField::new(PlSmallStr::from_str(name), ArrowDataType::Utf8View, may_be_null)
    };
    let entry = ArrowDataType::Struct(vec![text("key", false), text("value", true)]);
    ArrowDataType::LargeList(Box::new(ArrowField::new("key_value".into(), entry, false)))
}

fn texts<'a>(cells: impl Iterator<Item = Option<&'a str>>) -> Box<dyn Array> {
    Box::new(Utf8ViewArray::from_slice(cells.collect::<Vec<_>>()))
}

/// Maps of texts; `None` is null.
fn maps(rows: &[Option<Vec<Tag>>]) -> Box<dyn Array> {
    let entries = || rows.iter().flatten().flatten();
    let keys = texts(entries().map(|(key, _)| Some(key.as_str())));
    let values = texts(entries().map(|(_, value)| value.as_deref()));
    let dtype = tags();
    let ArrowDataType::LargeList(inner) = &dtype else { panic!("a list") };
    let columns: Columns = vec![keys, values];
    let entry = StructArray::new(inner.dtype().clone(), entries().count(), columns, None);
    let mut ends = vec![0i64];
    for row in rows {
        let size = row.as_ref().map_or(0, Vec::len) as i64;
        ends.push(ends.last().copied().unwrap_or(0) + size);
    }
    let validity = rows.iter().map(Option::is_some).collect::<polars_arrow::bitmap::Bitmap>();
    let offsets = ends.try_into().expect("ascending");
    Box::new(ListArray::<i64>::new(dtype.clone(), offsets, Box::new(entry), Some(validity)))
}

/// The cells of every row.
fn cells(path: &Path) -> Result<Vec<Vec<String>>> {
    let mut table = open_table(path)?;
    let width = table.header().len();
    table.choose(&(0..width).collect::<Vec<_>>())?;
    let mut rows = Vec::new();
    while table.advance()? {
        assert_eq!((table.line(), table.unit()), (rows.len() as u64 + 1, "row"));
        rows.push(
            (0..width).map(|c| String::from_utf8_lossy(table.cell(c)).into_owned()).collect(),
        );
    }
    Ok(rows)
}

/// Two row groups, of three rows and of one.
fn of_every_type() -> (Vec<ArrowField>, Vec<Columns>) {
    use ArrowDataType as D;
    let micros = D::Timestamp(ArrowTimeUnit::Microsecond, Some("+00:00".into()));
    let fields = vec![
        field("text", D::Utf8View),
        field("micros", micros.clone()),
        field("day", D::Date32),
        field("decimal", D::Decimal(20, 3)),
        field("flag", D::Boolean),
        field("whole", D::UInt32),
        field("single", D::Float32),
        field("double", D::Float64),
        field("tags", tags()),
    ];
    let group = |from: usize, to: usize| -> Columns {
        let tag = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        let maps_of = [
            Some(vec![tag("a", Some("x\"y")), tag("b", None)]),
            None,
            Some(vec![]),
            Some(vec![tag("é", Some(""))]),
        ];
        vec![
            texts([Some("a,b"), None, Some(""), Some("é")][from..to].iter().copied()),
            Box::new(
                [Some(1_777_593_600_000_000i64), None, Some(1_777_593_600_500_000), Some(-1)]
                    [from..to]
                    .iter()
                    .copied()
                    .collect::<PrimitiveArray<i64>>()
                    .to(micros.clone()),
            ),
            Box::new(
                [Some(20_574), None, Some(0), Some(-1)][from..to]
                    .iter()
                    .copied()
                    .collect::<PrimitiveArray<i32>>()
                    .to(D::Date32),
            ),
            Box::new(
                [Some(1_230i128), Some(-5), None, Some(12_345_678_901_234_567_890)][from..to]
                    .iter()
                    .copied()
                    .collect::<PrimitiveArray<i128>>()
                    .to(D::Decimal(20, 3)),
            ),
            Box::new(
                [Some(true), Some(false), None, None][from..to]
                    .iter()
                    .copied()
                    .collect::<BooleanArray>(),
            ),
            Box::new(
                [Some(7u32), None, Some(u32::MAX), Some(0)][from..to]
                    .iter()
                    .copied()
                    .collect::<PrimitiveArray<u32>>(),
            ),
            Box::new(
                [Some(0.1f32), None, Some(1.0), Some(-2.5)][from..to]
                    .iter()
                    .copied()
                    .collect::<PrimitiveArray<f32>>(),
            ),
            Box::new(
                [Some(0.1f64), None, Some(1e-7), Some(f64::NAN)][from..to]
                    .iter()
                    .copied()
                    .collect::<PrimitiveArray<f64>>(),
            ),
            maps(&maps_of[from..to]),
        ]
    };
    (fields, vec![group(0, 3), group(3, 4)])
}

#[test]
fn cells_are_what_csv_would_hold() {
    let (fields, groups) = of_every_type();
    let file = parquet(&fields, groups);
    let expected = [
        [
            "a,b",
            "2026-05-01T00:00:00Z",
            "2026-05-01T00:00:00Z",
            "1.230",
            "true",
            "7",
            "0.1",
            "0.1",
            "{\"a\":\"x\\\"y\",\"b\":null}",
        ],
        ["", "", "", "-0.005", "false", "", "", "", ""],
        [
            "",
            "2026-05-01T00:00:00.5Z",
            "1970-01-01T00:00:00Z",
            "",
            "",
            "4294967295",
            "1",
            "0.0000001",
            "{}",
        ],
        [
            "é",
            "1969-12-31T23:59:59.999999Z",
            "1969-12-31T00:00:00Z",
            "12345678901234567.890",
            "",
            "0",
            "-2.5",
            "NaN",
            "{\"é\":\"\"}",
        ],
    ];
    assert_eq!(cells(file.path()).expect("reads"), expected);
}

/// The real sample, its amounts as doubles, its times as times, its tags as maps.
#[test]
fn the_real_sample_reads_alike() {
    let Some(shared) = shared_dir() else { return };
    let path = shared.join("data/billing/focus_1.0_sample.csv");
    let mut csv = csv::Reader::from_path(&path).expect("the sample");
    let header = csv.headers().expect("a header").clone();
    let records: Vec<csv::StringRecord> = csv.records().map(|r| r.expect("a row")).collect();
    let known = |cell: &str| Some(cell.to_owned()).filter(|c| !c.is_empty() && c != "NULL");
    let ms = ArrowDataType::Timestamp(ArrowTimeUnit::Millisecond, None);
    let (mut fields, mut groups) = (Vec::new(), vec![Columns::new(); 3]);
    for (at, name) in header.iter().enumerate() {
        let cells: Vec<Option<String>> = records.iter().map(|r| known(&r[at])).collect();
        let is_number = ["Cost", "Price", "Quantity"].iter().any(|end| name.ends_with(end));
        let is_time = name.ends_with("Start") || name.ends_with("End");
        let dtype = match name {
            _ if is_number => ArrowDataType::Float64,
            _ if is_time => ms.clone(),
            "Tags" => tags(),
            _ => ArrowDataType::Utf8View,
        };
        fields.push(field(name, dtype));
        for (group, cells) in groups.iter_mut().zip(cells.chunks(200)) {
            let cells = cells.iter().map(Option::as_deref);
            let array: Box<dyn Array> = if is_number {
                let number = |cell: &str| cell.parse::<f64>().expect("a number");
                Box::new(cells.map(|c| c.map(number)).collect::<PrimitiveArray<f64>>())
            } else if is_time {
                let time = |cell: &str| text::timestamp_ms(cell.as_bytes()).expect("a time");
                let times = cells.map(|c| c.map(time)).collect::<PrimitiveArray<i64>>();
                Box::new(times.to(ms.clone()))
            } else if name == "Tags" {
                let map = |cell: &str| {
                    let map: serde_json::Map<String, serde_json::Value> =
                        serde_json::from_str(cell).expect("tags");
                    let text = |v: serde_json::Value| v.as_str().map(str::to_owned);
                    map.into_iter().map(|(k, v)| (k, text(v))).collect::<Vec<_>>()
                };
                maps(&cells.map(|c| c.map(map)).collect::<Vec<_>>())
            } else {
                texts(cells)
            };
            group.push(array);
        }
    }
    let file = parquet(&fields, groups);
    let rows = |path: &Path| {
        let mut file = Statement::open(path, open_table).expect("a bill");
        file.group_by(&GroupBy::Tag("application".to_owned())).expect("a column");
        let mut rows = Vec::new();
        file.each(|file, row| {
            let mut row = *row;
            row.line = 0;
            rows.push(format!("{row:?} {:?}", file.group()));
            Ok(Ok(()))
        })
        .expect("every row");
        rows
    };
    let (of_csv, of_parquet) = (rows(&path), rows(file.path()));
    assert_eq!(of_csv.len(), 500);
    assert!(of_csv.iter().filter(|row| row.contains("Ok(Some(")).count() > 100, "tags");
    for (csv, parquet) in of_csv.iter().zip(&of_parquet) {
        assert_eq!(csv, parquet);
    }
    assert_eq!(of_parquet.len(), 500);
}

#[test]
fn what_is_no_table_of_texts_is_refused() {
    let (fields, groups) = of_every_type();
    let file = parquet(&fields, groups);
    let whole = std::fs::read(file.path()).expect("reads");
    for cut in [4, 8, whole.len() / 2, whole.len() - 1] {
        std::fs::write(file.path(), &whole[..cut]).expect("written");
        let error = cells(file.path()).expect_err("cut");
        assert!(
            error.is_input() && error.to_string().contains("is not a readable Parquet"),
            "{error}"
        );
    }
    let list = ArrowDataType::FixedSizeBinary(2);
    let array =
        polars_arrow::array::FixedSizeBinaryArray::new(list.clone(), vec![1u8, 2].into(), None);
    let odd = parquet(&[field("odd", list)], vec![vec![Box::new(array)]]);
    let error = cells(odd.path()).expect_err("bytes").to_string();
    assert!(error.contains("column `odd` has type"), "{error}");
    assert!(error.contains("write it as a number, a time or text"), "{error}");
}

/// More rows than are decoded at once, of pages that straddle the batches.
#[test]
fn batches_join() {
    let rows = 2 * BATCH + 1_000;
    let names = (0..rows).map(|i| Some(format!("t{i}"))).collect::<Vec<_>>();
    let numbers = (0..rows as i64).map(|i| (i % 7 != 0).then_some(i));
    let tagged: Vec<_> = (0..rows)
        .map(|i| (i % 3 != 0).then(|| vec![("k".to_owned(), Some(i.to_string())); i % 3]))
        .collect();
    let columns: Columns = vec![
        texts(names.iter().map(Option::as_deref)),
        Box::new(numbers.collect::<PrimitiveArray<i64>>()),
        maps(&tagged),
    ];
    let fields =
        [field("t", ArrowDataType::Utf8View), field("n", ArrowDataType::Int64), field("m", tags())];
    let file = parquet(&fields, vec![columns]);
    let read = cells(file.path()).expect("reads");
    assert_eq!(read.len(), rows);
    for (i, row) in read.iter().enumerate() {
        let number = if i % 7 == 0 { String::new() } else { i.to_string() };
        let map = if i % 3 == 0 { String::new() } else { format!("{{\"k\":\"{i}\"}}") };
        assert_eq!(*row, [format!("t{i}"), number, map]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damage_is_an_error_or_a_table(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let (fields, groups) = of_every_type();
        let file = parquet(&fields, groups);
        let mut bytes = std::fs::read(file.path()).expect("reads");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        std::fs::write(file.path(), &bytes).expect("written");
        let _ = cells(file.path());
    }
}
