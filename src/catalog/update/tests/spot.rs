//! The Spot advisor and price histories.

use super::*;

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
    // 0.0001 of 0.096 is 0 % to the nearest, and Spot is not free.
    let cheap = "timestamp,availability_zone,instance_type,spot_price\n\
                 2026-08-02T00:00:00Z,us-east-1a,m5.large,0.0001\n";
    let other = Bench::new();
    let from = [other.file("cheap.csv", cheap)];
    other.update_from(None, &from, &[]).expect("imported");
    assert_eq!(spot(&other).0, 99);
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
