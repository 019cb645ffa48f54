//! Recorded Spot prices, read from a file.
//!
//! Two forms, told apart by the first character:
//!
//! * JSON of `aws ec2 describe-spot-price-history`: an object with
//!   `SpotPriceHistory`, several of them one after another (a page each), or
//!   arrays of objects or of the rows themselves;
//! * CSV with a header: `timestamp`, `instance_type`, `spot_price`, and
//!   `availability_zone`; optional `product_description`, `region` and
//!   `dataset`. Other columns are left alone. Names are read without regard to
//!   case, `_` and `-`, so that AWS's own (`AvailabilityZone`) serve; `zone`,
//!   `effective_from` and `usd_per_hour` are other names of three of them. A
//!   row without a zone holds for its whole `region`.
//!
//! Rows of other products than Linux/UNIX are skipped. Rows may come in any
//! order and more than once. Two prices of one type, zone and time are an error; of
//! two of a whole Region the later one in the file counts.

mod json;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};

use jiff::Timestamp;

use crate::names::nearest;
use crate::text::sealed::{Last, Seal, Sealed};
use crate::units::Rate;
use crate::{Error, Result};

/// Most rows of a history: 16 bytes each.
const MAX_ROWS: usize = 50_000_000;

/// Most names of data sets that are kept for an error.
const DATASETS: usize = 1_000;
/// Data sets that an error names.
const NAMED_DATASETS: usize = 5;

/// Recorded prices by instance type and zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpotHistory {
    /// Type to zone to (Unix milliseconds, pico-USD per hour), ascending.
    pools: BTreeMap<String, BTreeMap<String, Vec<(i64, i64)>>>,
    zones: Vec<String>,
    /// Rows that were kept.
    rows: usize,
    first: i64,
    last: i64,
}

/// One row as it was written.
#[derive(Debug, Clone, Default)]
struct Row {
    zone: String,
    kind: String,
    product: Option<String>,
    price: String,
    time: String,
}

impl SpotHistory {
    /// Reads a file that errors call `shown`; `dataset` keeps only the rows
    /// with this value in the column of that name.
    ///
    /// # Errors
    /// Where a row cannot be read or used, naming line and remedy; where
    /// nothing is left.
    pub fn read(input: impl Read, shown: &str, dataset: Option<&str>) -> Result<Self> {
        let mut input = BufReader::new(input);
        let mut rows = Rows { history: SpotHistory::default(), skipped: 0 };
        let failed = |e: std::io::Error| Error::input(format!("`{shown}`: {e}"));
        let mut start = input.fill_buf().map_err(failed)?;
        start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        match start.iter().find(|b| !b.is_ascii_whitespace()) {
            Some(b'{' | b'[') => {
                if let Some(name) = dataset {
                    return Err(Error::input(format!(
                        "`{shown}` is JSON, which has no data sets; leave out `{name}`"
                    )));
                }
                json::read(input, shown, &mut rows)?;
            }
            Some(_) => read_csv(input, shown, dataset, &mut rows)?,
            None => return Err(Error::input(format!("`{shown}` is empty"))),
        }
        rows.finish(shown)
    }

    /// The rows of a pool, ascending in time: (Unix milliseconds, USD per
    /// hour). Zones are those of the file.
    #[must_use]
    pub fn pool(
        &self,
        instance_type: &str,
        zone: &str,
    ) -> Option<impl Iterator<Item = (i64, Rate)>> {
        let rows = self.pools.get(instance_type)?.get(zone)?;
        Some(rows.iter().map(|(at, pico)| (*at, Rate::from_pico(i128::from(*pico)))))
    }

    /// Type, zone and mean price over time of every pool, from its first row to
    /// the last one of the file.
    pub fn means(&self) -> impl Iterator<Item = (&str, &str, Rate)> {
        self.pools.iter().flat_map(move |(name, zones)| {
            zones.iter().map(move |(zone, rows)| (&**name, &**zone, self.mean(rows)))
        })
    }

    fn mean(&self, rows: &[(i64, i64)]) -> Rate {
        let ends = rows.iter().skip(1).map(|(at, _)| *at).chain([self.last]);
        let (mut sum, mut time) = (0i128, 0i128);
        for ((at, pico), end) in rows.iter().zip(ends) {
            let span = i128::from(end - at);
            // A price is at most 10^17 pico-USD, a span of a century 10^13 ms.
            sum += i128::from(*pico) * span;
            time += span;
        }
        if time > 0 {
            return Rate::from_pico(sum / time);
        }
        Rate::from_pico(rows.last().map_or(0, |(_, pico)| i128::from(*pico)))
    }

    /// All zones of the file, each once, sorted.
    #[must_use]
    pub fn zones(&self) -> &[String] {
        &self.zones
    }

    /// Times of the first and the last row, Unix milliseconds.
    #[must_use]
    pub fn span(&self) -> (i64, i64) {
        (self.first, self.last)
    }
}

/// Rows on their way into a history.
struct Rows {
    history: SpotHistory,
    skipped: usize,
}

impl Rows {
    /// Takes a row, or says why it cannot be used.
    fn add(&mut self, row: &Row) -> std::result::Result<(), String> {
        if !row.product.as_deref().is_none_or(is_linux) {
            self.skipped += 1;
            return Ok(());
        }
        let history = &mut self.history;
        if row.kind.is_empty() {
            return Err("the row names no instance type".to_owned());
        }
        if row.zone.is_empty() {
            return Err("the row names neither zone nor Region".to_owned());
        }
        let at = row
            .time
            .parse::<Timestamp>()
            .map_err(|_| {
                format!("`{}` is no time with an offset, as 2025-01-06T00:00:00Z", row.time)
            })?
            .as_millisecond();
        let price: Rate = row.price.parse().map_err(|e| format!("price `{}`: {e}", row.price))?;
        let pico = i64::try_from(price.pico())
            .ok()
            .filter(|_| Rate::ZERO < price && price <= Rate::MOST)
            .ok_or_else(|| {
                format!("price `{}` is not above 0 and at most 100,000 USD", row.price)
            })?;
        if history.rows == MAX_ROWS {
            return Err(format!("more than {MAX_ROWS} rows"));
        }
        (history.first, history.last) = match history.rows {
            0 => (at, at),
            _ => (history.first.min(at), history.last.max(at)),
        };
        history.rows += 1;
        let zones = entry(&mut history.pools, &row.kind);
        entry(zones, &row.zone).push((at, pico));
        Ok(())
    }

    fn finish(self, shown: &str) -> Result<SpotHistory> {
        let mut history = self.history;
        if history.rows == 0 {
            let skipped = match self.skipped {
                0 => String::new(),
                n => format!("; {n} rows of other products were skipped"),
            };
            return Err(Error::input(format!("`{shown}` has no row of Linux/UNIX{skipped}")));
        }
        for (kind, zones) in &mut history.pools {
            for (zone, rows) in zones {
                // Stable: among equal times the order of the file stands.
                rows.sort_by_key(|(at, _)| *at);
                let clash = |(one, other): &(&(i64, i64), &(i64, i64))| {
                    one.0 == other.0 && one.1 != other.1
                };
                // Rows of a whole Region are of several zones.
                let two = if usual_zone_id(zone).is_some() || zone.contains("-az") {
                    rows.iter().zip(rows.iter().skip(1)).find(clash)
                } else {
                    None
                };
                if let Some(((at, one), (_, other))) = two {
                    return Err(Error::input(contradiction(
                        shown,
                        kind,
                        zone,
                        *at,
                        [*one, *other],
                    )));
                }
                rows.shrink_to_fit();
            }
        }
        history.zones = history.pools.values().flat_map(|zones| zones.keys().cloned()).collect();
        history.zones.sort_unstable();
        history.zones.dedup();
        Ok(history)
    }
}

/// Two prices where there can be one.
fn contradiction(shown: &str, kind: &str, zone: &str, at: i64, prices: [i64; 2]) -> String {
    let time = Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| t.to_string());
    let [one, other] = prices.map(|pico| Rate::from_pico(i128::from(pico)));
    format!(
        "`{shown}`: {kind} in {zone} has two prices at {time}, {one} and {other}; remove the \
         wrong row, or choose a data set where the file has several"
    )
}

fn entry<'m, T: Default>(map: &'m mut BTreeMap<String, T>, key: &str) -> &'m mut T {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), T::default());
    }
    map.entry(key.to_owned()).or_default()
}

/// `Linux/UNIX` and, of accounts from before 2013, `Linux/UNIX (Amazon VPC)`.
fn is_linux(product: &str) -> bool {
    product.is_empty() || product == "Linux/UNIX" || product == "Linux/UNIX (Amazon VPC)"
}

/// A column by its names, without case and separators.
fn column(header: &csv::StringRecord, names: &[&str]) -> Option<usize> {
    let plain = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
    };
    header.iter().position(|found| names.contains(&plain(found).as_str()))
}

fn read_csv(input: impl Read, shown: &str, dataset: Option<&str>, rows: &mut Rows) -> Result<()> {
    let (sealed, seal) = Sealed::new(input);
    // Flexible: the seal has one cell.
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(sealed);
    let bad = |e: &csv::Error| {
        let line = e.position().map_or(1, csv::Position::line);
        Error::input(format!("{shown}:{line}: {e}"))
    };
    let header = reader.headers().map_err(|e| bad(&e))?.clone();
    let need = |what: &str, names: &[&str]| {
        column(&header, names).ok_or_else(|| {
            Error::input(format!(
                "{shown}:1: a Spot price history needs a column `{what}`; it has {}",
                header.iter().collect::<Vec<_>>().join(", ")
            ))
        })
    };
    let time = need("timestamp", &["timestamp", "effectivefrom"])?;
    let kind = need("instance_type", &["instancetype"])?;
    let price = need("spot_price", &["spotprice", "usdperhour"])?;
    let zone = need("availability_zone", &["availabilityzone", "zone", "availabilityzoneid"])?;
    let product = column(&header, &["productdescription"]);
    let region = column(&header, &["region"]);
    let set = column(&header, &["dataset"]);
    if let (Some(name), None) = (dataset, set) {
        return Err(Error::input(format!(
            "{shown}:1: there is no column `dataset` to find `{name}` in"
        )));
    }
    // Whether a row was of the data set, and of which ones others were.
    let (mut chosen, mut others) = (false, BTreeSet::new());
    let mut record = csv::StringRecord::new();
    let mut row = Row::default();
    while reader.read_record(&mut record).map_err(|e| bad(&e))? {
        match seal.last(record.as_byte_record()) {
            Last::Record => {}
            Last::Seal => break,
            Last::Open => {
                let what = Seal::unclosed(record.as_byte_record(), reader.position());
                return Err(Error::input(format!("`{shown}` has {what}")));
            }
        }
        if record.len() != header.len() {
            let line = record.position().map_or(1, csv::Position::line);
            let (found, expected) = (record.len(), header.len());
            return Err(Error::input(format!(
                "{shown}:{line}: the row has {found} fields where the header has {expected}"
            )));
        }
        let field = |i: usize| record.get(i).unwrap_or("");
        if let Some((name, set)) = dataset.zip(set)
            && field(set) != name
        {
            if others.len() < DATASETS && !others.contains(field(set)) {
                others.insert(field(set).to_owned());
            }
            continue;
        }
        chosen = true;
        for (slot, at) in [
            (&mut row.time, Some(time)),
            (&mut row.kind, Some(kind)),
            (&mut row.price, Some(price)),
            (&mut row.zone, if field(zone).is_empty() { region } else { Some(zone) }),
            (row.product.get_or_insert_default(), product),
        ] {
            slot.clear();
            slot.push_str(at.map_or("", field));
        }
        rows.add(&row).map_err(|message| {
            let line = record.position().map_or(1, csv::Position::line);
            Error::input(format!("{shown}:{line}: {message}"))
        })?;
    }
    match dataset {
        Some(name) if !chosen && !others.is_empty() => {
            Err(Error::input(no_dataset(shown, name, &others)))
        }
        _ => Ok(()),
    }
}

/// A data set that the file lacks, and those that it has instead.
fn no_dataset(shown: &str, name: &str, found: &BTreeSet<String>) -> String {
    let meant = match nearest(name, found.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? "),
        None => String::new(),
    };
    let mut names: Vec<String> =
        found.iter().take(NAMED_DATASETS).map(|name| format!("`{name}`")).collect();
    if found.len() > NAMED_DATASETS {
        names.push("…".to_owned());
    }
    format!("`{shown}` has no row of the data set `{name}`; {meant}it has {}", names.join(", "))
}

/// The id under which AWS knows a zone in at least one account: `us-east-1a`
/// is `use1-az1` there, and may be another zone elsewhere. `None` for what is no
/// zone of a Region.
#[must_use]
pub fn usual_zone_id(zone: &str) -> Option<String> {
    let letter = zone.chars().last().filter(char::is_ascii_lowercase)?;
    let number = u32::from(letter) - u32::from('a') + 1;
    Some(format!("{}-az{number}", region_id(zone.strip_suffix(letter)?)?))
}

/// How zone ids abbreviate a Region: `use1` for us-east-1, `apne1` for
/// ap-northeast-1, `usgw1` for us-gov-west-1.
#[must_use]
pub(super) fn region_id(region: &str) -> Option<String> {
    let mut id = String::new();
    let mut parts = region.split('-').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            _ if last => {
                if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                id.push_str(part);
            }
            // The area (us, eu, ap, …) stands as it is.
            _ if id.is_empty() => id.push_str(part),
            _ => {
                let mut rest = part;
                while let Some(word) = ["north", "south", "east", "west", "central", "gov"]
                    .into_iter()
                    .find(|word| rest.starts_with(word))
                {
                    id.extend(word.chars().next());
                    rest = rest.get(word.len()..).unwrap_or("");
                }
                if !rest.is_empty() {
                    return None;
                }
            }
        }
    }
    (id.len() > 2).then_some(id)
}

#[cfg(test)]
mod tests;
