//! Savings Plans and Reserved Instances: what each covers at which price, and
//! when it is paid.

use super::fargate::ArchPrice;
use super::model::CasePlan;
use super::nodes::NodePools;
use super::notes::Notes;
use super::settings;
use crate::bill::commitments::{normal_quarters, same_family, size_flexible};
use crate::bill::{
    ALWAYS, CapacityReservation, Commitment, CommitmentFees, CommitmentKind, Price, PriceStatus,
    Reserved, Unit,
};
use crate::catalog::{self, Arch, PlanItem, PlanKind, Region};
use crate::scenario::{self, Span, Spanned, quote};
use crate::units::{HOUR_MS, Money, Percent, Rate};

/// Warns of commitments that start only when what is billed is over: nothing
/// of them is in the bill.
pub(super) fn warn_not_begun<'a>(
    commitments: impl Iterator<Item = (&'a Spanned<String>, &'a scenario::Commitment)>,
    end_unix_ms: i64,
    diags: &mut scenario::Diagnostics,
) {
    for (name, it) in commitments {
        if let Some(start) = it.start.filter(|s| s.value.as_millisecond() >= end_unix_ms) {
            let message = format!("{} starts only after what is billed ends", quote(name));
            diags.warning("commitment-not-begun", start.span, message);
        }
    }
}

/// Says that a Savings Plan leaves something alone.
fn warn_of_no_rate(
    what: &str,
    used: Span,
    name: &Spanned<String>,
    Terms { term, payment, .. }: Terms,
    notes: &mut Notes<'_>,
) {
    let message = format!(
        "no Savings Plan rate is known for {what} ({term}, {payment}), so it stays On-Demand under \
         {}",
        quote(name)
    );
    notes.diags.warning("no-plan-rate", used, message);
}

/// A price of which the scenario states the discount.
fn discounted(price: Price, discount: scenario::Share) -> Price {
    Price::new(discount.0.off_rate(price.rate), PriceStatus::Stated)
}

/// What commitments are linked with.
pub(super) struct Linker<'a> {
    pub(super) region: &'a Region,
    pub(super) nodes: &'a NodePools,
    pub(super) fargate: &'a [ArchPrice],
    /// What the payer uses outside the scenario.
    pub(super) others: &'a [(String, u64)],
    pub(super) start_unix_ms: i64,
}

/// How a commitment was bought.
#[derive(Clone, Copy)]
struct Terms {
    kind: PlanKind,
    term: catalog::Term,
    payment: catalog::Payment,
}

/// Where Reserved Instances apply.
enum Scope {
    Regional,
    Zone(String),
}

impl Linker<'_> {
    /// Links one; `None` after a reported error.
    pub(super) fn link(
        &self,
        name: &Spanned<String>,
        it: &scenario::Commitment,
        notes: &mut Notes<'_>,
    ) -> Option<Commitment> {
        let terms = terms(it);
        let mut made = if it.kind.value.is_reserved() {
            self.reserved(name, it, terms, notes)?
        } else {
            self.savings_plan(name, it, terms, notes)?
        };
        if let Some(start) = it.start {
            let from = start.value.as_millisecond();
            let to = from.saturating_add(terms.term.hours() * HOUR_MS);
            made.in_force = (from, to);
            if to <= self.start_unix_ms {
                let message = format!("{} ended before the run starts", quote(name));
                notes.diags.warning("commitment-ended", start.span, message);
            }
        } else {
            let note = "bought before the run, so its upfront payment is no cash of the run";
            notes.default(format!("commitments.{}.start", name.value), "before the run", note);
        }
        Some(made)
    }

    fn savings_plan(
        &self,
        name: &Spanned<String>,
        it: &scenario::Commitment,
        terms: Terms,
        notes: &mut Notes<'_>,
    ) -> Option<Commitment> {
        let family = match &it.family {
            Some(family) => Some(self.family(family, notes)?),
            None => None,
        };
        let inside = |kind: &str| {
            family.is_none_or(|family| kind.split_once('.').is_some_and(|(f, _)| f == family))
        };
        let shapes: Vec<Option<Price>> = self
            .nodes
            .origins
            .iter()
            .zip(&self.nodes.prices)
            .map(|(origin, price)| {
                // A plan covers On-Demand usage only, so other rates are no
                // facts that the bill rests on.
                let span = origin.on_demand?;
                let kind = origin.instance_type().filter(|kind| inside(kind))?;
                if let Some(discount) = it.discount {
                    return Some(discounted(price.on_demand?, discount.value));
                }
                self.rate(name, terms, PlanItem::Ec2(kind), (kind, "instance-hour", span), notes)
            })
            .collect();
        let others = self.others.iter().any(|(kind, _)| inside(kind));
        let unused = it.family.as_ref().filter(|_| !others);
        if let Some(family) = unused.filter(|_| shapes.iter().all(Option::is_none)) {
            let (of, name) = (&family.value, quote(name));
            let message = format!("no pool buys {of} On-Demand, so {name} stays unused");
            notes.diags.warning("commitment-unused", family.span, message);
        }
        // Only a Compute plan covers Fargate, and none its Spot.
        let covers_fargate = terms.kind == PlanKind::ComputeSp;
        let fargate = self
            .fargate
            .iter()
            .map(|(price, arch)| {
                if price.spot_of.is_some() || !covers_fargate {
                    return None;
                }
                // Of what a plan takes off licences nothing is known either.
                if price.is_windows() {
                    warn_of_no_rate("fargate-windows", name.span, name, terms, notes);
                    return None;
                }
                if let Some(discount) = it.discount {
                    let of = |price| discounted(price, discount.value);
                    return Some((of(price.vcpu_hour), of(price.gb_hour)));
                }
                let item = match arch {
                    Arch::Amd64 => "fargate",
                    Arch::Arm64 => "fargate-arm64",
                };
                let mut rate = |plan, what: &str, unit| {
                    let what = format!("{item}.{what}");
                    self.rate(name, terms, plan, (&what, unit, name.span), notes)
                };
                let vcpu = rate(PlanItem::FargateVcpu(*arch), "vcpu", "vCPU-hour");
                let gb = rate(PlanItem::FargateMemory(*arch), "memory", "GB-hour");
                vcpu.zip(gb)
            })
            .collect();
        let usd_per_hour = it.usd_per_hour?.value;
        Some(Commitment {
            name: name.value.clone(),
            kind: if covers_fargate {
                CommitmentKind::ComputeSp
            } else {
                CommitmentKind::Ec2InstanceSp
            },
            usd_per_hour,
            reserved: None,
            in_force: ALWAYS,
            fees: fees(usd_per_hour, terms),
            fee_discount: Percent::default(),
            shapes,
            fargate,
        })
    }

    /// The rate of a Savings Plan for an item: what it is called, its unit, and
    /// where the scenario uses it.
    fn rate(
        &self,
        name: &Spanned<String>,
        terms: Terms,
        item: PlanItem<'_>,
        (what, unit, used): (&str, &str, Span),
        notes: &mut Notes<'_>,
    ) -> Option<Price> {
        let Terms { kind, term, payment } = terms;
        let Some(found) = self.region.plan_rate(kind, term, payment, item) else {
            warn_of_no_rate(what, used, name, terms, notes);
            return None;
        };
        let table = match kind {
            PlanKind::ComputeSp => "savings-plans".to_owned(),
            _ => format!("savings-plans.{kind}"),
        };
        notes.price(name.span, format!("{table}.{term}.{payment}.{what}"), unit, &found.quote)
    }

    /// A family of instance types; `None` after a reported error.
    fn family<'f>(&self, family: &'f Spanned<String>, notes: &mut Notes<'_>) -> Option<&'f str> {
        let families = || self.region.names().filter_map(|n| n.split_once('.').map(|(f, _)| f));
        if families().any(|f| f == family.value) {
            return Some(&family.value);
        }
        let message = format!("unknown instance family {}", quote(&family.value));
        notes.diags.error(family.span, message).suggest(&family.value, families());
        None
    }

    fn reserved(
        &self,
        name: &Spanned<String>,
        it: &scenario::Commitment,
        terms: Terms,
        notes: &mut Notes<'_>,
    ) -> Option<Commitment> {
        let (kind, count) = (it.instance_type.as_ref()?, it.count?.get() as u32);
        if self.region.instance_type(&kind.value).is_none() {
            let message = format!("unknown instance type {}", quote(&kind.value));
            notes.diags.error(kind.span, message).suggest(&kind.value, self.region.names());
            // That it has no price either would lead astray.
            return None;
        }
        let scope = self.scope(it.scope.as_ref(), notes);
        let price = self.reserved_price(name, it, terms, kind, notes);
        let ((each, fees_each), scope) = price.zip(scope)?;
        let zone = match scope {
            Scope::Regional => None,
            Scope::Zone(zone) => Some(zone),
        };
        let size_flexible = zone.is_none() && size_flexible(&kind.value);
        let own = i128::from(normal_quarters(&kind.value).unwrap_or(4));
        let shapes: Vec<Option<Price>> = self
            .nodes
            .origins
            .iter()
            .map(|origin| {
                let of = origin.on_demand.and_then(|_| origin.instance_type())?;
                if of == kind.value {
                    return Some(each);
                }
                let size = normal_quarters(of).filter(|_| same_family(of, &kind.value))?;
                let rate = each.rate.scale(i128::from(size), own);
                size_flexible.then(|| Price::new(rate, each.status))
            })
            .collect();
        let reached = |(of, _): &(String, u64)| {
            *of == kind.value || (size_flexible && same_family(of, &kind.value))
        };
        // Zones of other usage are not known.
        let others = zone.is_none() && self.others.iter().any(reached);
        if shapes.iter().all(Option::is_none) && !others {
            let message = format!(
                "no pool buys {}{} On-Demand, so {} stays unused",
                kind.value,
                if size_flexible { " or another size of its family" } else { "" },
                quote(name)
            );
            notes.diags.warning("commitment-unused", kind.span, message);
        }
        let times = i128::from(count);
        let fees = CommitmentFees {
            upfront: Money::from_pico(fees_each.upfront.pico() * times),
            hourly: Rate::from_pico(fees_each.hourly.pico() * times),
        };
        Some(Commitment {
            name: name.value.clone(),
            kind: if terms.kind == PlanKind::StandardRi {
                CommitmentKind::StandardRi
            } else {
                CommitmentKind::ConvertibleRi
            },
            usd_per_hour: Rate::from_pico(each.rate.pico() * times),
            reserved: Some(Reserved {
                instance_type: kind.value.clone(),
                count,
                zone,
                size_flexible,
                status: each.status,
            }),
            in_force: ALWAYS,
            fees,
            fee_discount: Percent::default(),
            shapes,
            fargate: Vec::new(),
        })
    }

    /// The effective price of one Reserved Instance per hour, and its fees.
    fn reserved_price(
        &self,
        name: &Spanned<String>,
        it: &scenario::Commitment,
        terms: Terms,
        kind: &Spanned<String>,
        notes: &mut Notes<'_>,
    ) -> Option<(Price, CommitmentFees)> {
        let Terms { kind: plan, term, payment } = terms;
        if it.usd_per_hour.is_some() || it.upfront_usd.is_some() {
            let (hourly, upfront) = own_price(it, payment, notes)?;
            let spread = Rate::from_pico(upfront.scale(1, i128::from(term.hours())).pico());
            let all = Rate::from_pico(hourly.pico() + spread.pico());
            let price = Price::new(all, PriceStatus::Stated);
            return Some((price, CommitmentFees { upfront, hourly }));
        }
        let Some(found) = self.region.plan_rate(plan, term, payment, PlanItem::Ec2(&kind.value))
        else {
            notes
                .diags
                .error(
                    kind.span,
                    format!(
                        "no price of a {plan} is known for {} ({term}, {payment}) in {}",
                        kind.value,
                        self.region.name()
                    ),
                )
                .help(format!(
                    "state {} of one instance as you bought it",
                    match payment {
                        catalog::Payment::NoUpfront => "`usd-per-hour`",
                        catalog::Payment::PartialUpfront => "`upfront-usd` and `usd-per-hour`",
                        catalog::Payment::AllUpfront => "`upfront-usd`",
                    }
                ));
            return None;
        };
        let path = format!("reserved-instances.{plan}.{term}.{payment}.{}", kind.value);
        let price = notes.price(name.span, path, "instance-hour, upfront spread", &found.quote)?;
        if payment == catalog::Payment::PartialUpfront {
            let path = format!("commitments.{}.upfront-usd", name.value);
            notes.default(path, "half of the cost of the term", "choice: AWS asks for about half");
        }
        Some((price, fees(price.rate, terms)))
    }

    /// Links a capacity reservation; `None` after a reported error.
    pub(super) fn reservation(
        &self,
        name: &Spanned<String>,
        it: &scenario::CapacityReservation,
        commitments: &[(&scenario::Commitment, Commitment)],
        notes: &mut Notes<'_>,
    ) -> Option<CapacityReservation> {
        let kind = &it.instance_type;
        let zone = zone(&it.zone, self.region, &self.nodes.zones, notes);
        let Some(found) = self.region.on_demand(&kind.value) else {
            let message = format!("no On-Demand price is known for {}", quote(&kind.value));
            notes.diags.error(kind.span, message).suggest(&kind.value, self.region.names());
            return None;
        };
        let path = format!("ec2-on-demand.{}", kind.value);
        let on_demand = notes.price(kind.span, path, "instance-hour", found)?;
        let what = (kind.value.as_str(), Unit::Hours, kind.span);
        let covered = commitments
            .iter()
            .map(|(it, linked)| self.outside(it, linked, what, on_demand, notes))
            .collect();
        Some(CapacityReservation {
            name: name.value.clone(),
            instance_type: kind.value.clone(),
            zone: zone?,
            count: it.count.get() as u32,
            on_demand,
            covered,
        })
    }

    /// What a commitment charges for something that no pool need have: an
    /// instance type or a meter of Fargate (Linux, x86-64), and where it is
    /// used; `None` where it covers none.
    pub(super) fn outside(
        &self,
        it: &scenario::Commitment,
        linked: &Commitment,
        (kind, unit, span): (&str, Unit, Span),
        on_demand: Price,
        notes: &mut Notes<'_>,
    ) -> Option<Price> {
        if let Some(r) = &linked.reserved {
            // A zonal one covers only what runs in its zone.
            let flexible = r.size_flexible && same_family(kind, &r.instance_type);
            let same = r.zone.is_none() && kind == r.instance_type;
            let size = |name: &str| normal_quarters(name).unwrap_or(4);
            let each = linked.usd_per_hour.scale(
                i128::from(size(kind)),
                i128::from(size(&r.instance_type)) * i128::from(r.count).max(1),
            );
            return (flexible || same).then(|| Price::new(each, linked.price_status()));
        }
        let (item, what, of) = match unit {
            Unit::VcpuHours => (PlanItem::FargateVcpu(Arch::Amd64), "fargate.vcpu", "vCPU-hour"),
            Unit::GbHours => (PlanItem::FargateMemory(Arch::Amd64), "fargate.memory", "GB-hour"),
            _ => (PlanItem::Ec2(kind), kind, "instance-hour"),
        };
        let family = it.family.as_ref().map(|f| format!("{}.", f.value));
        // Only a Compute plan, which has no family, covers Fargate.
        if family.is_some_and(|family| !kind.starts_with(&family)) {
            return None;
        }
        if let Some(discount) = it.discount {
            return Some(discounted(on_demand, discount.value));
        }
        let name = Spanned { value: linked.name.clone(), span };
        self.rate(&name, terms(it), item, (what, of, span), notes)
    }

    /// Where Reserved Instances apply; `None` after a reported error.
    fn scope(&self, scope: Option<&Spanned<String>>, notes: &mut Notes<'_>) -> Option<Scope> {
        let Some(scope) = scope.filter(|s| s.value != "regional") else {
            return Some(Scope::Regional);
        };
        zone(scope, self.region, &self.nodes.zones, notes).map(Scope::Zone)
    }
}

/// What one Reserved Instance was bought for, per hour and upfront; `None`
/// after a reported error. A half that the payment has and the scenario leaves
/// out is not free: AWS states both.
fn own_price(
    it: &scenario::Commitment,
    payment: catalog::Payment,
    notes: &mut Notes<'_>,
) -> Option<(Rate, Money)> {
    let (hourly, upfront) = (it.usd_per_hour, it.upfront_usd);
    let (has_hourly, has_upfront) = match payment {
        catalog::Payment::NoUpfront => (true, false),
        catalog::Payment::PartialUpfront => (true, true),
        catalog::Payment::AllUpfront => (false, true),
    };
    if let Some(upfront) = upfront.filter(|u| u.value > Money::ZERO && !has_upfront) {
        let found = notes.diags.error(upfront.span, format!("{payment} has no upfront payment"));
        found.help("remove `upfront-usd`, or state the `payment` that has one");
        return None;
    }
    if let Some(hourly) = hourly.filter(|h| h.value > Rate::ZERO && !has_hourly) {
        let found = notes.diags.error(hourly.span, format!("{payment} has no hourly payment"));
        found.help("remove `usd-per-hour`, or state the `payment` that has one");
        return None;
    }
    let (span, missing, what) = match (hourly, upfront) {
        (Some(hourly), None) if has_upfront => {
            (hourly.span, "upfront-usd", "what one instance costs at the start")
        }
        (None, Some(upfront)) if has_hourly => {
            (upfront.span, "usd-per-hour", "what one instance costs per hour beside it")
        }
        _ => {
            let hourly = hourly.map_or(Rate::ZERO, |h| h.value);
            return Some((hourly, upfront.map_or(Money::ZERO, |u| u.value)));
        }
    };
    let message = format!("a price of your own with {payment} needs `{missing}` too");
    notes.diags.error(span, message).help(format!("add `{missing}`, {what}"));
    None
}

/// How a commitment was bought.
fn terms(it: &scenario::Commitment) -> Terms {
    Terms {
        kind: match it.kind.value {
            scenario::CommitmentKind::ComputeSp => PlanKind::ComputeSp,
            scenario::CommitmentKind::Ec2InstanceSp => PlanKind::Ec2InstanceSp,
            scenario::CommitmentKind::StandardRi => PlanKind::StandardRi,
            scenario::CommitmentKind::ConvertibleRi => PlanKind::ConvertibleRi,
        },
        term: match it.term.value {
            scenario::Term::OneYear => catalog::Term::OneYear,
            scenario::Term::ThreeYears => catalog::Term::ThreeYears,
        },
        payment: match it.payment.value {
            scenario::Payment::NoUpfront => catalog::Payment::NoUpfront,
            scenario::Payment::PartialUpfront => catalog::Payment::PartialUpfront,
            scenario::Payment::AllUpfront => catalog::Payment::AllUpfront,
        },
    }
}

/// A zone that something is reserved in; `None` after a reported error.
pub(super) fn zone(
    zone: &Spanned<String>,
    region: &Region,
    used: &[String],
    notes: &mut Notes<'_>,
) -> Option<String> {
    if !super::offers::is_zone_of(region.name(), &zone.value) {
        let message =
            format!("{} is no Availability Zone of {}", quote(&zone.value), region.name());
        notes
            .diags
            .error(zone.span, message)
            .help(format!("a zone is the Region and a letter, such as `{}a`", region.name()));
        return None;
    }
    if !used.contains(&zone.value) {
        let message = format!("no pool has nodes in {}", zone.value);
        let found = notes.diags.warning("zone-unused", zone.span, message);
        found.suggest(&zone.value, used.iter().map(String::as_str));
    }
    Some(zone.value.clone())
}

/// When something that costs `usd_per_hour` all over its term is paid.
fn fees(usd_per_hour: Rate, terms: Terms) -> CommitmentFees {
    let later = i128::from(2 - terms.payment.upfront_halves());
    CommitmentFees {
        upfront: terms.payment.upfront(usd_per_hour, terms.term),
        hourly: usd_per_hour.scale(later, 2),
    }
}

impl CasePlan {
    /// For how long a commitment of the scenario is bought, and how it is paid;
    /// `None` where there is none of this name.
    #[must_use]
    pub fn commitment_terms(&self, name: &str) -> Option<(catalog::Term, catalog::Payment)> {
        let setting = |key: &str| {
            let path = settings::path(&["commitments", name, key]);
            self.settings.iter().find(|s| s.path == path).map(|s| s.value.as_str())
        };
        let term = catalog::Term::from_word(setting("term")?)?;
        Some((term, catalog::Payment::from_word(setting("payment")?)?))
    }
}
