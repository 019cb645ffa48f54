//! The reader of billing and usage files.

use std::borrow::Cow;
use std::path::Path;

use super::columns::{Columns, Field, Format};
use super::decimal;
use super::item::{self, FargateResource, Item, Market, Platform};
use super::row::{Class, Quantity, Row};
use crate::catalog::Arch;
use crate::text;
use crate::units::{HOUR_MS, Money, Rate};
use crate::workload::source::{BadRow, BadRows, bad_value};
use crate::workload::table::Table;
use crate::{Error, Result};

/// Most units of anything in one row.
const MOST_UNITS: i128 = 1_000_000_000 * Quantity::ONE;

/// What `ChargeCategory` may say (FOCUS 1.0 to 1.2).
const CATEGORIES: [&str; 5] = ["Usage", "Purchase", "Tax", "Credit", "Adjustment"];

/// How a file is opened, CSV or Parquet. Only the room that knows the Parquet
/// library has one that opens both.
pub type OpenTable = fn(&Path) -> Result<Table>;

/// What rows are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// The account, or the column `owner`.
    Owner,
    /// A tag.
    Tag(String),
}

/// What of a row an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What it charges for.
    Item,
    /// When.
    Period,
    /// How much.
    Quantity,
    /// Architecture, in our own format.
    Arch,
}

/// Where a row says which group it is of.
enum Grouping {
    /// A column by itself.
    Column(usize),
    /// A column of tags as a JSON object, and the tag.
    Tags(usize, String),
}

/// An open file of usage.
pub struct Statement {
    table: Table,
    format: Format,
    columns: Columns,
    grouping: Option<Grouping>,
}

impl Statement {
    /// Opens a file; its header tells the format.
    ///
    /// # Errors
    /// When it cannot be read, or its columns are those of no known format.
    pub fn open(path: &Path, open: OpenTable) -> Result<Self> {
        Statement::of(open(path)?)
    }

    /// As [`Statement::open`] for a table that is open.
    ///
    /// # Errors
    /// When its columns are those of no known format.
    pub fn of(mut table: Table) -> Result<Self> {
        let (format, columns) = Columns::of(&table)?;
        table.choose(&columns.all().collect::<Vec<_>>())?;
        Ok(Statement { table, format, columns, grouping: None })
    }

    /// What the header says.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// What errors call the file.
    #[must_use]
    pub fn name(&self) -> &str {
        self.table.name()
    }

    /// Has [`Statement::group`] tell groups, before the first row is read.
    ///
    /// # Errors
    /// When the file has no column that could tell them.
    pub fn group_by(&mut self, by: &GroupBy) -> Result<()> {
        let (grouping, column) = match by {
            GroupBy::Owner => {
                let column = match self.format {
                    Format::Focus => "SubAccountId",
                    Format::Cur => "line_item_usage_account_id",
                    Format::Hours => "owner",
                };
                (self.columns.at(Field::Account).map(Grouping::Column), column.to_owned())
            }
            GroupBy::Tag(key) => {
                let (own, column) = match self.format {
                    Format::Focus => (Vec::new(), "Tags".to_owned()),
                    Format::Cur => {
                        let name = format!("resource_tags_{key}");
                        (vec![format!("resourceTags/{key}"), name.clone()], name)
                    }
                    Format::Hours => (vec![format!("tag:{key}")], format!("tag:{key}")),
                };
                let header = self.table.header();
                let own = header.iter().position(|h| own.iter().any(|name| name == h.trim()));
                let tags = self.columns.at(Field::Tags);
                let found = own.map(Grouping::Column);
                (found.or(tags.map(|at| Grouping::Tags(at, key.clone()))), column)
            }
        };
        let Some(grouping) = grouping else {
            return Err(Error::input(format!(
                "`{}` lacks the column `{column}` that --by groups by; add it, or group by item or \
                 hour",
                self.name()
            )));
        };
        let (Grouping::Column(at) | Grouping::Tags(at, _)) = grouping;
        self.table.choose(&self.columns.all().chain([at]).collect::<Vec<_>>())?;
        self.grouping = Some(grouping);
        Ok(())
    }

    /// Reads every row that is left.
    ///
    /// # Errors
    /// What `take` fails with; or, when rows cannot be read or `take` finds
    /// some that cannot be used, those: the first twenty are named.
    pub fn each(
        &mut self,
        mut take: impl FnMut(&Statement, &Row<'_>) -> Result<std::result::Result<(), BadRow>>,
    ) -> Result<()> {
        let remedy = "correct the rows, or export the file again";
        let mut bad = BadRows::new(self.name(), self.table.unit(), remedy);
        while self.advance()? {
            let taken = match self.row() {
                Ok(row) => take(self, &row)?,
                Err(fault) => Err(fault),
            };
            if let Err(fault) = taken {
                bad.add(self.table.line(), fault)?;
            }
        }
        bad.finish()
    }

    /// Reads the next row; false at the end.
    ///
    /// # Errors
    /// When reading fails.
    pub fn advance(&mut self) -> Result<bool> {
        self.table.advance()
    }

    /// The last row.
    ///
    /// # Errors
    /// Names the first value that has no meaning.
    pub fn row(&self) -> std::result::Result<Row<'_>, BadRow> {
        self.table.check_width()?;
        let (start_unix_ms, end_unix_ms) = self.period()?;
        let class = self.class()?;
        let mut row = Row {
            line: self.table.line(),
            start_unix_ms,
            end_unix_ms,
            class,
            provider: "",
            service: self.text(Field::Service)?,
            description: self.text(Field::Description)?,
            unit: self.text(Field::Unit)?,
            region: self.text(Field::Region)?,
            zone: self.text(Field::Zone)?,
            owner: self.text(Field::Account)?,
            currency: self.text(Field::Currency)?,
            quantity: None,
            unit_price: None,
            contracted_price: None,
            list_cost: self.money(Field::ListCost)?,
            billed: self.money(Field::Billed)?,
        };
        if self.format == Format::Hours && !row.zone.is_empty() && !in_region(row.zone, row.region)
        {
            let cause = format!(
                "is no zone of the row's Region: expected the Region and a letter, such as \
                 {}a, or nothing",
                row.region
            );
            return Err(self.fault(Field::Zone, &cause));
        }
        let provider = self.text(Field::Provider)?;
        let is_aws = provider == "AWS" || provider.starts_with("Amazon Web Services");
        if self.format == Format::Focus && !is_aws {
            row.provider = provider;
            row.class = match class {
                Class::Usage(_) => Class::NotModelled,
                other => other,
            };
        }
        if let Class::Usage(_) = row.class {
            row.quantity = self
                .number(Field::Quantity, Quantity::PLACES, MOST_UNITS, "is more than any bill has")?
                .map(Quantity);
            row.unit_price = self
                .number(Field::UnitPrice, 12, Rate::MOST.pico(), "is dearer than anything")?
                .map(Rate::from_pico);
            row.contracted_price = self.contracted_price(&row)?;
        }
        Ok(row)
    }

    /// The negotiated price of a row, if it is below the list price. A row that no
    /// commitment covers is billed at it: exports are known that round the column
    /// to whole dollars, and where the invoice says otherwise it is not believed.
    fn contracted_price(&self, row: &Row<'_>) -> std::result::Result<Option<Rate>, BadRow> {
        let price = self
            .number(Field::ContractedPrice, 12, Rate::MOST.pico(), "is dearer than anything")?
            .map(Rate::from_pico);
        let (Some(price), Some(list), Some(quantity)) = (price, row.unit_price, row.quantity)
        else {
            return Ok(None);
        };
        let is_covered = self.text(Field::CommitmentStatus)? == "Used";
        let (paid, at_list) = (quantity.at(price), quantity.at(list));
        let off = (row.billed.unwrap_or(at_list).pico() - paid.pico()).abs();
        // To a thousandth of the discount: amounts may be rounded, or doubles.
        let is_paid = off.saturating_mul(1_000) <= (at_list - paid).pico();
        let is_below = price > Rate::ZERO && price < list;
        Ok((is_below && (is_covered || is_paid)).then_some(price))
    }

    /// Architecture that a row of our own format states; of any kind.
    #[must_use]
    pub fn stated_arch(&self) -> Option<Arch> {
        match decimal::filled(self.cell(Field::Arch))? {
            b"amd64" => Some(Arch::Amd64),
            b"arm64" => Some(Arch::Arm64),
            _ => None,
        }
    }

    /// What is wrong with a part of the last row, which says `value`.
    #[must_use]
    pub fn bad(&self, part: Part, value: &str, cause: &str) -> BadRow {
        let fields = match part {
            Part::Item => &[Field::InstanceType, Field::UsageType, Field::Description][..],
            Part::Period => &[Field::End, Field::Start],
            Part::Quantity => &[Field::Quantity],
            Part::Arch => &[Field::Arch],
        };
        let at = fields.iter().find_map(|field| self.columns.at(*field));
        let column = at.and_then(|at| self.table.header().get(at)).map_or("", |name| name.trim());
        bad_value(column, value.as_bytes(), cause, self.table.row_text().as_bytes())
    }

    /// The group of the last row; `None` where the row states none.
    ///
    /// # Errors
    /// When its tags cannot be read.
    pub fn group(&self) -> std::result::Result<Option<Cow<'_, str>>, BadRow> {
        let (at, key) = match &self.grouping {
            None => return Ok(None),
            Some(Grouping::Column(at)) => (*at, None),
            Some(Grouping::Tags(at, key)) => (*at, Some(key)),
        };
        let Some(cell) = decimal::filled(self.table.cell(at)) else { return Ok(None) };
        let Some(key) = key else {
            let text =
                std::str::from_utf8(cell).map_err(|_| self.table.fault(at, "is not text"))?;
            return Ok(Some(Cow::Borrowed(text)));
        };
        match serde_json::from_slice(cell) {
            Ok(serde_json::Value::Object(mut tags)) => Ok(match tags.remove(key) {
                None | Some(serde_json::Value::Null) => None,
                Some(serde_json::Value::String(text)) => Some(text.into()),
                Some(other) => Some(other.to_string().into()),
            }),
            _ => Err(self.table.fault(at, "is no JSON object of tags")),
        }
    }

    fn cell(&self, field: Field) -> &[u8] {
        self.columns.at(field).map_or(&b""[..], |at| self.table.cell(at))
    }

    fn fault(&self, field: Field, cause: &str) -> BadRow {
        match self.columns.at(field) {
            Some(at) => self.table.fault(at, cause),
            None => bad_value("", b"", cause, self.table.row_text().as_bytes()),
        }
    }

    fn text(&self, field: Field) -> std::result::Result<&str, BadRow> {
        decimal::filled(self.cell(field)).map_or(Ok(""), |cell| {
            std::str::from_utf8(cell).map_err(|_| self.fault(field, "is not text"))
        })
    }

    fn number(
        &self,
        field: Field,
        places: u32,
        most: i128,
        large: &str,
    ) -> std::result::Result<Option<i128>, BadRow> {
        let value =
            decimal::scaled(self.cell(field), places).map_err(|cause| self.fault(field, cause))?;
        match value {
            Some(value) if value > most => Err(self.fault(field, large)),
            Some(value) if value < 0 => Err(self.fault(field, "is negative")),
            value => Ok(value),
        }
    }

    fn money(&self, field: Field) -> std::result::Result<Option<Money>, BadRow> {
        decimal::scaled(self.cell(field), 12)
            .map(|value| value.map(Money::from_pico))
            .map_err(|cause| self.fault(field, cause))
    }

    fn period(&self) -> std::result::Result<(i64, i64), BadRow> {
        let cell = self.cell(Field::Start).trim_ascii();
        if self.format == Format::Hours && !text::is_timestamp(cell) {
            // A year's first four digits and a dash tell a date from a number.
            let hour =
                text::integer(cell, 0, 10_000_000).map_err(|c| self.fault(Field::Start, &c))?;
            return Ok((hour * HOUR_MS, (hour + 1) * HOUR_MS));
        }
        let at = |field: Field| {
            text::timestamp_ms(self.cell(field)).map_err(|cause| self.fault(field, cause))
        };
        let start = at(Field::Start)?;
        let end = match self.format {
            Format::Hours if start.rem_euclid(HOUR_MS) != 0 => {
                return Err(self.fault(Field::Start, "is not the start of a clock hour (UTC)"));
            }
            Format::Hours => start + HOUR_MS,
            _ => at(Field::End)?,
        };
        if end < start {
            return Err(self.fault(Field::End, "is before the start of the period"));
        }
        Ok((start, end))
    }

    fn class(&self) -> std::result::Result<Class<'_>, BadRow> {
        let word = self.text(Field::Class)?;
        let usage = match self.format {
            Format::Focus => {
                if !CATEGORIES.contains(&word) {
                    let cause = format!("is none of {}", CATEGORIES.join(", "));
                    return Err(self.fault(Field::Class, &cause));
                }
                if word != "Usage" {
                    return Ok(Class::NotUsage(word));
                }
                if self.text(Field::Correction)? == "Correction" {
                    return Ok(Class::NotUsage("Correction"));
                }
                if self.text(Field::CommitmentStatus)? == "Unused" {
                    return Ok(Class::NotUsage("Unused commitment"));
                }
                true
            }
            Format::Cur => {
                matches!(word, "Usage" | "SavingsPlanCoveredUsage" | "DiscountedUsage")
            }
            Format::Hours => return self.own_item(word).map(Class::Usage),
        };
        if !usage {
            return Ok(Class::NotUsage(word));
        }
        let (description, service) = (self.text(Field::Description)?, self.text(Field::Service)?);
        let (usage_type, operation) = (self.text(Field::UsageType)?, self.text(Field::Operation)?);
        let by_type = item::by_usage_type(usage_type, operation, service);
        let described = || item::by_description(description, service);
        // Without the operation a usage type does not tell the platform, so
        // that a description knows more.
        let details = self.text(Field::SkuDetails)?;
        let metered = item::by_meter(
            self.text(Field::Meter)?,
            details,
            self.text(Field::PricingCategory)? == "Dynamic",
        );
        let item = if self.columns.at(Field::Operation).is_some() {
            by_type.or_else(described)
        } else {
            described().or(by_type)
        };
        let mut item = item.or(metered);
        // FOCUS tells what reserved capacity nothing ran on in a column of its own.
        if let Some(Item::Instance { market: market @ Market::OnDemand, .. }) = &mut item
            && self.text(Field::ReservationStatus)? == "Unused"
        {
            *market = Market::UnusedReservation;
        }
        if self.format == Format::Focus {
            item = item.map(|item| item::with_details(item, details, operation));
        }
        Ok(item.map_or(Class::NotModelled, Class::Usage))
    }

    /// An item of the format of our own.
    fn own_item(&self, kind: &str) -> std::result::Result<Item<'_>, BadRow> {
        let arch = match self.text(Field::Arch)? {
            "" | "amd64" => Arch::Amd64,
            "arm64" => Arch::Arm64,
            _ => return Err(self.fault(Field::Arch, "is neither amd64 nor arm64")),
        };
        let fargate =
            |resource| Item::Fargate { resource, arch, platform: Platform::Linux, spot: false };
        match kind {
            "ec2" => {
                let name = self.text(Field::InstanceType)?;
                if name.is_empty() {
                    return Err(self.fault(Field::InstanceType, "is no instance type"));
                }
                Ok(Item::Instance {
                    name,
                    platform: Platform::Linux,
                    shared: true,
                    market: Market::OnDemand,
                })
            }
            "fargate-vcpu" => Ok(fargate(FargateResource::Vcpu)),
            "fargate-gb" => Ok(fargate(FargateResource::Memory)),
            _ => Err(self.fault(Field::Class, "is no kind: ec2, fargate-vcpu or fargate-gb")),
        }
    }
}

/// Whether a name is that of a zone of a Region: `us-east-1a`, or a Local
/// Zone, `us-west-2-lax-1a`.
fn in_region(zone: &str, region: &str) -> bool {
    zone.strip_prefix(region).is_some_and(|rest| {
        rest.starts_with('-') || rest.len() == 1 && rest.bytes().all(|c| c.is_ascii_lowercase())
    })
}
