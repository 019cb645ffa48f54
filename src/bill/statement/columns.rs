//! Which column of which format says what.

use crate::error::{Error, Result};
use crate::names::nearest;
use crate::text::excerpt;
use crate::workload::table::Table;

/// Formats of billing and usage files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// FOCUS 1.0 to 1.2 (FinOps Open Cost and Usage Specification), with the
    /// `x_` columns of AWS where they are there.
    Focus,
    /// AWS Cost and Usage Report: 2.0 and the older column names.
    Cur,
    /// Our own: usage by the hour.
    Hours,
}

impl Format {
    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Focus => "FOCUS",
            Format::Cur => "AWS Cost and Usage Report",
            Format::Hours => "hourly usage",
        }
    }

    /// The columns that tell it from others.
    const fn mark(self) -> &'static [&'static str] {
        match self {
            Format::Focus => &["ChargePeriodStart", "ChargeCategory"],
            Format::Cur => &["line_item_usage_start_date", "line_item_line_item_type"],
            Format::Hours => &["hour", "kind"],
        }
    }
}

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Start,
    End,
    /// What kind of charge.
    Class,
    /// FOCUS: whether a row corrects others.
    Correction,
    /// FOCUS: whether a commitment was used on the row.
    CommitmentStatus,
    /// FOCUS: whether a capacity reservation was used on the row.
    ReservationStatus,
    Provider,
    Service,
    Description,
    UsageType,
    /// FOCUS 1.1 and later: what is metered, and of what.
    Meter,
    SkuDetails,
    PricingCategory,
    Operation,
    Region,
    Zone,
    Quantity,
    Unit,
    UnitPrice,
    /// FOCUS: what a unit costs after negotiated discounts, before commitments.
    ContractedPrice,
    ListCost,
    Billed,
    Currency,
    Account,
    Tags,
    /// Own format: instance type and architecture.
    InstanceType,
    Arch,
}

/// Fields in the order of [`Columns`].
const FIELDS: [Field; 27] = [
    Field::Start,
    Field::End,
    Field::Class,
    Field::Correction,
    Field::CommitmentStatus,
    Field::ReservationStatus,
    Field::Provider,
    Field::Service,
    Field::Description,
    Field::UsageType,
    Field::Meter,
    Field::SkuDetails,
    Field::PricingCategory,
    Field::Operation,
    Field::Region,
    Field::Zone,
    Field::Quantity,
    Field::Unit,
    Field::UnitPrice,
    Field::ContractedPrice,
    Field::ListCost,
    Field::Billed,
    Field::Currency,
    Field::Account,
    Field::Tags,
    Field::InstanceType,
    Field::Arch,
];

impl Field {
    /// Its columns in a format, the best first; none where there is no such.
    const fn names(self, format: Format) -> &'static [&'static str] {
        match format {
            Format::Focus => match self {
                Field::Start => &["ChargePeriodStart"],
                Field::End => &["ChargePeriodEnd"],
                Field::Class => &["ChargeCategory"],
                Field::Correction => &["ChargeClass"],
                Field::CommitmentStatus => &["CommitmentDiscountStatus"],
                Field::ReservationStatus => &["CapacityReservationStatus"],
                Field::Provider => &["ProviderName", "ServiceProviderName"],
                Field::Service => &["ServiceName"],
                Field::Description => &["ChargeDescription"],
                Field::UsageType => &["x_UsageType"],
                Field::Meter => &["SkuMeter"],
                Field::SkuDetails => &["SkuPriceDetails"],
                Field::PricingCategory => &["PricingCategory"],
                Field::Operation => &["x_Operation"],
                Field::Region => &["RegionId"],
                Field::Zone => &["AvailabilityZone"],
                Field::Quantity => &["PricingQuantity"],
                Field::Unit => &["PricingUnit"],
                Field::UnitPrice => &["ListUnitPrice"],
                Field::ContractedPrice => &["ContractedUnitPrice"],
                Field::ListCost => &["ListCost"],
                Field::Billed => &["BilledCost"],
                Field::Currency => &["BillingCurrency"],
                Field::Account => &["SubAccountId"],
                Field::Tags => &["Tags"],
                Field::InstanceType | Field::Arch => &[],
            },
            Format::Cur => match self {
                Field::Start => &["line_item_usage_start_date"],
                Field::End => &["line_item_usage_end_date"],
                Field::Class => &["line_item_line_item_type"],
                Field::Service => &["line_item_product_code"],
                Field::Description => &["line_item_line_item_description"],
                Field::UsageType => &["line_item_usage_type"],
                Field::Operation => &["line_item_operation"],
                Field::Region => &["product_region_code", "product_region"],
                Field::Zone => &["line_item_availability_zone"],
                Field::Quantity => &["line_item_usage_amount"],
                Field::Unit => &["pricing_unit"],
                Field::UnitPrice => &["pricing_public_on_demand_rate"],
                Field::ListCost => &["pricing_public_on_demand_cost"],
                Field::Billed => &["line_item_unblended_cost"],
                Field::Currency => &["line_item_currency_code"],
                Field::Account => &["line_item_usage_account_id"],
                Field::Tags => &["resource_tags"],
                _ => &[],
            },
            Format::Hours => match self {
                Field::Start => &["hour"],
                Field::Class => &["kind"],
                Field::Region => &["region"],
                Field::Zone => &["zone"],
                Field::Quantity => &["quantity"],
                Field::UnitPrice => &["usd_per_unit"],
                Field::Account => &["owner"],
                Field::InstanceType => &["instance_type"],
                Field::Arch => &["arch"],
                _ => &[],
            },
        }
    }

    /// Whether a format is unusable without it.
    const fn required(self, format: Format) -> bool {
        match format {
            Format::Focus => matches!(
                self,
                Field::Start
                    | Field::End
                    | Field::Class
                    | Field::Provider
                    | Field::Service
                    | Field::Description
                    | Field::Region
                    | Field::Quantity
                    | Field::ListCost
                    | Field::Billed
                    | Field::Currency
            ),
            Format::Cur => matches!(
                self,
                Field::Start
                    | Field::End
                    | Field::Class
                    | Field::Service
                    | Field::UsageType
                    | Field::Operation
                    | Field::Region
                    | Field::Quantity
                    | Field::Billed
                    | Field::Currency
            ),
            Format::Hours => {
                matches!(self, Field::Start | Field::Class | Field::Region | Field::Quantity)
            }
        }
    }
}

/// Where each field stands.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    at: [Option<usize>; FIELDS.len()],
}

impl Columns {
    /// Tells the format by the header and finds its columns.
    ///
    /// # Errors
    /// When the format is none that is known, or lacks columns.
    pub(super) fn of(table: &Table) -> Result<(Format, Self)> {
        let names: Vec<String> = table.header().iter().map(|h| plain(h)).collect();
        // Some tools make columns of Parquet files lower-case.
        let find = |name: &str| names.iter().position(|n| n.eq_ignore_ascii_case(name));
        let format = [Format::Focus, Format::Cur, Format::Hours]
            .into_iter()
            .find(|format| format.mark().iter().all(|mark| find(mark).is_some()))
            .ok_or_else(|| unknown(table))?;
        let columns = FIELDS.map(|field| field.names(format).iter().find_map(|name| find(name)));
        let missing: Vec<String> = FIELDS
            .iter()
            .zip(&columns)
            .filter(|(field, at)| at.is_none() && field.required(format))
            .filter_map(|(field, _)| field.names(format).first())
            .map(|name| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
            return Err(Error::input(format!(
                "`{}` is {} but lacks the column{} {}",
                table.name(),
                format.name(),
                if missing.len() == 1 { "" } else { "s" },
                missing.join(", ")
            )));
        }
        if format == Format::Hours {
            check_own(table.name(), &names)?;
        }
        for at in columns.iter().copied().flatten() {
            if names.iter().filter(|name| name.eq_ignore_ascii_case(&names[at])).count() > 1 {
                return Err(Error::input(format!(
                    "`{}` has the column `{}` twice; remove one",
                    table.name(),
                    names[at]
                )));
            }
        }
        Ok((format, Columns { at: columns }))
    }

    /// Every column that has a field.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> {
        self.at.iter().copied().flatten()
    }

    /// The column of a field.
    pub(super) fn at(&self, field: Field) -> Option<usize> {
        FIELDS.iter().position(|f| *f == field).and_then(|i| self.at.get(i).copied().flatten())
    }
}

/// Our own format has no columns but ours, each once: a misspelt one would
/// be a price or an owner that is silently not there.
fn check_own(file: &str, names: &[String]) -> Result<()> {
    let known: Vec<&str> =
        FIELDS.iter().flat_map(|field| field.names(Format::Hours)).copied().collect();
    let shown = |name: &str| format!("`{}`", excerpt(name.as_bytes(), 40));
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(Error::input(format!(
                "`{file}` has the column {} twice; remove one",
                shown(name)
            )));
        }
        if known.contains(&name.as_str())
            || name.strip_prefix("tag:").is_some_and(|n| !n.is_empty())
        {
            continue;
        }
        let remedy = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {} and tag:NAME", known.join(", ")),
        };
        return Err(Error::input(format!(
            "`{file}` is hourly usage and has the unknown column {}; {remedy}",
            shown(name)
        )));
    }
    Ok(())
}

fn unknown(table: &Table) -> Error {
    if let [only] = table.header()
        && let Some(separator) = only.chars().find(|c| matches!(c, ';' | '\t'))
    {
        let separator = if separator == ';' { "semicolons" } else { "tabs" };
        return Error::input(format!(
            "`{}` separates its cells by {separator}; export it with commas, and with points in \
             numbers",
            table.name()
        ));
    }
    Error::input(format!(
        "`{}` is no usage file: expected the columns of FOCUS (ChargePeriodStart, \
         ChargeCategory, …), of an AWS Cost and Usage Report (line_item_usage_start_date, …), or \
         hour, region, kind, instance_type, zone, arch, quantity",
        table.name()
    ))
}

/// A column's name as CUR 2.0 writes it: the older `lineItem/UsageStartDate`
/// becomes `line_item_usage_start_date`. Names without a slash stay.
pub(super) fn plain(name: &str) -> String {
    let name = name.trim().trim_start_matches('\u{feff}');
    let Some((group, rest)) = name.split_once('/') else { return name.to_owned() };
    let mut out = String::with_capacity(name.len() + 8);
    for part in [group, rest] {
        if !out.is_empty() {
            out.push('_');
        }
        let mut before = '_';
        for c in part.chars() {
            if c.is_ascii_uppercase() && before != '_' && !before.is_ascii_uppercase() {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
            before = c;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_names_become_newer_ones() {
        for (old, new) in [
            ("lineItem/UsageStartDate", "line_item_usage_start_date"),
            ("lineItem/LineItemType", "line_item_line_item_type"),
            ("pricing/publicOnDemandCost", "pricing_public_on_demand_cost"),
            ("product/regionCode", "product_region_code"),
            (" line_item_operation ", "line_item_operation"),
            ("\u{feff}ChargePeriodStart", "ChargePeriodStart"),
        ] {
            assert_eq!(plain(old), new);
        }
    }
}
