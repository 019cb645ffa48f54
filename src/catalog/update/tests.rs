use super::*;
use crate::catalog::{Arch, Catalog, ChargeItem, PriceStatus};
use crate::units::Rate;

fn usd(text: &str) -> Rate {
    text.parse().expect("a rate")
}

/// A directory with these files.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Bench(tempfile::tempdir().expect("a directory"))
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    fn update(&self, files: &[PathBuf]) -> Result<Vec<Imported>> {
        self.update_from(None, files, &[])
    }

    fn update_from(
        &self,
        base: Option<&Path>,
        files: &[PathBuf],
        regions: &[String],
    ) -> Result<Vec<Imported>> {
        let as_of = "2026-08-01".parse().ok();
        let today = "2026-09-01".parse().expect("a date");
        update(&Update { base, files, regions, as_of, today, out: &self.out() })
    }

    fn catalog(&self) -> Catalog {
        Catalog::load(Some(&self.out())).expect("whole tables")
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.out().join(name)).expect("written")
    }
}

/// A product of the EC2 price list.
fn product(sku: &str, region: &str, kind: &str, more: &str) -> String {
    format!(
        r#""{sku}": {{ "sku": "{sku}", "productFamily": "Compute Instance", "attributes": {{
        "servicecode": "AmazonEC2", "regionCode": "{region}", "instanceType": "{kind}",
        "vcpu": "2", "memory": "8 GiB", "preInstalledSw": "NA", "capacitystatus": "Used",
        "licenseModel": "No License required", "operation": "RunInstances", {more} }} }}"#
    )
}

fn on_demand(sku: &str, usd: &str) -> String {
    format!(
        r#""{sku}": {{ "{sku}.JRTCKXETXF": {{ "offerTermCode": "JRTCKXETXF", "sku": "{sku}",
        "effectiveDate": "2026-07-01T00:00:00Z", "priceDimensions": {{ "{sku}.JRTCKXETXF.6YS6EN2CT7": {{
        "rateCode": "x", "description": "d", "beginRange": "0", "endRange": "Inf", "unit": "Hrs",
        "pricePerUnit": {{ "USD": "{usd}" }}, "appliesTo": [] }} }}, "termAttributes": {{}} }} }}"#
    )
}

/// m5.large in two Regions, beside what is not wanted; a convertible Reserved
/// Instance of one year, half upfront.
fn ec2() -> String {
    let linux = r#""operatingSystem": "Linux", "tenancy": "Shared""#;
    let products = [
        product("AAA", "us-east-1", "m5.large", linux),
        product("BBB", "eu-west-1", "m5.large", linux),
        product(
            "CCC",
            "us-east-1",
            "m5.large",
            r#""operatingSystem": "Windows", "tenancy": "Shared""#,
        ),
        product(
            "DDD",
            "us-east-1",
            "m5.large",
            r#""operatingSystem": "Linux", "tenancy": "Dedicated""#,
        ),
        product("EEE", "us-east-1", "x99.large", linux),
    ];
    let terms = [
        on_demand("AAA", "0.1000000000"),
        on_demand("BBB", "0.1100000000"),
        on_demand("CCC", "0.1880000000"),
        on_demand("DDD", "0.1060000000"),
        on_demand("EEE", "9.0000000000"),
    ];
    format!(
        r#"{{ "formatVersion": "v1.0", "disclaimer": "d", "offerCode": "AmazonEC2",
        "version": "20260720", "publicationDate": "2026-07-20T18:00:00Z",
        "products": {{ {} }},
        "terms": {{ "OnDemand": {{ {} }}, "Reserved": {{ "AAA": {{ "AAA.R": {{
        "priceDimensions": {{
          "a": {{ "unit": "Quantity", "pricePerUnit": {{ "USD": "262.8" }} }},
          "b": {{ "unit": "Hrs", "pricePerUnit": {{ "USD": "0.0300000000" }} }} }},
        "termAttributes": {{ "LeaseContractLength": "1yr", "OfferingClass": "convertible",
        "PurchaseOption": "Partial Upfront" }} }}, "AAA.S": {{
        "priceDimensions": {{ "b": {{ "unit": "Hrs", "pricePerUnit": {{ "USD": "0.0700000000" }} }} }},
        "termAttributes": {{ "LeaseContractLength": "3yr", "OfferingClass": "standard",
        "PurchaseOption": "No Upfront" }} }} }} }} }} }}"#,
        products.join(","),
        terms.join(",")
    )
}

fn fargate() -> String {
    let of = |sku: &str, usage: &str| {
        format!(
            r#""{sku}": {{ "sku": "{sku}", "productFamily": "Compute", "attributes": {{
            "regionCode": "eu-west-1", "usagetype": "{usage}" }} }}"#
        )
    };
    let skus = [
        ("V", "EU-Fargate-vCPU-Hours:perCPU", "0.05"),
        ("G", "EU-Fargate-GB-Hours", "0.005"),
        ("S", "EU-Fargate-EphemeralStorage-GB-Hours", "0.0002"),
        ("A", "EU-Fargate-ARM-vCPU-Hours:perCPU", "0.04"),
        ("M", "EU-Fargate-ARM-GB-Hours", "0.004"),
        ("X", "EU-SpotUsage-Fargate-GB-Hours", "0.001"),
    ];
    let products: Vec<String> = skus.iter().map(|(sku, usage, _)| of(sku, usage)).collect();
    let terms: Vec<String> = skus.iter().map(|(sku, _, usd)| on_demand(sku, usd)).collect();
    format!(
        r#"{{ "offerCode": "AmazonECS", "publicationDate": "2026-06-02T00:00:00Z",
        "products": {{ {} }}, "terms": {{ "OnDemand": {{ {} }} }} }}"#,
        products.join(","),
        terms.join(",")
    )
}

const ADVISOR: &str = r#"{ "ranges": [ { "index": 0, "label": "<5%", "dots": 0, "max": 5 },
  { "index": 4, "label": ">20%", "dots": 4, "max": 100 } ],
  "instance_types": { "m5.large": { "emr": true, "cores": 2, "ram_gb": 8.0 } },
  "spot_advisor": { "us-east-1": { "Linux": { "m5.large": { "s": 61, "r": 4 }, "x99.large": { "s": 1, "r": 0 } },
    "Windows": { "m5.large": { "s": 5, "r": 0 } } } } }"#;

#[test]
fn a_price_list_replaces_its_rows_and_no_others() {
    let bench = Bench::new();
    let told = bench.update(&[bench.file("index.json", &ec2())]).expect("imported");
    assert_eq!(told[0].kind, "EC2 price list");
    assert_eq!((told[0].as_of.as_str(), told[0].rows), ("2026-07-20", 4));
    assert_eq!(told[0].left_out, ["1 prices of types of unknown shape"]);
    let (new, old) = (bench.catalog(), Catalog::load(None).expect("tables"));
    let rate = |catalog: &Catalog, region: &str, name: &str| {
        catalog.region(region).expect("a Region").on_demand(name).expect("listed").clone()
    };
    let quote = rate(&new, "us-east-1", "m5.large");
    assert_eq!((quote.rate, quote.status), (usd("0.1"), PriceStatus::Real));
    assert_eq!((&*quote.as_of, &*quote.source), ("2026-07-20", "AWS price list AmazonEC2"));
    assert_eq!(rate(&new, "eu-west-1", "m5.large").rate, usd("0.11"));
    for (region, name) in [("us-east-1", "m5.xlarge"), ("eu-west-1", "c5.large")] {
        assert_eq!(rate(&new, region, name), rate(&old, region, name));
    }
    // 262.8 / 8,760 + 0.03 = 0.06 an hour, 40 % below 0.1.
    assert!(bench.text("savings-plans.csv").contains(
        "us-east-1,m5.large,convertible-ri,1y,partial-upfront,0.4,reserved-2026-07-20\n"
    ));
    assert!(
        bench
            .text("savings-plans.csv")
            .contains("us-east-1,m5.large,standard-ri,3y,no-upfront,0.3,reserved-2026-07-20\n")
    );
}

#[test]
fn only_wanted_regions_are_taken() {
    let bench = Bench::new();
    let file = bench.file("index.json", &ec2());
    let regions = ["eu-west-1".to_owned()];
    let told = bench.update_from(None, std::slice::from_ref(&file), &regions).expect("imported");
    assert_eq!(told[0].rows, 1);
    let us = bench.catalog().region("us-east-1").expect("a Region");
    assert_eq!(us.on_demand("m5.large").expect("listed").rate, usd("0.096"));
    let bad = bench.update_from(None, &[file], &["eu-west-9".to_owned()]);
    assert!(bad.expect_err("refused").to_string().contains("unknown Region `eu-west-9`"));
}

#[test]
fn fargate_and_clusters_have_price_lists_too() {
    let bench = Bench::new();
    let eks = format!(
        r#"{{ "offerCode": "AmazonEKS", "publicationDate": "2026-05-03T00:00:00Z", "products": {{
        "P": {{ "sku": "P", "attributes": {{ "regionCode": "eu-west-1", "usagetype": "EU-AmazonEKS-Hours:perCluster" }} }} }},
        "terms": {{ "OnDemand": {{ {} }} }} }}"#,
        on_demand("P", "0.12")
    );
    let files = [bench.file("ecs.json", &fargate()), bench.file("eks.json", &eks)];
    let told = bench.update(&files).expect("imported");
    assert_eq!(told.iter().map(|t| t.rows).collect::<Vec<_>>(), [2, 1]);
    assert!(bench.text("fargate.csv").contains(
        "eu-west-1,linux,amd64,on-demand,0.05,0.005,0.0002,price-list-ecs-2026-06-02\n\
         eu-west-1,linux,arm64,on-demand,0.04,0.004,0.0002,price-list-ecs-2026-06-02\n"
    ));
    let region = bench.catalog().region("eu-west-1").expect("a Region");
    let plane = region.charge(ChargeItem::EksControlPlane).expect("known");
    assert_eq!((plane.rate, plane.status), (usd("0.12"), PriceStatus::Real));
}

#[test]
fn the_advisor_and_histories_set_savings() {
    let bench = Bench::new();
    let told = bench.update(&[bench.file("advisor.json", ADVISOR)]).expect("imported");
    assert_eq!((told[0].rows, told[0].as_of.as_str()), (1, "2026-08-01"));
    let spot = |bench: &Bench| {
        let region = bench.catalog().region("us-east-1").expect("a Region");
        let quote = region.spot("m5.large").expect("sold");
        (quote.saving_pct, quote.band, quote.quote.as_of.to_string())
    };
    let cover = spot(&bench);
    assert_eq!((cover.0, cover.1), (61, 4));
    // 12 h at 0.03 and 12 h at 0.05 in one zone, 0.0288 throughout in another:
    // 0.0344 of 0.096, 36 %.
    let history = "timestamp,availability_zone,instance_type,spot_price\n\
                   2026-08-02T00:00:00Z,us-east-1a,m5.large,0.03\n\
                   2026-08-02T12:00:00Z,us-east-1a,m5.large,0.05\n\
                   2026-08-02T00:00:00Z,use1-az2,m5.large,0.0288\n\
                   2026-08-03T00:00:00Z,us-east-1a,c5.large,0.03\n";
    let out = bench.out();
    let files = [bench.file("history.csv", history)];
    let told = bench.update_from(Some(&out), &files, &[]).expect("imported");
    assert_eq!((told[0].rows, told[0].as_of.as_str()), (2, "2026-08-03"));
    assert_eq!((spot(&bench).0, spot(&bench).1), (64, 4));
    // The advisor's other rows are all replaced here or left: its file stays
    // in the lock only as long as a row rests on it.
    let lock: serde_json::Value = serde_json::from_str(&bench.text(LOCK_FILE)).expect("JSON");
    let files: Vec<&str> = lock["files"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|f| f["file"].as_str())
        .collect();
    assert_eq!(files, ["history.csv"]);
    assert_eq!(lock["tables"].as_object().map(serde_json::Map::len), Some(8));
}

#[test]
fn the_lock_states_the_hash_of_the_file() {
    let bench = Bench::new();
    let file = bench.file("advisor.json", &format!("{ADVISOR}\n\n"));
    bench.update(std::slice::from_ref(&file)).expect("imported");
    let bytes = std::fs::read(file).expect("there");
    let lock = bench.text(LOCK_FILE);
    assert!(lock.contains(&hex(&Sha256::digest(&bytes))), "{lock}");
    assert!(!lock.contains(&bench.0.path().display().to_string()), "{lock}");
    // The same files give the same bytes.
    let again = Bench::new();
    again.update(&[again.file("advisor.json", &format!("{ADVISOR}\n\n"))]).expect("imported");
    for name in [LOCK_FILE, "ec2-spot.csv", "sources.csv"] {
        assert_eq!(bench.text(name), again.text(name), "{name}");
    }
}

const RATES: &str = r#"{ "searchResults": [
  { "savingsPlanOffering": { "offeringId": "x", "paymentOption": "No Upfront", "planType": "Compute",
      "durationSeconds": 31536000, "currency": "USD" }, "rate": "0.072", "unit": "Hrs",
    "productType": "EC2", "serviceCode": "AmazonEC2", "usageType": "BoxUsage:m5.large",
    "operation": "RunInstances", "properties": [ { "name": "region", "value": "us-east-1" } ] },
  { "savingsPlanOffering": { "paymentOption": "No Upfront", "planType": "Compute",
      "durationSeconds": 31536000, "currency": "USD" }, "rate": "0.1", "unit": "Hrs",
    "serviceCode": "AmazonEC2", "usageType": "BoxUsage:m5.large", "operation": "RunInstances:0002",
    "properties": [ { "name": "region", "value": "us-east-1" } ] },
  { "savingsPlanOffering": { "paymentOption": "No Upfront", "planType": "Compute",
      "durationSeconds": 31536000, "currency": "USD" }, "rate": "0.032384", "unit": "Hrs",
    "serviceCode": "AmazonECS", "usageType": "USE1-Fargate-vCPU-Hours:perCPU", "operation": "",
    "properties": [ { "name": "region", "value": "us-east-1" } ] } ] }"#;

const PLAN_LIST: &str = r#"{ "version": "1", "publicationDate": "2026-07-11T00:00:00Z",
  "products": [ { "sku": "P1", "productFamily": "ComputeSavingsPlans", "serviceCode": "ComputeSavingsPlans",
    "attributes": { "purchaseOption": "All Upfront", "purchaseTerm": "3yr" } } ],
  "terms": { "savingsPlan": [ { "sku": "P1", "rates": [
    { "discountedSku": "s", "discountedUsageType": "USE1-BoxUsage:m5.large", "discountedOperation": "RunInstances",
      "discountedServiceCode": "AmazonEC2", "discountedRegionCode": "us-east-1", "unit": "Hrs",
      "discountedRate": { "price": "0.048", "currency": "USD" } },
    { "discountedUsageType": "USE1-BoxUsage:x99.large", "discountedOperation": "RunInstances",
      "discountedServiceCode": "AmazonEC2", "discountedRegionCode": "us-east-1",
      "discountedRate": { "price": "1", "currency": "USD" } } ] } ] } }"#;

#[test]
fn rates_of_plans_become_discounts() {
    let bench = Bench::new();
    let files = [bench.file("rates.json", RATES), bench.file("plans.json", PLAN_LIST)];
    let told = bench.update(&files).expect("imported");
    assert_eq!(told.iter().map(|t| t.rows).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(told[1].left_out, ["1 rates without an On-Demand price to relate them to"]);
    let plans = bench.text("savings-plans.csv");
    for row in [
        "us-east-1,m5.large,compute-sp,1y,no-upfront,0.25,plan-rates-2026-08-01\n",
        "us-east-1,fargate,compute-sp,1y,no-upfront,0.2,plan-rates-2026-08-01\n",
        "us-east-1,m5.large,compute-sp,3y,all-upfront,0.5,plan-list-2026-07-11\n",
    ] {
        assert!(plans.contains(row), "{row}");
    }
}

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
    assert_eq!(told[1].left_out, ["1 × m5.large: active, Windows"]);
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

#[test]
fn what_is_no_file_of_prices_is_refused() {
    let bench = Bench::new();
    let refused = |name: &str, text: &str| {
        bench.update(&[bench.file(name, text)]).expect_err("refused").to_string()
    };
    assert!(refused("a.txt", "hello").contains("none of the files"));
    assert!(refused("a.json", "{ \"a\": 1 }").contains("none of the files"));
    assert!(
        refused("s3.json", "{ \"offerCode\": \"AmazonS3\", \"products\": {} }")
            .contains("AmazonS3")
    );
    let cut = ec2().get(..2_000).expect("long").to_owned();
    let error = refused("cut.json", &cut);
    assert!(error.contains("cut.json") && error.contains("truncated"), "{error}");
    let bands = ADVISOR.replace(">20%", ">30%");
    assert!(refused("bands.json", &bands).contains("not one of"));
    // Nothing was written.
    assert!(!bench.out().exists());
}

/// A list with one product: `more` of its attributes, and a price.
fn one(region: &str, currency: &str, price: &str) -> String {
    let linux = r#""operatingSystem": "Linux", "tenancy": "Shared""#;
    format!(
        r#"{{ "offerCode": "AmazonEC2", "publicationDate": "2026-07-20T18:00:00Z",
        "products": {{ {} }}, "terms": {{ "OnDemand": {{ {} }} }} }}"#,
        product("AAA", region, "m5.large", linux),
        on_demand("AAA", price).replace("\"USD\"", &format!("\"{currency}\""))
    )
}

#[test]
fn prices_that_cannot_be_are_refused_with_the_file_and_what_is_priced() {
    let bench = Bench::new();
    let refused =
        |text: &str| bench.update(&[bench.file("x.json", text)]).expect_err("refused").to_string();
    let says = |text: &str, words: &[&str]| {
        let error = refused(text);
        for word in ["x.json"].iter().chain(words) {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(!error.contains(".csv:"), "{error}");
    };
    let fine = one("us-east-1", "USD", "0.1");
    assert_eq!(bench.update(&[bench.file("x.json", &fine)]).expect("imported")[0].rows, 1);
    // The same Region and type under two ids.
    let twice = ec2().replace("\"eu-west-1\"", "\"us-east-1\"");
    says(&twice, &["two prices of m5.large in us-east-1: 0.1 and 0.11 USD", "remove"]);
    let same = twice.replace("0.1100000000", "0.1000000000");
    assert!(bench.update(&[bench.file("x.json", &same)]).is_ok());
    // Capacity blocks are bought apart.
    let blocks = twice.replace(
        "\"regionCode\": \"us-east-1\", \"instanceType\": \"m5.large\"",
        "\"regionCode\": \"us-east-1\", \"marketoption\": \"CapacityBlock\", \"instanceType\": \"m5.large\"",
    );
    says(&blocks, &["gives no row"]);
    says(&one("mars-1", "USD", "0.1"), &["unknown Region `mars-1`", "--region"]);
    says(&one("us-east-11", "USD", "0.1"), &["of which `us-east-1` is the nearest"]);
    says(&one("us-east-1", "USD", "-0.1"), &["`-0.1` of m5.large in us-east-1", "between 0"]);
    says(&one("us-east-1", "USD", "1e7"), &["`1e7` of m5.large in us-east-1", "1000000"]);
    says(&one("us-east-1", "USD", "0"), &["gives no row", "1 prices of 0 USD"]);
    says(&one("us-east-1", "CNY", "1"), &["gives no row", "1 prices in other currencies"]);
    let windows = fine.replace("Linux", "Windows");
    says(&windows, &["gives no row: it has nothing of what is taken", "EC2 price list"]);
    says("", &["is empty"]);
    says(" \n", &["is empty"]);
    let saving = ADVISOR.replace("\"s\": 61", "\"s\": 161");
    let error = refused(&saving);
    assert!(error.starts_with('`'), "{error}");
    assert!(error.contains("x.json`: its rows fit no table: ec2-spot.csv:"), "{error}");
}

#[test]
fn a_list_bears_a_date_that_has_come() {
    let bench = Bench::new();
    let fine = one("us-east-1", "USD", "0.1");
    let (published, effective) = ("2026-07-20T18:00:00Z", "2026-07-01T00:00:00Z");
    for (key, date) in [("publicationDate", published), ("effectiveDate", effective)] {
        for (bad, why) in [
            ("yesterday", "is no date"),
            ("2026-13-01T00:00:00Z", "is no date"),
            ("2026-07-20, 1", "is no date"),
            ("2026-09-02T00:00:00Z", "after today, 2026-09-01"),
        ] {
            let text = fine.replace(date, bad);
            let error = bench.update(&[bench.file("x.json", &text)]).expect_err(bad).to_string();
            assert!(error.contains(key) && error.contains(why), "{error}");
            assert!(error.contains(bad) && error.contains("x.json"), "{error}");
        }
        assert!(bench.update(&[bench.file("x.json", &fine.replace(date, "2026-09-01"))]).is_ok());
    }
    let plans = PLAN_LIST.replace("2026-07-11T00:00:00Z", "2027-01-01T00:00:00Z");
    let error = bench.update(&[bench.file("p.json", &plans)]).expect_err("refused").to_string();
    assert!(error.contains("after today"), "{error}");
    let error = bench
        .update(&[bench.file("x.json", &fine.replace("effectiveDate", "effective"))])
        .expect_err("refused");
    assert!(error.to_string().contains("has no effectiveDate"), "{error}");
    // Without a publication date --as-of serves, and without it nothing does.
    let files = [bench.file("x.json", &fine.replace("publicationDate", "published"))];
    assert_eq!(bench.update(&files).expect("imported")[0].as_of, "2026-08-01");
    let today = "2026-09-01".parse().expect("a date");
    let out = bench.out();
    let undated = Update { base: None, files: &files, regions: &[], as_of: None, today, out: &out };
    let error = update(&undated).expect_err("refused").to_string();
    assert!(error.contains("no publicationDate") && error.contains("--as-of"), "{error}");
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

/// Gigabytes are read as a stream: of products that are not wanted nothing is
/// kept.
#[test]
fn gzip_is_unpacked() {
    use std::io::Write as _;
    let bench = Bench::new();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(fargate().as_bytes()).expect("packed");
    let path = bench.0.path().join("ecs.json.gz");
    std::fs::write(&path, gz.finish().expect("packed")).expect("written");
    assert_eq!(bench.update(&[path]).expect("imported")[0].rows, 2);
    let region = bench.catalog().region("eu-west-1").expect("a Region");
    assert_eq!(region.fargate(Arch::Arm64).expect("rates").vcpu_hour.rate, usd("0.04"));
}
