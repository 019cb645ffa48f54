//! What is owned, as `commitments:` of a scenario.

use std::fmt::Write as _;

use serde::Deserialize;

use super::Taken;
use super::input::Input;
use super::savings::{payment, term};
use crate::catalog::table::ONE;
use crate::units::{Money, Rate};
use crate::{Error, Result};

/// Most that a commitment costs an hour, USD, and most instances of one: what
/// a scenario takes.
const MAX_USD: i128 = 100_000;
const MAX_COUNT: u32 = 1_000_000;

/// A rate that a scenario takes.
fn payable(rate: Rate, what: &str, id: &str) -> Result<Rate> {
    if (0..=MAX_USD * ONE).contains(&rate.pico()) {
        return Ok(rate);
    }
    Err(Error::input(format!(
        "the {what} of {id}, {rate} USD an hour, does not lie between 0 and {MAX_USD}"
    )))
}

/// One commitment: its name, its keys as YAML in flow style, and a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owned {
    name: String,
    keys: Vec<(&'static str, String)>,
    remark: String,
}

/// The block, ready to be pasted into a scenario.
pub(super) fn render(owned: &[Owned]) -> String {
    let mut text = "commitments:\n".to_owned();
    for it in owned {
        let keys: Vec<String> = it.keys.iter().map(|(k, v)| format!("{k}: {v}")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  # {}", it.remark);
        let _ = writeln!(text, "  {}: {{ {} }}", it.name, keys.join(", "));
    }
    text
}

/// A word of AWS's answer: what could not stand in YAML as it is, is no word.
fn plain(text: &str) -> Result<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '+' | '/');
    if !text.is_empty() && text.len() <= 100 && text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    Err(Error::input(format!("`{shown}` is no id, type or time of AWS")))
}

/// A name from the start of an id; longer where that is taken.
fn name(prefix: &str, id: &str, owned: &[Owned]) -> Result<String> {
    let id = plain(id)?;
    let short = format!("{prefix}-{}", id.get(..8).unwrap_or(&id));
    let taken = owned.iter().any(|it| it.name == short);
    Ok(if taken { format!("{prefix}-{id}") } else { short })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlansPage {
    savings_plans: Vec<Plan>,
}

/// An item of `describe-savings-plans`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    savings_plan_id: String,
    #[serde(default)]
    start: Option<String>,
    #[serde(default)]
    end: Option<String>,
    #[serde(default)]
    state: String,
    savings_plan_type: String,
    payment_option: String,
    #[serde(default)]
    currency: String,
    commitment: String,
    term_duration_in_seconds: i64,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    ec2_instance_family: Option<String>,
}

pub(super) fn read_plans(input: &mut Input, as_of: &str, owned: &mut Vec<Owned>) -> Result<Taken> {
    let before = owned.len();
    let mut left_out = Vec::new();
    input.documents(|page: PlansPage| {
        for it in page.savings_plans {
            let kind = match it.savings_plan_type.as_str() {
                "Compute" => "compute-sp",
                "EC2Instance" => "ec2-instance-sp",
                other => {
                    left_out.push(format!("a plan of {}", plain(other)?));
                    continue;
                }
            };
            let words = (term(it.term_duration_in_seconds), payment(&it.payment_option));
            let (Some(term), Some(payment), "active", "USD" | "") =
                (words.0, words.1, it.state.as_str(), it.currency.as_str())
            else {
                left_out.push(format!("plan {}, {}", plain(&it.savings_plan_id)?, it.state));
                continue;
            };
            let usd: Rate = it
                .commitment
                .parse()
                .map_err(|e| Error::input(format!("commitment `{}`: {e}", it.commitment)))?;
            let usd = payable(usd, "commitment", &plain(&it.savings_plan_id)?)?;
            let mut keys = vec![
                ("kind", kind.to_owned()),
                ("term", term.to_string()),
                ("payment", payment.to_string()),
                ("usd-per-hour", usd.to_string()),
            ];
            if let Some(family) = it.ec2_instance_family.filter(|_| kind == "ec2-instance-sp") {
                keys.push(("family", plain(&family)?));
            }
            let remark = remark(&it.savings_plan_id, it.region.as_deref(), it.end.as_deref())?;
            start(&mut keys, it.start.as_deref())?;
            owned.push(Owned { name: name("sp", &it.savings_plan_id, owned)?, keys, remark });
        }
        Ok(())
    })?;
    Ok(Taken {
        kind: "owned Savings Plans",
        as_of: as_of.to_owned(),
        source: String::new(),
        rows: owned.len() - before,
        left_out,
    })
}

fn remark(id: &str, region: Option<&str>, end: Option<&str>) -> Result<String> {
    let mut remark = plain(id)?;
    if let Some(region) = region.filter(|r| !r.is_empty()) {
        let _ = write!(remark, ", {}", plain(region)?);
    }
    if let Some(end) = end {
        let _ = write!(remark, ", until {}", plain(end)?);
    }
    Ok(remark)
}

fn start(keys: &mut Vec<(&'static str, String)>, start: Option<&str>) -> Result<()> {
    if let Some(start) = start {
        let shown = plain(start)?;
        let time: jiff::Timestamp =
            start.parse().map_err(|_| Error::input(format!("`{shown}` is no time")))?;
        keys.push(("start", format!("\"{}\"", time.strftime("%Y-%m-%dT%H:%M:%SZ"))));
    }
    Ok(())
}

#[derive(Deserialize)]
struct ReservedPage {
    #[serde(rename = "ReservedInstances")]
    reserved: Vec<Reserved>,
}

/// An item of `describe-reserved-instances`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reserved {
    #[serde(rename = "ReservedInstancesId")]
    id: String,
    instance_type: String,
    instance_count: u32,
    #[serde(default)]
    product_description: String,
    duration: i64,
    offering_class: String,
    offering_type: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    availability_zone: Option<String>,
    #[serde(default)]
    fixed_price: f64,
    #[serde(default)]
    usage_price: f64,
    #[serde(default)]
    recurring_charges: Vec<Recurring>,
    #[serde(default)]
    state: String,
    #[serde(default)]
    start: Option<String>,
    #[serde(default)]
    end: Option<String>,
    #[serde(default)]
    instance_tenancy: String,
    #[serde(default)]
    currency_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Recurring {
    amount: f64,
    #[serde(default)]
    frequency: String,
}

/// A JSON number of AWS in its shortest decimal form, which is what AWS wrote.
fn decimal<T: std::str::FromStr>(value: f64) -> Result<T> {
    format!("{value}").parse().map_err(|_| Error::input(format!("the price {value} is no decimal")))
}

pub(super) fn read_reserved(
    input: &mut Input,
    as_of: &str,
    owned: &mut Vec<Owned>,
) -> Result<Taken> {
    let before = owned.len();
    let mut left_out = Vec::new();
    input.documents(|page: ReservedPage| {
        for it in page.reserved {
            let linux = it.product_description.starts_with("Linux/UNIX");
            let shared = matches!(it.instance_tenancy.as_str(), "default" | "");
            let (Some(term), Some(payment), "active", "USD" | "", true, true) = (
                term(it.duration),
                payment(&it.offering_type),
                it.state.as_str(),
                it.currency_code.as_str(),
                linux,
                shared,
            ) else {
                let what = plain(&it.instance_type)?;
                let why = [&*it.state, &*it.product_description, &*it.instance_tenancy];
                let why: Vec<&str> = why.into_iter().filter(|w| !w.is_empty()).collect();
                left_out.push(format!("{} × {what}: {}", it.instance_count, why.join(", ")));
                continue;
            };
            let kind = match it.offering_class.as_str() {
                "convertible" => "convertible-ri",
                _ => "standard-ri",
            };
            let mut hourly: Rate = decimal(it.usage_price)?;
            for charge in it.recurring_charges.iter().filter(|c| c.frequency == "Hourly") {
                let amount: Rate = decimal(charge.amount)?;
                hourly = Rate::from_pico(hourly.pico() + amount.pico());
            }
            let id = plain(&it.id)?;
            let hourly = payable(hourly, "hourly price", &id)?;
            let upfront: Money = decimal(it.fixed_price)?;
            if upfront < Money::ZERO {
                return Err(Error::input(format!(
                    "the fixed price of {id}, {upfront}, is negative"
                )));
            }
            if it.instance_count > MAX_COUNT {
                let count = it.instance_count;
                return Err(Error::input(format!(
                    "{id} is of {count} instances, above {MAX_COUNT}"
                )));
            }
            let mut keys = vec![
                ("kind", kind.to_owned()),
                ("term", term.to_string()),
                ("payment", payment.to_string()),
                ("instance-type", plain(&it.instance_type)?),
                ("count", it.instance_count.to_string()),
                ("usd-per-hour", hourly.to_string()),
                ("upfront-usd", upfront.to_string()),
            ];
            if let (Some(zone), true) = (&it.availability_zone, it.scope != "Region") {
                keys.push(("scope", plain(zone)?));
            }
            start(&mut keys, it.start.as_deref())?;
            let remark = remark(&it.id, None, it.end.as_deref())?;
            owned.push(Owned { name: name("ri", &it.id, owned)?, keys, remark });
        }
        Ok(())
    })?;
    Ok(Taken {
        kind: "owned Reserved Instances",
        as_of: as_of.to_owned(),
        source: String::new(),
        rows: owned.len() - before,
        left_out,
    })
}
