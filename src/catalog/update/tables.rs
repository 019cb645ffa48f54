//! The price tables while rows are replaced.

use std::collections::{BTreeMap, BTreeSet};

use crate::Result;
use crate::catalog::charges::CHARGES_HEADER;
use crate::catalog::quote::PriceStatus;
use crate::catalog::region::{FARGATE_HEADER, ON_DEMAND_HEADER, SPOT_HEADER};
use crate::catalog::savings::PLANS_HEADER;
use crate::catalog::table::{SOURCES_HEADER, Table};
use crate::catalog::write::write_csv;
use crate::catalog::{REGIONS_HEADER, Tables};
use crate::units::Rate;

/// Tables that change: name, header, columns of the key.
const CHANGING: [(&str, &str, usize); 6] = [
    ("regions.csv", REGIONS_HEADER, 1),
    (ON_DEMAND, ON_DEMAND_HEADER, 2),
    (SPOT, SPOT_HEADER, 2),
    (FARGATE, FARGATE_HEADER, 4),
    (PLANS, PLANS_HEADER, 5),
    (CHARGES, CHARGES_HEADER, 2),
];
pub(super) const ON_DEMAND: &str = "ec2-on-demand.csv";
pub(super) const SPOT: &str = "ec2-spot.csv";
pub(super) const FARGATE: &str = "fargate.csv";
pub(super) const PLANS: &str = "savings-plans.csv";
pub(super) const CHARGES: &str = "charges.csv";

/// Rows by their key.
type Rows = BTreeMap<Vec<String>, Vec<String>>;

/// Every table, its rows by key.
pub(super) struct Draft {
    tables: BTreeMap<&'static str, Rows>,
    sources: BTreeMap<String, [String; 3]>,
    /// As it stands: shapes are not in AWS's price files.
    instance_types: String,
    types: BTreeSet<String>,
    /// Regions to import; all where empty.
    regions: Vec<String>,
    put: Put,
}

/// What rows of one file did.
#[derive(Default)]
pub(super) struct Put {
    /// Regions that they are of.
    pub(super) regions: BTreeSet<String>,
    /// How many are older than what they replaced.
    pub(super) older: usize,
}

fn key_columns(table: &str) -> usize {
    CHANGING.iter().find(|(name, ..)| *name == table).map_or(1, |(.., keys)| *keys)
}

impl Draft {
    pub(super) fn read(base: &Tables, regions: &[String]) -> Result<Self> {
        let mut tables = BTreeMap::new();
        for (name, header, keys) in CHANGING {
            let mut rows = Rows::new();
            for row in base.open(name, header)?.rows() {
                let fields: Vec<String> = row.text().split(',').map(str::to_owned).collect();
                rows.insert(fields.iter().take(keys).cloned().collect(), fields);
            }
            tables.insert(name, rows);
        }
        let file = base.get("sources.csv")?;
        let mut sources = BTreeMap::new();
        for record in csv::Reader::from_reader(file.text.as_bytes()).records() {
            let record = record.map_err(|e| crate::Error::input(format!("{}: {e}", file.label)))?;
            let field = |i| record.get(i).unwrap_or("").to_owned();
            sources.insert(field(0), [field(1), field(2), field(3)]);
        }
        let file = base.get("instance-types.csv")?;
        let header = crate::catalog::instance::INSTANCE_HEADER;
        let types = Table::open(&file.label, &file.text, header)?
            .rows()
            .map(|row| row.text().split(',').next().unwrap_or("").to_owned())
            .collect();
        Ok(Draft {
            tables,
            sources,
            instance_types: file.text.to_string(),
            types,
            regions: regions.to_vec(),
            put: Put::default(),
        })
    }

    /// Whether rows of a Region are wanted.
    pub(super) fn wants(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|r| r == region)
    }

    /// Whether the shape of a type is known.
    pub(super) fn knows_type(&self, name: &str) -> bool {
        self.types.contains(name)
    }

    /// Whether the tables have a Region.
    pub(super) fn knows_region(&self, region: &str) -> bool {
        self.regions_known().any(|known| known == region)
    }

    /// The Regions of the tables.
    pub(super) fn regions_known(&self) -> impl Iterator<Item = &str> {
        self.rows("regions.csv").filter_map(|row| row.first().map(String::as_str))
    }

    fn rows(&self, table: &str) -> impl Iterator<Item = &Vec<String>> {
        self.tables.get(table).into_iter().flat_map(BTreeMap::values)
    }

    /// The row of a key.
    pub(super) fn row(&self, table: &str, key: &[&str]) -> Option<&Vec<String>> {
        let key: Vec<String> = key.iter().map(|k| (*k).to_owned()).collect();
        self.tables.get(table)?.get(&key)
    }

    /// A rate of a row.
    pub(super) fn rate(&self, table: &str, key: &[&str], column: usize) -> Option<Rate> {
        self.row(table, key)?.get(column)?.parse().ok()
    }

    /// Puts a row, instead of one of the same key. The last column is its
    /// source.
    pub(super) fn put(&mut self, table: &'static str, row: Vec<String>) {
        let key = row.iter().take(key_columns(table)).cloned().collect();
        if let Some(region) = row.first() {
            if !self.put.regions.contains(region) {
                self.put.regions.insert(region.clone());
            }
            if table == ON_DEMAND {
                self.note_region(&region.clone());
            }
        }
        let new = self.last_day(&row).to_owned();
        let known = self.tables.entry(table).or_default().insert(key, row);
        if known.is_some_and(|known| self.last_day(&known) > new.as_str()) {
            self.put.older += 1;
        }
    }

    /// The date of a row, or the last one of a range.
    fn last_day(&self, row: &[String]) -> &str {
        let source = row.last().and_then(|id| self.sources.get(id));
        source.map_or("", |[_, as_of, _]| as_of.rsplit("..").next().unwrap_or(""))
    }

    /// A Region with prices in USD.
    fn note_region(&mut self, region: &str) {
        let rows = self.tables.entry("regions.csv").or_default();
        let row = rows
            .entry(vec![region.to_owned()])
            .or_insert_with(|| [region, "usd", "", "", ""].map(str::to_owned).to_vec());
        if let Some(currency) = row.get_mut(1) {
            "usd".clone_into(currency);
        }
    }

    /// What rows did that were put since this was last asked.
    pub(super) fn finish_file(&mut self) -> Put {
        std::mem::take(&mut self.put)
    }

    /// Notes a source under an id.
    pub(super) fn source(&mut self, id: &str, status: PriceStatus, as_of: &str, text: &str) {
        let row = [status.to_string(), as_of.to_owned(), text.to_owned()];
        self.sources.insert(id.to_owned(), row);
    }

    /// Whether some row rests on a source.
    pub(super) fn uses(&self, source: &str) -> bool {
        self.tables
            .values()
            .flat_map(BTreeMap::values)
            .any(|row| row.last().is_some_and(|s| s == source))
    }

    /// All tables as text, with the sources that are used.
    pub(super) fn render(&self) -> Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        let mut used = BTreeSet::new();
        for (name, header, _) in CHANGING {
            used.extend(self.rows(name).filter_map(|row| row.last()).filter(|s| !s.is_empty()));
            files.insert(name.to_owned(), write_csv(header, self.rows(name).cloned())?);
        }
        let sources = self.sources.iter().filter(|(id, _)| used.contains(id)).map(
            |(id, [status, as_of, text])| {
                vec![id.clone(), status.clone(), as_of.clone(), text.clone()]
            },
        );
        files.insert("sources.csv".to_owned(), write_csv(SOURCES_HEADER, sources)?);
        files.insert("instance-types.csv".to_owned(), self.instance_types.clone());
        Ok(files)
    }
}
