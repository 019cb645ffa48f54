//! A workload's or namespace's cost in words and tables.

use super::{TOP, amounts, charges, weights};
use crate::report::explain::blocks::Block;
use crate::report::explain::cost::owner::{Bought, OwnerCost};
use crate::report::text;
use crate::units::Money;

pub(super) fn blocks(owner: &OwnerCost, what: &str, place: &str, window: &str) -> Vec<Block> {
    let kind = owner.kind.map(|k| format!(" ({k})")).unwrap_or_default();
    let direct = if owner.charges.is_empty() {
        "what its pods requested"
    } else {
        "what its pods requested and what the cluster is charged for it"
    };
    let mut blocks = vec![
        Block::heading(format!("Cost of {what} {}{kind}; {place}", owner.name)),
        Block::text(window),
        Block::text(format!("direct: exactly {} USD, {direct}", owner.direct)),
    ];
    if let Some(loaded) = owner.fully_loaded {
        let how = if owner.kind == Some("daemonset") {
            "on nodes a DaemonSet is shared by the workloads beside it"
        } else {
            "with what is shared"
        };
        blocks.push(Block::text(format!("fully loaded: exactly {loaded} USD, {how}")));
    }
    if owner.resources.is_empty() {
        blocks.push(Block::text("None of its pods ran in the cost window."));
        return blocks;
    }
    blocks.push(Block::heading("What became of the direct cost"));
    let rows: Vec<_> =
        owner.waterfall.iter().map(|s| (vec![s.step.to_owned()], s.amount)).collect();
    blocks.extend(amounts(vec!["step"], &rows, owner.direct));
    blocks.push(Block::heading("What its cost lies on, and its part of what that costs"));
    blocks.extend(resources(owner));
    blocks.extend(weights(&owner.weights));
    if !owner.charges.is_empty() {
        blocks.push(Block::heading("What the cluster is charged for it, added up by price"));
        blocks.push(charges(&owner.charges, false));
    }
    blocks.extend(distributed(owner));
    blocks
}

/// Where the pods of an owner ran.
fn resources(owner: &OwnerCost) -> Vec<Block> {
    let nets: Vec<Money> = owner.resources.iter().map(|r| r.net).collect();
    let places = text::places(nets.iter().copied().max().unwrap_or_default());
    let mut rows: Vec<Vec<String>> = owner
        .resources
        .iter()
        .take(TOP)
        .map(|r| {
            vec![
                r.resource.clone(),
                r.size.clone(),
                bought(&r.bought),
                text::usd(r.net, places),
                text::usd(r.amount.total, places),
                text::share(r.amount.total, r.net),
            ]
        })
        .collect();
    if let Some(rest) = owner.resources.get(TOP..).filter(|r| !r.is_empty()) {
        let sum: Money = rest.iter().map(|r| r.amount.total).sum();
        let net: Money = rest.iter().map(|r| r.net).sum();
        rows.push(vec![
            format!("and {} more", text::count(rest.len() as u64)),
            String::new(),
            String::new(),
            text::usd(net, places),
            text::usd(sum, places),
            text::share(sum, net),
        ]);
    }
    let net: Money = nets.into_iter().sum();
    rows.push(vec![
        "all".to_owned(),
        String::new(),
        String::new(),
        text::usd(net, places),
        text::usd(owner.direct, places),
        text::share(owner.direct, net),
    ]);
    let header = vec!["resource", "type", "bought", "its net", "part", "share"];
    vec![Block::Table { header, rows, left: 3, gives: 0 }]
}

/// How it was bought; where a plan covers a part, which part and which plan.
fn bought(of: &[Bought]) -> String {
    let main: Vec<&Bought> = of.iter().filter(|b| b.purchase != "other").collect();
    let whole: Money = main.iter().map(|b| b.net).sum();
    let name = |b: &Bought| match &b.commitment {
        Some(plan) => format!("plan {}", text::shortened(plan, 10)),
        None => b.purchase.to_owned(),
    };
    let covered = main.iter().filter(|b| b.commitment.is_some()).max_by_key(|b| b.net);
    match (main.as_slice(), covered) {
        ([], _) => "–".to_owned(),
        ([one], _) => name(one),
        (_, Some(plan)) => format!("{} {}", text::share(plan.net, whole), name(plan)),
        (several, None) => {
            several.iter().max_by_key(|b| b.net).map_or_else(String::new, |b| name(b))
        }
    }
}

fn distributed(owner: &OwnerCost) -> Vec<Block> {
    if owner.distributed.is_empty() {
        return Vec::new();
    }
    let rows: Vec<Vec<String>> = owner
        .distributed
        .iter()
        .map(|d| {
            let places = text::places(d.shared.max(d.direct_of_all));
            vec![
                d.pool.clone().unwrap_or_else(|| "(no pool)".to_owned()),
                text::usd(d.direct, places),
                text::usd(d.direct_of_all, places),
                text::usd(d.shared, places),
                d.part.to_string(),
            ]
        })
        .collect();
    let header = vec!["pool", "its base", "of all", "shared", "its part USD"];
    let mut blocks = vec![
        Block::heading(
            "What it bears of shared cost. Of a pool, on the base of direct cost: idle and \
             reserved capacity, boot, drain, DaemonSets, volumes. Without a pool, on the base of \
             all borne so far: the control plane and unused commitment",
        ),
        Block::Table { header, rows, left: 1, gives: 0 },
    ];
    let part: Money = owner.distributed.iter().map(|d| d.part).sum();
    if let Some(loaded) = owner.fully_loaded {
        let direct = loaded - part;
        blocks.push(Block::text(format!("{direct} direct + {part} shared = {loaded} USD")));
    }
    blocks
}
