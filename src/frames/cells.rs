//! `cells.parquet`: one row per finished cell of a sweep, in the order of
//! combinations, then seeds.
//!
//! | column | type | meaning |
//! | --- | --- | --- |
//! | `combination` | UInt32 | index into the combinations of `sweep.json` |
//! | `case` | String | the case's name |
//! | one per axis, named by its path | Float64 where every value is a number, else String | the axis' value |
//! | `seed` | UInt64 | the seed |
//! | `serves_less` | Boolean | whether the combination leaves work undone that the baseline does |
//! | `goals_met` | Boolean | whether every goal holds in this cell; null without goals |
//! | `cost_usd`, `cost_list_usd`, `cost_on_demand_usd`, `cost_monthly_usd` | String | exact decimals: net, without commitments, all On-Demand, net scaled to 730 hours |
//! | one per metric of `sweep.json` (`cost`, `pending_p95`, `evictions`, …) | Float64 | null where there is none |
//!
//! Costs stand there twice: rounded for charts, exact for sums.

use std::io::Write;

use polars::prelude::{
    BooleanChunked, Column, Float64Chunked, IntoColumn as _, NewChunkedArray as _, PlSmallStr,
    StringChunked, UInt64Chunked,
};

use super::tables::{f64s, u32s, write};
use crate::sweep::{Axis, Combination, Metric, Outcome, SweepStudy};
use crate::{Error, Result};

/// A row: the combination's index, the combination, what the cell measured.
type Row<'a> = (u32, &'a Combination, &'a Outcome);

/// Writes `cells.parquet`.
///
/// # Errors
/// Where it cannot be written.
pub fn write_cells(study: &SweepStudy, out: impl Write) -> Result<()> {
    let rows: Vec<Row<'_>> = (0..)
        .zip(&study.combinations)
        .flat_map(|(i, c)| c.finished().map(move |o| (i, c, o)))
        .collect();
    if study.combinations.len() > u32::MAX as usize {
        return Err(Error::failed("more combinations than cells.parquet can number"));
    }
    write("cells.parquet", rows.len(), out, |range| {
        let rows = &rows[range];
        let case = |c: &Combination| study.cases.get(c.case).map(|c| c.name.clone());
        let mut columns = vec![
            u32s("combination", rows.iter().map(|r| r.0)),
            texts("case", rows.iter().map(|r| case(r.1))),
        ];
        for (at, axis) in study.axes.iter().enumerate() {
            columns.push(axis_column(at, axis, rows));
        }
        columns.extend([
            u64s("seed", rows.iter().map(|r| r.2.seed)),
            flags("serves_less", rows.iter().map(|r| Some(r.1.serves_less))),
            flags(
                "goals_met",
                rows.iter()
                    .map(|(.., o)| (!o.goals.is_empty()).then(|| o.goals.iter().all(|g| g.met))),
            ),
            texts("cost_usd", rows.iter().map(|r| Some(r.2.cost.total.to_string()))),
            texts("cost_list_usd", rows.iter().map(|r| Some(r.2.cost.list.to_string()))),
            texts("cost_on_demand_usd", rows.iter().map(|r| Some(r.2.cost.on_demand.to_string()))),
            texts("cost_monthly_usd", rows.iter().map(|r| r.2.cost.monthly.map(|m| m.to_string()))),
        ]);
        for metric in Metric::ALL {
            columns.push(maybe_f64s(metric.name(), rows.iter().map(|r| metric.value(r.2))));
        }
        Ok(columns)
    })
}

fn axis_column(at: usize, axis: &Axis, rows: &[Row<'_>]) -> Column {
    let numbers: Option<Vec<f64>> = axis.values.iter().map(|v| v.parse().ok()).collect();
    let value = |r: &Row<'_>| r.1.values.get(at).copied().unwrap_or(usize::MAX);
    match numbers.filter(|n| n.iter().all(|v| v.is_finite())) {
        Some(numbers) => f64s(
            &axis.path,
            rows.iter().map(|r| numbers.get(value(r)).copied().unwrap_or(f64::NAN)),
        ),
        None => texts(&axis.path, rows.iter().map(|r| axis.values.get(value(r)).cloned())),
    }
}

fn texts(name: &str, values: impl Iterator<Item = Option<String>>) -> Column {
    StringChunked::from_iter_options(PlSmallStr::from_str(name), values).into_column()
}

fn u64s(name: &str, values: impl Iterator<Item = u64>) -> Column {
    UInt64Chunked::from_vec(PlSmallStr::from_str(name), values.collect()).into_column()
}

fn flags(name: &str, values: impl Iterator<Item = Option<bool>>) -> Column {
    BooleanChunked::from_iter_options(PlSmallStr::from_str(name), values).into_column()
}

fn maybe_f64s(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    Float64Chunked::from_iter_options(PlSmallStr::from_str(name), values).into_column()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::sample::sweep_sample;
    use polars::prelude::{ParquetReader, SerReader as _};
    use std::io::Cursor;

    #[test]
    fn every_finished_cell_is_a_row() {
        let mut study = sweep_sample();
        study.axes[0].values = ["8", "Never", "12"].map(str::to_owned).to_vec();
        study.combinations[1].outcomes[2] = None;
        study.combinations[4].serves_less = true;
        let mut bytes = Vec::new();
        write_cells(&study, &mut bytes).expect("written");
        let table = ParquetReader::new(Cursor::new(bytes)).finish().expect("read");
        assert_eq!(table.height(), 2 * 3 * 3 * 3 - 1);
        let text = |name: &str, row: usize| {
            let column = table.column(name).expect("a column");
            column.str().expect("text").get(row).map(str::to_owned)
        };
        let number = |name: &str, row: usize| {
            table.column(name).expect("a column").f64().expect("numbers").get(row)
        };
        let flag = |name: &str, row: usize| {
            table.column(name).expect("a column").bool().expect("flags").get(row)
        };
        // Row 5 is the first seed of the third combination.
        assert_eq!(text("case", 5).as_deref(), Some("od"));
        assert_eq!(text("pools.batch.asg.max", 5).as_deref(), Some("8"));
        assert_eq!(number("commitments.base.usd-per-hour", 5), Some(5.0));
        let seeds = table.column("seed").expect("a column").u64().expect("seeds");
        assert_eq!((seeds.get(5), seeds.get(6)), (Some(1), Some(2)));
        let outcome = study.combinations[2].outcomes[0].as_ref().expect("finished");
        assert_eq!(text("cost_usd", 5), Some(outcome.cost.total.to_string()));
        assert_eq!(number("cost", 5), Some(outcome.cost.total.to_f64()));
        assert_eq!(number("pending_p95", 5), outcome.pending_s.p95);
        assert_eq!(flag("goals_met", 5), Some(true));
        assert_eq!((flag("serves_less", 10), flag("serves_less", 11)), (Some(false), Some(true)));
        assert_eq!(number("cpu_used_of_requested", 5), None);
    }
}
