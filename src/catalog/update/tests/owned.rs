//! What is owned.

use super::*;

const OWNED: &str = r#"{ "savingsPlans": [
  { "savingsPlanId": "1b2c3d4e-0000-4000-8000-000000000001", "start": "2026-01-01T00:00:00Z",
    "end": "2026-12-31T23:59:59Z", "state": "active", "savingsPlanType": "EC2Instance",
    "ec2InstanceFamily": "m5", "region": "us-east-1", "paymentOption": "Partial Upfront",
    "productTypes": ["EC2"], "currency": "USD", "commitment": "6.50000000",
    "termDurationInSeconds": 31536000 },
  { "savingsPlanId": "1b2c3d4e-0000-4000-8000-000000000002", "state": "retired",
    "savingsPlanType": "Compute", "paymentOption": "No Upfront", "currency": "USD",
    "commitment": "1", "termDurationInSeconds": 31536000 } ] }"#;

const RESERVED: &str = r#"{ "ReservedInstances": [
  { "ReservedInstancesId": "b847fa93-e282-4f55-b59a-1342f5bd7c02", "InstanceType": "m5.large",
    "InstanceCount": 3, "ProductDescription": "Linux/UNIX", "Duration": 94608000,
    "OfferingClass": "standard", "OfferingType": "Partial Upfront", "Scope": "Availability Zone",
    "AvailabilityZone": "us-east-1a", "FixedPrice": 262.8, "UsagePrice": 0.0, "State": "active",
    "RecurringCharges": [ { "Amount": 0.028, "Frequency": "Hourly" } ], "CurrencyCode": "USD",
    "InstanceTenancy": "default", "Start": "2025-03-01T10:00:00+00:00", "End": "2028-02-29T10:00:00+00:00" },
  { "ReservedInstancesId": "c", "InstanceType": "m5.large", "InstanceCount": 1,
    "ProductDescription": "Windows", "Duration": 31536000, "OfferingClass": "standard",
    "OfferingType": "No Upfront", "State": "active" } ] }"#;

#[test]
fn what_is_owned_becomes_commitments() {
    let bench = Bench::new();
    let files = [bench.file("sp.json", OWNED), bench.file("ri.json", RESERVED)];
    let told = bench.update(&files).expect("imported");
    assert_eq!(told.iter().map(|t| t.rows).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(told[1].left_out, ["1 × m5.large: Windows"]);
    assert_eq!(
        bench.text(OWNED_FILE),
        "commitments:\n  \
         # 1b2c3d4e-0000-4000-8000-000000000001, us-east-1, until 2026-12-31T23:59:59Z\n  \
         sp-1b2c3d4e: { kind: ec2-instance-sp, term: 1y, payment: partial-upfront, usd-per-hour: 6.5, \
         family: m5, start: \"2026-01-01T00:00:00Z\" }\n  \
         # b847fa93-e282-4f55-b59a-1342f5bd7c02, until 2028-02-29T10:00:00+00:00\n  \
         ri-b847fa93: { kind: standard-ri, term: 3y, payment: partial-upfront, instance-type: m5.large, \
         count: 3, usd-per-hour: 0.028, upfront-usd: 262.8, scope: us-east-1a, \
         start: \"2025-03-01T10:00:00Z\" }\n"
    );
    let hostile = OWNED.replace("1b2c3d4e-0000-4000-8000-000000000001", "x: {}\\n#");
    let error = bench.update(&[bench.file("bad.json", &hostile)]).expect_err("refused");
    assert!(error.to_string().contains("is no id"), "{error}");
}

/// What is written is what a scenario takes.
#[test]
fn commitments_no_scenario_takes_are_refused() {
    let bench = Bench::new();
    let plan = |usd: &str| {
        let text = OWNED.replace("6.50000000", usd);
        bench.update(&[bench.file("sp.json", &text)]).map_err(|e| e.to_string())
    };
    for bad in ["-1", "100000.01", "999999"] {
        let error = plan(bad).expect_err(bad);
        assert!(error.contains(bad) && error.contains("between 0 and 100000"), "{error}");
        assert!(error.contains("sp.json") && error.contains("1b2c3d4e-0000"), "{error}");
    }
    assert!(plan("100000").is_ok());
    for (from, to) in [
        ("\"FixedPrice\": 262.8", "\"FixedPrice\": -1"),
        ("\"Amount\": 0.028", "\"Amount\": -0.028"),
        ("\"InstanceCount\": 3", "\"InstanceCount\": 1000001"),
    ] {
        let text = RESERVED.replace(from, to);
        let error = bench.update(&[bench.file("ri.json", &text)]).expect_err(to).to_string();
        assert!(error.contains("b847fa93") && error.contains("ri.json"), "{error}");
    }
}

/// Two answers may have a plan, as the master and a member account do; and
/// both may reach beyond the Regions wanted.
#[test]
fn what_is_owned_is_owned_once_and_where_it_is_wanted() {
    let bench = Bench::new();
    let files = [
        bench.file("sp.json", OWNED),
        bench.file("again.json", &OWNED.replace("6.50000000", "7")),
        bench.file("ri.json", RESERVED),
    ];
    bench.update(&files).expect("imported");
    let owned = bench.text(OWNED_FILE);
    assert_eq!(owned.matches("sp-1b2c3d4e").count(), 1, "{owned}");
    assert!(owned.contains("usd-per-hour: 7,"), "{owned}");
    // It stays where the next import is of prices alone, under the same hash.
    let out = bench.out();
    let prices = bench.file("index.json", &one("us-east-1", "USD", "0.1"));
    bench.update_from(Some(&out), &[prices], &[]).expect("imported");
    assert_eq!(bench.text(OWNED_FILE), owned);
    assert!(bench.text(LOCK_FILE).contains(&sha256(&owned)));
    assert!(bench.text(LOCK_FILE).contains("\"owned Reserved Instances\""));
    let of = |region: &str, files: &[PathBuf]| {
        bench.update_from(None, files, &[region.to_owned()]).map_err(|e| e.to_string())
    };
    assert_eq!(of("us-east-1", &files).expect("imported").len(), 3);
    let error = of("eu-west-1", &files[..1]).expect_err("refused");
    assert!(error.contains("plan 1b2c3d4e-0000-4000-8000-000000000001: of us-east-1"), "{error}");
    let error = of("eu-west-1", &files[2..]).expect_err("refused");
    assert!(error.contains("3 × m5.large: in us-east-1a"), "{error}");
    // Of the marketplace they run for less than a term.
    let short = RESERVED.replace("94608000", "7776000");
    let error = bench.update(&[bench.file("ri.json", &short)]).expect_err("refused").to_string();
    assert!(error.contains("3 × m5.large: Partial Upfront, of 90 days"), "{error}");
}
