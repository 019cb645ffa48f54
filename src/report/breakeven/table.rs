//! The table for people.

use std::fmt::Write as _;

use super::super::terminal::wrapped;
use super::super::text;
use super::words::{
    caveats, counted, fargate, from, percent, pods, reason, subject, total, verdicts,
};
use crate::advise::breakeven::{Amount, Breakeven, Breakevens, MixPod, Priced};
use crate::units::Rate;

/// Characters of a heading in front of its text.
const INDENT: usize = 9;
/// Kinds of pods of a mix that are listed for people.
const PODS: usize = 6;
/// Characters of a way of buying.
const OPTION: usize = 15;

pub(super) fn terminal(it: &Breakevens) -> String {
    let mut out = String::new();
    if let Some(s) = &it.simulated {
        let line = format!("scenario {}, case {}, seed {}", s.scenario, s.case, s.seed);
        out += &wrapped(&line, "", "");
        out.push('\n');
    }
    for (i, b) in it.comparisons.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        out += &comparison(it, b);
    }
    out.push('\n');
    out += &wrapped(
        "pods at which a node costs what they cost on Fargate, as shares of: vCPU and memory of \
         the machine; a.cpu, a.mem: what it offers pods (allocatable); slots: pod slots; full: \
         the pods that fit. from: pods from which on the node is cheaper",
        "",
        "",
    );
    if it.comparisons.len() > 1
        && let Some(line) = total(it)
    {
        out.push('\n');
        out += &wrapped(&line, "", "");
    }
    let weak = it.comparisons.iter().flat_map(|b| b.ec2.iter().chain(&b.fargate));
    if weak.into_iter().any(|p| p.status.is_guess()) {
        out.push('\n');
        out += "* at a price that is not published for the item\n";
    }
    out
}

fn comparison(it: &Breakevens, b: &Breakeven) -> String {
    let rest = " ".repeat(INDENT);
    let head = |name: &str| format!("{name:<INDENT$}");
    let line = format!("{} against Fargate, {}, {}", subject(b), it.region, it.orchestrator.name());
    let mut out = wrapped(&line, "", "");
    let line = format!("{}{}", offer(&b.node.raw), slots(&b.node.raw));
    out += &wrapped(&line, &head("node"), &rest);
    let mut line = format!("{} to pods", offer(&b.node.allocatable));
    if b.node.daemons != Amount::default() {
        let taken = b.node.daemons;
        let _ = write!(
            line,
            "; {} of it go to {}",
            offer(&taken),
            counted(taken.pods, "DaemonSet pod")
        );
    }
    out += &wrapped(&line, &head("offers"), &rest);
    for (i, line) in mix(b).iter().enumerate() {
        out += &wrapped(line, &head(if i > 0 { "" } else { "pods" }), &rest);
    }
    let (most, binding) = b.most();
    let used_up = format!("no more {} then", binding.name());
    let line = if b.mix.len() == 1 {
        format!("{}: {used_up}", counted(most, "pod"))
    } else {
        format!("at most {}, by sums of requests: {used_up}", counted(most, "pod"))
    };
    out += &wrapped(&line, &head("full"), &rest);
    for left in &b.left_out {
        let line = format!("{} of pod-hours, which stay: {}", percent(left.share), reason(left));
        out += &wrapped(&line, &head("left out"), &rest);
    }
    for line in caveats(b) {
        out += &wrapped(&line, &head("note"), &rest);
    }
    for p in b.ec2.iter().take(1).filter(|p| p.parts.len() > 1) {
        let parts: Vec<String> =
            p.parts.iter().map(|(name, rate)| format!("{name} {}", usd(*rate))).collect();
        let line = format!("{}: {}", p.option, parts.join(" + "));
        out += &wrapped(&line, &head("hour"), &rest);
    }
    let crossings = b.crossings();
    for (f, level) in b.fargate.iter().enumerate() {
        out.push('\n');
        let line = format!("against {}{}", fargate(level), star(level));
        let line = format!("{line} at {} a pod-hour", usd(level.per_hour));
        out += &wrapped(&line, "", "");
        if !crossings.iter().any(|c| c.fargate == f) {
            let line = format!(
                "no rate of {} is known for {}",
                level.plan.as_deref().map_or_else(|| fargate(level), text::name),
                subject(b)
            );
            out += &wrapped(&line, "", "");
            continue;
        }
        let heads = ["$/hour", "pods", "vCPU", "memory", "a.cpu", "a.mem", "slots", "full", "from"];
        out += &row("nodes bought", &heads.map(str::to_owned));
        for c in crossings.iter().filter(|c| c.fargate == f) {
            let Some(ec2) = b.ec2.get(c.ec2) else { continue };
            let shares = b.shares(c.pods).in_order();
            let [vcpu, memory, a_cpu, a_memory, slots, full] = shares.map(percent);
            let cells = [
                column(ec2.per_hour),
                pods(c.pods),
                vcpu,
                memory,
                a_cpu,
                a_memory,
                slots,
                full,
                from(b, c),
            ];
            out += &row(&starred(ec2), &cells);
        }
    }
    for line in verdicts(b) {
        out.push('\n');
        out += &wrapped(&line, "", "");
    }
    out
}

fn row(name: &str, cells: &[String; 9]) -> String {
    let widths = [8, 6, 6, 6, 6, 6, 6, 6, 6];
    let mut line = format!("{name:<OPTION$}");
    for (cell, width) in cells.iter().zip(widths) {
        let _ = write!(line, " {cell:>width$}");
    }
    line.truncate(line.trim_end().len());
    line + "\n"
}

fn mix(b: &Breakeven) -> Vec<String> {
    let all: i128 = b.mix.iter().map(|p| p.weight).sum();
    let mut by_weight: Vec<&MixPod> = b.mix.iter().collect();
    by_weight.sort_by_key(|p| std::cmp::Reverse(p.weight));
    let mut lines: Vec<String> = by_weight
        .iter()
        .take(PODS)
        .map(|p| {
            let share = p.weight as f64 / all.max(1) as f64;
            if b.mix.len() == 1 { pod(p) } else { format!("{} {}", percent(share), pod(p)) }
        })
        .collect();
    if by_weight.len() > PODS {
        lines.push(format!("and {} kinds more", by_weight.len() - PODS));
    }
    lines
}

fn pod(p: &MixPod) -> String {
    let size = format!(
        "{}, {} GB on Fargate",
        cpu(p.size.cpu.0 as f64),
        trimmed(p.size.memory.0 as f64 / f64::from(1u32 << 30))
    );
    let name = if p.name.is_empty() { String::new() } else { format!("{}: ", text::name(&p.name)) };
    format!("{name}{}, {}: {size}", cpu(p.cpu.0 as f64), memory(p.memory.0 as f64))
}

fn offer(a: &Amount) -> String {
    format!("{}, {}", cpu(a.cpu), memory(a.memory))
}

/// Beyond this a limit of pods is none.
const UNLIMITED: f64 = 1e6;

fn slots(a: &Amount) -> String {
    if a.pods < UNLIMITED {
        format!(", {} pod slots", pods(a.pods))
    } else {
        ", no limit of pods".to_owned()
    }
}

/// `on-demand`, with a star where its price is not published.
fn starred(p: &Priced) -> String {
    format!("{}{}", text::shortened(&text::name(&p.option), OPTION - 2), star(p))
}

fn star(p: &Priced) -> &'static str {
    if p.status.is_guess() { " *" } else { "" }
}

/// Memory for people: whole MiB where it is whole, else GiB.
fn memory(bytes: f64) -> String {
    let mib = bytes / f64::from(1u32 << 20);
    if mib < 1_024.0 {
        return format!("{} MiB", text::grouped(mib, usize::from(mib.fract() > 0.01)));
    }
    let gib = mib / 1_024.0;
    format!("{} GiB", text::grouped(gib, if gib.fract() > 0.005 { 2 } else { 0 }))
}

fn cpu(milli: f64) -> String {
    format!("{} vCPU", trimmed(milli / 1_000.0))
}

/// At most three decimals, none that say nothing.
fn trimmed(value: f64) -> String {
    let text = text::grouped(value, 3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A rate with the digits it has, at most eight decimals.
fn usd(rate: Rate) -> String {
    let rounded = rate.scale(1, 10_000).pico();
    format!("${}", Rate::from_pico(rounded * 10_000))
}

/// What `rate` looks like in a column.
fn column(rate: Rate) -> String {
    format!("{:.4}", rate.to_f64())
}
