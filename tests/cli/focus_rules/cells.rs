//! How rules read a row.

use std::collections::BTreeMap;

/// A row: column to cell, empty cells left out.
pub(crate) type Row = BTreeMap<String, String>;

pub(super) fn get<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    row.get(column).map(String::as_str)
}

pub(super) fn is(row: &Row, column: &str, value: &str) -> bool {
    get(row, column) == Some(value)
}

pub(super) fn has(row: &Row, column: &str) -> bool {
    row.contains_key(column)
}

pub(super) fn usage(row: &Row) -> bool {
    is(row, "ChargeCategory", "Usage")
}

pub(super) fn purchase(row: &Row) -> bool {
    is(row, "ChargeCategory", "Purchase")
}

pub(super) fn credit(row: &Row) -> bool {
    is(row, "ChargeCategory", "Credit")
}

pub(super) fn sold(row: &Row) -> bool {
    usage(row) || purchase(row)
}

pub(super) fn all(_: &Row) -> bool {
    true
}

pub(super) fn committed(row: &Row) -> bool {
    has(row, "CommitmentDiscountId")
}

pub(super) fn used(row: &Row) -> bool {
    is(row, "CommitmentDiscountStatus", "Used")
}

pub(super) fn unused(row: &Row) -> bool {
    is(row, "CommitmentDiscountStatus", "Unused")
}

pub(super) fn reserved(row: &Row) -> bool {
    has(row, "CapacityReservationId")
}

/// A row of what of a capacity reservation nothing used.
pub(super) fn idle_reservation(row: &Row) -> bool {
    is(row, "x_Charge", "unused-capacity-reservation")
}

pub(super) fn tag(row: &Row, key: &str) -> Option<String> {
    let tags: serde_json::Value = serde_json::from_str(get(row, "Tags")?).ok()?;
    tags[key].as_str().map(str::to_owned)
}

/// A plural, with what it is counted by: `Hours`, `GB-Months`, `1000 Requests`.
/// Abbreviations of data sizes and currencies are plurals too.
pub(super) fn unit(text: &str) -> bool {
    let plural = |t: &str| ["GB", "USD"].contains(&t) || t.ends_with('s');
    let time = |t: &str| ["Hours", "Months"].contains(&t);
    let capital = |t: &str| t == "vCPU" || t.starts_with(|c: char| c.is_ascii_uppercase());
    match (text.split_once(' '), text.split_once('-')) {
        (Some((count, of)), None) => count.parse::<u64>().is_ok() && plural(of) && capital(of),
        (None, Some((of, per))) => {
            capital(of) && (of == "MiBps" || !of.ends_with('s')) && time(per)
        }
        (None, None) => plural(text) && capital(text),
        (Some(_), Some(_)) => false,
    }
}

/// A decimal as a number of 10⁻¹⁵; `None` unless it is written as FOCUS
/// demands: digits, at most one point, a minus for negative ones.
pub(crate) fn decimal(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(part) || part.len() > 15 {
        return None;
    }
    let padded = format!("{whole}{part:0<15}");
    let value: i128 = padded.parse().ok()?;
    Some(if negative { -value } else { value })
}

pub(super) fn number(row: &Row, column: &str) -> Option<i128> {
    decimal(get(row, column)?)
}

pub(super) fn is_zero(row: &Row, column: &str) -> bool {
    number(row, column) == Some(0)
}

/// Whether price × quantity is the cost, to a pico-USD and the last decimal
/// of the quantity.
pub(super) fn product(row: &Row, price: &str, cost: &str) -> bool {
    let (Some(price), Some(quantity), Some(cost)) =
        (number(row, price), number(row, "PricingQuantity"), number(row, cost))
    else {
        return false;
    };
    // All in 10⁻¹⁵: prices have twelve places, so this stays exact and small.
    let product = (price / 1_000) * quantity / 1_000_000_000_000;
    (product - cost).abs() <= 1_000 + price / 1_000_000_000_000_000
}

/// `YYYY-MM-DDTHH:mm:ssZ`.
pub(super) fn moment(text: &str) -> bool {
    text.len() == 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

pub(super) fn at(row: &Row, column: &str) -> Option<jiff::Timestamp> {
    get(row, column)?.parse().ok()
}

/// A JSON object of plain values with distinct keys.
pub(super) fn key_values(text: &str) -> bool {
    let Ok(serde_json::Value::Object(map)) = serde_json::from_str(text) else { return false };
    let flat = map.values().all(|v| !v.is_object() && !v.is_array());
    // A repeated key would be read once and written twice.
    let keys = map.keys().map(|k| text.matches(&format!("\"{k}\":")).count());
    flat && keys.max().unwrap_or(0) <= 1
}

/// The values of a column that each value of another goes with.
pub(super) fn one_each(rows: &[Row], of: &str, has: &str) -> Result<usize, String> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for row in rows {
        let (Some(key), Some(value)) = (get(row, of), get(row, has)) else { continue };
        if *seen.entry(key).or_insert(value) != value {
            return Err(format!("{of} `{key}` has several {has}"));
        }
    }
    Ok(seen.len())
}
