//! Files of what a payer uses outside a scenario.
//!
//! CSV with three columns. `hour` is the start of a clock hour (UTC), RFC 3339;
//! or instead `hour_of_week` is 0 to 167 from Monday 00:00 UTC on, and every week
//! is alike. `kind` is an instance type (Linux, shared tenancy), `fargate-vcpu`
//! or `fargate-gb` (Linux, x86-64). `quantity` is instance-hours, vCPU-hours or
//! GB-hours of On-Demand usage in that hour, whatever covers it today. Rows of
//! one hour and kind add up; an hour without a row has no such usage. A bad row
//! fails the reading, up to twenty of them at once.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::bill::Unit;
use crate::bill::commitments::{OtherHours, WEEK_HOURS};
use crate::text;
use crate::units::{HOUR_MS, Money, Rate};
use crate::workload::source::{BadRow, BadRows};
use crate::workload::table::Table;
use crate::{Error, Result};

/// Most rows of a file: a century of 100 kinds would be more.
const MAX_ROWS: usize = 10_000_000;
/// Most of a kind in an hour.
const MAX_QUANTITY: i128 = 1_000_000;
const PICO: i128 = 1_000_000_000_000;

/// Fargate's two meters, as the file calls them.
pub(super) const FARGATE: [(&str, Unit); 2] =
    [("fargate-vcpu", Unit::VcpuHours), ("fargate-gb", Unit::GbHours)];

/// A file that was read.
#[derive(Debug)]
pub(super) struct OtherFile {
    /// What is used, in order of first use, and the line that says so first.
    pub(super) kinds: Vec<(String, u64)>,
    /// How much of it; items are the kinds.
    pub(super) hours: Arc<OtherHours>,
}

/// What the quantities of a kind count.
pub(super) fn unit(kind: &str) -> Unit {
    FARGATE.iter().find(|(name, _)| *name == kind).map_or(Unit::Hours, |(_, unit)| *unit)
}

impl OtherFile {
    /// Reads a file, plain or gzip.
    ///
    /// # Errors
    /// When it cannot be read, has other columns, bad rows or none.
    pub(super) fn read(path: &Path, shown: &str) -> Result<Self> {
        Self::parse(text::open(path)?, shown)
    }

    /// As [`OtherFile::read`] for bytes from elsewhere.
    fn parse(input: Box<dyn Read>, name: &str) -> Result<Self> {
        let mut table = Table::new(input, name)?;
        let columns = Columns::of(&table)?;
        let mut kinds: Vec<(String, u64)> = Vec::new();
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut cells: BTreeMap<(i64, u32), i128> = BTreeMap::new();
        let mut bad = BadRows::new(name, table.unit(), "correct them");
        let mut rows = 0usize;
        while table.advance()? {
            rows += 1;
            if rows > MAX_ROWS {
                return Err(Error::input(format!("`{name}`: more than {MAX_ROWS} rows")));
            }
            match columns.row(&table) {
                Err(fault) => bad.add(table.line(), fault)?,
                Ok((hour, kind, pico)) => {
                    let at = *known.entry(kind.clone()).or_insert_with(|| {
                        kinds.push((kind, table.line()));
                        (kinds.len() - 1) as u32
                    });
                    let sum = cells.entry((hour, at)).or_default();
                    *sum += pico;
                    if *sum > MAX_QUANTITY * PICO {
                        bad.add(table.line(), table.fault(columns.quantity, TOO_MUCH))?;
                    }
                }
            }
        }
        bad.finish()?;
        if cells.is_empty() {
            return Err(Error::input(format!(
                "`{name}` has no rows; leave `other-usage` out where there is none"
            )));
        }
        let mut hashing = Sha256::new();
        hashing.update([u8::from(columns.weekly)]);
        for (kind, _) in &kinds {
            hashing.update(kind.as_bytes());
            hashing.update([0]);
        }
        let small = |((hour, kind), pico): ((i64, u32), i128)| {
            let per = kinds.get(kind as usize).map_or(0, |(kind, _)| unit(kind).per());
            (hour, kind, Money::from_pico(pico).scale(per.into(), PICO).pico())
        };
        let rows: Vec<(i64, u32, i128)> = cells.into_iter().map(small).collect();
        for (hour, kind, quantity) in &rows {
            hashing.update(hour.to_le_bytes());
            hashing.update(kind.to_le_bytes());
            hashing.update(quantity.to_le_bytes());
        }
        let digest = hashing.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let hours = Arc::new(OtherHours::new(columns.weekly, rows, digest));
        Ok(OtherFile { kinds, hours })
    }
}

const TOO_MUCH: &str = "makes more than 1,000,000 of the kind in the hour";

/// Where the columns stand.
struct Columns {
    weekly: bool,
    hour: usize,
    kind: usize,
    quantity: usize,
}

impl Columns {
    fn of(table: &Table) -> Result<Self> {
        let found = (table.find("kind"), table.find("quantity"));
        let hour = (table.find("hour"), table.find("hour_of_week"));
        let (weekly, hour) = match hour {
            (Some(hour), None) => (false, Some(hour)),
            (None, hour) => (true, hour),
            (Some(_), Some(_)) => (false, None),
        };
        match (hour, found) {
            (Some(hour), (Some(kind), Some(quantity))) if table.header().len() == 3 => {
                Ok(Columns { weekly, hour, kind, quantity })
            }
            _ => Err(Error::input(format!(
                "`{}`: a file of other usage has the three columns `hour` (or `hour_of_week`), \
                 `kind` and `quantity`, not `{}`",
                table.name(),
                text::excerpt(table.header().join(",").as_bytes(), 80)
            ))),
        }
    }

    /// Hour, kind, and quantity in 10⁻¹² of its unit.
    fn row(&self, table: &Table) -> std::result::Result<(i64, String, i128), BadRow> {
        table.check_width()?;
        let fault = |column, cause: &str| table.fault(column, cause);
        let cell = table.cell(self.hour);
        let hour = if self.weekly {
            text::integer(cell, 0, WEEK_HOURS - 1).map_err(|e| fault(self.hour, &e))?
        } else {
            let ms = text::timestamp_ms(cell).map_err(|e| fault(self.hour, e))?;
            if ms.rem_euclid(HOUR_MS) != 0 {
                return Err(fault(self.hour, "is not the start of a clock hour (UTC)"));
            }
            ms.div_euclid(HOUR_MS)
        };
        let plain = |column| std::str::from_utf8(table.cell(column)).map_or("", str::trim);
        let kind = plain(self.kind);
        if kind.is_empty() {
            return Err(fault(
                self.kind,
                "is no kind: an instance type, fargate-vcpu or fargate-gb",
            ));
        }
        let quantity: Rate = plain(self.quantity)
            .parse()
            .map_err(|_| fault(self.quantity, "is no number of hours such as 12.5"))?;
        if !(0..=MAX_QUANTITY * PICO).contains(&quantity.pico()) {
            return Err(fault(self.quantity, "is not between 0 and 1,000,000"));
        }
        Ok((hour, kind.to_owned(), quantity.pico()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<OtherFile> {
        OtherFile::parse(Box::new(std::io::Cursor::new(text.to_owned())), "other.csv")
    }

    #[test]
    fn rows_become_small_units() {
        let file = parse(
            "hour,kind,quantity\n2026-01-05T01:00:00Z,m5.large,1.5\n\
             2026-01-05T02:00:00+01:00,m5.large,0.5\n2026-01-05T00:00Z,fargate-gb,2\n",
        );
        let file = file.expect("reads");
        assert_eq!(file.kinds, [("m5.large".to_owned(), 2), ("fargate-gb".to_owned(), 4)]);
        // 2026-01-05 is day 20,458. The two rows of 01:00 UTC add up to 2 h; a
        // GB-hour is 2^20 KiB × 3.6e6 ms.
        let midnight = 20_458 * 24;
        let gb = 2 * (1i128 << 20) * 3_600_000;
        let rows = vec![(midnight, 1, gb), (midnight + 1, 0, 7_200_000)];
        let expected = OtherHours::new(false, rows, digest(&file));
        assert_eq!(*file.hours, expected);
        assert_eq!(file.hours.span(), Some((midnight, midnight + 1)));
        // Another quantity, another digest: plans are told apart by it.
        let other = parse("hour,kind,quantity\n2026-01-05T01:00:00Z,m5.large,1.5\n");
        assert_ne!(digest(&other.expect("reads")), digest(&file));
    }

    fn digest(file: &OtherFile) -> String {
        let shown = format!("{:?}", file.hours);
        shown.trim_start_matches("OtherHours(").trim_end_matches(')').to_owned()
    }

    #[test]
    fn bad_files_say_where_and_what() {
        let bad = "hour,kind,quantity\n2026-01-05T00:30:00Z,m5.large,1\nyesterday,m5.large,1\n\
                   2026-01-05T00:00:00Z,,1\n2026-01-05T00:00:00Z,m5.large,-1\n\
                   2026-01-05T00:00:00Z,m5.large,many\n2026-01-05T00:00:00Z,m5.large\n\
                   2026-01-05T00:00:00Z,m5.large,900000\n2026-01-05T00:00:00Z,m5.large,900000\n";
        let error = parse(bad).expect_err("bad");
        assert!(error.is_input());
        let said = error.to_string();
        for part in [
            "7 bad rows",
            "line 2, column `hour`: `2026-01-05T00:30:00Z` is not the start of a clock hour",
            "line 3, column `hour`: `yesterday` is no timestamp",
            "line 4, column `kind`: the empty value is no kind: an instance type, fargate-vcpu",
            "line 5, column `quantity`: `-1` is not between 0 and 1,000,000",
            "line 6, column `quantity`: `many` is no number of hours",
            "line 7: has 2 fields",
            "line 9, column `quantity`: `900000` makes more than 1,000,000",
            "correct them",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
        let weekly = parse("hour_of_week,kind,quantity\n168,m5.large,1\n").expect_err("bad");
        assert!(weekly.to_string().contains("from 0 to 167"), "{weekly}");
        for header in ["hour,kind", "hour,hour_of_week,kind,quantity", "time,kind,quantity"] {
            let error = parse(&format!("{header}\n")).expect_err("bad").to_string();
            assert!(error.contains("the three columns `hour` (or `hour_of_week`)"), "{error}");
        }
        let none = parse("hour,kind,quantity\n").expect_err("bad").to_string();
        assert!(none.contains("has no rows"), "{none}");
    }
}
