//! A file of usage and a file of commitments, linked: every row an item with
//! a price, every commitment a rate for each item it may cover.
//!
//! Items are what is alike to every commitment: an instance type of a Region,
//! or of one zone where a Reserved Instance is bound to a zone; Fargate vCPU
//! and memory by Region and architecture. What costs another price (a stated
//! one) is another item.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::commitments::warn_not_begun;
use super::usage_link::{ItemKey, Linking, Places, What, home, zonal_types};
use super::usage_prices::UsagePrices;
use crate::bill::PriceStatus;
use crate::bill::commitments::HourlyUsage;
use crate::bill::statement::{
    BadRows, Class, FargateResource, Format, Gathered, Groups, Item, Market, Platform, Quantity,
    Repricing, Row, Statement, UsageBill,
};
use crate::catalog::{Arch, Catalog, PriceStatus as Known};
use crate::scenario::Owned;
use crate::units::{HOUR_MS, Rate};
use crate::workload::source::{BadRow, bad_value};
use crate::{Error, Result};

/// Longest span of usage: three years and a day.
const MOST_HOURS: i64 = 3 * 8_784 + 24;
/// Most items.
const MOST_ITEMS: usize = 20_000;
/// Most (hour, item, group) entries.
const MOST_ENTRIES: usize = 20_000_000;

/// What rows are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// The account, or the column `owner`.
    Owner,
    /// A tag.
    Tag(String),
}

/// How a usage file is priced.
#[derive(Debug)]
pub struct UsageBillOptions {
    /// Whether prices that nobody has verified may be used.
    pub allow_believed: bool,
    /// What the result is grouped by.
    pub group_by: Option<GroupBy>,
}

/// A usage file, priced.
#[derive(Debug)]
pub struct PricedUsage {
    /// What the header said.
    pub format: Format,
    /// The bill.
    pub bill: UsageBill,
    /// Rows that are part of it.
    pub rows: u64,
    /// Rows that are not, and why.
    pub left_out: Repricing,
    /// What is doubtful about the commitments, with its places; may be empty.
    pub warnings: String,
}

/// Prices a usage file under commitments.
///
/// # Errors
/// When a file cannot be read, a row or commitment cannot be used, or a price
/// is missing: with file and line, or line and column.
pub fn bill_usage(
    usage: &Path,
    owned: Option<&Path>,
    catalog: Catalog,
    options: &UsageBillOptions,
) -> Result<PricedUsage> {
    let (owned, mut diags) = match owned {
        Some(path) => Owned::load(path)?,
        None => Owned::parse("no commitments", "commitments: {}")?,
    };
    let mut reader = Reader {
        prices: UsagePrices::new(catalog),
        zonal: zonal_types(&owned),
        allow_believed: options.allow_believed,
    };
    let found = reader.find(usage, options.group_by.as_ref())?;
    let keys: Vec<ItemKey> = found.items.into_iter().collect();
    let (first, end) = found.window;
    let mut linker = Linking {
        owned: &owned,
        home: home(&owned, &keys, &mut diags),
        places: Places::of(&keys),
        start_unix_ms: first * HOUR_MS,
        allow_believed: options.allow_believed,
    };
    let linked = linker.link(&mut reader.prices, &mut diags)?;
    warn_not_begun(owned.commitments.iter(), end * HOUR_MS, &mut diags);
    // No amount is made of what was refused.
    let warnings = diags.into_result()?;
    let (items, facts) = linker.items(&keys, &linked);
    let table = HourlyUsage::new(first * HOUR_MS, end * HOUR_MS, items)?;
    let (table, groups) = reader.fill(usage, &keys, table, options.group_by.as_ref())?;
    let (commitments, fees) = linked.into_iter().unzip();
    Ok(PricedUsage {
        format: found.format,
        bill: UsageBill::new(table, facts, commitments, fees, groups),
        rows: found.rows,
        left_out: found.left_out,
        warnings,
    })
}

/// What pass one finds.
struct Found {
    format: Format,
    items: BTreeSet<ItemKey>,
    /// First clock hour, and one after the last.
    window: (i64, i64),
    rows: u64,
    left_out: Repricing,
}

struct Reader {
    prices: UsagePrices,
    zonal: BTreeSet<String>,
    allow_believed: bool,
}

impl Reader {
    /// What there is, and when.
    fn find(&mut self, path: &Path, by: Option<&GroupBy>) -> Result<Found> {
        let mut file = Statement::open(path)?;
        let name = file.name().to_owned();
        let missing = match by {
            Some(GroupBy::Owner) if !file.has_owners() => Some(match file.format() {
                Format::Focus => "SubAccountId".to_owned(),
                Format::Cur => "line_item_usage_account_id".to_owned(),
                Format::Hours => "owner".to_owned(),
            }),
            Some(GroupBy::Tag(key)) if !file.has_tag(key) => Some(match file.format() {
                Format::Focus => "Tags".to_owned(),
                Format::Cur => format!("resource_tags_{key}"),
                Format::Hours => format!("tag:{key}"),
            }),
            _ => None,
        };
        if let Some(column) = missing {
            return Err(Error::input(format!(
                "`{name}` lacks the column `{column}` that --by groups by; add it, or group by \
                 item or hour"
            )));
        }
        let mut found = Found {
            format: file.format(),
            items: BTreeSet::new(),
            window: (i64::MAX, i64::MIN),
            rows: 0,
            left_out: Repricing::default(),
        };
        let mut bad = BadRows::default();
        while file.advance()? {
            let row = match file.row() {
                Ok(row) => row,
                Err(fault) => {
                    bad.add(&name, file.line(), fault)?;
                    continue;
                }
            };
            if let Some(fault) = self.contradiction(&file, &row) {
                bad.add(&name, file.line(), fault)?;
                continue;
            }
            match self.item(found.format, &row)? {
                Err(fault) => bad.add(&name, file.line(), fault)?,
                Ok(None) => found.left_out.leave(&row),
                Ok(Some((key, hour, _))) => {
                    found.rows += 1;
                    found.window = (found.window.0.min(hour), found.window.1.max(hour + 1));
                    if !found.items.contains(&key) {
                        found.items.insert(key);
                    }
                }
            }
        }
        bad.finish(&name)?;
        if found.items.is_empty() {
            return Err(Error::input(format!(
                "`{name}` has no usage that a commitment could cover: no EC2 On-Demand \
                 (Linux, shared) and no Fargate"
            )));
        }
        if found.items.len() > MOST_ITEMS {
            return Err(Error::input(format!(
                "`{name}` has more than {MOST_ITEMS} distinct items"
            )));
        }
        if found.window.1 - found.window.0 > MOST_HOURS {
            return Err(Error::input(format!("`{name}` spans more than three years")));
        }
        Ok(found)
    }

    /// An architecture stated for an instance type of the other one.
    fn contradiction(&self, file: &Statement, row: &Row<'_>) -> Option<BadRow> {
        let Class::Usage(Item::Instance { name, .. }) = row.class else { return None };
        let (stated, known) = (file.stated_arch()?, self.prices.arch(name)?);
        let cause = format!("is wrong for {name}, which is {known}: correct it or leave it empty");
        (stated != known).then(|| bad_value("arch", stated.to_string().as_bytes(), &cause, b""))
    }

    /// The item of a row, its hour and quantity; `None` where no commitment
    /// could cover it.
    #[allow(clippy::type_complexity)]
    fn item(
        &mut self,
        format: Format,
        row: &Row<'_>,
    ) -> Result<std::result::Result<Option<(ItemKey, i64, Quantity)>, BadRow>> {
        let Class::Usage(item) = row.class else { return Ok(Ok(None)) };
        let item = if format == Format::Focus { self.by_price(item, row)? } else { item };
        let (what, idle) = match item {
            Item::Instance {
                name,
                platform: Platform::Linux,
                shared: true,
                market: market @ (Market::OnDemand | Market::UnusedReservation),
            } => (What::Instance(name.to_owned()), market == Market::UnusedReservation),
            Item::Fargate {
                resource: resource @ (FargateResource::Vcpu | FargateResource::Memory),
                arch,
                platform: Platform::Linux,
                spot: false,
            } => {
                let memory = resource == FargateResource::Memory;
                (What::Fargate { arm64: arch == Arch::Arm64, memory }, false)
            }
            _ => return Ok(Ok(None)),
        };
        let fault = |column: &str, value: &str, cause: &str| {
            Ok(Err(bad_value(column, value.as_bytes(), cause, b"")))
        };
        let Some(hour) = row.hour() else {
            return fault(
                "",
                &item.label(),
                "is of more than one clock hour, and commitments apply hour by hour: export \
                 hourly data",
            );
        };
        let Some(quantity) = row.quantity else {
            return fault("", &item.label(), "has no quantity");
        };
        // A price stated in our own format goes before the catalog's; that of
        // a bill in USD stands in where the catalog has none.
        let in_usd = matches!(row.currency, "USD" | "");
        let stated = row.unit_price.filter(|_| in_usd).map(|rate| (rate, PriceStatus::Stated));
        let own = stated.filter(|_| format == Format::Hours);
        let (on_demand, status) = match own {
            Some(price) => price,
            None => match (self.prices.listed(item, row.region)?, stated) {
                (Ok(quote), _) if quote.status == Known::Believed && !self.allow_believed => {
                    let cause = format!(
                        "has a price in {} that nobody has verified; state \
                         --allow-believed-prices to use {} USD all the same",
                        row.region, quote.rate
                    );
                    return fault("", &item.label(), &cause);
                }
                (Ok(quote), _) => (quote.rate, super::notes::bill_price(&quote).status),
                (Err(_), Some(price)) => price,
                (Err(_), None) if format == Format::Hours => {
                    let cause = format!(
                        "has no price in Region `{}`; state it in the column `usd_per_unit`",
                        row.region
                    );
                    return fault("", &item.label(), &cause);
                }
                (Err(_), None) => return Ok(Ok(None)),
            },
        };
        let zone = match &what {
            What::Instance(kind) if !row.zone.is_empty() && self.zonal.contains(kind) => {
                Some(row.zone.to_owned())
            }
            _ => None,
        };
        let region = row.region.to_owned();
        Ok(Ok(Some((ItemKey { region, what, zone, idle, on_demand, status }, hour, quantity))))
    }

    /// Fargate at the price of ARM64 is ARM64, whatever the file can say of it:
    /// our own FOCUS export has no column for the architecture.
    fn by_price<'r>(&mut self, item: Item<'r>, row: &Row<'_>) -> Result<Item<'r>> {
        let Item::Fargate { resource, arch: Arch::Amd64, platform, spot } = item else {
            return Ok(item);
        };
        let arm = Item::Fargate { resource, arch: Arch::Arm64, platform, spot };
        let mut rate = |item| Ok(self.prices.listed(item, row.region)?.ok().map(|q| q.rate));
        let (amd64, arm64): (Option<Rate>, Option<Rate>) = (rate(item)?, rate(arm)?);
        let is_arm = row.unit_price.is_some() && row.unit_price == arm64 && arm64 != amd64;
        Ok(if is_arm { arm } else { item })
    }

    /// The second pass: amounts.
    fn fill(
        &mut self,
        path: &Path,
        keys: &[ItemKey],
        table: HourlyUsage,
        by: Option<&GroupBy>,
    ) -> Result<(HourlyUsage, Groups)> {
        let first = table.first_hour();
        let mut gathered = Gathered::new(table);
        let mut groups = Groups::default();
        let mut names: BTreeMap<String, u32> = BTreeMap::new();
        let mut file = Statement::open(path)?;
        let changed = || Error::failed(format!("`{}` changed while it was read", path.display()));
        while file.advance()? {
            let row = file.row().map_err(|_| changed())?;
            let Ok(Some((key, hour, quantity))) = self.item(file.format(), &row)? else {
                continue;
            };
            let item = keys.binary_search(&key).map_err(|_| changed())?;
            let hour = usize::try_from(hour - first).map_err(|_| changed())?;
            let list = gathered.add(hour, item, quantity);
            let Some(by) = by else { continue };
            let name = match by {
                GroupBy::Owner => Some(row.owner.to_owned()).filter(|owner| !owner.is_empty()),
                GroupBy::Tag(key) => file.tag(key),
            };
            let name = name.unwrap_or_else(|| "(none)".to_owned());
            let next = names.len() as u32;
            let group = *names.entry(name).or_insert(next);
            let cell = (hour as u32, item as u32, group);
            *groups.list.entry(cell).or_default() += list;
            if groups.list.len() > MOST_ENTRIES {
                return Err(Error::input("the usage has too many groups for its hours"));
            }
        }
        // Groups stand in the order of their names.
        let mut order = vec![0u32; names.len()];
        for (place, (name, number)) in names.into_iter().enumerate() {
            if let Some(slot) = order.get_mut(number as usize) {
                *slot = place as u32;
            }
            groups.names.push(name);
        }
        groups.list = std::mem::take(&mut groups.list)
            .into_iter()
            .map(|((h, i, g), list)| ((h, i, order.get(g as usize).copied().unwrap_or(g)), list))
            .collect();
        let table =
            gathered.finish().map_err(|e| e.context(format_args!("`{}`", path.display())))?;
        Ok((table, groups))
    }
}
