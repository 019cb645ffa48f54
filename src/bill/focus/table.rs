//! The rows, one after the other, without holding their texts.

use serde_json::{Map, Value};

use super::columns::Column;
use super::decimal::Decimal;
use super::template::{Role, Template};
use crate::bill::around::Target;
use crate::bill::meter::Window;
use crate::bill::model::{Bill, Resource};
use crate::bill::prices::{BillingPlan, CapacityReservation, Commitment};
use crate::cluster::ClusterSpec;
use crate::observe::Record;
use crate::units::{HOUR_MS, Money, Rate};
use crate::workload::{PodTemplate, Workloads};
use crate::{Error, Result};

/// How the data set is called.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    /// The scenario.
    pub scenario: &'a str,
    /// The case.
    pub case: &'a str,
    /// Its AWS Region.
    pub region: &'a str,
}

impl Labels<'_> {
    /// The id of something that exists in this simulation only.
    pub(super) fn id(&self, what: &str) -> String {
        format!("plimsoll/{}/{}/{what}", self.scenario, self.case)
    }

    pub(super) fn commitment(&self, c: &Commitment) -> String {
        self.id(&format!("commitment/{}", c.name))
    }

    pub(super) fn reservation(&self, r: &CapacityReservation) -> String {
        self.id(&format!("capacity-reservation/{}", r.name))
    }
}

/// What a bill is about.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// What was billed.
    pub record: &'a Record,
    /// On what it ran.
    pub cluster: &'a ClusterSpec,
    /// What ran.
    pub workloads: &'a Workloads,
    /// Under which prices.
    pub plan: &'a BillingPlan,
    /// How it is called.
    pub labels: Labels<'a>,
}

/// A row: what tells it from others of its SKU.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    template: u16,
    /// As in [`Bill::resource`].
    resource: u32,
    /// Clock hour since the Unix epoch.
    hour: i32,
    /// In the small unit.
    quantity: i64,
    list: Money,
    net: Money,
}

impl Row {
    /// Rows with equal keys have the same [`Table::fixed`] texts.
    #[must_use]
    pub fn template(&self) -> u16 {
        self.template
    }

    /// Rows with equal keys have the same [`Table::of_resource`] texts.
    #[must_use]
    pub fn resource(&self) -> (u32, u16) {
        (self.resource, self.template)
    }

    /// The clock hour of its charge period, since the Unix epoch.
    #[must_use]
    pub fn hour(&self) -> i32 {
        self.hour
    }
}

/// The times of one clock hour as FOCUS writes them.
#[derive(Debug, Clone)]
struct Hour {
    start: String,
    end: String,
    month: String,
    next_month: String,
}

/// The rows of a bill that has its lines.
#[derive(Debug)]
pub struct Table<'a> {
    sources: Sources<'a>,
    bill: &'a Bill,
    templates: Vec<Template>,
    /// SKU to template.
    of_sku: Vec<u16>,
    /// Lines that are rows: payments of commitments, the last ones, are not.
    lines: usize,
    purchases: Vec<Row>,
    first_hour: i32,
    hours: Vec<Hour>,
}

impl<'a> Table<'a> {
    /// Lays a table over a bill.
    ///
    /// # Errors
    /// A bill without its lines, or one that does not belong to the record.
    pub fn new(bill: &'a Bill, sources: Sources<'a>) -> Result<Table<'a>> {
        let lines = &bill.lines;
        if lines.is_empty() && bill.total != Money::ZERO {
            return Err(Error::failed("a bill without its lines cannot be exported"));
        }
        let mut first: Vec<Option<u32>> = vec![None; bill.skus.len()];
        for (sku, resource) in lines.sku.iter().zip(&lines.resource) {
            let slot = first.get_mut(usize::from(*sku));
            slot.ok_or_else(|| Error::failed("a line has no price"))?.get_or_insert(*resource);
        }
        let is_row = |sku: &u16| {
            let sku = bill.skus.get(usize::from(*sku));
            sku.is_none_or(|s| !s.charge.is_commitment_fee())
        };
        let rows = lines.sku.iter().take_while(|sku| is_row(sku)).count();
        let mut templates = Vec::new();
        let mut of_sku = vec![u16::MAX; bill.skus.len()];
        for ((sku, first), slot) in bill.skus.iter().zip(first).zip(&mut of_sku) {
            let Some(first) = first.filter(|_| !sku.charge.is_commitment_fee()) else { continue };
            *slot = next(&templates)?;
            templates.push(Template::of_sku(sku, bill.resource(first), &sources)?);
        }
        let first_hour = bill.hourly.first_hour;
        let hours = (0..bill.hourly.rows.len())
            .map(|i| Hour::new(i64::from(first_hour) + i as i64))
            .collect::<Result<_>>()?;
        let purchases = purchases(bill, &sources, &mut templates)?;
        let lines = rows;
        Ok(Table { sources, bill, templates, of_sku, lines, purchases, first_hour, hours })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines + self.purchases.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of templates: [`Row::template`] is below.
    #[must_use]
    pub fn templates(&self) -> u16 {
        // `next` has bounded it.
        self.templates.len() as u16
    }

    /// The clock hours of the rows.
    #[must_use]
    pub fn hours(&self) -> std::ops::Range<i32> {
        self.first_hour..self.first_hour + self.hours.len() as i32
    }

    /// A row, below [`Table::len`]: lines in the order of the bill, then
    /// purchases.
    #[must_use]
    pub fn row(&self, index: usize) -> Row {
        let lines = &self.bill.lines;
        if index >= self.lines {
            return self.purchases[index - self.lines];
        }
        Row {
            template: self.of_sku[usize::from(lines.sku[index])],
            resource: lines.resource[index],
            hour: lines.hour[index],
            quantity: lines.quantity[index],
            list: Money::from_pico(lines.list[index].into()),
            net: Money::from_pico(lines.net[index].into()),
        }
    }

    /// The text of a column that all rows of a template share.
    #[must_use]
    pub fn fixed(&self, template: u16, column: Column) -> Option<&str> {
        self.templates.get(usize::from(template))?.text(column)
    }

    /// Whether the texts of a column are those of [`Table::fixed`].
    #[must_use]
    pub fn is_fixed(column: Column) -> bool {
        Template::is_fixed(column)
    }

    /// The text of a column that follows the resource.
    #[must_use]
    pub fn of_resource(&self, row: &Row, column: Column) -> Option<String> {
        let Sources { record, cluster, workloads, labels, plan } = &self.sources;
        let resource = self.bill.resource(row.resource);
        let template = &self.templates[usize::from(row.template)];
        let part = template.part;
        let (around, reserved) = (template.around(plan), template.reservation(plan));
        match (column, resource) {
            (Column::AvailabilityZone, Resource::Node(n)) => {
                let zone = record.nodes.get(n as usize)?.zone;
                cluster.zones.get(zone.index()).cloned()
            }
            (Column::ResourceId, Resource::Node(n)) => Some(labels.id(&format!("node/{n}{part}"))),
            (Column::ResourceId, Resource::Fargate(f)) => {
                Some(labels.id(&format!("fargate/{f}{part}")))
            }
            (Column::AvailabilityZone, Resource::Cluster) => reserved.map(|r| r.zone.clone()),
            (Column::ResourceId, Resource::Cluster) => Some(match (reserved, around) {
                (Some(r), _) => labels.reservation(r),
                (None, Some(it)) if !it.resource.is_empty() => {
                    labels.id(&format!("cluster{part}/{}", it.resource))
                }
                (None, _) => labels.id(&format!("cluster{part}")),
            }),
            (Column::ResourceId, Resource::Commitment(c)) => {
                Some(labels.commitment(plan.commitments.get(c as usize)?))
            }
            (Column::ResourceName, Resource::Cluster) => match (reserved, around) {
                (Some(r), _) => Some(r.name.clone()),
                (None, Some(it)) if !it.resource.is_empty() => Some(it.resource.clone()),
                (None, _) => part.is_empty().then(|| labels.scenario.to_owned()),
            },
            (Column::ResourceName, Resource::Commitment(c)) => {
                Some(plan.commitments.get(c as usize)?.name.clone())
            }
            (Column::Tags, _) => {
                let mut tags = Map::new();
                let mut tag = |key: &str, value: &str| {
                    tags.insert(key.to_owned(), Value::from(value));
                };
                tag("scenario", labels.scenario);
                tag("case", labels.case);
                match resource {
                    Resource::Node(n) => {
                        let pool = record.nodes.get(n as usize)?.pool;
                        tag("pool", &cluster.pools.get(pool.index())?.name);
                    }
                    Resource::Fargate(f) => {
                        let pod = record.fargate.get(f as usize)?;
                        let template = workloads.templates.get(pod.template.index())?;
                        tag("pool", &cluster.fargate.get(pod.pool as usize)?.name);
                        let (workload, namespace) = names(workloads, template)?;
                        tag("workload", workload);
                        tag("namespace", namespace);
                    }
                    Resource::Cluster => {
                        // As it is allocated: to the first of its templates.
                        if let Some(Target::Workload(id)) = around.map(|it| it.target)
                            && let Some(first) =
                                workloads.templates.iter().find(|t| t.workload == id)
                            && let Some((workload, namespace)) = names(workloads, first)
                        {
                            tag("workload", workload);
                            tag("namespace", namespace);
                        }
                    }
                    Resource::Commitment(_) => {}
                }
                Some(Value::Object(tags).to_string())
            }
            _ => None,
        }
    }

    /// The text of a column of times.
    #[must_use]
    pub fn time(&self, hour: i32, column: Column) -> Option<&str> {
        let hour = self.hours.get(usize::try_from(hour - self.first_hour).ok()?)?;
        match column {
            Column::BillingPeriodStart => Some(&hour.month),
            Column::BillingPeriodEnd => Some(&hour.next_month),
            Column::ChargePeriodStart => Some(&hour.start),
            Column::ChargePeriodEnd => Some(&hour.end),
            _ => None,
        }
    }

    /// The number in a column of decimals.
    #[must_use]
    pub fn number(&self, row: &Row, column: Column) -> Option<Decimal> {
        let Template { role, unit, price, contract, consumed, unit_of_commitment, .. } =
            self.templates[usize::from(row.template)];
        let money = |amount| Some(Decimal::money(amount));
        match column {
            Column::BilledCost => match role {
                Role::Plain | Role::Credit | Role::Purchase => money(row.net),
                Role::Covered | Role::Unused => money(Money::ZERO),
            },
            Column::EffectiveCost => match role {
                Role::Plain | Role::Credit | Role::Covered | Role::Unused => money(row.net),
                Role::Purchase => money(Money::ZERO),
            },
            Column::ListCost | Column::ContractedCost => match role {
                Role::Plain | Role::Covered | Role::Purchase => money(match contract {
                    Some(contract) if column == Column::ListCost => {
                        contract.list_cost(row.list, row.quantity.into(), unit)
                    }
                    _ => row.list,
                }),
                Role::Credit => money(row.net),
                // Nothing of it would be paid without the commitment.
                Role::Unused => money(Money::ZERO),
            },
            Column::ListUnitPrice => {
                let list = contract.map_or(price, |c| c.list);
                (role != Role::Credit).then(|| Decimal::rate(list))
            }
            Column::ContractedUnitPrice => (role != Role::Credit).then(|| Decimal::rate(price)),
            Column::PricingQuantity => match role {
                Role::Credit => None,
                Role::Unused => Some(Decimal::ZERO),
                Role::Purchase | Role::Plain | Role::Covered => {
                    let per = i128::from(unit.per());
                    let quantity = i128::from(row.quantity);
                    let cost = row.list;
                    // A covered part is rounded in its money first, so that
                    // its quantity follows.
                    if price.pico() == 0 || price.charge(quantity, per) == cost {
                        Some(Decimal::ratio(quantity, per))
                    } else {
                        Some(Decimal::ratio(cost.pico(), price.pico()))
                    }
                }
            },
            Column::ConsumedQuantity => match role {
                Role::Plain | Role::Covered if consumed => {
                    Some(Decimal::ratio(row.quantity.into(), unit.per().into()))
                }
                Role::Plain | Role::Covered => Some(Decimal::ZERO),
                Role::Credit | Role::Unused | Role::Purchase => None,
            },
            Column::CommitmentDiscountQuantity => match role {
                Role::Plain | Role::Credit => None,
                Role::Covered | Role::Unused | Role::Purchase => match unit_of_commitment {
                    Some((rate, count)) if rate != Rate::ZERO => {
                        Some(Decimal::ratio(row.net.pico() * i128::from(count), rate.pico()))
                    }
                    _ => money(row.net),
                },
            },
            _ => None,
        }
    }
}

/// The names of the workload and the namespace of a template's pods.
fn names<'a>(workloads: &'a Workloads, of: &PodTemplate) -> Option<(&'a str, &'a str)> {
    let workload = workloads.workloads.get(of.workload.index())?;
    Some((&workload.name, workloads.namespaces.get(of.namespace.index())?))
}

/// The number of the next template.
fn next(templates: &[Template]) -> Result<u16> {
    u16::try_from(templates.len())
        .ok()
        .filter(|id| *id != u16::MAX)
        .ok_or_else(|| Error::failed("a bill has more than 65,535 prices"))
}

/// What was bought to cover and to be left unused, hour by hour.
fn purchases(
    bill: &Bill,
    sources: &Sources<'_>,
    templates: &mut Vec<Template>,
) -> Result<Vec<Row>> {
    let commitments = &sources.plan.commitments;
    let (lines, first_hour) = (&bill.lines, bill.hourly.first_hour);
    let hours = bill.hourly.rows.len();
    let mut sums = vec![Money::ZERO; commitments.len() * hours];
    for ((sku, hour), net) in lines.sku.iter().zip(&lines.hour).zip(&lines.net) {
        if let Some(c) = bill.skus.get(usize::from(*sku)).and_then(|s| s.commitment) {
            let hour = usize::try_from(hour - first_hour).unwrap_or(usize::MAX);
            let sum = sums.get_mut(usize::from(c).saturating_mul(hours).saturating_add(hour));
            *sum.ok_or_else(|| Error::failed("a line lies outside the bill"))? +=
                Money::from_pico((*net).into());
        }
    }
    let window = Window { from: bill.from_unix_ms, to: bill.to_unix_ms };
    let mut rows = Vec::new();
    let first = bill.node_count + bill.fargate_count + 1;
    for (i, c) in commitments.iter().enumerate() {
        // What is not due by the hour was or is due upfront.
        let by_hour = if c.fees.upfront == Money::ZERO { c.usd_per_hour } else { c.fees.hourly };
        let spread = Rate::from_pico(c.usd_per_hour.pico() - by_hour.pico());
        for (upfront, price) in [(false, by_hour), (true, spread)] {
            if price.pico() <= 0 {
                continue;
            }
            let template = next(templates)?;
            templates.push(Template::of_purchase(c, (upfront, price), &sources.labels));
            for (at, net) in sums[i * hours..(i + 1) * hours].iter().enumerate() {
                let hour = first_hour + at as i32;
                let quantity = window.overlap_in_hour(at, c.in_force.0, c.in_force.1);
                let paid =
                    |rate: Rate| c.fee_discount.off(rate.charge(quantity.into(), HOUR_MS.into()));
                let due = paid(by_hour);
                // Without the part of other usage, of both alike.
                let whole = paid(c.usd_per_hour);
                let due = if whole > *net { due.scale(net.pico(), whole.pico()) } else { due };
                let due = if spread.pico() <= 0 { *net } else { due.min(*net) };
                let net = if upfront { *net - due } else { due };
                if net != Money::ZERO {
                    let resource = first + i as u32;
                    rows.push(Row { template, resource, hour, quantity, list: net, net });
                }
            }
        }
    }
    Ok(rows)
}

impl Hour {
    fn new(hour: i64) -> Result<Hour> {
        let at = |ms: i64| {
            jiff::Timestamp::from_millisecond(ms)
                .map(|t| t.to_zoned(jiff::tz::TimeZone::UTC))
                .map_err(|e| Error::failed(format!("a clock hour is no date: {e}")))
        };
        let text = |t: &jiff::Zoned| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let start = at(hour * HOUR_MS)?;
        let month = start
            .first_of_month()
            .and_then(|t| t.start_of_day())
            .map_err(|e| Error::failed(format!("a month has no start: {e}")))?;
        let next_month = month
            .checked_add(jiff::Span::new().months(1))
            .map_err(|e| Error::failed(format!("a month has no end: {e}")))?;
        Ok(Hour {
            end: text(&at((hour + 1) * HOUR_MS)?),
            start: text(&start),
            month: text(&month),
            next_month: text(&next_month),
        })
    }
}
