//! What can be bought: instance types, prices with their status, Spot,
//! Fargate sizes, Savings Plan rates and fees. Knows nothing of pods.
//!
//! [`Catalog::load`] takes the tables of `pricing/`, which are part of the
//! binary, or those of a directory laid out alike. [`Catalog::region`] then
//! converts one Region's rows. The tables are built from fact tables by
//! [`build::build`], and rows of AWS's own files put into them by
//! [`update::update`]; `pricing/README.md` describes them.
//!
//! Sketch: 1.3 MB of text, 30,000 rows skimmed and some 4,000 converted for
//! one Region: below 10 ms in a release build.

pub mod build;
mod charges;
mod fargate;
mod instance;
mod lock;
mod quote;
mod region;
mod savings;
mod shock;
mod show;
mod spot_history;
mod table;
pub mod update;
mod words;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

pub use charges::{ChargeItem, ControlPlane, kubernetes_versions};
pub use fargate::{
    FARGATE_FREE_STORAGE_GB, FARGATE_SIZES, FargateOs, FargateRates, FargateSize, fargate_sizes,
    smallest_fargate,
};
pub use instance::{Arch, InstanceType, MemoryOrigin};
pub use lock::LOCK_FILE;
pub use quote::{PriceStatus, Quote, Text};
pub use region::{Region, SPOT_HAZARD_PER_HOUR, SpotQuote, TableDates};
pub use savings::{Payment, PlanItem, PlanKind, PlanRate, Term};
pub use shock::PriceShock;
pub use show::{PriceFilter, PriceRow};
pub use spot_history::{SpotHistory, usual_zone_id};

use crate::names::hint;
use crate::{Error, Result};
use lock::Lock;
use region::Ratio;
use table::{Sources, Table};

/// The Region with the newest and fullest prices, whose figures stand in or
/// are scaled where another Region has none.
const HOME_REGION: &str = "us-east-1";

/// A larger price file is refused.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The header of `regions.csv`.
const REGIONS_HEADER: &str = "region,on_demand,ratio_to_us_east_1,types_compared,source";

/// Every table with the text that is part of the binary.
const EMBEDDED: [(&str, &str); 8] = [
    ("sources.csv", include_str!("../../pricing/sources.csv")),
    ("instance-types.csv", include_str!("../../pricing/instance-types.csv")),
    ("regions.csv", include_str!("../../pricing/regions.csv")),
    ("ec2-on-demand.csv", include_str!("../../pricing/ec2-on-demand.csv")),
    ("ec2-spot.csv", include_str!("../../pricing/ec2-spot.csv")),
    ("fargate.csv", include_str!("../../pricing/fargate.csv")),
    ("savings-plans.csv", include_str!("../../pricing/savings-plans.csv")),
    ("charges.csv", include_str!("../../pricing/charges.csv")),
];

/// The price tables, checked as far as one Region needs them.
#[derive(Debug)]
pub struct Catalog {
    tables: Tables,
    sources: Sources,
    types: Arc<[InstanceType]>,
    regions: Vec<RegionEntry>,
    /// Regions that were asked for: reading one takes milliseconds.
    read: Mutex<BTreeMap<String, Region>>,
    lock: Option<Checked>,
}

/// A lock file that was held against the tables.
#[derive(Debug)]
struct Checked {
    lock: Lock,
    /// The directory of both, for messages.
    dir: String,
    /// Tables that are not as the lock has them.
    edited: Vec<String>,
}

/// Code of the warning of [`Catalog::edited`].
pub const EDITED_PRICES: &str = "edited-prices";

#[derive(Debug)]
struct RegionEntry {
    name: String,
    on_demand: OnDemandTable,
    ratio: Option<Ratio>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDemandTable {
    Usd,
    Cny,
    Absent,
}

/// The tables' text, and the name errors give each.
#[derive(Debug)]
struct Tables(Vec<TableFile>);

#[derive(Debug)]
struct TableFile {
    name: &'static str,
    label: String,
    text: Cow<'static, str>,
}

impl Tables {
    fn embedded() -> Self {
        Tables(
            EMBEDDED
                .iter()
                .map(|(name, text)| TableFile {
                    name,
                    label: format!("pricing/{name}"),
                    text: Cow::Borrowed(text),
                })
                .collect(),
        )
    }

    fn from_dir(dir: &Path) -> Result<Self> {
        let read = |(name, _): &(&'static str, &str)| {
            let path = dir.join(name);
            if !path.exists() {
                return Err(Error::input(format!(
                    "there is no price table `{}`: a directory of prices holds every table, as \
                     `plimsoll prices update --from FILE -o {}` writes them; without --pricing \
                     the program's own prices apply",
                    path.display(),
                    dir.display()
                )));
            }
            let text = read_text(&path)?;
            Ok(TableFile { name, label: path.display().to_string(), text: Cow::Owned(text) })
        };
        EMBEDDED.iter().map(read).collect::<Result<_>>().map(Tables)
    }

    fn get(&self, name: &str) -> Result<&TableFile> {
        self.0
            .iter()
            .find(|file| file.name == name)
            .ok_or_else(|| Error::failed(format!("there is no price table `{name}`")))
    }

    fn open(&self, name: &str, header: &str) -> Result<Table<'_>> {
        let file = self.get(name)?;
        Table::open(&file.label, &file.text, header)
    }
}

/// A file's text; what is no UTF-8 is an error at its line.
fn read_text(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    // Bounded while reading: a device or pipe does not tell its length.
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| Error::read(path, &e))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::input(format!(
            "`{}` is larger than a price table may be, {MAX_FILE_BYTES} bytes",
            path.display()
        )));
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = e.utf8_error().valid_up_to();
        let line = 1 + e.as_bytes().iter().take(good).filter(|b| **b == b'\n').count();
        Error::input(format!("{}:{line}: not UTF-8 text", path.display()))
    })
}

impl Catalog {
    /// The tables of a directory, or those of the binary.
    ///
    /// # Errors
    /// When a table is missing or malformed, naming file and line; when there
    /// is a lock file that cannot be read.
    pub fn load(dir: Option<&Path>) -> Result<Self> {
        let Some(dir) = dir else { return Catalog::from_tables(Tables::embedded()) };
        let tables = Tables::from_dir(dir)?;
        let lock = match Lock::read(dir)? {
            Some(lock) => {
                let (edited, dir) = (lock.edited(&tables)?, dir.display().to_string());
                Some(Checked { lock, dir, edited })
            }
            None => None,
        };
        Ok(Catalog { lock, ..Catalog::from_tables(tables)? })
    }

    /// What to say of tables that are not as `prices.lock` has them: they were
    /// changed by hand, or an update was cut short.
    #[must_use]
    pub fn edited(&self) -> Option<String> {
        let Checked { dir, edited, .. } = self.lock.as_ref().filter(|l| !l.edited.is_empty())?;
        let (are, them) = if edited.len() == 1 { ("is", "it") } else { ("are", "them") };
        Some(format!(
            "{} of `{dir}` {are} not as {LOCK_FILE} has {them}: changed by hand, or left by an \
             update that was cut short; import AWS's files anew with `plimsoll prices update`, \
             or remove {LOCK_FILE} if the prices are your own",
            edited.join(", "),
        ))
    }

    /// The files of AWS that rows came from, with their dates, as
    /// `prices.lock` states them.
    #[must_use]
    pub fn imported(&self) -> Option<String> {
        self.lock.as_ref().map(|checked| checked.lock.sources()).filter(|text| !text.is_empty())
    }

    fn from_tables(tables: Tables) -> Result<Self> {
        let file = tables.get("sources.csv")?;
        let sources = Sources::read(&file.label, &file.text)?;
        let file = tables.get("instance-types.csv")?;
        let types = instance::read_types(&file.label, &file.text)?.into();
        let regions = read_regions(&tables, &sources)?;
        Ok(Catalog { tables, sources, types, regions, read: Mutex::default(), lock: None })
    }

    /// The codes of all Regions, Local Zones and Wavelength Zones that have
    /// On-Demand prices in USD, sorted.
    pub fn region_names(&self) -> impl Iterator<Item = &str> {
        self.regions
            .iter()
            .filter(|entry| entry.on_demand == OnDemandTable::Usd)
            .map(|entry| entry.name.as_str())
    }

    /// One Region's price list.
    ///
    /// # Errors
    /// When the Region is unknown (naming the nearest), has no On-Demand
    /// prices in USD, or a row of it is malformed (naming file and line).
    pub fn region(&self, name: &str) -> Result<Region> {
        let entry = self.regions.iter().find(|entry| entry.name == name).ok_or_else(|| {
            let hint = hint(name, self.region_names());
            Error::input(format!("unknown Region `{name}`{hint}"))
        })?;
        match entry.on_demand {
            OnDemandTable::Usd => {}
            OnDemandTable::Cny => {
                return Err(Error::input(format!(
                    "Region `{name}` is priced in CNY and bills are in USD only; choose a Region outside China"
                )));
            }
            OnDemandTable::Absent => {
                return Err(Error::input(format!(
                    "no On-Demand prices are known for Region `{name}`; choose another or give a price directory that has them"
                )));
            }
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(region) = read.get(name) {
            return Ok(region.clone());
        }
        let (types, sources) = (&self.types, &self.sources);
        let region = Region::read(name, entry.ratio.as_ref(), types, sources, &self.tables)?;
        read.insert(name.to_owned(), region.clone());
        Ok(region)
    }

    /// An instance type by name, priced anywhere or not.
    #[must_use]
    pub fn instance_type(&self, name: &str) -> Option<&InstanceType> {
        self.types
            .binary_search_by(|kind| kind.name.as_str().cmp(name))
            .ok()
            .and_then(|i| self.types.get(i))
    }

    /// All instance types, by name.
    #[must_use]
    pub fn instance_types(&self) -> &[InstanceType] {
        &self.types
    }

    /// The dates that each price table covers over all Regions.
    ///
    /// # Errors
    /// When a table is malformed, naming file and line.
    pub fn dates(&self) -> Result<Vec<TableDates>> {
        [
            ("ec2-on-demand", "ec2-on-demand.csv", region::ON_DEMAND_HEADER),
            ("ec2-spot", "ec2-spot.csv", region::SPOT_HEADER),
            ("fargate", "fargate.csv", region::FARGATE_HEADER),
            ("savings-plans", "savings-plans.csv", savings::PLANS_HEADER),
            ("charges", "charges.csv", charges::CHARGES_HEADER),
        ]
        .into_iter()
        .map(|(table, file, header)| {
            let dates = self.sources.dates(&self.tables.open(file, header)?);
            Ok(TableDates { table, dates })
        })
        .collect()
    }

    /// SHA-256 in hex over all tables: their names and bytes in a fixed order.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for file in &self.tables.0 {
            hasher.update(file.name.as_bytes());
            hasher.update((file.text.len() as u64).to_le_bytes());
            hasher.update(file.text.as_bytes());
        }
        hex(&hasher.finalize())
    }
}

/// SHA-256 of a text in hex.
fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn read_regions(tables: &Tables, sources: &Sources) -> Result<Vec<RegionEntry>> {
    let table = tables.open("regions.csv", REGIONS_HEADER)?;
    let mut regions: Vec<RegionEntry> = Vec::with_capacity(100);
    for row in table.rows() {
        let [name, on_demand, ratio, types_compared, source] = row.fields::<5>()?;
        if regions.last().is_some_and(|last| last.name.as_str() >= name) {
            return Err(row.error("Regions must be sorted by name, each listed once"));
        }
        let on_demand = match on_demand {
            "usd" => OnDemandTable::Usd,
            "cny" => OnDemandTable::Cny,
            "none" => OnDemandTable::Absent,
            other => {
                return Err(row.error(format!("on_demand `{other}` must be usd, cny or none")));
            }
        };
        let ratio = if ratio.is_empty() {
            None
        } else {
            Some(Ratio {
                value: row.ratio("ratio_to_us_east_1", ratio, 100)?,
                types_compared: row.count("types_compared", types_compared, 1_000_000)?,
                source: sources.of(row, source)?.clone(),
            })
        };
        regions.push(RegionEntry { name: name.to_owned(), on_demand, ratio });
    }
    Ok(regions)
}

#[cfg(test)]
mod tests;
