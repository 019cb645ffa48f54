//! How amounts are written, and what a break-even comes to in sentences.

use super::super::text;
use crate::advise::breakeven::{Breakeven, Breakevens, Caveat, Crossing, LeftOut, Priced, Shares};
use crate::nouns::{self, noun};
use crate::observe::RejectReason;

/// What nodes are those of.
pub(super) fn subject(b: &Breakeven) -> String {
    let kind = if b.measured.is_some() { "pool " } else { "" };
    format!("{kind}{}", text::name(&b.subject))
}

pub(super) fn pods(n: f64) -> String {
    if n >= 100.0 || (n - n.round()).abs() < 1e-6 {
        text::grouped(n, 0)
    } else {
        text::grouped(n, if n < 10.0 { 2 } else { 1 })
    }
}

/// `1 pod`, `2 pods`; a mean that is written as 1 is one too.
pub(super) fn counted(n: f64, what: &str) -> String {
    let shown = pods(n);
    let things = noun(u8::from(shown != "1") + 1, what);
    format!("{shown} {things}")
}

pub(super) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    format!("{:.0} %", share * 100.0)
}

/// A way of buying Fargate, as people write it.
pub(super) fn fargate(p: &Priced) -> String {
    let name = text::name(&p.option);
    name.strip_prefix("fargate").map_or(name.clone(), |rest| format!("Fargate{rest}"))
}

pub(super) fn from(b: &Breakeven, c: &Crossing) -> String {
    match c.cheaper_from {
        Some(n) if c.reachable && b.mix.len() == 1 => format!("{n}"),
        Some(_) if c.reachable => pods(c.pods),
        _ => "never".to_owned(),
    }
}

/// What it comes to, a sentence or two.
pub(super) fn verdicts(b: &Breakeven) -> Vec<String> {
    let (most, binding) = b.most();
    let crossings = b.crossings();
    let mut lines = Vec::new();
    // The first way of buying each: that in force, or the list prices.
    if let Some(c) = crossings.iter().find(|c| (c.ec2, c.fargate) == (0, 0))
        && let (Some(ec2), Some(fargate)) = (b.ec2.first(), b.fargate.first())
    {
        let s = b.shares(c.pods);
        let shares = shares_in_words(&s);
        let line = if c.reachable {
            format!(
                "A node of {} ({}) costs what {} pods cost on {}: {shares}. With more it is \
                 cheaper, with fewer Fargate is.",
                subject(b),
                ec2.option,
                pods(c.pods),
                self::fargate(fargate)
            )
        } else {
            format!(
                "No packing of {} ({}) beats {}: it would take {} pods a node, and {} fit ({}).",
                subject(b),
                ec2.option,
                self::fargate(fargate),
                c.cheaper_from.map_or_else(
                    || "infinitely many".to_owned(),
                    |n| if b.mix.len() == 1 { n.to_string() } else { pods(c.pods) }
                ),
                pods(most),
                binding.name()
            )
        };
        lines.push(line);
        if let Some(measured) = b.measured {
            lines.push(as_run(b, c, measured.pods_per_node));
        }
    }
    lines
}

fn shares_in_words(s: &Shares) -> String {
    format!(
        "{} of its vCPU, {} of its memory, {} of its pod slots, {} of what fits",
        percent(s.raw_cpu),
        percent(s.raw_memory),
        percent(s.pod_slots),
        percent(s.of_most)
    )
}

/// What the figures do not say, a sentence each.
pub(super) fn caveats(b: &Breakeven) -> Vec<String> {
    b.caveats.iter().map(caveat).collect()
}

fn caveat(it: &Caveat) -> String {
    match it {
        Caveat::OnAmd64(kind) => format!(
            "{kind} is arm64 and Fargate on EKS is amd64 only: images must be built for both"
        ),
        Caveat::Accelerators { kind, count, name } => format!(
            "each {kind} has {}: these pods request none, and pay for it on a node; \
             Fargate has none",
            nouns::counted(*count, name)
        ),
        Caveat::NoTrunking(kind) => format!(
            "slots of {kind} are its network interfaces (awsvpc without trunking); with trunking \
             or in bridge mode it takes more tasks: state --max-pods"
        ),
    }
}

/// Why pods are left out, as the end of a sentence.
pub(super) fn reason(left: &LeftOut) -> &str {
    RejectReason::named(&left.reason).map_or(left.reason.as_str(), |reason| reason.text())
}

/// What is run now against the break-even.
fn as_run(b: &Breakeven, c: &Crossing, pods_now: f64) -> String {
    let (now, even) = (b.shares(pods_now), b.shares(c.pods));
    if !b.left_out.is_empty() {
        return format!(
            "A node as you run it carries {} of these pods ({} of vCPU, {} of memory) beside \
             those that stay. How many nodes these would still need only a run says: add a \
             Fargate pool to a case.",
            pods(pods_now),
            percent(now.raw_cpu),
            percent(now.raw_memory),
        );
    }
    let times = pods_now / c.pods;
    let verdict = if times >= 1.0 {
        format!("Fargate would cost {} more", percent(times - 1.0))
    } else {
        format!("Fargate would cost {} less", percent(1.0 - times))
    };
    let below = if c.reachable {
        format!("below {}", percent(even.of_most))
    } else {
        "however full they are".to_owned()
    };
    format!(
        "EC2 as you run it is {} full ({} a node: {} of vCPU, {} of memory); Fargate is \
         cheaper {below}. {verdict}.",
        percent(now.of_most),
        counted(pods_now, "pod"),
        percent(now.raw_cpu),
        percent(now.raw_memory),
    )
}

/// All pools together, as bought, against Fargate at list price; nothing where
/// some pods stay on nodes whose number is then not known.
pub(super) fn total(it: &Breakevens) -> Option<String> {
    let (mut nodes, mut pods) = (0.0, 0.0);
    for b in &it.comparisons {
        if !b.left_out.is_empty() {
            return None;
        }
        let (measured, ec2, fargate) = (b.measured?, b.ec2.first()?, b.fargate.first()?);
        nodes += measured.node_hours * ec2.per_hour.to_f64();
        pods += measured.node_hours * measured.pods_per_node * fargate.per_hour.to_f64();
    }
    (nodes > 0.0).then(|| {
        let (word, share) =
            if pods >= nodes { ("more", pods / nodes - 1.0) } else { ("less", 1.0 - pods / nodes) };
        format!(
            "All pools above: nodes cost {} as bought; the same pods on Fargate {}, {} {word}.",
            text::usd_f64(nodes, 2),
            text::usd_f64(pods, 2),
            percent(share)
        )
    })
}
