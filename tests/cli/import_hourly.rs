//! A recorded day of an OpenShift cluster: imported, replayed, compared with
//! sums of the report that this file computes by itself.

use std::io::Read;
use std::path::Path;

use super::{fine, json, narrow, refused, scratch, shared, text};

/// What the report adds up to.
#[derive(Debug, Default)]
struct Sums {
    cpu_used: f64,
    cpu_requested: f64,
    memory_used: f64,
    memory_requested: f64,
    cpu_offered: f64,
    memory_offered: f64,
    node_hours: f64,
}

/// Core-hours, byte-hours and node-hours of the raw file. Nodes offer their
/// capacity less half a core and a GiB, in whole MiB.
fn sums(path: &Path) -> Sums {
    let mut raw = String::new();
    let file = std::fs::File::open(path).expect("the report");
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut raw).expect("gzip");
    let mut csv = csv::Reader::from_reader(raw.as_bytes());
    let header = csv.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|h| h == name).expect("a column");
    let (hour, node) = (at("interval_start"), at("node"));
    let (cores, bytes) = (at("node_capacity_cpu_cores"), at("node_capacity_memory_bytes"));
    let columns = [
        at("pod_usage_cpu_core_seconds"),
        at("pod_request_cpu_core_seconds"),
        at("pod_usage_memory_byte_seconds"),
        at("pod_request_memory_byte_seconds"),
    ];
    let mut totals = [0.0; 4];
    let mut nodes = std::collections::BTreeMap::new();
    for row in csv.records() {
        let row = row.expect("a row");
        for (total, column) in totals.iter_mut().zip(columns) {
            *total += row[column].parse::<f64>().unwrap_or(0.0) / 3_600.0;
        }
        let size: (f64, f64) =
            (row[cores].parse().expect("cores"), row[bytes].parse().expect("bytes"));
        nodes.insert((row[hour].to_owned(), row[node].to_owned()), size);
    }
    let [cpu_used, cpu_requested, memory_used, memory_requested] = totals;
    let mib = f64::from(1 << 20);
    Sums {
        cpu_used,
        cpu_requested,
        memory_used,
        memory_requested,
        cpu_offered: nodes.values().map(|(cpu, _)| cpu - 0.5).sum(),
        memory_offered: nodes.values().map(|(_, m)| (m / mib - 1_024.0).floor() * mib).sum(),
        node_hours: nodes.len() as f64,
    }
}

fn within(what: &str, found: f64, expected: f64, share: f64) {
    let off = found / expected - 1.0;
    eprintln!("{what}: {found:.4} of {expected:.4}, {:+.3} %", off * 100.0);
    assert!(off.abs() <= share, "{what}: {found} is not {expected}");
}

#[test]
fn a_recorded_day_is_imported_and_replayed() {
    let Some(shared) = shared() else { return };
    let data = shared.join("data/usage/cluster-hourly");
    let (pods, nodes) = (data.join("pods.csv.gz"), data.join("nodes.csv.gz"));
    let dir = scratch();
    let path = |p: &Path| p.display().to_string();
    let import = ["import", "cluster-hourly", &path(&pods), &path(&nodes), "-o", "day"];
    let out = fine(dir.path(), &import);
    let table = text(&out.stdout);
    for part in ["not-seen-running", "hole", "pods with cpu usage"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(narrow(&table), "{table}");
    let again: Vec<String> = import.iter().map(|s| (*s).to_owned()).collect();
    refused(dir.path(), &again.iter().map(String::as_str).collect::<Vec<_>>(), &["--force"]);

    let scenario = std::fs::read_to_string(dir.path().join("day/scenario.yaml")).expect("written");
    assert!(scenario.contains("2023-03-15T13:00:00Z"), "{scenario}");
    fine(dir.path(), &["run", "day/scenario.yaml", "--seeds", "1", "-o", "out", "-q"]);
    let case = std::fs::read_dir(dir.path().join("out"))
        .expect("results")
        .map(|entry| entry.expect("an entry").path().join("summary.json"))
        .find(|path| path.is_file())
        .expect("a case");
    let summary = json(&case);
    let real = sums(&pods);
    let of = |resource: &str, key: &str| summary["utilisation"][resource][key].as_f64().expect(key);
    within(
        "node-hours",
        summary["nodes"]["node_hours"].as_f64().expect("a number"),
        real.node_hours,
        0.02,
    );
    for (resource, offered, requested, used) in [
        ("cpu", real.cpu_offered, real.cpu_requested, real.cpu_used),
        ("memory", real.memory_offered, real.memory_requested, real.memory_used),
    ] {
        let found = of(resource, "requested_of_allocatable") * offered;
        within(&format!("requested {resource}"), found, requested, 0.01);
        // Requests of pods with unknown usage, 0.02 %, are within the bound.
        within(&format!("used {resource}"), of(resource, "used_of_requested") * found, used, 0.01);
    }
    assert_eq!(summary["pods"]["pending_at_end"], 0);
    let types = summary["nodes"]["by_type"].as_object().expect("types");
    assert_eq!(types.keys().collect::<Vec<_>>(), ["m5.large", "m5.xlarge"]);
}

#[test]
fn reports_that_cannot_be_replayed_are_refused() {
    let dir = scratch();
    std::fs::write(dir.path().join("a.csv"), "a,b\n1,2\n").expect("a file");
    let import = ["import", "cluster-hourly", "a.csv", "-o", "day"];
    refused(dir.path(), &import, &["is no cluster-hourly pod report", "`pod`"]);
    let import = ["import", "cluster-hourly", "none.csv", "-o", "day"];
    refused(dir.path(), &import, &["cannot read `none.csv`"]);
    assert!(!dir.path().join("day").exists());
}
