//! Files that give nothing.

use super::*;

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
    for (near, instead) in [
        (
            r#"{ "formatVersion": "v1.0", "regions": { "x": { "currentVersionUrl": "/o" } } }"#,
            "index of",
        ),
        ("\"FormatVersion\",\"v1.0\"\n\"OfferCode\",\"AmazonEC2\"\n", "as CSV"),
        (r#"{ "FormatVersion": "aws_v1", "PriceList": [] }"#, "get-products"),
    ] {
        let error = refused("near", near);
        assert!(error.contains("none of the files") && error.contains(instead), "{error}");
    }
    // A second document behind a price list is not passed over.
    let two = format!("{0}{0}", one("us-east-1", "USD", "0.1"));
    assert!(refused("two.json", &two).contains("trailing characters"));
    // A file of gzip that was cut short.
    let gz = packed(&ec2());
    let cut = bench.0.path().join("cut.json.gz");
    std::fs::write(&cut, &gz[..gz.len() - 20]).expect("written");
    let error = bench.update(&[cut]).expect_err("refused").to_string();
    assert!(error.contains("cut.json.gz") && error.contains("truncated"), "{error}");
    // Nothing was written.
    assert!(!bench.out().exists());
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
    let elsewhere = "gives no row: left out prices in Regions that regions.csv does not have (1)";
    says(&one("mars-1", "USD", "0.1"), &[elsewhere, ": mars-1"]);
    says(&one("us-east-11", "USD", "0.1"), &[elsewhere, "us-east-11 (`us-east-1` is the nearest)"]);
    says(&one("us-east-1", "USD", "-0.1"), &["`-0.1` of m5.large in us-east-1", "between 0"]);
    says(&one("us-east-1", "USD", "1e7"), &["`1e7` of m5.large in us-east-1", "1000000"]);
    says(&one("us-east-1", "USD", "0"), &["gives no row", "prices of 0 USD (1)"]);
    says(
        &one("us-east-1", "CNY", "1"),
        &["gives no row", "prices in other currencies than USD (1)"],
    );
    // A price that is not per hour is none of an instance, beside one that is or alone.
    let quantity = fine.replace("\"Hrs\"", "\"Quantity\"");
    says(&quantity, &["gives no row", "prices of instances whose unit is not Hrs (1)"]);
    let beside = ec2().replacen("\"Hrs\"", "\"Quantity\"", 1);
    let told = bench.update(&[bench.file("x.json", &beside)]).expect("imported");
    assert!(told[0].left_out.iter().any(|it| it.contains("not Hrs (1)")), "{:?}", told[0].left_out);
    let windows = fine.replace("Linux", "Windows");
    says(&windows, &["gives no row: it has nothing of what is taken", "EC2 price list"]);
    says("", &["is empty"]);
    says(" \n", &["is empty"]);
    let saving = |percent: &str| ADVISOR.replace("\"s\": 61", &format!("\"s\": {percent}"));
    let error = refused(&saving("-1001"));
    assert!(error.starts_with('`'), "{error}");
    assert!(error.contains("x.json`: its rows fit no table: ec2-spot.csv:"), "{error}");
    for percent in ["100", "161"] {
        let words = format!("saving of m5.large in us-east-1 is {percent} %");
        says(&saving(percent), &[&words, "never free; correct the entry"]);
    }
    assert_eq!(bench.update(&[bench.file("x.json", &saving("99"))]).expect("imported")[0].rows, 1);
}
