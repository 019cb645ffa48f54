//! Load balancers: by the hour, their addresses, their capacity units.

use super::Around;
use super::traffic::{Flow, WHOLE_PPM};
use crate::bill::{Amount, AroundCharge, Basis, Charge, Dimension, Pricing, Target, Unit};
use crate::catalog::ChargeItem;
use crate::plan::defaults::{CONNECTION_DURATION, INTERNET_FACING, REQUESTS_PER_CONNECTION};
use crate::plan::notes::Notes;
use crate::scenario::{LoadBalancerKind, ServiceType, Span, Spanned, quote};
use crate::units::HOUR_MS;
use crate::workload::WorkloadId;

/// Rules of an ALB that its capacity units count for nothing (Elastic Load
/// Balancing, pricing of the Application Load Balancer).
const FREE_RULES: u64 = 10;

/// What one capacity unit of a load balancer contains.
struct Capacity {
    connections_per_second: i128,
    active_connections: i128,
    /// Rule evaluations a second; `None` where there are no rules.
    rules_per_second: Option<i128>,
}

const ALB: Capacity = Capacity {
    connections_per_second: 25,
    active_connections: 3_000,
    rules_per_second: Some(1_000),
};
/// For TCP.
const NLB: Capacity =
    Capacity { connections_per_second: 800, active_connections: 100_000, rules_per_second: None };

/// A load balancer, wherever it was declared.
struct Balancer {
    name: String,
    /// Distinct whatever declared it.
    resource: String,
    span: Span,
    kind: LoadBalancerKind,
    rules: u64,
    workloads: Vec<WorkloadId>,
}

impl Around<'_> {
    /// Load balancers by the hour, their addresses and capacity units.
    pub(super) fn load_balancers(
        &self,
        flows: &[Flow],
        notes: &mut Notes<'_>,
    ) -> Vec<AroundCharge> {
        let balancers = self.balancers(notes);
        if balancers.is_empty() {
            return Vec::new();
        }
        let zones = self.zones(notes);
        let all = &self.scenario.charges.load_balancing;
        let path = |key: &str| format!("charges.load-balancing.{key}");
        let facing =
            notes.or_default(all.internet_facing, path("internet-facing"), INTERNET_FACING);
        let mut charges = Vec::new();
        for it in &balancers {
            let (label, hours, units) = match it.kind {
                LoadBalancerKind::Alb => ("ALB", ChargeItem::Alb, ChargeItem::AlbLcu),
                LoadBalancerKind::Nlb => ("NLB", ChargeItem::Nlb, ChargeItem::NlbNlcu),
            };
            let (resource, sort) = (&it.resource, it.kind.as_str());
            let name = format!("{label} {}", it.name);
            let target = match it.workloads.as_slice() {
                [only] => Target::Workload(*only),
                _ => Target::Shared,
            };
            let mut constant = |name: String, charge, item, count| {
                if let Some(price) = self.price(item, it.span, notes) {
                    let (of, pricing) = ((charge, Unit::Hours), Pricing::Flat(price));
                    charges.push(AroundCharge {
                        resource: resource.clone(),
                        sort: sort.to_owned(),
                        ..AroundCharge::constant(name, of, count, pricing, target)
                    });
                }
            };
            constant(name.clone(), Charge::LoadBalancer, hours, 1);
            if facing {
                let (charge, item) = (Charge::PublicIpv4, ChargeItem::PublicIpv4);
                constant(format!("addresses of {name}"), charge, item, zones);
            }
            let quantity = self.capacity(it, flows, notes);
            if quantity.iter().all(|d| d.amounts.is_empty()) {
                let message = format!(
                    "nobody knows what passes through the load balancer {}, so its capacity units \
                     cost nothing",
                    quote(&it.name)
                );
                notes.diags.warning("unknown-load", it.span, message);
                continue;
            }
            let Some(price) = self.price(units, it.span, notes) else { continue };
            charges.push(AroundCharge {
                name: format!("{name} capacity"),
                resource: resource.clone(),
                sort: sort.to_owned(),
                charge: Charge::LoadBalancerCapacity,
                unit: Unit::LcuHours,
                quantity,
                pricing: Pricing::Flat(price),
                target,
            });
        }
        charges
    }

    /// Capacity units of an hour, in millionths × ms: the mean of each
    /// dimension over the hour counts, so that the hour's length cancels.
    fn capacity(&self, it: &Balancer, flows: &[Flow], notes: &mut Notes<'_>) -> Vec<Dimension> {
        /// A capacity unit for a second, in the small unit.
        const UNIT_SECOND: i128 = 1_000_000 * 1_000;
        let all = &self.scenario.charges.load_balancing;
        let path = |key: &str| format!("charges.load-balancing.{key}");
        let capacity = match it.kind {
            LoadBalancerKind::Alb => ALB,
            LoadBalancerKind::Nlb => NLB,
        };
        let dimension = |name, of: &mut dyn FnMut(WorkloadId) -> Option<Amount>| Dimension {
            name,
            amounts: it.workloads.iter().filter_map(|w| of(*w)).collect(),
        };
        // So many small units for every request of the workload.
        let requests = |workload, numerator: i128, denominator: i128| {
            let micros = self.cpu_us_per_request(workload)?;
            let denominator = denominator * i128::from(micros);
            Some(Amount { basis: Basis::Demand(workload), numerator, denominator })
        };
        let known = it.workloads.iter().any(|w| self.cpu_us_per_request(*w).is_some());
        let (per_connection, open) = if known {
            let per = notes.or_default(
                all.requests_per_connection.map(|n| Spanned { value: n.value.get(), span: n.span }),
                path("requests-per-connection"),
                REQUESTS_PER_CONNECTION,
            );
            let open = notes.or_default(
                all.connection_duration.map(|d| Spanned { value: d.value.0, span: d.span }),
                path("connection-duration"),
                CONNECTION_DURATION,
            );
            (i128::from(per), i128::from(open.ms()))
        } else {
            (1, 0)
        };
        let mut dimensions = vec![
            dimension("new connections", &mut |w| {
                requests(w, UNIT_SECOND, per_connection * capacity.connections_per_second)
            }),
            // Little's law: those that are open at once are the new ones of a
            // second × how long each is open.
            dimension("active connections", &mut |w| {
                let seconds = UNIT_SECOND / 1_000 * open;
                requests(w, seconds, per_connection * capacity.active_connections)
            }),
            // One GB in an hour.
            dimension("processed bytes", &mut |w| {
                let bytes = flows.iter().find(|f| f.workload == w)?.bytes(WHOLE_PPM);
                let numerator = bytes.numerator * i128::from(HOUR_MS) * 1_000_000;
                Some(Amount { numerator, denominator: bytes.denominator << 30, ..bytes })
            }),
        ];
        if let Some(per_second) = capacity.rules_per_second {
            let counted = i128::from(it.rules.saturating_sub(FREE_RULES));
            if counted > 0 {
                dimensions.push(dimension("rule evaluations", &mut |w| {
                    requests(w, UNIT_SECOND * counted, per_second)
                }));
            }
        }
        for amount in dimensions.iter_mut().flat_map(|d| &mut d.amounts) {
            *amount = amount.reduced();
        }
        dimensions
    }

    /// Those that the scenario states, then one for each Service of type
    /// `LoadBalancer` and each Ingress (AWS Load Balancer Controller, without
    /// annotations that say otherwise).
    fn balancers(&self, notes: &mut Notes<'_>) -> Vec<Balancer> {
        let mut balancers = Vec::new();
        for (name, it) in self.scenario.charges.load_balancers.iter() {
            balancers.push(Balancer {
                name: name.value.clone(),
                resource: name.value.clone(),
                span: name.span,
                kind: it.kind.value,
                rules: it.rules.map_or(1, |r| r.value.get()),
                workloads: it.workloads.iter().filter_map(|w| self.named(w, notes)).collect(),
            });
        }
        let objects = &self.scenario.kubernetes;
        for (name, it) in objects.services.iter() {
            if it.kind.is_some_and(|k| k.value == ServiceType::LoadBalancer) {
                balancers.push(Balancer {
                    name: name.value.clone(),
                    resource: format!("service/{}", name.value),
                    span: name.span,
                    kind: LoadBalancerKind::Nlb,
                    rules: 0,
                    workloads: self.selected(it),
                });
            }
        }
        for (name, it) in objects.ingresses.iter() {
            let namespace = it.namespace.as_ref().map_or("default", |n| n.value.as_str());
            let paths = || it.rules.iter().flat_map(|rule| rule.http.paths.iter());
            let backends = paths().map(|p| &p.backend).chain(&it.default_backend);
            let mut workloads = Vec::new();
            for backend in backends {
                let wanted = &backend.service.name;
                let found = objects.services.iter().find(|(service, it)| {
                    let own = it.namespace.as_ref().map_or("default", |n| n.value.as_str());
                    service.value == wanted.value && own == namespace
                });
                let Some((_, service)) = found else {
                    let message = format!(
                        "there is no Service {} in namespace {}",
                        quote(&wanted.value),
                        quote(namespace)
                    );
                    let names = objects.services.iter().map(|(n, _)| n.value.as_str());
                    notes.diags.error(wanted.span, message).suggest(&wanted.value, names);
                    continue;
                };
                workloads.extend(self.selected(service));
            }
            workloads.sort_unstable();
            workloads.dedup();
            balancers.push(Balancer {
                name: name.value.clone(),
                resource: format!("ingress/{}", name.value),
                span: name.span,
                kind: LoadBalancerKind::Alb,
                // The default action is a rule too.
                rules: paths().count() as u64 + 1,
                workloads,
            });
        }
        balancers
    }
}
