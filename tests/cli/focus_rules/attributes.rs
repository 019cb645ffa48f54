//! How values and columns are written: the attributes of the specification.

use super::cells::{all, decimal, get, has, is, key_values, moment, unit};
use super::columns::{Kind, Level, is_here, of_kind, of_level};
use super::{RowRule, SetRule, rule, whole};

pub(super) const ROWS: &[RowRule] = &[
    rule("ColumnHandling.ids", "synthetic ids never look like those of AWS", all, |r| {
        ["ResourceId", "CommitmentDiscountId", "BillingAccountId", "SubAccountId", "SkuId"]
            .iter()
            .all(|c| get(r, c).is_none_or(|v| v.starts_with("plimsoll/")))
    }),
    rule("CurrencyFormat", "currencies are three capital letters of ISO 4217", all, |r| {
        is(r, "BillingCurrency", "USD")
    }),
    rule("DateTimeFormat", "moments are UTC, ISO 8601 extended, ending in Z", all, |r| {
        of_kind(Kind::Time).all(|c| get(r, c).is_some_and(moment))
    }),
    rule(
        "KeyValueFormat.SkuPriceDetails",
        "an object with distinct keys and plain values",
        |r| has(r, "SkuPriceDetails"),
        |r| get(r, "SkuPriceDetails").is_some_and(key_values),
    ),
    rule("KeyValueFormat.Tags", "an object with distinct keys and plain values", all, |r| {
        get(r, "Tags").is_none_or(key_values)
    }),
    rule("NullHandling.text", "no placeholder stands for a missing value", all, |r| {
        r.values().all(|v| !["NULL", "null", "None", "N/A", "Not Applicable", "-"].contains(&&**v))
    }),
    rule("NumericFormat", "numbers are plain decimals: no sign but minus, no unit", all, |r| {
        of_kind(Kind::Decimal).all(|c| get(r, c).is_none_or(|v| decimal(v).is_some()))
    }),
    rule("StringHandling.blank", "no text is blank", all, |r| {
        of_kind(Kind::Text).all(|c| get(r, c).is_none_or(|v| !v.trim().is_empty()))
    }),
    rule(
        "UnitFormat",
        "a capitalised plural, or unit and plural time, or count of them",
        all,
        |r| {
            let units = ["PricingUnit", "ConsumedUnit", "CommitmentDiscountUnit"];
            units.iter().all(|c| get(r, c).is_none_or(unit))
        },
    ),
];

pub(super) const SETS: &[SetRule] = &[
    whole(
        "ColumnHandling.names",
        "columns are FOCUS's own, or begin with x_ and come last",
        |header, _| {
            let own = header.iter().position(|h| h.starts_with("x_")).unwrap_or(header.len());
            let known = |h: &&String| is_here(h);
            let ours = |h: &&String| h.starts_with("x_") && h.len() <= 50;
            match (
                header[..own].iter().find(|h| !known(h)),
                header[own..].iter().find(|h| !ours(h)),
            ) {
                (None, None) => Ok(header.len()),
                (Some(h), _) | (_, Some(h)) => Err(format!("{h} is out of place")),
            }
        },
    ),
    whole("Columns.mandatory", "every mandatory column is there", |header, _| {
        present(header, Level::Mandatory)
    }),
    whole(
        "Columns.conditional",
        "every column whose condition holds for AWS is there",
        |header, _| present(header, Level::Conditional),
    ),
    whole("Columns.recommended", "recommended columns are there", |header, _| {
        present(header, Level::Recommended)
    }),
];

fn present(header: &[String], level: Level) -> Result<usize, String> {
    match of_level(level).find(|wanted| !header.iter().any(|h| h == wanted)) {
        Some(missing) => Err(format!("{missing} is missing")),
        None => Ok(of_level(level).count()),
    }
}
