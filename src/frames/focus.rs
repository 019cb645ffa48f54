//! `focus.parquet`: the rows of `focus.csv` as Parquet.
//!
//! Text, times (ISO 8601, UTC) and JSON are strings, dictionary-encoded;
//! decimals are Float64, which hold 15 to 16 digits: whoever needs sums exact to
//! the pico-USD takes the CSV. Nulls are nulls.
//!
//! Groups are smaller than those of other tables, since every row has some
//! 50 strings. Measured: 7.2 million rows take 11 CPU-s and 18 MB beyond the bill's, in a
//! file of 29 MB.

use std::io::Write;

use polars::prelude::{
    Column as Series, Float64Chunked, IntoColumn as _, NewChunkedArray as _, PlSmallStr,
};

use super::tables::{Names, write_groups};
use crate::bill::focus::{Column, Decimal, Kind, Row, Table};
use crate::{Error, Result};

/// Rows built and written at once.
const GROUP_ROWS: usize = 1 << 15;

/// Writes every row of the table.
///
/// # Errors
/// Where it cannot be written.
pub fn write_parquet(table: &Table<'_>, out: impl Write) -> Result<()> {
    let hours = table.hours();
    let fixed = |column: Column| {
        Names::maybe((0..table.templates()).map(|template| table.fixed(template, column)))
    };
    // What the same few texts serve is made once.
    let shared: Vec<Option<Names>> = Column::ALL
        .iter()
        .map(|column| match column.kind() {
            Kind::Time => Some(Names::maybe(hours.clone().map(|h| table.time(h, *column)))),
            Kind::Text | Kind::Json if Table::is_fixed(*column) => Some(fixed(*column)),
            Kind::Text | Kind::Json | Kind::Decimal => None,
        })
        .collect();
    write_groups("focus.parquet", table.len(), GROUP_ROWS, out, |range| {
        let rows: Vec<Row> = range.map(|i| table.row(i)).collect();
        let (firsts, ids) = resources(&rows);
        let mut out: Vec<Series> = Vec::with_capacity(Column::ALL.len());
        for (column, shared) in Column::ALL.iter().zip(&shared) {
            let name = column.name();
            out.push(match (column.kind(), shared) {
                (Kind::Time, Some(names)) => names
                    .column(name, rows.iter().map(|r| (r.hour() - hours.start).cast_unsigned()))?,
                (_, Some(names)) => {
                    names.column(name, rows.iter().map(|r| u32::from(r.template())))?
                }
                (Kind::Decimal, None) => {
                    let values = rows.iter().map(|r| table.number(r, *column).map(Decimal::to_f64));
                    Float64Chunked::from_iter_options(PlSmallStr::from_str(name), values)
                        .into_column()
                }
                (Kind::Text | Kind::Json | Kind::Time, None) => {
                    let texts: Vec<Option<String>> =
                        firsts.iter().map(|row| table.of_resource(row, *column)).collect();
                    Names::maybe(texts.iter().map(Option::as_deref))
                        .column(name, ids.iter().copied())?
                }
            });
        }
        Ok(out)
    })
    .map_err(|e| Error::failed(e.to_string()))
}

/// The first row of every stretch of rows about one resource, and for each row
/// the number of its stretch.
fn resources(rows: &[Row]) -> (Vec<Row>, Vec<u32>) {
    let mut firsts: Vec<Row> = Vec::new();
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        if firsts.last().is_none_or(|last| last.resource() != row.resource()) {
            firsts.push(*row);
        }
        ids.push(firsts.len() as u32 - 1);
    }
    (firsts, ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::focus::{Labels, Sources, write_csv};
    use crate::bill::{Bill, KeepLines};
    use crate::observe::KeepPods;
    use crate::plan::{self, Options};
    use crate::scenario::Source;
    use polars::prelude::{AnyValue, ParquetReader, SerReader as _};

    const SCENARIO: &str = "
version: 1
name: two-hours
region: us-east-1
time: { horizon: 2h }
workload:
  web: { service: { demand: 4, cpu-time-per-request: 50ms, requests: { cpu: 500m, memory: 1Gi }, replicas: { target: 60%, min: 1, max: 1 } } }
pools:
  nodes: { fixed: { type: m5.large, count: 2 } }
commitments:
  owned: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.1 }
charges: { root-volume: 20Gi }
";

    /// Reads both files back: the same cells, nulls where the CSV is empty.
    #[test]
    fn parquet_holds_what_csv_holds() {
        let path = std::path::Path::new("two-hours.yaml");
        let source = Source::parse(path, SCENARIO.as_bytes()).expect("a scenario");
        let plan = plan::link(&source, &Options::default()).expect("a plan");
        let case = &plan.cases[0];
        let workloads = case.workload.materialise(1).expect("pods");
        let record = crate::world::run(&case.setup, &workloads, 1, KeepPods::No);
        let cluster = &*case.setup.cluster;
        let keep = KeepLines::Yes;
        let bill =
            Bill::compute(&record, cluster, &workloads, &case.billing, keep).expect("a bill");
        let labels = Labels { scenario: &plan.name, case: &case.name, region: &case.region };
        let sources = Sources {
            record: &record,
            cluster,
            workloads: &workloads,
            plan: &case.billing,
            labels,
        };
        let table = Table::new(&bill, sources).expect("a table");
        let (mut text, mut bytes) = (Vec::new(), Vec::new());
        write_csv(&table, &mut text).expect("written");
        write_parquet(&table, &mut bytes).expect("written");
        let df = ParquetReader::new(std::io::Cursor::new(bytes)).finish().expect("parquet");
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let header = reader.headers().expect("a header").clone();
        assert_eq!(df.width(), header.len());
        let (mut row, mut texts, mut numbers, mut nulls) = (0, 0, 0, 0);
        for record in reader.records() {
            let record = record.expect("a record");
            for (name, cell) in header.iter().zip(&record) {
                let column = df.column(name).expect("the column of the CSV");
                match column.get(row).expect("a row") {
                    AnyValue::Null => {
                        assert_eq!(cell, "", "{name} of row {row}");
                        nulls += 1;
                    }
                    AnyValue::Float64(value) => {
                        let exact: f64 = cell.parse().expect("a number");
                        assert!((value - exact).abs() <= exact.abs() * 1e-15, "{name}: {cell}");
                        numbers += 1;
                    }
                    value => {
                        assert_eq!(value.get_str(), Some(cell), "{name} of row {row}");
                        texts += 1;
                    }
                }
            }
            row += 1;
        }
        assert_eq!(df.height(), row);
        assert!(row > 4 && texts > 100 && numbers > 30 && nulls > 30);
    }
}
