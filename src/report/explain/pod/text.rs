//! A pod's story in words, tables and CSV.

use std::collections::BTreeMap;

use super::story::{
    Attempt, FargateStory, Happening, InstanceStory, Lack, PodStory, PreemptionStory, Who,
};
use crate::report::explain::blocks::Block;
use crate::report::text;
use crate::units::SimTime;
use crate::{Error, Result};

/// Events of one instance that are shown; the others are counted.
const EVENTS: usize = 24;

pub(in crate::report::explain) fn blocks(story: &PodStory) -> Vec<Block> {
    let head = &story.head;
    let mut blocks = who(&story.pod, &format!("case {}, seed {}", head.case, head.seed));
    let all = story.instances.len();
    for (i, instance) in story.instances.iter().enumerate() {
        let which = if all > 1 { format!("Instance {} of {all}: ", i + 1) } else { String::new() };
        blocks.push(Block::heading(which + &summary(instance)));
        blocks.extend(events(instance));
        blocks.extend(instance.fargate.iter().flat_map(|f| fargate(f, instance)));
        let first = instance.attempts_in_detail.first().and_then(|a| a.message.as_ref());
        for of in &instance.attempts_in_detail {
            if of.which == "last-failed" && of.message.as_ref() == first {
                let when = since_start(of.when.at_ms);
                blocks.push(Block::text(format!("The last that failed, at {when}, saw the same.")));
            } else {
                blocks.extend(attempt(of));
            }
        }
        blocks.extend(never_fits(&instance.never_fits));
    }
    blocks
}

pub(in crate::report::explain) fn who(pod: &Who, place: &str) -> Vec<Block> {
    let trace = pod.trace_name.as_ref().map(|n| format!(" ({n})")).unwrap_or_default();
    let pairs = |all: &[(String, String)], between: &str| {
        all.iter().map(|(k, v)| format!("{k}{between}{v}")).collect::<Vec<_>>().join(", ")
    };
    let mut facts = vec![
        format!("{} {} in namespace {}", pod.kind, pod.workload, pod.namespace),
        format!("requests {}", pairs(&pod.requests, " ")),
    ];
    if !pod.node_selector.is_empty() {
        facts.push(format!("nodeSelector {}", pairs(&pod.node_selector, "=")));
    }
    if !pod.tolerations.is_empty() {
        facts.push(format!("tolerates {}", pod.tolerations.join(", ")));
    }
    if pod.priority != 0 {
        facts.push(format!("priority {}", pod.priority));
    }
    if let Some(on_interrupt) = &pod.on_interrupt {
        facts.push(format!("on interrupt {on_interrupt}"));
    }
    vec![Block::heading(format!("Pod {}{trace}; {place}", pod.name)), Block::text(facts.join("; "))]
}

fn summary(of: &InstanceStory) -> String {
    if of.end == "rejected" {
        return "Rejected when it was submitted".to_owned();
    }
    let waited = text::seconds(of.pending_s);
    let what = if of.fargate.is_some() { "a machine" } else { "a node" };
    let attempts = match of.attempts {
        0 => String::new(),
        1 => ", 1 attempt".to_owned(),
        n => format!(", {} attempts", text::count(n)),
    };
    let place = of
        .place
        .as_ref()
        .map_or_else(|| "never found one".to_owned(), |place| format!("went to {place}"));
    let gated = if of.gated_s > 0.0 {
        format!(", {} of it behind scheduling gates", text::seconds(of.gated_s))
    } else {
        String::new()
    };
    format!("Waited {waited} for {what}{gated}{attempts}; {place}; {}", of.end)
}

pub(in crate::report::explain) fn since_start(at_ms: i64) -> String {
    format!("+{}", SimTime(at_ms) - SimTime::ZERO)
}

fn events(of: &InstanceStory) -> Vec<Block> {
    event_blocks(&of.events, of.events_left_out)
}

/// What happened, the beginning and the end of a long story.
pub(in crate::report::explain) fn event_blocks(events: &[Happening], left_out: u64) -> Vec<Block> {
    let width = |at: i64| since_start(at).chars().count();
    let widest = events.iter().map(|e| width(e.when.at_ms)).max().unwrap_or(0);
    let item = |i: usize| {
        let e = &events[i];
        let lead = format!("{:<widest$}  {}  ", since_start(e.when.at_ms), e.when.at);
        Block::Item(lead, e.text.clone())
    };
    let count = events.len();
    // The beginning and the end say most.
    let (head, tail) = if count > EVENTS { (EVENTS / 2, EVENTS / 2) } else { (count, 0) };
    let mut blocks: Vec<Block> = (0..head).map(item).collect();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for hidden in &events[head..count - tail] {
        *kinds.entry(hidden.event).or_default() += 1;
    }
    if left_out > 0 {
        kinds.insert("of any kind", left_out);
    }
    if !kinds.is_empty() {
        let said: Vec<String> =
            kinds.iter().map(|(kind, n)| format!("{} × {kind}", text::count(*n))).collect();
        blocks.push(Block::Item("… ".to_owned(), format!("and {} …", said.join(", "))));
    }
    blocks.extend((count - tail..count).map(item));
    blocks
}

fn attempt(of: &Attempt) -> Vec<Block> {
    let when = since_start(of.when.at_ms);
    let which = match of.which {
        "first" => "First attempt",
        "last-failed" => "Last attempt that failed",
        _ => "Attempt that found a node",
    };
    let mut blocks = vec![Block::heading(format!("{which}, at {when}"))];
    if let Some(message) = &of.message {
        blocks.push(Block::text(message.clone()));
    }
    if of.nodes_booting > 0 {
        let nodes = if of.nodes_booting == 1 { "node boots" } else { "nodes boot" };
        blocks.push(Block::text(format!("{} more {nodes}", of.nodes_booting)));
    }
    if !of.rejected.is_empty() {
        let rows = of
            .rejected
            .iter()
            .map(|r| vec![r.filter.to_owned(), r.reason.clone(), text::count(r.nodes.into())])
            .collect();
        let header = vec!["filter", "reason", "nodes"];
        blocks.push(Block::Table { header, rows, left: 2, gives: 1 });
    }
    if let Some(sample) = &of.sample {
        blocks.push(Block::text(format!(
            "It looked at {} of {} nodes, from {} on: {} feasible ones are enough.",
            sample.examined, of.nodes, sample.start, sample.enough
        )));
    }
    blocks.extend(of.preemption.as_ref().and_then(preemption));
    if of.best.is_empty() {
        return blocks;
    }
    if let Some(node) = &of.nominated_node {
        blocks.push(Block::text(format!(
            "{node}, for which it was nominated, holds it: no other node is looked at, and there \
             are no scores."
        )));
    } else if of.scored {
        blocks.extend(scores(of));
    } else {
        let nodes = of.sample.as_ref().map_or(of.nodes, |sample| sample.examined);
        blocks.push(Block::text(format!(
            "1 of {nodes} nodes is feasible, {}: it is taken without a score.",
            of.best[0].node
        )));
    }
    blocks
}

/// What preemption did; where it could do nothing the message says so.
fn preemption(of: &PreemptionStory) -> Option<Block> {
    let node = of.nominated_node.as_deref()?;
    let text = if of.outcome == "nominated" {
        let violations = match of.budget_violations {
            0 => String::new(),
            n => format!("; a disruption budget would have kept {n} of them"),
        };
        let victims = of.victims.join(", ");
        format!("Preemption makes room on {node} by deleting {victims}{violations}.")
    } else {
        format!("It waits for its victims to leave {node}.")
    };
    Some(Block::text(text))
}

/// Plugins with the names that their columns have where there are many.
const SHORT: [(&str, &str); 6] = [
    ("TaintToleration", "Taints"),
    ("NodeAffinity", "NodeAff"),
    ("PodTopologySpread", "Spread"),
    ("InterPodAffinity", "PodAff"),
    ("NodeResourcesFit", "Fit"),
    ("NodeResourcesBalancedAllocation", "Balanced"),
];

/// The scores of the best nodes. Plugins that give all of them nothing have no
/// column.
fn scores(of: &Attempt) -> Vec<Block> {
    let drawn = if of.ties > 1 {
        format!("; {} share the highest score, and one of them was drawn", of.ties)
    } else {
        String::new()
    };
    let nodes = of.sample.as_ref().map_or(of.nodes, |sample| sample.examined);
    let mut blocks = vec![Block::text(format!(
        "{} of {nodes} nodes are feasible{drawn}. Scores, each with the weight of its plugin:",
        of.feasible
    ))];
    let gives = |at: usize| of.best.iter().any(|s| s.scores.get(at).is_some_and(|s| s.1 != 0));
    let count = of.best.first().map_or(0, |s| s.scores.len());
    let columns: Vec<usize> = (0..count).filter(|at| gives(*at)).collect();
    let mut header = vec!["  node"];
    for at in &columns {
        let name = of.best[0].scores[*at].0;
        let short = SHORT.iter().find(|(long, _)| *long == name).map_or(name, |(_, short)| short);
        header.push(short);
    }
    header.push("total");
    let mut rows: Vec<Vec<String>> = of
        .best
        .iter()
        .map(|s| {
            let mark = if s.drawn { '*' } else { ' ' };
            let mut row = vec![format!("{mark} {}", s.node)];
            row.extend(columns.iter().map(|at| s.scores[*at].1.to_string()));
            row.push(s.total.to_string());
            row
        })
        .collect();
    let shown = of.best.len() as u64;
    if u64::from(of.feasible) > shown {
        let more = text::count(u64::from(of.feasible) - shown);
        let mut row = vec![String::new(); columns.len() + 2];
        row[0] = format!("  and {more} more");
        rows.push(row);
    }
    blocks.push(Block::Table { header, rows, left: 1, gives: 0 });
    let named: Vec<String> = columns
        .iter()
        .filter_map(|at| SHORT.iter().find(|(long, _)| *long == of.best[0].scores[*at].0))
        .map(|(long, short)| format!("{short} {long}"))
        .collect();
    blocks.push(Block::text(named.join(", ")));
    blocks
}

fn fargate(of: &FargateStory, instance: &InstanceStory) -> Vec<Block> {
    let mut blocks = vec![
        Block::heading(format!("On Fargate pool {}", of.pool)),
        Block::text(format!("matched by {}", of.selectors.join(" or "))),
    ];
    let mut rows: Vec<Vec<String>> = of
        .need
        .iter()
        .map(|(what, cpu, memory)| vec![what.clone(), cpu.clone(), memory.clone()])
        .collect();
    rows.push(vec!["needed".to_owned(), of.cpu.clone(), of.memory.clone()]);
    blocks.push(Block::Table { header: vec!["", "cpu", "memory"], rows, left: 1, gives: 0 });
    match (&of.billed, &of.largest) {
        (Some(billed), _) => {
            blocks
                .push(Block::text(format!("billed as {billed}: the cheapest size that holds it")));
        }
        (None, largest) => {
            let largest = largest.as_ref().map(|l| format!("; the largest size is {l}"));
            let why = of.rejected.unwrap_or("no size of Fargate holds it");
            blocks.push(Block::text(format!("{why}{}", largest.unwrap_or_default())));
        }
    }
    if instance.end != "rejected" {
        let mut waits = vec![format!("{} for the launch bucket", text::seconds(of.bucket_wait_s))];
        if let Some(latency) = of.start_latency_s {
            waits.push(format!("{} until the machine is ready", text::seconds(latency)));
        }
        blocks.push(Block::text(format!("waited {}", waits.join(", "))));
    }
    blocks
}

fn never_fits(of: &[Lack]) -> Vec<Block> {
    if of.is_empty() {
        return Vec::new();
    }
    let rows = of
        .iter()
        .map(|l| {
            let why = match l.filter {
                _ if !l.can_have_nodes => "the pool has no nodes".to_owned(),
                None => "its requests, labels and taints would do".to_owned(),
                Some(_) => l.reasons.join(", "),
            };
            vec![l.pool.clone(), l.kind.clone(), why, l.free_cpu.clone(), l.free_memory.clone()]
        })
        .collect();
    let header = vec!["pool", "type", "why not", "cpu", "memory"];
    vec![
        Block::heading("An empty node of each pool, with what it has free beside its DaemonSets"),
        Block::Table { header, rows, left: 3, gives: 2 },
    ]
}

/// The events. Columns: `instance` (from 1), `at_ms`, `at`, `event`, `text`.
pub(in crate::report::explain) fn csv(story: &PodStory) -> Result<String> {
    events_csv(story.instances.iter().map(|i| i.events.as_slice()))
}

/// The events of each instance.
pub(in crate::report::explain) fn events_csv<'a>(
    instances: impl Iterator<Item = &'a [Happening]>,
) -> Result<String> {
    let failed = |e: &dyn std::fmt::Display| {
        Error::failed(format!("cannot write the explanation as CSV: {e}"))
    };
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["instance", "at_ms", "at", "event", "text"]).map_err(|e| failed(&e))?;
    for (i, events) in instances.enumerate() {
        for event in events {
            csv.write_record([
                (i + 1).to_string(),
                event.when.at_ms.to_string(),
                event.when.at.clone(),
                event.event.to_owned(),
                text::csv_cell(&event.text),
            ])
            .map_err(|e| failed(&e))?;
        }
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}
