//! Break-evens as CSV and as Markdown.

use std::fmt::Write as _;

use super::super::text;
use super::words::{caveats, from, percent, pods, verdicts};
use crate::advise::breakeven::Breakevens;
use crate::{Error, Result};

fn failed(e: &dyn std::fmt::Display) -> Error {
    Error::failed(format!("cannot write CSV: {e}"))
}

/// A row per pair of ways of buying; amounts are exact decimals.
pub(super) fn csv(it: &Breakevens) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "subject",
        "ec2",
        "fargate",
        "node_usd_per_hour",
        "pod_usd_per_hour",
        "node_price_status",
        "pod_price_status",
        "pods",
        "cheaper_from_pods",
        "reachable",
        "share_of_vcpu",
        "share_of_memory",
        "share_of_allocatable_cpu",
        "share_of_allocatable_memory",
        "share_of_pod_slots",
        "share_of_pods_that_fit",
        "pods_that_fit",
        "pods_now",
    ])
    .map_err(|e| failed(&e))?;
    for b in &it.comparisons {
        for c in b.crossings() {
            let (Some(ec2), Some(fargate)) = (b.ec2.get(c.ec2), b.fargate.get(c.fargate)) else {
                continue;
            };
            let number = |v: f64| if v.is_finite() { format!("{v:.6}") } else { String::new() };
            let mut cells = vec![
                text::csv_cell(&b.subject),
                text::csv_cell(&ec2.option),
                text::csv_cell(&fargate.option),
                ec2.per_hour.to_string(),
                fargate.per_hour.to_string(),
                ec2.status.name().to_owned(),
                fargate.status.name().to_owned(),
                number(c.pods),
                c.cheaper_from.map_or_else(String::new, |n| n.to_string()),
                c.reachable.to_string(),
            ];
            cells.extend(b.shares(c.pods).in_order().map(number));
            cells.push(number(b.most().0));
            cells.push(b.measured.map_or_else(String::new, |m| number(m.pods_per_node)));
            csv.write_record(&cells).map_err(|e| failed(&e))?;
        }
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|_| Error::failed("a name is no text"))
}

pub(super) fn markdown(it: &Breakevens) -> String {
    let mut out = String::from(
        "| nodes | bought | against | pods | vCPU | memory | allocatable cpu | allocatable \
         memory | pod slots | of what fits | cheaper from |\n\
         | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for b in &it.comparisons {
        for c in b.crossings() {
            let (Some(ec2), Some(fargate)) = (b.ec2.get(c.ec2), b.fargate.get(c.fargate)) else {
                continue;
            };
            let names = [&b.subject, &ec2.option, &fargate.option].map(|n| text::markdown_cell(n));
            let shares = b.shares(c.pods).in_order().map(percent);
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                names.join(" | "),
                pods(c.pods),
                shares.join(" | "),
                from(b, &c)
            );
        }
    }
    for b in &it.comparisons {
        for line in verdicts(b).iter().chain(&caveats(b)) {
            let _ = write!(out, "\n{}\n", text::markdown_cell(line));
        }
    }
    out
}
