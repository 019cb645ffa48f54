use super::*;

fn read(text: &str) -> Result<SpotHistory> {
    SpotHistory::read(text.as_bytes(), "spot", None)
}

fn refused(text: &str) -> String {
    read(text).expect_err("refused").to_string()
}

fn told(history: &SpotHistory, kind: &str, zone: &str) -> Vec<(i64, String)> {
    let rows = history.pool(kind, zone).into_iter().flatten();
    rows.map(|(at, price)| (at / 1_000, price.to_string())).collect()
}

/// As the AWS CLI prints it, newest first.
const PAGE: &str = r#"{
    "SpotPriceHistory": [
        {
            "AvailabilityZone": "us-east-1a",
            "InstanceType": "m5.large",
            "ProductDescription": "Linux/UNIX",
            "SpotPrice": "0.041200",
            "Timestamp": "1970-01-01T02:00:00+00:00"
        },
        {
            "AvailabilityZone": "us-east-1a",
            "InstanceType": "m5.large",
            "ProductDescription": "Windows",
            "SpotPrice": "0.133200",
            "Timestamp": "1970-01-01T01:30:00+00:00"
        },
        {
            "AvailabilityZone": "us-east-1a",
            "InstanceType": "m5.large",
            "ProductDescription": "Linux/UNIX",
            "SpotPrice": "0.040000",
            "Timestamp": "1970-01-01T01:00:00.000Z"
        }
    ],
    "NextToken": "abc=="
}
"#;

const OTHER_PAGE: &str = r#"{ "SpotPriceHistory": [ {
    "AvailabilityZoneId": "use1-az2", "InstanceType": "m5.large", "SpotPrice": "0.05",
    "ProductDescription": "Linux/UNIX (Amazon VPC)", "Timestamp": "1970-01-01T00:00:00Z" } ] }"#;

#[test]
fn pages_of_the_cli_are_read_however_they_are_joined() {
    let first = [(3_600, "0.04".to_owned()), (7_200, "0.0412".to_owned())];
    let rows = PAGE.trim().trim_start_matches(
        r#"{
    "SpotPriceHistory": "#,
    );
    let rows = rows.split("\n    ],").next().map(|r| format!("{r}]")).expect("an array");
    for text in [
        format!("{PAGE}{OTHER_PAGE}\n"),
        format!("[{PAGE},{OTHER_PAGE}]"),
        format!("\u{feff}{OTHER_PAGE}{PAGE}"),
        format!("{rows}\n{OTHER_PAGE}"),
        format!("[{rows},[{OTHER_PAGE}]]"),
    ] {
        let history = read(&text).expect(&text);
        assert_eq!(told(&history, "m5.large", "us-east-1a"), first, "{text}");
        assert_eq!(told(&history, "m5.large", "use1-az2"), [(0, "0.05".to_owned())]);
        assert_eq!(history.zones(), ["us-east-1a", "use1-az2"]);
        assert_eq!(history.span(), (0, 7_200_000));
    }
}

#[test]
fn csv_columns_go_by_many_names() {
    let row = "1970-01-01T01:00:00Z";
    for text in [
        format!(
            "timestamp,availability_zone,instance_type,spot_price\n{row},us-east-1a,m5.large,0.04\n"
        ),
        format!(
            "SpotPrice,Timestamp,InstanceType,AvailabilityZone,ProductDescription\r\n0.0400,{row},m5.large,us-east-1a,Linux/UNIX\r\n9,{row},m5.large,us-east-1a,Windows\r\n"
        ),
        format!(
            "dataset,region,zone,instance_type,usd_per_hour,effective_from\nA,us-east-1,us-east-1a,m5.large,0.04,{row}\n"
        ),
    ] {
        let history = read(&text).expect(&text);
        assert_eq!(told(&history, "m5.large", "us-east-1a"), [(3_600, "0.04".to_owned())]);
    }
    // A row without a zone is one of its Region; a data set is chosen.
    let text = "dataset,region,zone,instance_type,usd_per_hour,effective_from\n\
                A,us-east-1,,m5.large,0.04,1970-01-01T01:00:00Z\n\
                B,us-east-1,,m5.large,0.05,1970-01-01T01:00:00Z\n";
    let history = SpotHistory::read(text.as_bytes(), "spot", Some("A")).expect("rows");
    assert_eq!(told(&history, "m5.large", "us-east-1"), [(3_600, "0.04".to_owned())]);
    let absent = |text: &str, name: &str| {
        SpotHistory::read(text.as_bytes(), "spot", Some(name)).expect_err("absent").to_string()
    };
    assert_eq!(absent(text, "C"), "`spot` has no row of the data set `C`; it has `A`, `B`");
    let long = text.replace("A,us", "spot-2024,us").replace("B,us", "spot-2025,us");
    let near = absent(&long, "spot2024");
    assert!(near.contains("; did you mean `spot-2024`? it has `spot-2024`, `"), "{near}");
    let many: String =
        (0..7).map(|n| format!("{n},us-east-1,,m5.large,0.04,1970-01-01T01:00:00Z\n")).collect();
    let header = text.lines().next().expect("a header");
    let many = absent(&format!("{header}\n{many}"), "x");
    assert!(many.ends_with("it has `0`, `1`, `2`, `3`, `4`, …"), "{many}");
    // One that is there, but of another product alone.
    let windows = text
        .replace("dataset,", "product_description,dataset,")
        .replace("A,us", "Windows,A,us")
        .replace("B,us", ",B,us");
    let skipped = absent(&windows, "A");
    assert!(skipped.contains("no row of Linux/UNIX; 1 rows of other"), "{skipped}");
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place() {
    let csv = |row: &str| {
        refused(&format!("timestamp,availability_zone,instance_type,spot_price\n{row}\n"))
    };
    assert_eq!(
        csv("yesterday,us-east-1a,m5.large,0.04"),
        "spot:2: `yesterday` is no time with an offset, as 2025-01-06T00:00:00Z"
    );
    assert!(csv("1970-01-01T01:00:00Z,us-east-1a,m5.large,cheap").starts_with("spot:2: price"));
    assert!(csv("1970-01-01T01:00:00Z,us-east-1a,m5.large,-1").starts_with("spot:2: price"));
    assert!(csv("1970-01-01T01:00:00Z,us-east-1a,m5.large,1e6").contains("100,000"));
    let free = csv("1970-01-01T01:00:00Z,us-east-1a,m5.large,0");
    assert_eq!(free, "spot:2: price `0` is not above 0 and at most 100,000 USD");
    let zero = PAGE.replace("0.041200", "0.000000");
    assert!(refused(&zero).contains("not above 0"), "{}", refused(&zero));
    assert!(csv("1970-01-01T01:00:00Z,,m5.large,1").contains("neither zone nor Region"));
    assert!(csv("1970-01-01T01:00:00Z,us-east-1a,m5.large").starts_with("spot:2: "));
    let open = csv("1970-01-01T01:00:00Z,us-east-1a,m5.large,0.04\n1,2,3,\"4\n5,6,7,8");
    assert!(open.starts_with("`spot` has a quote on line 3 that opens a cell"), "{open}");
    assert!(refused("a,b\n1,2\n").contains("needs a column `timestamp`; it has a, b"));
    assert_eq!(refused(" \n"), "`spot` is empty");
    assert!(refused("{ \"Regions\": [] }").starts_with("spot:1:"));
    assert!(refused("{ \"SpotPriceHistory\": [] }").contains("no row of Linux/UNIX"));
    let cut = PAGE.get(..200).expect("long enough");
    assert!(refused(cut).contains("looks truncated"), "{}", refused(cut));
    // The place is that of the file, not of its second document.
    let second = format!("{PAGE}{}", OTHER_PAGE.replace("0.05", "dear"));
    assert!(refused(&second).starts_with("spot:29:"), "{}", refused(&second));
    assert!(refused(&"[".repeat(100_000)).starts_with("spot:1:"));
}

#[test]
fn one_pool_has_one_price_at_a_time() {
    let text = |price: &str| {
        format!(
            "timestamp,availability_zone,instance_type,spot_price\n\
             1970-01-01T01:00:00Z,us-east-1a,m5.large,0.04\n\
             1970-01-01T01:00:00Z,us-east-1b,m5.large,0.05\n\
             1970-01-01T01:00:00+00:00,us-east-1a,m5.large,{price}\n"
        )
    };
    let same = read(&text("0.0400")).expect("a row twice");
    assert_eq!(told(&same, "m5.large", "us-east-1a"), vec![(3_600, "0.04".to_owned()); 2]);
    assert_eq!(
        refused(&text("0.06")),
        "`spot`: m5.large in us-east-1a has two prices at 1970-01-01T01:00:00Z, 0.04 and 0.06; \
         remove the wrong row, or choose a data set where the file has several"
    );
}

#[test]
fn ids_of_zones() {
    for (region, id) in [
        ("us-east-1", "use1"),
        ("ap-northeast-1", "apne1"),
        ("ap-southeast-2", "apse2"),
        ("ap-south-1", "aps1"),
        ("ca-central-1", "cac1"),
        ("us-gov-west-1", "usgw1"),
    ] {
        assert_eq!(region_id(region).as_deref(), Some(id), "{region}");
    }
    assert_eq!(usual_zone_id("eu-central-1b").as_deref(), Some("euc1-az2"));
    for bad in ["", "a", "us-east-1", "us-middle-1a", "us-east-a"] {
        assert_eq!(usual_zone_id(bad), None, "{bad}");
    }
}

/// The sample of the facts: every row is read, and its zones abbreviate its
/// Regions as stated.
#[test]
fn the_sample_of_the_facts_is_read() {
    let Some(shared) = crate::testing::shared_dir() else { return };
    let path = shared.join("facts/ec2-spot-history-sample.csv");
    let open = || std::fs::File::open(&path).expect("readable");
    let all = SpotHistory::read(open(), "sample", None).expect("rows");
    assert_eq!(all.rows, 31_849);
    let history = SpotHistory::read(open(), "sample", Some("A-2022")).expect("rows");
    assert_eq!(history.rows, 9_281);
    assert_eq!(
        told(&history, "c3.large", "apne1-az1"),
        [(1_654_034_218, "0.0412".to_owned()), (1_654_036_937, "0.0411".to_owned())]
    );
    let regions = ["ap-northeast-1", "eu-west-1", "sa-east-1", "us-west-2", "ca-central-1"];
    for region in regions {
        let id = region_id(region).expect("a Region");
        assert!(history.zones().iter().any(|zone| zone.starts_with(&id)), "{region}");
    }
    let history = SpotHistory::read(open(), "sample", Some("B-2025")).expect("rows");
    assert_eq!(told(&history, "t3.micro", "us-east-1").len(), 1_212);
}
