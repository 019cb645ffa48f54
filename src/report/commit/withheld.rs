//! No answer, and why.

use serde_json::json;

use super::Format;
use crate::Error;
use crate::sweep::SCHEMA_VERSION;

/// The reason that programs read, and the code of the error that people read.
const REPRESENTATIVE: &str = "rates-representative";
/// Items named; there may be many.
const NAMED: usize = 4;

/// What goes where an answer would: for programs the reason, for people
/// nothing, since the error says it.
#[must_use]
pub fn withheld(items: &[String], format: Format) -> String {
    if format != Format::Json {
        return String::new();
    }
    let answer = json!({
        "schema_version": SCHEMA_VERSION,
        "status": "withheld",
        "reason": REPRESENTATIVE,
        "items": items,
    });
    format!("{answer:#}\n")
}

/// That nobody published a rate of these items.
#[must_use]
pub fn reason(items: &[String]) -> Error {
    let mut names = items.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if items.len() > NAMED {
        names = format!("{names} and {} more", items.len() - NAMED);
    }
    Error::input(format!(
        "error[{REPRESENTATIVE}]: no published Savings Plan rate is known for {names}\n\
         help: give price tables that have the rates (--pricing DIR), state the `discount` of a \
         commitment with `usd-per-hour: 0`, or take a band around representative rates with \
         --allow-representative"
    ))
}
