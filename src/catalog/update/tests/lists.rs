//! Price lists of EC2, ECS and EKS.

use super::*;

#[test]
fn a_price_list_replaces_its_rows_and_no_others() {
    let bench = Bench::new();
    let told = bench.update(&[bench.file("index.json", &ec2())]).expect("imported");
    assert_eq!(told[0].kind, "EC2 price list");
    assert_eq!((told[0].as_of.as_str(), told[0].rows), ("2026-07-20", 4));
    assert_eq!(told[0].left_out, ["prices of types of unknown shape (1)"]);
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

/// Reserved Instances that cost more than On-Demand are no discount.
#[test]
fn dear_reserved_instances_are_left_out() {
    let bench = Bench::new();
    let text = ec2().replace("\"0.0700000000\"", "\"0.1700000000\"");
    let told = bench.update(&[bench.file("index.json", &text)]).expect("imported");
    assert_eq!(told[0].rows, 3);
    let left_out = "Reserved Instances without a higher On-Demand price (1)";
    assert_eq!(told[0].left_out[1], left_out);
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
fn fargate_has_a_price_list_too() {
    let bench = Bench::new();
    let told = bench.update(&[bench.file("ecs.json", &fargate())]).expect("imported");
    assert_eq!((told[0].kind, told[0].rows), ("ECS price list", 4));
    // The licence of Windows is listed apart: 0.0535 + 0.046 a vCPU.
    assert!(bench.text("fargate.csv").contains(
        "eu-west-1,linux,amd64,on-demand,0.05,0.005,0.0002,price-list-ecs-2026-06-02\n\
         eu-west-1,linux,arm64,on-demand,0.04,0.004,0.0002,price-list-ecs-2026-06-02\n\
         eu-west-1,windows,amd64,on-demand,0.0995,0.00588,0.0002,price-list-ecs-windows-2026-06-02\n"
    ));
    let region = bench.catalog().region("eu-west-1").expect("a Region");
    let windows = &region.fargate_windows().expect("rates").vcpu_hour;
    assert_eq!((windows.rate, windows.status), (usd("0.0995"), PriceStatus::Derived));
    let licence = region.charge(ChargeItem::FargateWindowsLicence).expect("known");
    assert_eq!((licence.rate, licence.status), (usd("0.046"), PriceStatus::Real));
}

/// A cluster in extended support pays its fee and, apart, the surcharge.
#[test]
fn extended_support_is_added_to_the_fee_of_a_cluster() {
    let list = |items: &[(&str, &str, &str)]| by_usage("AmazonEKS", "2026-05-03", items);
    let outposts = r#""locationType": "AWS Outposts","#;
    let (cluster, extended) =
        ("EU-AmazonEKS-Hours:perCluster", "EU-AmazonEKS-Hours:extendedSupport");
    let bench = Bench::new();
    let both = list(&[(cluster, "", "0.11"), (extended, "", "0.5"), (cluster, outposts, "0.7")]);
    let told = bench.update(&[bench.file("eks.json", &both)]).expect("imported");
    assert_eq!(told[0].rows, 2);
    let fee = |item| {
        let region = bench.catalog().region("eu-west-1").expect("a Region");
        let quote = region.charge(item).expect("known").clone();
        (quote.rate, quote.status)
    };
    assert_eq!(fee(ChargeItem::EksControlPlane), (usd("0.11"), PriceStatus::Real));
    assert_eq!(fee(ChargeItem::EksControlPlaneExtended), (usd("0.61"), PriceStatus::Derived));
    // The surcharge alone stands on the fee of the tables.
    let told =
        bench.update(&[bench.file("eks.json", &list(&[(extended, "", "0.4")]))]).expect("imported");
    assert_eq!(told[0].rows, 1);
    assert_eq!(fee(ChargeItem::EksControlPlaneExtended).0, usd("0.5"));
}

/// What AWS lists beside a type On-Demand, and what would spoil its price.
#[test]
fn other_ways_to_have_a_type_are_no_price_of_it() {
    let bench = Bench::new();
    let linux = r#""operatingSystem": "Linux", "tenancy": "Shared""#;
    let beside = [
        (r#""locationType": "AWS Outposts", "usagetype": "BoxUsage:m5.large""#, "0.2"),
        (r#""locationType": "AWS Region", "usagetype": "HostBoxUsage:m5.large""#, "0.3"),
        (r#""marketoption": "CapacityBlock", "usagetype": "BoxUsage:m5.large""#, "0.4"),
        (r#""marketoption": "OnDemand", "usagetype": "BoxUsage:m5.large""#, "0.1"),
    ];
    let products: Vec<String> = beside
        .iter()
        .enumerate()
        .map(|(i, (more, _))| {
            product(&format!("S{i}"), "us-east-1", "m5.large", &format!("{linux}, {more}"))
        })
        .collect();
    let terms: Vec<String> =
        beside.iter().enumerate().map(|(i, (_, usd))| on_demand(&format!("S{i}"), usd)).collect();
    let text = format!(
        r#"{{ "offerCode": "AmazonEC2", "publicationDate": "2026-07-20T18:00:00Z",
        "products": {{ {} }}, "terms": {{ "OnDemand": {{ {} }} }} }}"#,
        products.join(","),
        terms.join(",")
    );
    assert_eq!(bench.update(&[bench.file("x.json", &text)]).expect("imported")[0].rows, 1);
    let region = bench.catalog().region("us-east-1").expect("a Region");
    assert_eq!(region.on_demand("m5.large").expect("listed").rate, usd("0.1"));
}

/// A list of all Regions has some that are newer than the tables.
#[test]
fn new_regions_are_left_out_of_a_list_of_all() {
    let bench = Bench::new();
    let text = ec2().replace("\"eu-west-1\"", "\"eu-moon-1\"");
    let told = bench.update(&[bench.file("index.json", &text)]).expect("imported");
    assert_eq!(told[0].rows, 3);
    let left_out = "prices in Regions that regions.csv does not have (1): eu-moon-1";
    assert!(told[0].left_out.iter().any(|line| line.starts_with(left_out)), "{told:?}");
    // Three are named, and whether there are more.
    for (new, names) in [(3, "new-1, new-2, new-3"), (4, "new-1, new-2, new-3, …")] {
        let clusters = vec![("EU-AmazonEKS-Hours:perCluster", "", "0.11"); new + 1];
        let mut text = by_usage("AmazonEKS", "2026-05-03", &clusters);
        for n in 1..=new {
            text = text.replacen("eu-west-1", &format!("new-{n}"), 1);
        }
        let told = bench.update(&[bench.file("eks.json", &text)]).expect("imported");
        let left_out = format!("prices in Regions that regions.csv does not have ({new}): {names}");
        assert_eq!(told[0].left_out, [left_out]);
    }
}

/// Gigabytes are read as a stream: of products that are not wanted nothing is
/// kept.
#[test]
fn gzip_is_unpacked() {
    let bench = Bench::new();
    let path = bench.0.path().join("ecs.json.gz");
    std::fs::write(&path, packed(&fargate())).expect("written");
    assert_eq!(bench.update(&[path]).expect("imported")[0].rows, 4);
    let region = bench.catalog().region("eu-west-1").expect("a Region");
    assert_eq!(region.fargate(Arch::Arm64).expect("rates").vcpu_hour.rate, usd("0.04"));
}
