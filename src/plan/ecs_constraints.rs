//! Placement constraints of ECS: expressions are read, and what they ask for
//! must be there.

use std::ops::Range;

use super::constraints;
use super::notes::Notes;
use crate::cluster::ClusterSpec;
use crate::place::ecs::query::{Argument, Expr, Op, Predicate, Subject, parse};
use crate::place::ecs::{AVAILABILITY_ZONE, Constraint, RESERVED_PORTS, is_reserved};
use crate::scenario::{PlacementConstraint, Scenario, Sources, Span, Spanned, quote};
use crate::workload::plan::PlannedWorkload;
use crate::world::Ecs;

/// Constraints of one workload (ECS service quotas).
const MAX_CONSTRAINTS: usize = 10;

/// What the constraints of a case are read against.
pub(super) struct Reader {
    /// Attributes that some instance has.
    attributes: Vec<String>,
    pub(super) agent_version: Option<Vec<u64>>,
}

impl Reader {
    pub(super) fn new(scenario: &Scenario, cluster: &ClusterSpec, notes: &mut Notes<'_>) -> Self {
        let agent_version = scenario.ecs.agent_version.as_ref().and_then(|given| {
            let numbers: Option<Vec<u64>> = given.split('.').map(|n| n.parse().ok()).collect();
            if numbers.is_none() {
                notes
                    .diags
                    .error(given.span, format!("{} is no version", quote(given)))
                    .help("write numbers and dots, such as \"1.79.0\"");
            }
            numbers
        });
        Reader { attributes: attributes(cluster), agent_version }
    }

    /// The attributes that some instance has.
    pub(super) fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// Reads the constraints of a workload, or those of all.
    pub(super) fn read(
        &self,
        given: &[Spanned<PlacementConstraint>],
        notes: &mut Notes<'_>,
    ) -> Vec<Constraint> {
        if let Some(over) = given.get(MAX_CONSTRAINTS) {
            let message = format!("at most {MAX_CONSTRAINTS} placement constraints");
            notes.diags.error(over.span, message);
        }
        let read = |constraint: &Spanned<PlacementConstraint>| match &constraint.value {
            PlacementConstraint::DistinctInstance => Some(Constraint::DistinctInstance),
            PlacementConstraint::MemberOf(text) => {
                self.expression(text, notes).map(Constraint::MemberOf)
            }
        };
        given.iter().filter_map(read).collect()
    }

    fn expression(&self, text: &Spanned<String>, notes: &mut Notes<'_>) -> Option<Expr> {
        let expr = match parse(text) {
            Ok(expr) => expr,
            Err(error) => {
                let within = span_within(notes.diags.sources(), text, &error.span);
                let at = text[..error.span.start].chars().count() + 1;
                let message = if within.is_some() {
                    error.message
                } else {
                    format!("{}, at character {at} of the expression", error.message)
                };
                let found = notes.diags.error(within.unwrap_or(text.span), message);
                if let Some(help) = error.help {
                    found.help(help);
                }
                return None;
            }
        };
        for predicate in expr.predicates() {
            self.check(predicate, text, notes);
        }
        Some(expr)
    }

    /// What can never be as it is asked for.
    fn check(&self, predicate: &Predicate, text: &Spanned<String>, notes: &mut Notes<'_>) {
        let subject = predicate.subject.to_string();
        let start = text.find(subject.as_str()).unwrap_or(0);
        let range = start..start + subject.len();
        let span = span_within(notes.diags.sources(), text, &range).unwrap_or(text.span);
        match &predicate.subject {
            Subject::AgentVersion if self.agent_version.is_none() => {
                notes
                    .diags
                    .error(span, "the version of the agent is not known")
                    .help("state `ecs.agent-version`");
            }
            Subject::Attribute(name)
                if !self.attributes.contains(name)
                    && !matches!(predicate.op, Op::Exists | Op::NotExists) =>
            {
                let message = format!("no container instance has the attribute {}", quote(name));
                notes
                    .diags
                    .warning("unknown-attribute", span, message)
                    .suggest(name, self.attributes.iter().map(String::as_str));
            }
            Subject::Ec2InstanceId => {
                let ids: Vec<&String> = match &predicate.argument {
                    Argument::Text(id) => vec![id],
                    Argument::List(ids) => ids.iter().collect(),
                    _ => Vec::new(),
                };
                if ids.iter().any(|id| id.starts_with("i-")) {
                    let message = "instances are not called as in EC2 here";
                    notes
                        .diags
                        .warning("unknown-instance", span, message)
                        .help("their ids are POOL/NUMBER as in reports, such as `general/0`");
                }
            }
            _ => {}
        }
    }
}

/// Every attribute that some instance has: what ECS sets, and the labels of
/// pools, which are custom ones.
fn attributes(cluster: &ClusterSpec) -> Vec<String> {
    let own = cluster.pools.iter().flat_map(|pool| {
        let offered = pool.offers.iter().flat_map(|offer| &offer.labels);
        offered.chain(&pool.labels).map(|(name, _)| name.clone())
    });
    // A cluster of Fargate alone has none, and its cases may share a strategy.
    let set = [
        AVAILABILITY_ZONE,
        "ecs.cpu-architecture",
        "ecs.instance-type",
        "ecs.os-family",
        "ecs.os-type",
    ];
    let mut all: Vec<String> = own.chain(set.map(str::to_owned)).collect();
    all.sort();
    all.dedup();
    all
}

/// Where a part of a text stands in its source; `None` where YAML wrote the text
/// in a way that hides it.
fn span_within(sources: &Sources, text: &Spanned<String>, part: &Range<usize>) -> Option<Span> {
    let raw = sources.text(text.span);
    let place = |start: usize, end: usize| Span {
        start: text.span.start + start as u32,
        end: text.span.start + end as u32,
        ..text.span
    };
    if let Some(at) = raw.find(text.as_str()) {
        return Some(place(at + part.start, at + part.end));
    }
    // In quotes, with marks for what stands for itself elsewhere.
    let (mark, meant): (u8, &[u8]) = match raw.as_bytes().first() {
        Some(b'\'') => (b'\'', b"'"),
        Some(b'"') => (b'\\', b"\"\\/"),
        _ => return None,
    };
    let mut plain = Vec::new();
    let mut places = Vec::new();
    let bytes = raw.as_bytes().get(1..raw.len().checked_sub(1)?)?;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == mark {
            at += 1;
            if !bytes.get(at).is_some_and(|b| meant.contains(b)) {
                return None;
            }
        }
        plain.push(bytes[at]);
        places.push(at + 1);
        at += 1;
    }
    places.push(at + 1);
    let plain = String::from_utf8(plain).ok()?;
    let at = plain.find(text.as_str())?;
    Some(place(*places.get(at + part.start)?, *places.get(at + part.end)?))
}

/// Gives tasks that share the network of their instance its ports.
pub(super) fn link_ports(
    scenario: &Scenario,
    ecs: &Ecs,
    pools: usize,
    planned: &mut [PlannedWorkload],
    notes: &mut Notes<'_>,
) {
    for (workload, spec) in planned.iter_mut().zip(&ecs.workloads) {
        let Some(it) = scenario.workload.get(&workload.name) else { continue };
        let Some(first) = it.host_ports.first() else { continue };
        let on_fargate = spec.providers.iter().any(|i| usize::from(i.provider) >= pools);
        if !ecs.shared_ports || on_fargate {
            let message = "`hostPorts` have no effect on tasks with an interface of their own";
            notes.diags.warning("unused-ports", first.span, message);
            continue;
        }
        for port in &it.host_ports {
            let read = constraints::port(port);
            if is_reserved(&read) {
                let message = format!("ECS keeps port {} of every instance for itself", read.port);
                let ports: Vec<String> = RESERVED_PORTS.iter().map(u16::to_string).collect();
                notes.diags.error(port.span, message).help(format!(
                    "choose another than {}, or network mode awsvpc",
                    ports.join(", ")
                ));
            }
        }
        constraints::set_ports(&mut workload.content, &it.host_ports);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of plain, quoted and folded texts, where `b` stands in `a == b`.
    #[test]
    fn a_part_is_found_however_yaml_wrote_it() {
        for (raw, text, want) in [
            ("a == b", "a == b", Some(5)),
            ("'a == b'", "a == b", Some(6)),
            ("\"a == b\"", "a == b", Some(6)),
            ("memberOf(a == b)", "a == b", Some(14)),
            ("'''x'' == b'", "'x' == b", Some(10)),
            ("\"\\\"x\\\" == b\"", "\"x\" == b", Some(10)),
            (">-\n  a ==\n  b", "a == b", None),
            ("\"a \\u003d= b\"", "a == b", None),
        ] {
            let mut sources = Sources::default();
            let file = sources.add("s.yaml", format!("k: {raw}"));
            let span = Span { file, start: 3, end: 3 + raw.len() as u32 };
            let spanned = Spanned { value: text.to_owned(), span };
            let at = text.len() - 1;
            let found = span_within(&sources, &spanned, &(at..at + 1));
            assert_eq!(found.map(|f| f.start - 3), want, "{raw}");
            if let Some(found) = found {
                assert_eq!(sources.text(found), "b", "{raw}");
            }
        }
    }
}
