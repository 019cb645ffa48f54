//! Rates of Savings Plans.

use super::*;
use crate::catalog::{Payment, PlanItem, Term};

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

pub(super) const PLAN_LIST: &str = r#"{ "version": "1", "publicationDate": "2026-07-11T00:00:00Z",
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
    assert_eq!(told[1].left_out, ["rates without a higher On-Demand price (1)"]);
    let plans = bench.text("savings-plans.csv");
    for row in [
        "us-east-1,m5.large,compute-sp,1y,no-upfront,0.25,plan-rates-2026-08-01\n",
        "us-east-1,fargate,compute-sp,1y,no-upfront,0.2,plan-rates-2026-08-01\n",
        "us-east-1,m5.large,compute-sp,3y,all-upfront,0.5,plan-list-2026-07-11\n",
    ] {
        assert!(plans.contains(row), "{row}");
    }
}

/// A list of before 2024 names the Region once; a rate comes back to its last
/// digit: 0.0711 of 0.096 is a discount of 0.259375.
#[test]
fn a_rate_comes_back_from_its_discount() {
    let bench = Bench::new();
    let list = PLAN_LIST
        .replace("\"discountedRegionCode\": \"us-east-1\",", "")
        .replace("\"version\": \"1\"", "\"regionCode\": \"us-west-2\"");
    for rate in ["0.0711", "0.0707", "0.0331"] {
        let text = list.replace("\"0.048\"", &format!("\"{rate}\""));
        assert_eq!(bench.update(&[bench.file("p.json", &text)]).expect("imported")[0].rows, 1);
        let region = bench.catalog().region("us-west-2").expect("a Region");
        let plan = region
            .compute_plan_rate(Term::ThreeYears, Payment::AllUpfront, PlanItem::Ec2("m5.large"))
            .expect("a rate");
        assert_eq!((plan.quote.rate, plan.quote.status), (usd(rate), PriceStatus::Real));
    }
}
