//! The largest parts of a bill that settings decide, each with the path in the
//! scenario that decides it.

use maud::{Markup, html};

use super::super::super::money_figures::is_pseudo;
use super::super::super::money_words::step_label;
use super::super::super::text;
use super::super::code;
use crate::bill::{Bill, ByName, Charge, CommitmentUse, Step};
use crate::scenario::patch::written;
use crate::units::Money;

/// Parts that are shown.
const PARTS: usize = 6;
/// Parts smaller than this share of the bill are left out, in hundredths.
const LEAST: i128 = 1;

/// A part of the bill: what it pays for, what it comes to, which paths decide.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    label: String,
    amount: Money,
    paths: Vec<String>,
}

/// `None` where no setting decides anything that matters.
pub(super) fn section(bill: &Bill) -> Option<Markup> {
    let (parts, places) = (largest(bill), text::places(bill.total));
    if parts.is_empty() {
        return None;
    }
    Some(html! {
        div.scroll tabindex="0" role="region" aria-label="Largest parts" {
            table {
                caption { "The largest parts beside the work itself, and what in the scenario decides them" }
                thead { tr { th scope="col" { "part" } th scope="col" { "decided by" }
                    th.n scope="col" { "USD" } th.n scope="col" { "share" } } }
                tbody { @for part in &parts { tr {
                    th scope="row" { (part.label) }
                    td { @for (i, path) in part.paths.iter().enumerate() {
                        @if i > 0 { ", " } (code(path))
                    } }
                    td.n { (text::usd(part.amount, places)) }
                    td.n { (text::share(part.amount, bill.total)) }
                } } }
            }
        }
    })
}

/// Parts of at least a hundredth of the bill, the largest first. No dollar is
/// in two of them; what pods requested and used is in none.
fn largest(bill: &Bill) -> Vec<Part> {
    let names = Names::of(bill);
    let steps = bill
        .waterfall
        .iter()
        .map(|cost| (step_label(cost.step).0, cost.amount(), paths_of_step(cost.step)));
    let charges = Charge::ALL.into_iter().filter_map(|charge| {
        let amount = *bill.by_charge.get(charge.name())?;
        Some((charge.label(), amount, paths_of_charge(charge)))
    });
    let decided = steps.chain(charges).filter(|(.., paths)| !paths.is_empty());
    let decided = decided.map(|(label, amount, paths)| Part {
        label: label.to_owned(),
        amount,
        paths: names.put_into(paths),
    });
    let commitments = bill.commitment.each.iter().map(|it| Part {
        label: format!("commitment {}, not used", text::name(&it.name)),
        amount: it.unused,
        paths: vec![path_of(it)],
    });
    let mut parts: Vec<Part> = decided
        .chain(commitments)
        .filter(|p| p.amount > Money::ZERO && p.amount.pico() * 100 >= bill.total.pico() * LEAST)
        .collect();
    parts.sort_by_key(|p| std::cmp::Reverse(p.amount));
    parts.truncate(PARTS);
    parts
}

/// Names that stand for `*` in a path where there is but one.
struct Names<'a> {
    pool: Option<&'a str>,
    workload: Option<&'a str>,
}

impl<'a> Names<'a> {
    fn of(bill: &'a Bill) -> Self {
        let only = |names: &'a ByName| {
            let mut names = names.keys().filter(|n| !is_pseudo(n));
            let first = names.next().map(String::as_str);
            first.filter(|_| names.next().is_none())
        };
        Names { pool: only(&bill.by_pool), workload: only(&bill.by_workload) }
    }

    fn put_into(&self, paths: &[&str]) -> Vec<String> {
        let put = |path: &str| {
            let (of, name) = match path.split_once('.') {
                Some(("pools", _)) => ("pools", self.pool),
                Some(("workload", _)) => ("workload", self.workload),
                _ => return path.to_owned(),
            };
            match (name, path.split_once(".*")) {
                (Some(name), Some((_, rest))) => format!("{of}.{}{rest}", written(name)),
                _ => path.to_owned(),
            }
        };
        paths.iter().map(|path| put(path)).collect()
    }
}

/// Where the size of a commitment is written.
fn path_of(it: &CommitmentUse) -> String {
    let key = if it.kind.is_reserved() { "count" } else { "usd-per-hour" };
    format!("commitments.{}.{key}", written(&it.name))
}

/// What decides a step of compute. Steps of other charges are told charge by
/// charge, unused commitments one by one.
const fn paths_of_step(step: Step) -> &'static [&'static str] {
    match step {
        Step::RequestedUnused | Step::FargateRounding => {
            &["workload.*.service.requests", "workload.*.generate.shapes"]
        }
        Step::Repeated => &["workload.*.on-interrupt"],
        Step::DaemonSets => &["workload.*.daemonset.requests"],
        Step::SystemReserve => &["pools.*.reserved", "pools.*"],
        Step::Idle | Step::Stranded | Step::Boot | Step::Drain => &["pools.*"],
        Step::FargateRetention => &["pools.*.fargate.job-retention"],
        _ => &[],
    }
}

/// What decides a charge around the compute.
const fn paths_of_charge(charge: Charge) -> &'static [&'static str] {
    match charge {
        Charge::UnusedCapacity => &["capacity-reservations.*.count"],
        Charge::RootVolume | Charge::VolumeIops | Charge::VolumeThroughput => {
            &["charges.root-volume"]
        }
        Charge::PublicIpv4 => &[
            "charges.public-ipv4",
            "charges.nat-gateways",
            "charges.load-balancing.internet-facing",
        ],
        Charge::ControlPlane => &["versions.kubernetes", "charges.clusters"],
        Charge::NodeLicence => &["charges.node-licence"],
        Charge::FargateLicence => &["charges.fargate-licence"],
        Charge::FargateOsLicence => &["pools.*.fargate.os"],
        Charge::FargateStorage => &["workload.*.fargate-storage"],
        Charge::PodVolume => &["workload.*.volumeClaimTemplates"],
        Charge::Efs | Charge::Fsx => &["charges.file-systems"],
        Charge::ImageStorage => &["workload.*.image"],
        Charge::NatGateway => &["charges.nat-gateways"],
        Charge::NatGatewayData => &["workload.*.traffic.nat"],
        Charge::LoadBalancer => {
            &["kubernetes.services", "kubernetes.ingresses", "charges.load-balancers"]
        }
        Charge::LoadBalancerCapacity => &["charges.load-balancing", "workload.*.traffic"],
        Charge::CrossAz => &["workload.*.traffic.cross-zone", "charges.zones"],
        Charge::Egress => &["workload.*.traffic.internet"],
        Charge::ContainerInsights => &["charges.container-insights"],
        Charge::LogIngestion => &["charges.logs"],
        Charge::EksAutoMode
        | Charge::EcsManagedInstances
        | Charge::EcsAnywhere
        | Charge::EksAnywhere => &["pools.*.managed-by"],
        Charge::SurplusCredits => &["charges.surplus-credits", "pools.*"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::bill::{CommitmentKind, CommitmentSummary, StepCost};

    fn money(text: &str) -> Money {
        text.parse().expect("money")
    }

    /// Whether the schema of scenarios has such a path.
    fn in_schema(root: &Value, at: &Value, path: &[&str]) -> bool {
        if let Some(name) = at["$ref"].as_str() {
            let name = name.strip_prefix("#/$defs/").expect("a definition");
            return in_schema(root, &root["$defs"][name], path);
        }
        let Some((first, rest)) = path.split_first() else { return at.is_object() };
        let branches = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|k| at[k].as_array());
        if branches.flatten().any(|branch| in_schema(root, branch, path)) {
            return true;
        }
        match *first {
            "*" => in_schema(root, &at["additionalProperties"], rest),
            name => in_schema(root, &at["properties"][name], rest),
        }
    }

    #[test]
    fn every_path_is_one_that_scenarios_have() {
        let schema = crate::scenario::json_schema();
        let has = |path: &str| in_schema(&schema, &schema, &path.split('.').collect::<Vec<_>>());
        let paths: BTreeSet<&str> = Step::ALL
            .into_iter()
            .flat_map(paths_of_step)
            .chain(Charge::ALL.into_iter().flat_map(paths_of_charge))
            .copied()
            .collect();
        assert!(paths.len() > 25, "{}", paths.len());
        for path in paths {
            assert!(has(path), "{path}");
        }
        for commitments in ["commitments.*.count", "commitments.*.usd-per-hour"] {
            assert!(has(commitments), "{commitments}");
        }
        assert!(!has("charges.root-volumes") && !has("pools.*.fargate.job-retentions"));
    }

    #[test]
    fn steps_of_other_charges_are_told_charge_by_charge() {
        for charge in Charge::ALL {
            if let Some(step) = Step::of(charge) {
                assert!(paths_of_step(step).is_empty(), "{}", charge.name());
            }
        }
    }

    fn bill() -> Bill {
        let names = |rows: &[(&str, &str)]| -> ByName {
            rows.iter().map(|(n, m)| ((*n).to_owned(), money(m))).collect()
        };
        let zero = Money::ZERO;
        let step = |step, amount| StepCost { step, cpu: zero, memory: zero, other: money(amount) };
        let plan = CommitmentUse {
            name: "a.b".to_owned(),
            kind: CommitmentKind::ComputeSp,
            fee_discount: crate::units::Percent::default(),
            committed: money("10"),
            used: money("3"),
            used_by_others: zero,
            unused: money("7"),
            absorbable: money("7"),
            covered_on_demand: money("4"),
            upfront: zero,
            recurring: money("10"),
        };
        Bill {
            total: money("100"),
            by_pool: names(&[("(cluster)", "10"), ("web", "83")]),
            by_workload: names(&[("(idle)", "20"), ("api", "40"), ("job", "9")]),
            by_charge: names(&[
                ("instance", "60"),
                ("nat-gateway", "23"),
                ("log-ingestion", "0.9"),
            ]),
            waterfall: vec![
                step(Step::Used, "39"),
                step(Step::Idle, "20"),
                step(Step::Network, "23"),
            ],
            commitment: CommitmentSummary { each: vec![plan], ..CommitmentSummary::default() },
            ..Bill::default()
        }
    }

    #[test]
    fn the_largest_parts_come_first_with_their_paths() {
        let found: Vec<(String, String, String)> = largest(&bill())
            .into_iter()
            .map(|p| (p.label, p.amount.to_string(), p.paths.join(" ")))
            .collect();
        let expected = [
            ("NAT gateways", "23", "charges.nat-gateways"),
            // The only pool has a name.
            ("idle: cpu and memory free", "20", "pools.web"),
            ("commitment a.b, not used", "7", "commitments.\"a.b\".usd-per-hour"),
        ];
        assert_eq!(found, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }

    #[test]
    fn nothing_is_said_of_an_empty_bill() {
        assert!(section(&Bill::default()).is_none());
    }
}
