//! A comparison for programs and spreadsheets.

use serde_json::{Map, Value, json};

use super::super::terminal::number;
use super::{plan_line, text};
use crate::advise::{Comparison, Item, Mark, Measure, MoneyItem, Side};
use crate::sweep::{Estimate, SCHEMA_VERSION, TypeUse};
use crate::units::Money;
use crate::{Error, Result};

fn estimate(e: Option<Estimate>) -> Value {
    e.map_or(Value::Null, |e| {
        json!({
            "mean": number(e.mean),
            "low": e.low().map_or(Value::Null, number),
            "high": e.high().map_or(Value::Null, number),
            "seeds": e.n,
        })
    })
}

pub(super) fn json(of: &Comparison, all: bool) -> Result<String> {
    let items = |items: &[Item]| -> Vec<Value> {
        let shown = items.iter().filter(|i| all || i.tells());
        shown
            .map(|i| json!({"name": i.name, "mark": i.mark().name(), "old": i.old, "new": i.new}))
            .collect()
    };
    let measures = |of: &[Measure]| -> Map<String, Value> {
        let shown = of.iter().filter(|m| all || m.mark() != Mark::Same);
        shown
            .map(|m| {
                let value = json!({
                    "unit": m.unit,
                    "mark": m.mark().name(),
                    "old": estimate(m.old),
                    "new": estimate(m.new),
                    "change": estimate(m.change),
                    "paired": m.paired,
                    "within_noise": m.within_noise(),
                });
                (m.name.clone(), value)
            })
            .collect()
    };
    let money = |i: &MoneyItem| {
        json!({
            "name": i.name, "mark": i.mark().name(), "old": i.old, "new": i.new,
            "change": i.change(),
        })
    };
    let cases: Vec<Value> = of
        .cases
        .iter()
        .filter(|c| all || c.mark() != Mark::Same)
        .map(|c| {
            let nodes = c.nodes.iter().filter(|n| all || n.mark() != Mark::Same).map(
                |n| json!({"name": n.name, "mark": n.mark().name(), "old": n.old, "new": n.new}),
            );
            let cost: Map<String, Value> = c
                .cost
                .iter()
                .map(|g| {
                    let shown = g.items.iter().filter(|i| all || i.mark() != Mark::Same);
                    let parts: Vec<Value> = shown.map(money).collect();
                    (format!("by_{}", g.by), json!({"parts": parts, "total": money(&g.total)}))
                })
                .collect();
            let workloads: Map<String, Value> = c
                .workloads
                .iter()
                .map(|(name, of)| (name.clone(), Value::Object(measures(of))))
                .collect();
            json!({
                "old": c.old,
                "new": c.new,
                "mark": c.mark().name(),
                "settings": items(&c.settings),
                "types_and_prices": items(&c.catalog),
                "metrics": measures(&c.metrics),
                "workloads": workloads,
                "nodes_by_type": nodes.collect::<Vec<_>>(),
                "cost": cost,
            })
        })
        .collect();
    let side = |s: &Side| {
        json!({"scenario": s.scenario, "plimsoll_version": s.version, "seeds": s.seeds,
               "complete": s.complete})
    };
    let shown = json!({
        "schema_version": SCHEMA_VERSION,
        "old": side(&of.old),
        "new": side(&of.new),
        "about": items(&of.about),
        "inputs": items(&of.inputs),
        "prices": items(&of.prices),
        "settings_of_every_case": items(&of.common),
        "added": of.added,
        "removed": of.removed,
        "cases": cases,
        "plan": plan_line(of),
    });
    serde_json::to_string_pretty(&shown)
        .map(|text| text + "\n")
        .map_err(|e| Error::failed(format!("cannot write the comparison as JSON: {e}")))
}

pub(super) fn csv(of: &Comparison, all: bool) -> Result<String> {
    let failed = |e: &dyn std::fmt::Display| {
        Error::failed(format!("cannot write the comparison as CSV: {e}"))
    };
    let mut csv = csv::Writer::from_writer(Vec::new());
    let header = [
        "case",
        "section",
        "name",
        "unit",
        "mark",
        "old",
        "new",
        "change",
        "change_low",
        "change_high",
        "paired",
        "within_noise",
    ];
    csv.write_record(header).map_err(|e| failed(&e))?;
    let mut write = |record: [String; 12]| csv.write_record(&record).map_err(|e| failed(&e));
    let plain = |case: &str, section: &str, name: &str, mark: Mark, values: [String; 3]| {
        let [old, new, change] = values;
        let none = String::new;
        [
            text::csv_cell(case),
            section.to_owned(),
            text::csv_cell(name),
            none(),
            mark.name().to_owned(),
            old,
            new,
            change,
            none(),
            none(),
            none(),
            none(),
        ]
    };
    let side = |t: &Option<String>| t.as_deref().map(text::csv_cell).unwrap_or_default();
    let exact = |m: Option<Money>| m.map(|m| m.to_string()).unwrap_or_default();
    let mean = |e: Option<Estimate>| e.map(|e| number(e.mean).to_string()).unwrap_or_default();
    let end = |e: Option<f64>| e.map(|v| number(v).to_string()).unwrap_or_default();
    let kept = |mark: Mark| all || mark != Mark::Same;
    let everywhere = [
        ("result", &of.about),
        ("input", &of.inputs),
        ("price-table", &of.prices),
        ("setting", &of.common),
    ];
    for (section, items) in everywhere {
        for i in items.iter().filter(|i| all || i.tells()) {
            write(plain(
                "",
                section,
                &i.name,
                i.mark(),
                [side(&i.old), side(&i.new), String::new()],
            ))?;
        }
    }
    for (mark, names) in [(Mark::Added, &of.added), (Mark::Removed, &of.removed)] {
        for name in names {
            write(plain(name, "case", "", mark, Default::default()))?;
        }
    }
    for case in &of.cases {
        let name = case.new.as_str();
        for (section, items) in [("setting", &case.settings), ("catalog", &case.catalog)] {
            for i in items.iter().filter(|i| all || i.tells()) {
                let values = [side(&i.old), side(&i.new), String::new()];
                write(plain(name, section, &i.name, i.mark(), values))?;
            }
        }
        let workloads = case.workloads.iter().map(|(w, m)| (format!("workload:{w}"), m));
        for (section, measures) in
            [("cluster".to_owned(), &case.metrics)].into_iter().chain(workloads)
        {
            for m in measures.iter().filter(|m| kept(m.mark())) {
                let mut record =
                    plain(name, "", &m.name, m.mark(), [mean(m.old), mean(m.new), mean(m.change)]);
                record[1] = text::csv_cell(&section);
                m.unit.clone_into(&mut record[3]);
                record[8] = end(m.change.and_then(|c| c.low()));
                record[9] = end(m.change.and_then(|c| c.high()));
                record[10] = m.paired.to_string();
                record[11] = m.within_noise().map(|n| n.to_string()).unwrap_or_default();
                write(record)?;
            }
        }
        for n in case.nodes.iter().filter(|n| kept(n.mark())) {
            let hours = |t: Option<TypeUse>| t.map(|t| t.node_hours);
            let (a, b) = (hours(n.old), hours(n.new));
            let change = number(b.unwrap_or(0.0) - a.unwrap_or(0.0)).to_string();
            let mut record = plain(name, "node-hours", &n.name, n.mark(), [end(a), end(b), change]);
            "h".clone_into(&mut record[3]);
            write(record)?;
        }
        for group in &case.cost {
            for i in group.items.iter().filter(|i| kept(i.mark())).chain([&group.total]) {
                let values = [exact(i.old), exact(i.new), i.change().to_string()];
                let mut record = plain(name, "", &i.name, i.mark(), values);
                record[1] = format!("cost-by-{}", group.by);
                "USD".clone_into(&mut record[3]);
                write(record)?;
            }
        }
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}
