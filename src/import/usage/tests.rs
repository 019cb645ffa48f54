//! Every reader on real exports, with figures computed apart from this code,
//! and on bad ones.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::text::timestamp_ms;
use crate::units::{Bytes, DAY_MS};
use crate::workload::usage::{MicroCpu, UsageKey, UsageSeries, UsageSet};
use proptest::prelude::*;

fn source(paths: &[(&Path, Option<Quantity>)], format: Option<UsageFormat>) -> UsageSource {
    let files = paths.iter().map(|(path, holds)| UsageFile {
        path: path.to_path_buf(),
        shown: path.display().to_string(),
        holds: *holds,
    });
    UsageSource {
        name: "u".into(),
        files: files.collect(),
        format,
        on_bad_row: OnBadRow::Fail,
        step_ms: None,
    }
}

/// Reads one file whose format its first line tells.
fn load(path: &Path) -> LoadedUsage {
    source(&[(path, None)], None).load().expect("reads")
}

fn real(name: &str) -> Option<PathBuf> {
    Some(crate::testing::shared_dir()?.join("data/usage").join(name))
}

/// Reads text as a file of the given name.
fn read(name: &str, text: &str) -> Result<LoadedUsage> {
    read_as(name, text, None, None, None)
}

fn read_as(
    name: &str,
    text: &str,
    format: Option<UsageFormat>,
    holds: Option<Quantity>,
    step_ms: Option<i64>,
) -> Result<LoadedUsage> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(name);
    std::fs::write(&path, text).expect("a file");
    let mut source = source(&[(&path, holds)], format);
    name.clone_into(&mut source.files[0].shown);
    source.step_ms = step_ms;
    source.load()
}

fn refused(name: &str, text: &str, words: &[&str]) {
    let error = read(name, text).expect_err("is refused");
    assert!(error.is_input());
    for word in words {
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

fn only(set: &UsageSet) -> (&UsageKey, &UsageSeries) {
    assert_eq!(set.series.len(), 1);
    set.series.iter().next().expect("one")
}

/// Core-hours and byte-hours used.
fn totals(set: &UsageSet) -> (f64, f64) {
    let samples = || set.series.values().flat_map(|s| &s.samples);
    let hours = |ms: i64| ms as f64 / 3.6e6;
    (
        samples().filter_map(|s| Some(s.cpu_mean?.cores() * hours(s.span_ms))).sum(),
        samples().filter_map(|s| Some(s.memory_mean?.0 as f64 * hours(s.span_ms))).sum(),
    )
}

fn close(found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() <= share, "{found} is not {expected}");
}

#[test]
fn the_cluster_hourly_report_has_its_known_sums() {
    let Some(path) = real("cluster-hourly/pods.csv.gz") else { return };
    let loaded = load(&path);
    let report = &loaded.report;
    assert_eq!(report.rows, 7_289);
    let (cpu, memory) = totals(&loaded.set);
    close(cpu, 64.831_831_035_555_5, 1e-6);
    close(memory, 1_129_038_617_804.8, 1e-9);
    // 232 pods with cpu, 389 with memory.
    let with = |known: fn(&crate::workload::usage::UsageSample) -> bool| {
        loaded.set.series.values().filter(|s| s.samples.iter().any(known)).count()
    };
    assert_eq!(with(|s| s.cpu_mean.is_some()), 232);
    assert_eq!(with(|s| s.memory_mean.is_some()), 389);
    // 5,311 rows have memory, six more cpu only; the rest is unknown.
    assert_eq!((report.samples, report.dropped["hole"].rows), (5_317, 1_972));
    assert!(report.notices.is_empty(), "{:?}", report.notices);
    let key = UsageKey {
        namespace: "openshift-ingress".into(),
        workload: "router-default".into(),
        pod: "router-default-6cb6dfb9d4-tksts".into(),
        ..UsageKey::default()
    };
    let router = &loaded.set.series[&key];
    // 360 core-seconds and 966,367,641,600 byte-seconds an hour.
    assert_eq!(router.stated.cpu_request, Some(MicroCpu(100_000)));
    assert_eq!(router.stated.memory_request, Some(Bytes(256 << 20)));
    assert_eq!(router.stated.cpu_limit, None);
    assert_eq!(router.node.as_deref(), Some("ip-10-0-147-202.us-east-2.compute.internal"));
    assert_eq!(router.samples.len(), 24);
    let first = router.samples[0];
    assert_eq!(first.start_unix_ms, timestamp_ms(b"2023-03-15T13:00:00Z").expect("a time"));
    assert_eq!((first.span_ms, first.cpu_mean), (3_600_000, Some(MicroCpu(3_069))));
}

#[test]
fn cluster_hourly_owners_follow_labels_then_names() {
    let Some(path) = real("cluster-hourly/pods.csv.gz") else { return };
    let mut table = Table::open(&path).expect("opens");
    let columns = cluster_hourly::Columns::of(&table).expect("columns");
    let mut owners = std::collections::BTreeMap::new();
    let (mut cpu_request, mut memory_request) = (0.0, 0.0);
    while table.advance().expect("reads") {
        let hour = columns.hour(&table).expect("a row");
        cpu_request += hour.stated.cpu_request.map_or(0.0, MicroCpu::cores);
        memory_request += hour.stated.memory_request.map_or(0.0, |m| m.0 as f64);
        owners.insert(hour.pod.to_owned(), hour.owner().0.to_owned());
    }
    close(cpu_request, 185.214_666_666_666_7, 1e-6);
    close(memory_request, 794_570_347_861.333, 1e-9);
    for (pod, owner) in [
        ("router-default-6cb6dfb9d4-tksts", "router-default"),
        ("collect-profiles-27981390-lbdct", "collect-profiles"),
        ("eap-app-9-4q2wz", "eap-app"),
        ("prometheus-k8s-0", "prometheus-k8s"),
        ("aws-ebs-csi-driver-node-47pfz", "aws-ebs-csi-driver-node"),
        ("etcd-ip-10-0-216-242.us-east-2.compute.internal", "etcd"),
        ("redhat-operators-5t5mn", "redhat-operators"),
        ("volume-shell", "volume-shell"),
    ] {
        assert_eq!(owners[pod], owner, "{pod}");
    }
}

const HOURLY: &str = "interval_start,interval_end,node,namespace,pod,\
    pod_usage_cpu_core_seconds,pod_request_cpu_core_seconds,pod_limit_cpu_core_seconds,\
    pod_usage_memory_byte_seconds,pod_request_memory_byte_seconds,\
    pod_limit_memory_byte_seconds,pod_labels\n";

#[test]
fn cluster_hourly_rules() {
    let hour = |h: u32, rest: &str| {
        format!("2023-03-15 {h:02}:00:00 +0000 UTC,2023-03-15 {h:02}:59:59 +0000 UTC,{rest}\n")
    };
    let text = [
        HOURLY.to_owned(),
        hour(2, "n1,shop,web-6cb6dfb9d4-tksts,36,180,,3600,7200,,"),
        // Half an hour of the same request.
        hour(1, "n1,shop,web-6cb6dfb9d4-tksts,,90,,1800,3600,,label_pod_template_hash:6cb6dfb9d4"),
        hour(1, "n1,shop,job-27981390-lbdct,,0.0,,,0.0,,label_job_name:job-27981390"),
        hour(1, "n2,shop,db-0,,,,,,,label_statefulset_kubernetes_io_pod_name:db-0"),
        hour(1, "n2,shop,set-abcde,1,,,,,,label_controller_revision_hash:1"),
    ]
    .concat();
    let loaded = read("pods.csv", &text).expect("fine");
    let names: Vec<&str> = loaded.set.series.keys().map(|k| k.workload.as_str()).collect();
    // The job and the database have neither usage nor request.
    assert_eq!(names, ["set", "web"]);
    let web = loaded.set.series.values().nth(1).expect("two");
    assert_eq!(web.stated.cpu_request, Some(MicroCpu(50_000)));
    assert_eq!(web.stated.memory_request, Some(Bytes(2)));
    let cpu: Vec<_> = web.samples.iter().map(|s| s.cpu_mean).collect();
    assert_eq!(cpu, [None, Some(MicroCpu(10_000))]);
    let report = &loaded.report;
    assert_eq!(report.warnings["not-seen-running"].rows, 1);
    assert_eq!(report.warnings["unsorted"].rows, 1);
    assert_eq!(report.dropped["hole"].rows, 2);

    let bad = [HOURLY, &hour(1, "n,shop,p,x,,,,,,"), &hour(1, "n,,p,1,,,,,,"), "1,2\n"].concat();
    refused(
        "pods.csv",
        &bad,
        &[
            "pods.csv: line 2, column `pod_usage_cpu_core_seconds`: `x` is not a number",
            "line 3, column `namespace`: the empty value is no name",
            "line 4: has 2 fields where the header has 12",
        ],
    );
    refused("pods.csv", "interval_start,pod_usage_cpu_core_seconds\n", &["lacks the columns"]);
}

#[test]
fn container_reports_have_their_known_figures() {
    let Some(dir) = real("container-15min") else { return };
    let of = |name: &str| load(&dir.join(name));
    let micro = |s: &UsageSeries| s.samples.iter().filter_map(|x| x.cpu_max).max();

    let operator =
        of("costmanagement-metrics-operator_deployment_costmanagement-metrics-operator.csv.gz");
    let (key, s) = only(&operator.set);
    assert_eq!(
        (key.workload.as_str(), key.container.as_str(), key.pod.as_str()),
        ("costmanagement-metrics-operator", "manager", "")
    );
    assert_eq!((s.samples.len(), s.replicas), (1_500, 1));
    assert_eq!(s.stated.cpu_request, Some(MicroCpu(100_000)));
    assert_eq!(s.stated.memory_limit, Some(Bytes(500 << 20)));
    let (cpu, memory) = s.mean();
    assert_eq!((cpu, memory), (Some(MicroCpu(1_454)), Some(Bytes(45_925_014))));
    assert_eq!(micro(s), Some(MicroCpu(16_678)));
    assert_eq!(s.samples.iter().filter_map(|x| x.memory_max).max(), Some(Bytes(56_881_152)));
    let first = s.samples[0];
    assert_eq!(first.start_unix_ms, timestamp_ms(b"2023-03-15T13:00:00Z").expect("a time"));
    assert!(s.samples.iter().all(|x| x.span_ms == 900_000));

    let (_, eap) = only(&of("eap-app_deploymentconfig_america.csv.gz").set).clone_pair();
    assert_eq!((eap.replicas, eap.stated.cpu_request), (2, None));
    assert_eq!(eap.stated.memory_request, Some(Bytes(1 << 30)));
    assert_eq!((eap.mean().0, micro(&eap)), (Some(MicroCpu(48_537)), Some(MicroCpu(879_774))));

    let (_, python) = only(&of("python-sample_deployment_america.csv.gz").set).clone_pair();
    assert_eq!(
        (python.replicas, python.stated),
        (2, crate::workload::usage::StatedResources::default())
    );
    assert_eq!(python.mean().0, Some(MicroCpu(137)));

    let (key, tfb) = only(&of("tfb-qrh_deployment_tfb-tests.csv.gz").set).clone_pair();
    assert_eq!((key.namespace.as_str(), key.workload.as_str()), ("tfb-tests", "tfb-qrh"));
    assert_eq!((tfb.samples.len(), tfb.replicas), (1_443, 3));
    assert_eq!(tfb.stated.cpu_request, Some(MicroCpu(9_240_000)));
    assert_eq!(micro(&tfb), Some(MicroCpu(9_979_871)));
    close(tfb.mean().0.expect("known").cores(), 2.562_259_449_314_304, 1e-3);

    let ros = of("ros-ocp-usage.csv");
    assert_eq!((ros.report.rows, ros.report.series, ros.report.samples), (105, 7, 105));
    let spike = ros.set.series.values().filter_map(micro).max();
    assert_eq!(spike, Some(MicroCpu(7_000_000)));
    let workloads: std::collections::BTreeSet<&str> =
        ros.set.series.keys().map(|k| k.workload.as_str()).collect();
    let expected = ["Yuptoo-app", "Yuptoo-service", "servers", "volume-shell"];
    assert_eq!(workloads.into_iter().collect::<Vec<_>>(), expected);
}

trait ClonePair {
    fn clone_pair(&self) -> (UsageKey, UsageSeries);
}

impl ClonePair for (&UsageKey, &UsageSeries) {
    fn clone_pair(&self) -> (UsageKey, UsageSeries) {
        (self.0.clone(), self.1.clone())
    }
}

#[test]
fn container_rules() {
    let header = "interval_start,interval_end,namespace,container_name,owner_name,owner_kind,\
        workload,pod,cpu_usage_container_avg,cpu_usage_container_sum,cpu_usage_container_max,\
        memory_usage_container_avg,memory_usage_container_sum,cpu_request_container_avg\n";
    let at = "2023-03-15 13:00:01 +0000 UTC,2023-03-15 13:15:00 +0000 UTC";
    let text = format!(
        "{header}{at},n,app,web-6cb6dfb9d4,ReplicaSet,<none>,,0.5,1.5,0.9,,,0\n\
         {at},n,app,,,cart,,,,,100,400,0.25\n\
         {at},n,app,,,,job-lbdct,0.1,0.1,,,,\n"
    );
    let loaded = read("c.csv", &text).expect("fine");
    let all: Vec<_> = loaded.set.series.iter().collect();
    let seen: Vec<(&str, u32, Option<MicroCpu>)> =
        all.iter().map(|(k, s)| (k.workload.as_str(), s.replicas, s.stated.cpu_request)).collect();
    // By cpu, by memory where cpu says nothing, and one for a pod.
    assert_eq!(seen, [("cart", 4, Some(MicroCpu(250_000))), ("job", 1, None), ("web", 3, None)]);
    assert_eq!(all[2].1.samples[0].cpu_max, Some(MicroCpu(900_000)));
    assert_eq!(all[2].1.samples[0].memory_mean, None);
    refused(
        "c.csv",
        &format!("{header}{at},,app,,,w,,1,1,1,1,1,1\n{at},n,app,,,,,1,1,1,1,1,1\n"),
        &["line 2, column `namespace`", "line 3, column `workload`"],
    );
    refused(
        "c.csv",
        "interval_start,cpu_usage_container_avg\n",
        &["is no container report", "one of"],
    );
}

#[test]
fn a_bitbrains_machine_has_its_known_figures() {
    let Some(path) = real("bitbrains-gwa/vm.csv.gz") else { return };
    let loaded = load(&path);
    let (key, s) = only(&loaded.set);
    assert_eq!((key.pod.as_str(), key.namespace.as_str()), ("vm", ""));
    assert_eq!(s.samples.len(), 8_619);
    assert_eq!(s.stated.cpu_limit, Some(MicroCpu(1_000_000)));
    assert_eq!(s.stated.memory_request, Some(Bytes(2 << 30)));
    close(s.mean().0.expect("known").cores(), 0.002_798_971_725_442_32, 2e-3);
    close(s.mean().1.expect("known").0 as f64, 125_675_805.45, 2e-3);
    let most = s.samples.iter().filter_map(|x| x.cpu_mean).max();
    assert_eq!(most, Some(MicroCpu(126_000)));
    // 1,376,314,846 s less one step of 300 s.
    assert_eq!(s.samples[0].start_unix_ms, 1_376_314_546_000);
    assert_eq!(s.samples.iter().map(|x| x.span_ms).max(), Some(310_000));
    assert!(
        s.samples.last().expect("many").end_unix_ms() - s.samples[0].start_unix_ms > 29 * DAY_MS
    );
}

#[test]
fn bitbrains_rules() {
    let header = "Timestamp [ms];\tCPU cores;\tCPU usage [%];\tMemory capacity provisioned [KB];\tMemory usage [KB]\n";
    let rows = "100;\t2;\t50;\t1024;\t1\n400;\t2;\t25;\t1024;\t2\n1300;\t2;\t0;\t1024;\t2\n1600;\t2;\t1;\t1024;\t2;\n";
    let loaded =
        read("a/../vm-7.csv".rsplit('/').next().expect("a name"), &format!("{header}{rows}"))
            .expect("fine");
    let (key, s) = only(&loaded.set);
    assert_eq!(key.pod, "vm-7");
    let seen: Vec<_> =
        s.samples.iter().map(|x| (x.start_unix_ms, x.span_ms, x.cpu_mean.map(|c| c.0))).collect();
    // After a gap a sample covers one typical step.
    let s300 = 300_000;
    assert_eq!(
        seen,
        [
            (-200_000, s300, Some(1_000_000)),
            (100_000, s300, Some(500_000)),
            (1_000_000, s300, Some(0)),
            (1_300_000, s300, Some(20_000)),
        ]
    );
    assert_eq!(s.samples[0].memory_mean, Some(Bytes(1_024)));
    // A file that holds what its header says.
    let ms = "1376314846000;\t1;\t1;\t1;\t1\n1376315146000;\t1;\t1;\t1;\t1\n";
    let loaded = read("vm.csv", &format!("{header}{ms}")).expect("fine");
    assert_eq!(only(&loaded.set).1.samples[0].span_ms, 300_000);
    refused("vm.csv", &format!("{header}1;\t1;\tx;\t1;\t1\n"), &["line 2, column `CPU usage [%]`"]);
    refused("vm.csv", &format!("{header}1;\t1;\t1;\t1;\t1\n"), &["fewer than two samples"]);
    refused("vm.csv", &header.replace("CPU cores", "cores"), &["lacks the columns `CPU cores`"]);
}

#[test]
fn derived_prometheus_answers_say_what_their_source_says() {
    let Some(dir) = real("prometheus-range") else { return };
    let paths =
        ["cpu_usage_cores", "memory_usage_bytes", "cpu_request_cores", "memory_request_bytes"]
            .map(|name| dir.join(format!("{name}.json.gz")));
    let holds =
        [Quantity::CpuUsage, Quantity::MemoryUsage, Quantity::CpuRequest, Quantity::MemoryRequest];
    let files: Vec<_> = paths.iter().zip(holds).map(|(p, q)| (p.as_path(), Some(q))).collect();
    let loaded = source(&files, None).load().expect("reads");
    let (cpu, memory) = totals(&loaded.set);
    close(cpu, 64.831_831_035_555_72, 1e-6);
    close(memory, 1_129_038_617_804.8, 1e-9);
    assert_eq!(loaded.report.rows, 5_154 + 5_311 + 6_754 + 6_898);
    assert_eq!(loaded.report.samples, 5_317);
    let hourly = load(&dir.join("../cluster-hourly/pods.csv.gz"));
    for (key, expected) in hourly.set.series.iter().filter(|(_, s)| !s.samples.is_empty()) {
        let found = &loaded.set.series[&UsageKey { workload: String::new(), ..key.clone() }];
        assert_eq!(found.node, expected.node);
        assert_eq!(found.samples.len(), expected.samples.len(), "{key:?}");
        for (a, b) in found.samples.iter().zip(&expected.samples) {
            assert_eq!((a.start_unix_ms, a.span_ms), (b.start_unix_ms, b.span_ms));
            let apart = |a: Option<i64>, b: Option<i64>| match (a, b) {
                (None, None) => 0,
                (Some(a), Some(b)) => (a - b).abs(),
                _ => i64::MAX,
            };
            assert!(apart(a.cpu_mean.map(|c| c.0), b.cpu_mean.map(|c| c.0)) <= 1);
            assert!(apart(a.memory_mean.map(|m| m.0), b.memory_mean.map(|m| m.0)) <= 1);
        }
    }
    // Without a metric name the option must say.
    let error = source(&files[..1].iter().map(|(p, _)| (*p, None)).collect::<Vec<_>>(), None)
        .load()
        .expect_err("unknown quantity")
        .to_string();
    assert!(error.contains("its series carry no metric name; name the file under"), "{error}");
}

/// An answer with these series.
fn answer(series: &[(&str, &str)]) -> String {
    let items: Vec<String> = series
        .iter()
        .map(|(labels, values)| format!("{{\"metric\":{{{labels}}},\"values\":[{values}]}}"))
        .collect();
    format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{}]}},\"warnings\":[\"slow\"]}}",
        items.join(",")
    )
}

const CPU: &str =
    "\"__name__\":\"container_cpu_usage_seconds_total\",\"namespace\":\"n\",\"pod\":\"a\"";

#[test]
fn counters_are_differenced_with_resets_and_gaps() {
    let labels = format!("{CPU},\"container\":\"app\",\"node\":\"x\"");
    let pause = format!("{CPU},\"container\":\"POD\"");
    let values = "[60,\"10\"],[120,\"13\"],[180,\"1.5\"],[360,\"9\"],[420,\"NaN\"],[480,\"12\"]";
    let total = "[60,\"10\"],[120,\"99\"]";
    let other = "\"__name__\":\"container_cpu_usage_seconds_total\",\"namespace\":\"n\"";
    let text = answer(&[(&labels, values), (CPU, total), (&pause, total), (other, total)]);
    let loaded = read("cpu.json", &text).expect("fine");
    let (key, s) = only(&loaded.set);
    assert_eq!((key.container.as_str(), s.node.as_deref()), ("app", Some("x")));
    let seen: Vec<_> =
        s.samples.iter().map(|x| (x.start_unix_ms, x.span_ms, x.cpu_mean.map(|c| c.0))).collect();
    // 3 s and, after the reset, 1.5 s of cpu in a minute each.
    assert_eq!(seen, [(60_000, 60_000, Some(50_000)), (120_000, 60_000, Some(25_000))]);
    let report = &loaded.report;
    for (code, n) in
        [("gap", 2), ("not-a-number", 1), ("pod-total", 1), ("pause-container", 1), ("no-pod", 1)]
    {
        assert_eq!(report.dropped[code].rows, n, "{code}");
    }
    assert_eq!(report.warnings["counter-reset"].rows, 1);
    assert_eq!(report.notices[0].code, "prometheus-warning");
}

#[test]
fn quantities_may_stand_one_after_the_other() {
    let of = |metric: &str, more: &str| {
        format!("\"__name__\":\"{metric}\",\"namespace\":\"n\",\"pod\":\"a\"{more}")
    };
    let memory = of("container_memory_working_set_bytes", "");
    let asks = of("kube_pod_container_resource_requests", ",\"resource\":\"cpu\"");
    let text = answer(&[
        (&memory, "[60,\"5\"],[120,\"7\"]"),
        (CPU, "[60,\"1\"],[120,\"2\"]"),
        // More than a million cores.
        (&asks, "[60,\"0.5\"],[120,\"9e17\"]"),
    ]);
    let loaded = read("all.json", &text).expect("fine");
    let (_, s) = only(&loaded.set);
    assert_eq!(s.stated.cpu_request, Some(MicroCpu(500_000)));
    assert_eq!((s.samples.len(), s.samples[1].cpu_mean), (2, Some(MicroCpu(16_667))));
    assert_eq!(loaded.report.dropped["negative"].rows, 1);
    assert!(!loaded.report.warnings.contains_key("unsorted"), "{:?}", loaded.report.warnings);
}

#[test]
fn requests_of_containers_add_up_where_usage_is_of_pods() {
    let used = "\"__name__\":\"container_memory_working_set_bytes\",\"namespace\":\"n\",\"pod_name\":\"a\"";
    let asks = |container: &str, resource: &str| {
        format!(
            "\"__name__\":\"kube_pod_container_resource_requests\",\"namespace\":\"n\",\"pod\":\"a\",\
             \"container\":\"{container}\",\"resource\":\"{resource}\""
        )
    };
    let (x, y) = (asks("x", "memory"), asks("y", "memory"));
    let (cpu, disk) = (asks("x", "cpu"), asks("x", "ephemeral_storage"));
    let text = answer(&[
        (used, "[120,\"7\"],[60,\"5\"],[180,\"-1\"]"),
        (used, "[60,\"6\"]"),
        (&x, "[60,\"100\"],[120,\"200\"]"),
        (&y, "[60,\"50\"]"),
        (&cpu, "[60,\"0.25\"]"),
        (&disk, "[60,\"1\"]"),
    ]);
    let loaded = read("all.json", &text).expect("fine");
    let (key, s) = only(&loaded.set);
    assert_eq!((key.pod.as_str(), key.container.as_str()), ("a", ""));
    assert_eq!(s.stated.memory_request, Some(Bytes(250)));
    assert_eq!(s.stated.cpu_request, Some(MicroCpu(250_000)));
    let seen: Vec<_> =
        s.samples.iter().map(|x| (x.start_unix_ms, x.memory_mean.map(|m| m.0))).collect();
    assert_eq!(seen, [(0, Some(5)), (60_000, Some(7))]);
    let report = &loaded.report;
    assert_eq!((report.dropped["negative"].rows, report.dropped["duplicate"].rows), (1, 1));
    assert_eq!(report.dropped["other-resource"].rows, 1);
    assert_eq!(report.warnings["duplicate-series"].rows, 1);
    assert_eq!(report.warnings["unsorted"].rows, 1);
}

#[test]
fn a_single_point_needs_a_step() {
    let text = answer(&[("\"pod\":\"a\"", "[60,\"1\"]")]);
    let one = |step| {
        let holds = Some(Quantity::CpuUsage);
        read_as("cpu.json", &text, Some(UsageFormat::Prometheus), holds, step)
    };
    let error = one(None).expect_err("no step").to_string();
    assert!(error.contains("state `step`"), "{error}");
    let loaded = one(Some(30_000)).expect("fine");
    assert_eq!(only(&loaded.set).1.samples[0].start_unix_ms, 30_000);
}

#[test]
fn files_of_different_steps_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, values: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, answer(&[("\"pod\":\"a\"", values)])).expect("a file");
        path
    };
    let (a, b) = (file("a.json", "[0,\"1\"],[60,\"1\"]"), file("b.json", "[0,\"1\"],[300,\"1\"]"));
    let files =
        [(a.as_path(), Some(Quantity::CpuUsage)), (b.as_path(), Some(Quantity::MemoryUsage))];
    let error = source(&files, None).load().expect_err("two steps").to_string();
    assert!(error.contains("a step of 60 s") && error.contains("of 300 s; query all"), "{error}");
}

#[test]
fn prometheus_answers_that_cannot_be_used_say_what_they_are() {
    let error =
        "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error at char 3\"}";
    refused("p.json", error, &["status `error` (bad_data): parse error at char 3"]);
    for kind in ["vector", "scalar", "string"] {
        let text = format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"{kind}\",\"result\":[1,\"2\"]}}}}"
        );
        refused("p.json", &text, &[&format!("a result of type `{kind}`, not `matrix`")]);
    }
    let whole = answer(&[(CPU, "[60,\"1\"],[120,\"2\"]")]);
    refused("p.json", &whole[..whole.len() - 60], &["`p.json` is truncated: EOF", "line 1 column"]);
    refused("p.json", "{\"items\":[]}", &["is no query_range answer", "`status`"]);
    refused("p.json", "{\"status\":\"success\"}", &["has no data"]);
    refused("p.json", &answer(&[]), &["holds no usage"]);
    let odd = answer(&[("\"__name__\":\"up\",\"pod\":\"a\"", "[60,\"1\"]")]);
    refused("p.json", &odd, &["`up` is no metric known here"]);
    let word = answer(&[(CPU, "[60,\"one\"],[120,\"2\"]")]);
    refused("p.json", &word, &["the value `one` at 60 is no number"]);
}

#[test]
fn foreign_files_are_refused_with_the_formats() {
    refused(
        "x.csv",
        "a,b\n1,2\n",
        &["cannot tell the format", "native, cluster-hourly", "start, seconds"],
    );
    refused("x.csv", "", &["is empty"]);
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("cut.csv.gz");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(HOURLY.as_bytes()).expect("memory");
    for i in 0..20_000 {
        writeln!(
            gz,
            "2023-03-15 13:00:00 +0000 UTC,2023-03-15 13:59:59 +0000 UTC,n,s,p{},{},,,,,,",
            i,
            i * 7919 % 1000
        )
        .expect("memory");
    }
    let bytes = gz.finish().expect("memory");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("a file");
    let error = source(&[(&path, None)], None).load().expect_err("truncated").to_string();
    assert!(error.contains("cannot read") && error.contains("after line"), "{error}");
}

#[test]
fn every_real_export_survives_the_native_table() {
    let Some(dir) = real("") else { return };
    for name in [
        "cluster-hourly/pods.csv.gz",
        "container-15min/ros-ocp-usage.csv",
        "container-15min/tfb-qrh_deployment_tfb-tests.csv.gz",
        "bitbrains-gwa/vm.csv.gz",
    ] {
        let loaded = load(&dir.join(name));
        let mut out = Vec::new();
        native::write(&loaded.set, &mut out).expect("memory");
        let back = native::read(Box::new(std::io::Cursor::new(out)), "u.csv", OnBadRow::Fail)
            .expect("reads back");
        assert!(back.set == loaded.set, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_are_usage_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), which in 0usize..5,
    ) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("f");
        let start: &[u8] = match which {
            0 => HOURLY.as_bytes(),
            1 => b"{\"status\":\"success\",\"data\":",
            2 => b"Timestamp [ms];CPU cores;CPU usage [%];Memory capacity provisioned [KB];Memory usage [KB]\n",
            _ => b"",
        };
        std::fs::write(&path, [start, &bytes].concat()).expect("a file");
        for (_, format) in UsageFormat::NAMES {
            let _ = source(&[(&path, None)], Some(format)).load();
        }
        let _ = source(&[(&path, None)], None).load();
    }
}
