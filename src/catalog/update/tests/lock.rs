//! What is written beside the tables.

use super::*;

#[test]
fn the_lock_states_the_hash_of_the_file() {
    let bench = Bench::new();
    let file = bench.file("advisor.json", &format!("{ADVISOR}\n\n"));
    bench.update(std::slice::from_ref(&file)).expect("imported");
    let bytes = std::fs::read(file).expect("there");
    let lock = bench.text(LOCK_FILE);
    assert!(lock.contains(&sha256(std::str::from_utf8(&bytes).expect("text"))), "{lock}");
    assert!(!lock.contains(&bench.0.path().display().to_string()), "{lock}");
    // The same files give the same bytes.
    let again = Bench::new();
    again.update(&[again.file("advisor.json", &format!("{ADVISOR}\n\n"))]).expect("imported");
    for name in [LOCK_FILE, "ec2-spot.csv", "sources.csv"] {
        assert_eq!(bench.text(name), again.text(name), "{name}");
    }
}

/// Files of AWS all have the same name, a Region each.
#[test]
fn files_of_one_name_are_all_locked() {
    let bench = Bench::new();
    let mut files = Vec::new();
    for region in ["us-east-1", "eu-west-1"] {
        std::fs::create_dir(bench.0.path().join(region)).expect("made");
        let text = one(region, "USD", "0.1");
        files.push(bench.file(&format!("{region}/index.json"), &text));
    }
    bench.update(&files).expect("imported");
    let locked = |name: &str| bench.text(LOCK_FILE).matches(name).count();
    assert_eq!(locked("\"index.json\""), 2);
    let whole = [LOCK_FILE, "ec2-on-demand.csv", "sources.csv"].map(|name| bench.text(name));
    // Once more over itself: the same bytes.
    let out = bench.out();
    bench.update_from(Some(&out), &files, &[]).expect("imported");
    assert_eq!([LOCK_FILE, "ec2-on-demand.csv", "sources.csv"].map(|n| bench.text(n)), whole);
    let imported = bench.catalog().imported();
    assert_eq!(imported.as_deref(), Some("EC2 price list 2026-07-20"));
    // A newer list of both Regions leaves nothing of the older ones.
    let newer: Vec<PathBuf> = ["us-east-1", "eu-west-1"]
        .map(|region| {
            let text = one(region, "USD", "0.2").replace("2026-07-20", "2026-08-20");
            bench.file(&format!("{region}/index.json"), &text)
        })
        .into();
    let told = bench.update_from(Some(&out), &newer[..1], &[]).expect("imported");
    assert_eq!(told[0].older, 0);
    let imported = bench.catalog().imported();
    assert_eq!(imported.as_deref(), Some("EC2 price list 2026-07-20..2026-08-20"));
    bench.update_from(Some(&out), &newer[1..], &[]).expect("imported");
    let imported = bench.catalog().imported();
    assert_eq!(imported.as_deref(), Some("EC2 price list 2026-08-20"));
    // And back again, which is told.
    let old = bench.file("old.json", &one("eu-west-1", "USD", "0.1"));
    let told = bench.update_from(Some(&out), &[old], &[]).expect("imported");
    assert_eq!((told[0].rows, told[0].older), (1, 1));
}

#[test]
fn tables_changed_since_are_named() {
    let bench = Bench::new();
    let file = bench.file("index.json", &one("us-east-1", "USD", "0.1"));
    bench.update(std::slice::from_ref(&file)).expect("imported");
    assert_eq!(bench.catalog().edited(), None);
    let path = bench.out().join("ec2-on-demand.csv");
    let edited = bench
        .text("ec2-on-demand.csv")
        .replace("us-east-1,m5.large,0.1,", "us-east-1,m5.large,0.09,");
    std::fs::write(&path, edited).expect("written");
    let warning = bench.catalog().edited().expect("noticed");
    assert!(warning.starts_with("ec2-on-demand.csv of `"), "{warning}");
    assert!(warning.contains("is not as prices.lock has it"), "{warning}");
    // An import on top of it is not as if nothing had been.
    let (out, eks) = (
        bench.out(),
        by_usage("AmazonEKS", "2026-05-03", &[("EU-AmazonEKS-Hours:perCluster", "", "0.1")]),
    );
    bench.update_from(Some(&out), &[bench.file("eks.json", &eks)], &[]).expect("imported");
    assert_eq!(bench.catalog().edited().as_ref(), Some(&warning));
    let charges = bench.text("charges.csv").replace(
        "eu-west-1,eks-control-plane,cluster-hour,0.1,",
        "eu-west-1,eks-control-plane,cluster-hour,0.2,",
    );
    std::fs::write(bench.out().join("charges.csv"), charges).expect("written");
    let warning = bench.catalog().edited().expect("noticed");
    assert!(warning.starts_with("ec2-on-demand.csv, charges.csv of `"), "{warning}");
    // From the tables of the program all is as it was imported.
    bench.update(&[file]).expect("imported");
    assert_eq!(bench.catalog().edited(), None);
}

#[test]
fn a_lock_that_says_nothing_is_an_error() {
    let bench = Bench::new();
    bench.update(&[bench.file("index.json", &one("us-east-1", "USD", "0.1"))]).expect("imported");
    let whole = bench.text(LOCK_FILE);
    for (text, why) in [
        (whole[..200].to_owned(), "EOF"),
        (whole.replace("\"lock_version\": 1", "\"lock_version\": 2"), "version 2"),
        (whole.replace("\"fargate.csv\"", "\"other.csv\""), "has no hash of it"),
    ] {
        std::fs::write(bench.out().join(LOCK_FILE), text).expect("written");
        let error = Catalog::load(Some(&bench.out())).expect_err("refused");
        assert!(error.is_input(), "{error}");
        let error = error.to_string();
        assert!(error.contains(why) && error.contains("help: "), "{error}");
        assert!(error.contains(LOCK_FILE), "{error}");
    }
    std::fs::remove_file(bench.out().join(LOCK_FILE)).expect("removed");
    assert_eq!(bench.catalog().imported(), None);
}
