//! FOCUS files under commitments, among them what `run` exports.

use std::fs;
use std::path::{Path, PathBuf};

use super::{FOCUS, billed, focus_row};
use crate::{fine, flat, json, pico, pico_of, scratch, text};

/// 0.34 EUR is no 0.34 USD: it is in no sum of dollars.
#[test]
fn amounts_in_another_currency_are_not_taken_for_dollars() {
    let dir = scratch();
    let row = |what, currency| {
        let cells = [
            ("ChargeDescription", what),
            ("ListCost", "0.34"),
            ("BilledCost", "0.34"),
            ("BillingCurrency", currency),
        ];
        focus_row(FOCUS, &cells)
    };
    let instance = "$0.34 per On Demand Linux c5.2xlarge Instance Hour";
    let write = |name: &str, rows: &[String]| {
        let csv = format!("{FOCUS}\n{}", rows.concat());
        fs::write(dir.path().join(name), csv).expect("written");
    };
    write("eur.csv", &[row(instance, "USD"), row(instance, "EUR")]);
    let table = fine(dir.path(), &["bill", "eur.csv", "--reprice"]);
    let closing = flat(&text(&table.stdout));
    for part in [
        "2 of 2 rows are modelled, $0.340000 at list; 1 of them",
        "Not priced: 1 row, $0.000000 at list, and 1 of them in another currency than USD.",
    ] {
        assert!(closing.contains(part), "{part}: {closing}");
    }
    // What no commitment covers may be in any currency, but adds up in USD only.
    write("tax.csv", &[row(instance, "USD"), row("x", "EUR"), row("x", "USD")]);
    let table = fine(dir.path(), &["bill", "tax.csv"]);
    let closing = flat(&text(&table.stdout));
    assert!(closing.contains("billed $0.34, and 1 of them in another currency"), "{closing}");
    // Usage is priced by the catalog in USD whatever the file is in, and says so.
    let table = fine(dir.path(), &["bill", "eur.csv"]);
    let closing = flat(&text(&table.stdout));
    assert!(closing.contains("On-Demand $0.68000, no commitments."), "{closing}");
    let said = "The file states 1 row of it in another currency than USD; priced here at list";
    assert!(closing.contains(said), "{closing}");
    let csv = fine(dir.path(), &["bill", "eur.csv", "--format", "csv"]);
    assert!(text(&csv.stderr).contains("states 1 row of it in another currency"), "no note");
    write("usd.csv", &[row(instance, "USD")]);
    let table = fine(dir.path(), &["bill", "usd.csv"]);
    assert!(!text(&table.stdout).contains("currency"), "nothing to say");
}

/// The licence of Windows and dedicated hardware are in the price of a row that
/// only the details of its SKU tell of: nothing to compare with shared Linux.
#[test]
fn the_details_of_a_sku_tell_windows_and_dedicated_hardware() {
    let dir = scratch();
    let columns = format!("{FOCUS},ListUnitPrice,SkuMeter,SkuPriceDetails");
    let row = |details: &str| {
        let details = format!(r#"{{"InstanceType":"m5.large",{details}}}"#);
        let cells = [
            ("ServiceName", "Amazon Elastic Compute Cloud"),
            ("ListCost", "0.3"),
            ("BilledCost", "0.3"),
            ("ListUnitPrice", "0.3"),
            ("SkuMeter", "Instance hours"),
            ("SkuPriceDetails", &*details),
        ];
        focus_row(&columns, &cells)
    };
    let rows = [
        row(r#""OperatingSystem":"Linux","Tenancy":"Shared""#),
        row(r#""OperatingSystem":"Windows""#),
        row(r#""OperatingSystem":"Linux","Tenancy":"Dedicated""#),
    ];
    fs::write(dir.path().join("f.csv"), format!("{columns}\n{}", rows.concat())).expect("written");
    let table = fine(dir.path(), &["bill", "f.csv"]);
    let table = text(&table.stdout);
    assert!(table.starts_with("f.csv: FOCUS, 1 row of 3 that"), "{table}");
    let again = fine(dir.path(), &["bill", "f.csv", "--reprice"]);
    let again = text(&again.stdout);
    for part in ["other-platform: ", "m5.large Windows", "other-tenancy: ", "m5.large dedicat"] {
        assert!(again.contains(part), "{part}: {again}");
    }
}

/// Runs the trace `t.csv` on two pools and what `more` adds below them, and
/// exports; where the results of the case lie.
fn exported(dir: &Path, name: &str, more: &str, export: &[&str]) -> PathBuf {
    let scenario = format!(
        "version: 1\nname: {name}\nregion: us-east-1\nseeds: 1\n\
         time: {{ start: 2025-01-06T00:00Z, horizon: 2h }}\n\
         workload:\n  jobs: {{ trace: t.csv, startup: 0s }}\n\
         charges: {{ root-volume: 20Gi }}\n\
         pools:\n  owned: {{ fixed: {{ type: m5.large, count: 2, zones: [us-east-1a] }} }}\n  \
         big: {{ fixed: {{ type: c6i.xlarge, count: 1, zones: [us-east-1b] }} }}\n{more}"
    );
    fs::write(dir.join("s.yaml"), scenario).expect("a scenario");
    fine(dir, &[&["run", "s.yaml", "-q"][..], export].concat());
    dir.join(format!("out/{name}/base"))
}

/// What a run bills for its instances under a commitment is what `bill` makes
/// of the run's own FOCUS export under the same commitment, to the pico-dollar,
/// in whole hours: a file does not tell where in its last hour a run ended.
#[test]
fn an_exported_bill_is_billed_the_same_again() {
    let dir = scratch();
    let commitments = "commitments:\n  plan: { kind: compute-sp, term: 1y, payment: no-upfront, \
                       usd-per-hour: 0.1 }\n";
    let spot = "  spot: { fixed: { type: r5.large, count: 1, purchase: spot, zones: [us-east-1a] } }\n\
                spot: { interruptions: none }\n";
    let hand = "0,7200,500m,1Gi\n".repeat(5);
    let odd = "0,7000,500m,1Gi\n1,5433.217,1500m,1Gi\n77.7,1234.567,3,10Gi\n4000,100,100m,64Mi\n";
    for (name, trace) in [("hand", hand.as_str()), ("odd", odd)] {
        fs::write(dir.path().join("t.csv"), format!("arrival,duration,cpu,memory\n{trace}"))
            .expect("a trace");
        fs::write(dir.path().join("c.yaml"), commitments).expect("written");
        let more = format!("{spot}{commitments}");
        let export = ["--export", "focus-csv", "--export", "focus-parquet"];
        let out = exported(dir.path(), name, &more, &export);
        let summary = json(&out.join("summary.json"));
        let by = &summary["cost"]["by_purchase"];
        let run = ["savings-plan", "on-demand"].map(|p| pico(&by[p]));
        let focus = out.join("focus.csv").display().to_string();
        let of = billed(dir.path(), &[&focus, "--commitments", "c.yaml"]);
        let total = pico(&of["total"]["total"]);
        assert_eq!(total, run.iter().sum::<i128>(), "{name}: {of:#}");
        assert!(run[0] > 0 && run[1] > 0, "{name}: {by}");
        // Spot, volumes and the control plane are named, not dropped.
        assert!(of["left_out"].as_array().is_some_and(|left| left.len() >= 3), "{of:#}");
        // The same rows with doubles for decimals; a row is one less than its line.
        let parquet = out.join("focus.parquet").display().to_string();
        let mut same = billed(dir.path(), &[&parquet, "--commitments", "c.yaml"]);
        same["file"] = of["file"].clone();
        for left in same["left_out"].as_array_mut().expect("a list") {
            left["first_line"] = (left["first_line"].as_u64().expect("a row") + 1).into();
        }
        assert_eq!(same, of, "{name}");
    }
}

/// Reserved capacity that nothing ran on is covered last, and what was negotiated
/// is paid where nothing covers it, at the plan's rates of the list: as `run` does.
#[test]
fn discounts_and_reserved_capacity_are_billed_the_same_again() {
    let dir = scratch();
    let trace = "arrival,duration,cpu,memory\n0,7200,500m,1Gi\n60,5000.5,1500m,4Gi\n";
    fs::write(dir.path().join("t.csv"), trace).expect("a trace");
    let reserved = "capacity-reservations:\n  kept: { instance-type: m5.large, zone: us-east-1a, \
                    count: 4 }\n";
    let discount = "discounts: { ec2: 10% }\n";
    let own = |kind: &str, usd: &str| {
        format!(
            "commitments:\n  plan: {{ {kind}, term: 1y, payment: no-upfront, usd-per-hour: {usd} \
             }}\n"
        )
    };
    let (compute, ec2) = ("kind: compute-sp", "kind: ec2-instance-sp, family: m5");
    for (at, (more, kind, usd, below_list)) in [
        // Two of four are unused; 0.1 does not reach them, 0.2 does, 0.5 has more.
        (reserved, compute, "0.1", "0"),
        (reserved, compute, "0.2", "0"),
        (reserved, ec2, "0.5", "0"),
        // Two m5.large and a c6i.xlarge for two hours: 0.1 × 2 × (0.192 + 0.17).
        (discount, compute, "0.1", "0.0724"),
        (discount, ec2, "0.5", "0.0724"),
        // Two unused m5.large more: 0.1 × 2 × 0.192.
        (&[reserved, discount].concat(), compute, "0.2", "0.1108"),
    ]
    .into_iter()
    .enumerate()
    {
        let commitments = own(kind, usd);
        let write = |name: &str, own: &str| {
            exported(dir.path(), name, &format!("{more}{own}"), &["--export", "focus-csv"])
        };
        fs::write(dir.path().join("c.yaml"), &commitments).expect("written");
        let bare = write(&format!("bare{at}"), "");
        let covered = write(&format!("own{at}"), &commitments);
        let summary = json(&covered.join("summary.json"));
        let by = &summary["cost"]["by_purchase"];
        let of = |name: &str| by[name].as_str().map_or(0, pico_of);
        let run = of("savings-plan") + of("on-demand");
        for out in [bare, covered] {
            let focus = out.join("focus.csv").display().to_string();
            let of = billed(dir.path(), &[&focus, "--commitments", "c.yaml"]);
            assert_eq!(pico(&of["total"]["total"]), run, "{at}: {of:#}");
            let off = pico(&of["below_list"]) - pico_of(below_list);
            // Rows that a plan covers in part are rounded by themselves.
            assert!(off.abs() < 100, "{at}: {of:#}");
        }
    }
}
