//! Imports of files in AWS's form, written for these tests.

mod dates;
mod lists;
mod lock;
mod owned;
mod plans;
mod refused;
mod spot;

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

/// A text as gzip.
fn packed(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).expect("packed");
    gz.finish().expect("packed")
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

/// A list of a service in eu-west-1, published on a day: (usage type, more
/// attributes, USD).
fn by_usage(service: &str, published: &str, items: &[(&str, &str, &str)]) -> String {
    let sku = |i: usize| format!("SKU{i}");
    let of = |(i, (usage, more, _)): (usize, &(&str, &str, &str))| {
        format!(
            r#""{0}": {{ "sku": "{0}", "productFamily": "Compute", "attributes": {{
            "servicecode": "{service}", "regionCode": "eu-west-1", {more}
            "usagetype": "{usage}" }} }}"#,
            sku(i)
        )
    };
    let products: Vec<String> = items.iter().enumerate().map(of).collect();
    let terms: Vec<String> =
        items.iter().enumerate().map(|(i, (_, _, usd))| on_demand(&sku(i), usd)).collect();
    format!(
        r#"{{ "offerCode": "{service}", "publicationDate": "{published}T00:00:00Z",
        "products": {{ {} }}, "terms": {{ "OnDemand": {{ {} }} }} }}"#,
        products.join(","),
        terms.join(",")
    )
}

fn fargate() -> String {
    let region = r#""locationType": "AWS Region","#;
    by_usage(
        "AmazonECS",
        "2026-06-02",
        &[
            ("EU-Fargate-vCPU-Hours:perCPU", region, "0.05"),
            ("EU-Fargate-GB-Hours", region, "0.005"),
            ("EU-Fargate-EphemeralStorage-GB-Hours", region, "0.0002"),
            ("EU-Fargate-ARM-vCPU-Hours:perCPU", region, "0.04"),
            ("EU-Fargate-ARM-GB-Hours", region, "0.004"),
            ("EU-Fargate-Windows-vCPU-Hours:perCPU", region, "0.0535"),
            ("EU-Fargate-Windows-GB-Hours", region, "0.00588"),
            ("EU-Fargate-Windows-OS-Hours:perCPU", region, "0.046"),
            ("EU-SpotUsage-Fargate-GB-Hours", region, "0.001"),
            ("EU-ECS-EC2-GB-Hours", region, "0.0000000000"),
        ],
    )
}

const ADVISOR: &str = r#"{ "ranges": [ { "index": 0, "label": "<5%", "dots": 0, "max": 5 },
  { "index": 4, "label": ">20%", "dots": 4, "max": 100 } ],
  "instance_types": { "m5.large": { "emr": true, "cores": 2, "ram_gb": 8.0 } },
  "spot_advisor": { "us-east-1": { "Linux": { "m5.large": { "s": 61, "r": 4 }, "x99.large": { "s": 1, "r": 0 } },
    "Windows": { "m5.large": { "s": 5, "r": 0 } } } } }"#;
