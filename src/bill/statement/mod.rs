//! What somebody was billed, or used, row by row: FOCUS, AWS Cost and Usage
//! Reports, and hourly usage of our own.
//!
//! Rows stream: one is in memory at a time. A row that cannot be read names
//! its line and column. Nothing is dropped: what is not modelled, and what is
//! no usage (credits, taxes, fees), comes as a row that says so.
//!
//! The format of our own, for usage that was metered elsewhere:
//!
//! | column | meaning |
//! | --- | --- |
//! | `hour` | start of the clock hour (UTC), RFC 3339; or its number since 1970-01-01T00Z, as in `bill.parquet` |
//! | `region` | `us-east-1` |
//! | `kind` | `ec2` (instance-hours), `fargate-vcpu` (vCPU-hours), `fargate-gb` (GB-hours) |
//! | `quantity` | in that unit; a decimal |
//! | `instance_type` | of `ec2` |
//! | `zone` | optional: what zonal Reserved Instances need |
//! | `arch` | optional, of Fargate: `amd64` (default) or `arm64` |
//! | `usd_per_unit` | optional: On-Demand price instead of the catalog's |
//! | `owner` | optional: account or team, for `--by owner` |
//! | `tag:NAME` | optional: for `--by tag:NAME` |

mod around;
mod columns;
mod decimal;
mod item;
mod reprice;
mod tally;
mod usage_bill;
mod whole;

use std::path::Path;

use crate::Result;
use crate::bill::prices::MAX_RATE;
use crate::catalog::Arch;
use crate::text;
use crate::units::{HOUR_MS, Money, Rate};
use crate::workload::source::{BadRow, bad_value};
use crate::workload::table::Table;

pub use columns::Format;
use columns::{Columns, Field};
pub use item::{FargateResource, Item, Market, Platform};
pub use reprice::{FilePrice, Reason, Repriced, Unpriced, reprice};
pub use tally::{Group, GroupKey, MOST_GROUPS, Other, OtherKey, OurPrice, Repricing};
pub use usage_bill::{Gathered, Groups, ItemFacts, Sum, UsageBill};
pub use whole::{BadRows, RepricedRow, reprice_file};

/// Most units of anything in one row.
const MOST_UNITS: i128 = 1_000_000_000 * Quantity::ONE;

/// An amount of usage in 10⁻¹⁵ of its unit: what FOCUS prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(pub i128);

impl Quantity {
    /// One unit.
    pub const ONE: i128 = 10i128.pow(Self::PLACES);
    /// Decimal places.
    pub const PLACES: u32 = 15;

    /// What it costs at a rate: multiplied first, rounded half-even once.
    #[must_use]
    pub fn at(self, rate: Rate) -> Money {
        // Whole units are exact, so that the rest alone is rounded: their
        // product would leave its integer.
        let (whole, rest) = (self.0.div_euclid(Self::ONE), self.0.rem_euclid(Self::ONE));
        Money::from_pico(rate.pico() * whole) + rate.charge(rest, Self::ONE)
    }
}

impl std::fmt::Display for Quantity {
    /// The exact decimal, without trailing zeros.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (amount, one) = (self.0.unsigned_abs(), Self::ONE.unsigned_abs());
        let text = format!("{sign}{}.{:015}", amount / one, amount % one);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class<'a> {
    /// Usage that can be priced.
    Usage(Item<'a>),
    /// Usage of something else.
    NotModelled,
    /// No usage: the file's own word, such as `Credit` or `RIFee`.
    NotUsage(&'a str),
}

/// A row, borrowed from the file's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// Where it stands.
    pub line: u64,
    /// Start of its period, Unix milliseconds.
    pub start_unix_ms: i64,
    /// End of its period.
    pub end_unix_ms: i64,
    /// What it is.
    pub class: Class<'a>,
    /// Whose service; empty for AWS.
    pub provider: &'a str,
    /// Which service.
    pub service: &'a str,
    /// What the file says it is.
    pub description: &'a str,
    /// The file's unit of price.
    pub unit: &'a str,
    /// AWS Region.
    pub region: &'a str,
    /// Availability Zone, empty where not told.
    pub zone: &'a str,
    /// Account or owner.
    pub owner: &'a str,
    /// Currency of its amounts.
    pub currency: &'a str,
    /// How much was used; of [`Class::Usage`] only.
    pub quantity: Option<Quantity>,
    /// List price of a unit; of [`Class::Usage`] only.
    pub unit_price: Option<Rate>,
    /// List price × quantity, as the file states it.
    pub list_cost: Option<Money>,
    /// What the invoice asks.
    pub billed: Option<Money>,
}

impl Row<'_> {
    /// Its clock hour (UTC) since the Unix epoch, if it lies within one.
    #[must_use]
    pub fn hour(&self) -> Option<i64> {
        let hour = self.start_unix_ms.div_euclid(HOUR_MS);
        (self.end_unix_ms <= (hour + 1) * HOUR_MS).then_some(hour)
    }
}

/// An open file of usage.
pub struct Statement {
    table: Table,
    format: Format,
    columns: Columns,
}

impl Statement {
    /// Opens a file, plain or gzip; the header tells the format.
    ///
    /// # Errors
    /// When it cannot be read, or its columns are those of no known format.
    pub fn open(path: &Path) -> Result<Self> {
        Statement::of(Table::open(path)?)
    }

    /// As [`Statement::open`] for a table that is open.
    ///
    /// # Errors
    /// When its columns are those of no known format.
    pub fn of(table: Table) -> Result<Self> {
        let (format, columns) = Columns::of(&table)?;
        Ok(Statement { table, format, columns })
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

    /// Line on which the last row starts.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.table.line()
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
        if self.format == Format::Focus && !matches!(provider, "AWS" | "Amazon Web Services") {
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
                .number(Field::UnitPrice, 12, MAX_RATE.pico(), "is dearer than anything")?
                .map(Rate::from_pico);
        }
        Ok(row)
    }

    /// Whether the file can tell accounts or owners.
    #[must_use]
    pub fn has_owners(&self) -> bool {
        self.columns.at(Field::Account).is_some()
    }

    /// Whether the file has a column that can hold a tag.
    #[must_use]
    pub fn has_tag(&self, key: &str) -> bool {
        self.columns.at(Field::Tags).is_some() || self.tag_column(key).is_some()
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

    /// The value of a tag of the last row.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<String> {
        if let Some(at) = self.columns.at(Field::Tags)
            && let Some(cell) = decimal::filled(self.table.cell(at))
            && let Ok(serde_json::Value::Object(tags)) = serde_json::from_slice(cell)
        {
            return tags.get(key).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        }
        let cell = self.table.cell(self.tag_column(key)?);
        std::str::from_utf8(decimal::filled(cell)?).ok().map(str::to_owned)
    }

    /// A column for one tag.
    fn tag_column(&self, key: &str) -> Option<usize> {
        let names = match self.format {
            Format::Focus => return None,
            Format::Cur => [format!("resourceTags/{key}"), format!("resource_tags_{key}")],
            Format::Hours => [format!("tag:{key}"), String::new()],
        };
        self.table.header().iter().position(|h| names.iter().any(|n| n == h.trim()))
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
        let by_type =
            item::by_usage_type(self.text(Field::UsageType)?, self.text(Field::Operation)?);
        let (description, service) = (self.text(Field::Description)?, self.text(Field::Service)?);
        let described = || item::by_description(description, service);
        // Without the operation a usage type does not tell the platform, so
        // that a description knows more.
        let metered = item::by_meter(
            self.text(Field::Meter)?,
            self.text(Field::SkuDetails)?,
            self.text(Field::PricingCategory)? == "Dynamic",
        );
        let item = if self.columns.at(Field::Operation).is_some() {
            by_type.or_else(described)
        } else {
            described().or(by_type)
        };
        let item = item.or(metered);
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

#[cfg(test)]
mod tests;
