//! What is owned, as `commitments:` of a scenario.

use std::fmt::Write as _;

use serde::Deserialize;

use super::Taken;
use super::input::{Input, shown};
use super::savings::{payment, term};
use super::tables::Draft;
use crate::units::{Money, Rate};
use crate::{Error, Result};

/// Most instances of one commitment: what a scenario takes.
const MAX_COUNT: u32 = 1_000_000;

/// A rate that a scenario takes.
fn payable(rate: Rate, what: &str, id: &str) -> Result<Rate> {
    if (Rate::ZERO..=Rate::MOST).contains(&rate) {
        return Ok(rate);
    }
    Err(Error::input(format!(
        "the {what} of {id}, {rate} USD an hour, does not lie between 0 and {}",
        Rate::MOST
    )))
}

/// Commitments, each once.
#[derive(Default)]
pub(super) struct Owned(Vec<Commitment>);

/// One commitment: its keys as YAML in flow style, and a remark.
struct Commitment {
    id: String,
    name: String,
    keys: Vec<(&'static str, String)>,
    remark: String,
}

impl Owned {
    /// The block, ready to be pasted into a scenario; nothing of nothing.
    pub(super) fn render(&self) -> Option<String> {
        let mut text = "commitments:\n".to_owned();
        for it in &self.0 {
            let keys: Vec<String> = it.keys.iter().map(|(k, v)| format!("{k}: {v}")).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  # {}", it.remark);
            let _ = writeln!(text, "  {}: {{ {} }}", it.name, keys.join(", "));
        }
        (!self.0.is_empty()).then_some(text)
    }

    /// Takes a commitment, instead of one of the same id: two answers may both
    /// have it. Its name is the start of its id, longer where that is taken.
    fn put(&mut self, prefix: &str, id: String, keys: Vec<(&'static str, String)>, remark: String) {
        let short = format!("{prefix}-{}", id.get(..8).unwrap_or(&id));
        let taken = self.0.iter().any(|it| it.name == short && it.id != id);
        let name = if taken { format!("{prefix}-{id}") } else { short };
        let it = Commitment { id, name, keys, remark };
        match self.0.iter_mut().find(|known| known.id == it.id) {
            Some(known) => *known = it,
            None => self.0.push(it),
        }
    }
}

/// A word of AWS's answer: what could not stand in YAML as it is, is no word.
fn plain(text: &str) -> Result<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '+' | '/');
    if !text.is_empty() && text.len() <= 100 && text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    Err(Error::input(format!("`{}` is no id, type or time of AWS", shown(text))))
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

impl Plan {
    /// What keeps it from being a commitment of a scenario.
    fn unusable(&self, draft: &Draft) -> Option<String> {
        let region = self.region.as_deref().unwrap_or("");
        if self.kind().is_none() {
            return Some(format!("a plan of {}", self.savings_plan_type));
        }
        if self.state != "active" {
            return Some(self.state.clone());
        }
        if !matches!(self.currency.as_str(), "USD" | "") {
            return Some(format!("paid in {}", self.currency));
        }
        (self.kind() == Some("ec2-instance-sp") && !region.is_empty() && !draft.wants(region))
            .then(|| format!("of {region}"))
    }

    fn kind(&self) -> Option<&'static str> {
        match self.savings_plan_type.as_str() {
            "Compute" => Some("compute-sp"),
            "EC2Instance" => Some("ec2-instance-sp"),
            _ => None,
        }
    }
}

pub(super) fn read_plans(
    input: &mut Input,
    as_of: &str,
    draft: &Draft,
    owned: &mut Owned,
) -> Result<Taken> {
    let mut left_out = Vec::new();
    let mut rows = 0;
    input.documents(|page: PlansPage| {
        for it in page.savings_plans {
            let id = plain(&it.savings_plan_id)?;
            if let Some(why) = it.unusable(draft) {
                left_out.push(format!("plan {id}: {}", shown(&why)));
                continue;
            }
            let (Some(kind), Some(term), Some(payment)) =
                (it.kind(), term(it.term_duration_in_seconds), payment(&it.payment_option))
            else {
                let days = it.term_duration_in_seconds / 86_400;
                let payment = shown(&it.payment_option);
                left_out.push(format!("plan {id}: {payment}, of {days} days"));
                continue;
            };
            let usd: Rate = it
                .commitment
                .parse()
                .map_err(|e| Error::input(format!("commitment `{}`: {e}", it.commitment)))?;
            let usd = payable(usd, "commitment", &id)?;
            let mut keys = vec![
                ("kind", kind.to_owned()),
                ("term", term.to_string()),
                ("payment", payment.to_string()),
                ("usd-per-hour", usd.to_string()),
            ];
            if let Some(family) = it.ec2_instance_family.filter(|_| kind == "ec2-instance-sp") {
                keys.push(("family", plain(&family)?));
            }
            let remark = remark(&id, it.region.as_deref(), it.end.as_deref())?;
            start(&mut keys, it.start.as_deref())?;
            owned.put("sp", id, keys, remark);
            rows += 1;
        }
        Ok(())
    })?;
    Ok(taken("owned Savings Plans", as_of, rows, left_out))
}

fn taken(kind: &'static str, as_of: &str, rows: usize, left_out: Vec<String>) -> Taken {
    Taken { kind, as_of: as_of.to_owned(), source: String::new(), rows, left_out }
}

fn remark(id: &str, region: Option<&str>, end: Option<&str>) -> Result<String> {
    let mut remark = id.to_owned();
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

impl Reserved {
    /// What keeps it from being a commitment of a scenario.
    fn unusable(&self, draft: &Draft) -> Option<String> {
        if self.state != "active" {
            return Some(self.state.clone());
        }
        if !self.product_description.starts_with("Linux/UNIX") {
            return Some(self.product_description.clone());
        }
        if !matches!(self.instance_tenancy.as_str(), "default" | "") {
            return Some(format!("tenancy {}", self.instance_tenancy));
        }
        if !matches!(self.currency_code.as_str(), "USD" | "") {
            return Some(format!("paid in {}", self.currency_code));
        }
        let zone = self.zone()?;
        let region = zone.trim_end_matches(|c: char| c.is_ascii_lowercase());
        (!draft.wants(region)).then(|| format!("in {zone}"))
    }

    /// The zone it is of; of a whole Region none.
    fn zone(&self) -> Option<&str> {
        self.availability_zone.as_deref().filter(|_| self.scope != "Region")
    }

    /// USD an hour.
    fn hourly(&self) -> Result<Rate> {
        let mut hourly: Rate = decimal(self.usage_price)?;
        for charge in self.recurring_charges.iter().filter(|c| c.frequency == "Hourly") {
            let amount: Rate = decimal(charge.amount)?;
            hourly = Rate::from_pico(hourly.pico() + amount.pico());
        }
        Ok(hourly)
    }
}

pub(super) fn read_reserved(
    input: &mut Input,
    as_of: &str,
    draft: &Draft,
    owned: &mut Owned,
) -> Result<Taken> {
    let mut left_out = Vec::new();
    let mut rows = 0;
    input.documents(|page: ReservedPage| {
        for it in page.reserved {
            let (id, name, count) = (plain(&it.id)?, plain(&it.instance_type)?, it.instance_count);
            if let Some(why) = it.unusable(draft) {
                left_out.push(format!("{count} × {name}: {}", shown(&why)));
                continue;
            }
            let (Some(term), Some(payment)) = (term(it.duration), payment(&it.offering_type))
            else {
                let (payment, days) = (shown(&it.offering_type), it.duration / 86_400);
                left_out.push(format!("{count} × {name}: {payment}, of {days} days"));
                continue;
            };
            let kind = match it.offering_class.as_str() {
                "convertible" => "convertible-ri",
                _ => "standard-ri",
            };
            let hourly = payable(it.hourly()?, "hourly price", &id)?;
            let upfront: Money = decimal(it.fixed_price)?;
            if upfront < Money::ZERO {
                return Err(Error::input(format!(
                    "the fixed price of {id}, {upfront}, is negative"
                )));
            }
            if count > MAX_COUNT {
                return Err(Error::input(format!(
                    "{id} is of {count} instances, above {MAX_COUNT}"
                )));
            }
            let mut keys = vec![
                ("kind", kind.to_owned()),
                ("term", term.to_string()),
                ("payment", payment.to_string()),
                ("instance-type", name),
                ("count", count.to_string()),
                ("usd-per-hour", hourly.to_string()),
                ("upfront-usd", upfront.to_string()),
            ];
            if let Some(zone) = it.zone() {
                keys.push(("scope", plain(zone)?));
            }
            start(&mut keys, it.start.as_deref())?;
            let remark = remark(&id, None, it.end.as_deref())?;
            owned.put("ri", id, keys, remark);
            rows += 1;
        }
        Ok(())
    })?;
    Ok(taken("owned Reserved Instances", as_of, rows, left_out))
}
