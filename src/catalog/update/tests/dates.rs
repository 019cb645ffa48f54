//! Dates that files bear.

use super::plans::PLAN_LIST;
use super::*;

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
