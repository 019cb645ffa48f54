//! A file of usage and a file of commitments, linked: every row an item with
//! a price, every commitment a rate for each item it may cover.
//!
//! Items are what is alike to every commitment: an instance type of a Region,
//! or of one zone where a Reserved Instance is bound to a zone; Fargate vCPU
//! and memory by Region and architecture. What costs another price (a stated
//! one) is another item.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rustc_hash::FxHashMap;

use super::commitments::warn_not_begun;
use super::offers::is_zone_of;
use super::usage_link::{ItemKey, Linking, Places, What, home, zonal_types};
use super::usage_prices::UsagePrices;
use crate::bill::PriceStatus;
use crate::bill::commitments::HourlyUsage;
use crate::bill::statement::{
    Class, FargateResource, Format, Gathered, GroupBy, Groups, Item, Market, OpenTable, Part,
    Platform, Quantity, Repricing, Row, Statement, Unpriced, UsageBill,
};
use crate::catalog::{Arch, Catalog, PriceStatus as Known, Quote};
use crate::scenario::Owned;
use crate::text::excerpt;
use crate::units::{HOUR_MS, Money, Rate};
use crate::workload::source::BadRow;
use crate::{Error, Result};

/// Longest span of usage: three years and a day.
const MOST_HOURS: i64 = 3 * 8_784 + 24;
/// Most items.
const MOST_ITEMS: usize = 20_000;
/// Most hours times items: some 64 bytes each.
const MOST_CELLS: i64 = 20_000_000;
/// Most (hour, item, group) entries.
const MOST_ENTRIES: usize = 10_000_000;
/// Group of rows that state none.
const NO_GROUP: &str = "(none)";

/// How a usage file is priced.
#[derive(Debug)]
pub struct UsageBillOptions {
    /// How the file is opened.
    pub open: OpenTable,
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
    /// How many of them the file bills in another currency than USD: they are
    /// priced like others, and the file's amounts are not used.
    pub in_other_currency: u64,
    /// Rows that are not, and why.
    pub left_out: Repricing,
    /// What negotiated prices of the file take off list prices.
    pub negotiated: Money,
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
    let found = reader.read(usage, options)?;
    let (first, end) = found.window;
    // Items stand in the order of their keys.
    let mut keys: Vec<(ItemKey, u32)> = found.items.into_iter().collect();
    keys.sort_unstable();
    let mut place = vec![0; keys.len()];
    for (at, (_, number)) in keys.iter().enumerate() {
        if let Some(slot) = place.get_mut(*number as usize) {
            *slot = at;
        }
    }
    let keys: Vec<ItemKey> = keys.into_iter().map(|(key, _)| key).collect();
    let mut linker = Linking {
        owned: &owned,
        home: home(&owned, &keys, &mut diags),
        places: Places::of(&keys),
        start_unix_ms: first * HOUR_MS,
        allow_believed: options.allow_believed,
    };
    let commitments = linker.link(&mut reader.prices, &mut diags)?;
    warn_not_begun(owned.commitments.iter(), end * HOUR_MS, &mut diags);
    // No amount is made of what was refused.
    let warnings = diags.into_result()?;
    let (items, facts) = linker.items(&keys);
    let table = HourlyUsage::new(first * HOUR_MS, end * HOUR_MS, items)?;
    let table = found
        .gathered
        .finish(table, &place)
        .map_err(|e| e.context(format_args!("`{}`", usage.display())))?;
    let groups = found.groups.finish(first, &place);
    Ok(PricedUsage {
        format: found.format,
        bill: UsageBill::new(table, facts, commitments, groups),
        rows: found.rows,
        in_other_currency: found.in_other_currency,
        left_out: found.left_out,
        negotiated: found.negotiated,
        warnings,
    })
}

/// What a file has.
struct Found {
    format: Format,
    /// Items, and their numbers in the order of their first rows.
    items: FxHashMap<ItemKey, u32>,
    gathered: Gathered,
    groups: Grouped,
    /// First clock hour, and one after the last.
    window: (i64, i64),
    rows: u64,
    in_other_currency: u64,
    left_out: Repricing,
    negotiated: Money,
}

/// List cost by group, as rows come.
#[derive(Default)]
struct Grouped {
    names: BTreeMap<String, u32>,
    list: FxHashMap<(i64, u32, u32), Money>,
}

impl Grouped {
    fn add(&mut self, group: &str, hour: i64, item: u32, list: Money) {
        let number = if let Some(number) = self.names.get(group) {
            *number
        } else {
            let next = self.names.len() as u32;
            self.names.insert(group.to_owned(), next);
            next
        };
        *self.list.entry((hour, item, number)).or_default() += list;
    }

    /// Groups in the order of their names, items where `place` has them.
    fn finish(self, first: i64, place: &[usize]) -> Groups {
        let mut order = vec![0; self.names.len()];
        let mut names = Vec::with_capacity(order.len());
        for (at, (name, number)) in self.names.into_iter().enumerate() {
            if let Some(slot) = order.get_mut(number as usize) {
                *slot = at as u32;
            }
            names.push(name);
        }
        let at = |((hour, item, group), list): ((i64, u32, u32), Money)| {
            let item = place.get(item as usize).map_or(0, |at| *at as u32);
            let group = order.get(group as usize).copied().unwrap_or_default();
            (((hour - first) as u32, item, group), list)
        };
        let mut list: Vec<_> = self.list.into_iter().map(at).collect();
        list.sort_unstable_by_key(|(cell, _)| *cell);
        Groups { names, list }
    }
}

struct Reader {
    prices: UsagePrices,
    zonal: BTreeSet<String>,
    allow_believed: bool,
}

impl Reader {
    /// Reads a file, row by row.
    fn read(&mut self, path: &Path, options: &UsageBillOptions) -> Result<Found> {
        let mut file = Statement::open(path, options.open)?;
        let name = file.name().to_owned();
        if let Some(by) = &options.group_by {
            file.group_by(by)?;
        }
        let mut found = Found {
            format: file.format(),
            items: FxHashMap::default(),
            gathered: Gathered::default(),
            groups: Grouped::default(),
            window: (i64::MAX, i64::MIN),
            rows: 0,
            in_other_currency: 0,
            left_out: Repricing::default(),
            negotiated: Money::ZERO,
        };
        file.each(|file, row| {
            if let Some(fault) = self.contradiction(file, row) {
                return Ok(Err(fault));
            }
            let (key, hour, quantity) = match self.item(file, row)? {
                Ok(Some(item)) => item,
                Ok(None) => {
                    found.left_out.leave(row);
                    return Ok(Ok(()));
                }
                Err(fault) => return Ok(Err(fault)),
            };
            let group = match file.group() {
                Ok(group) => group,
                Err(fault) => return Ok(Err(fault)),
            };
            found.rows += 1;
            found.in_other_currency += u64::from(!in_usd(row));
            found.window = (found.window.0.min(hour), found.window.1.max(hour + 1));
            let (price, unit) = (key.on_demand, key.what.unit());
            if price != key.list.0 {
                found.negotiated += quantity.at(key.list.0) - quantity.at(price);
            }
            let next = found.items.len() as u32;
            let item = *found.items.entry(key).or_insert(next);
            let list = found.gathered.add(hour, item, quantity, price, unit);
            if options.group_by.is_some() {
                found.groups.add(group.as_deref().unwrap_or(NO_GROUP), hour, item, list);
            }
            check_size(&found).map_err(|e| e.context(format_args!("`{name}`")))?;
            Ok(Ok(()))
        })?;
        if found.items.is_empty() {
            return Err(Error::input(format!(
                "`{name}` has no usage that a commitment could cover: no EC2 On-Demand \
                 (Linux, shared) and no Fargate"
            )));
        }
        if let Some(GroupBy::Tag(key)) = &options.group_by
            && found.groups.names.keys().all(|name| name == NO_GROUP)
        {
            let key = excerpt(key.as_bytes(), 60);
            return Err(Error::input(format!(
                "no row of `{name}` that can be covered has the tag `{key}`; group by another one"
            )));
        }
        Ok(found)
    }

    /// An architecture stated for an instance type of the other one.
    fn contradiction(&self, file: &Statement, row: &Row<'_>) -> Option<BadRow> {
        let Class::Usage(Item::Instance { name, .. }) = row.class else { return None };
        let (stated, known) = (file.stated_arch()?, self.prices.arch(name)?);
        let cause = format!("is wrong for {name}, which is {known}: correct it or leave it empty");
        (stated != known).then(|| file.bad(Part::Arch, &stated.to_string(), &cause))
    }

    /// The item of a row, its hour and quantity; `None` where no commitment
    /// could cover it.
    #[allow(clippy::type_complexity)]
    fn item(
        &mut self,
        file: &Statement,
        row: &Row<'_>,
    ) -> Result<std::result::Result<Option<(ItemKey, i64, Quantity)>, BadRow>> {
        let Class::Usage(item) = row.class else { return Ok(Ok(None)) };
        let format = file.format();
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
        let fault = |part, cause: &str| Ok(Err(file.bad(part, &item.label(), cause)));
        let Some(hour) = row.hour() else {
            return fault(
                Part::Period,
                "is of more than one clock hour, and commitments apply hour by hour: export \
                 hourly data",
            );
        };
        let Some(quantity) = row.quantity else {
            return fault(Part::Quantity, "has no quantity");
        };
        // A price stated in our own format goes before the catalog's; that of
        // a bill in USD stands in where the catalog has none.
        let stated = row.unit_price.filter(|_| in_usd(row)).map(|rate| (rate, PriceStatus::Stated));
        let own = stated.filter(|_| format == Format::Hours);
        let list = match own {
            Some(price) => price,
            None => match (self.listed(item, row)?, stated) {
                (Ok(quote), _) if quote.status == Known::Believed && !self.allow_believed => {
                    let cause = format!(
                        "has a price in {} that nobody has verified; state \
                         --allow-believed-prices to use {} USD all the same",
                        row.region, quote.rate
                    );
                    return fault(Part::Item, &cause);
                }
                (Ok(quote), _) => (quote.rate, super::notes::bill_price(&quote).status),
                (Err(_), Some(price)) => price,
                (Err(_), None) if format == Format::Hours => {
                    let place = if is_plain_zone(row) {
                        format!("Region `{}`", row.region)
                    } else {
                        format!("`{}`, which is no zone of the Region itself", row.zone)
                    };
                    let cause =
                        format!("has no price in {place}; state it in the column `usd_per_unit`");
                    return fault(Part::Item, &cause);
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
        // What was negotiated is paid where nothing covers it; rates stay those of
        // the list.
        let contracted = row.contracted_price.filter(|rate| in_usd(row) && *rate < list.0);
        let (on_demand, status) = contracted.map_or(list, |rate| (rate, PriceStatus::Stated));
        let key = ItemKey { region, what, zone, idle, on_demand, status, list };
        Ok(Ok(Some((key, hour, quantity))))
    }

    /// The list price of what a row is for. A Local Zone has prices of its own,
    /// which the catalog does not know.
    fn listed(
        &mut self,
        item: Item<'_>,
        row: &Row<'_>,
    ) -> Result<std::result::Result<Quote, Unpriced>> {
        if is_plain_zone(row) {
            self.prices.listed(item, row.region)
        } else {
            Ok(Err(Unpriced::NotInRegion))
        }
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
        let stated = row.unit_price.filter(|_| in_usd(row));
        let is_arm = stated.is_some() && stated == arm64 && arm64 != amd64;
        Ok(if is_arm { arm } else { item })
    }
}

/// Whether a row's amounts are in USD; our own format knows no other currency.
fn in_usd(row: &Row<'_>) -> bool {
    matches!(row.currency, "USD" | "")
}

/// Whether a row is of an Availability Zone of its Region, or tells none.
fn is_plain_zone(row: &Row<'_>) -> bool {
    row.zone.is_empty() || is_zone_of(row.region, row.zone)
}

/// Refuses more than memory is made for.
fn check_size(found: &Found) -> Result<()> {
    let hours = found.window.1 - found.window.0;
    let remedy = "give it month by month, or only the accounts and Regions in question";
    let too_many = if hours > MOST_HOURS {
        "spans more than three years".to_owned()
    } else if found.items.len() > MOST_ITEMS {
        format!("has more than {MOST_ITEMS} distinct items")
    } else if hours.saturating_mul(found.items.len() as i64) > MOST_CELLS {
        format!("has {hours} hours of {} distinct items", found.items.len())
    } else if found.groups.list.len() > MOST_ENTRIES {
        "has too many groups for its hours".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::input(format!("{too_many}; {remedy}")))
}
