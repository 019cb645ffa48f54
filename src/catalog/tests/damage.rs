//! Tables that are not as they should be.

use super::*;

/// A copy of the embedded tables in which one file is changed.
fn with_file(name: &str, change: impl Fn(&str) -> Vec<u8>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (file, text) in EMBEDDED {
        let bytes = if file == name { change(text) } else { text.as_bytes().to_vec() };
        std::fs::write(dir.path().join(file), bytes).expect("written");
    }
    dir
}

fn load_all(dir: &Path) -> Result<()> {
    let catalog = Catalog::load(Some(dir))?;
    for name in ["us-east-1", "eu-west-1"] {
        catalog.region(name)?;
    }
    catalog.dates().map(|_| ())
}

#[test]
fn damaged_tables_are_errors_with_file_and_line() {
    for (file, text) in EMBEDDED {
        let lines = text.lines().count();
        let truncated = with_file(file, |t| t.as_bytes()[..t.len() - 3].to_vec());
        let error = load_all(truncated.path()).expect_err(file);
        assert!(error.is_input());
        let place = format!("{file}:{lines}: ");
        assert!(error.to_string().contains(&place), "{error}");

        let binary = with_file(file, |t| [t.as_bytes(), b"\xff\x00\n"].concat());
        let error = load_all(binary.path()).expect_err(file).to_string();
        assert!(error.contains(&format!("{file}:{}: not UTF-8 text", lines + 1)), "{error}");

        let junk = with_file(file, |t| [t.as_bytes(), b"junk\n"].concat());
        let error = load_all(junk.path()).expect_err(file).to_string();
        assert!(error.contains(&format!("{file}:{}: expected ", lines + 1)), "{error}");

        let empty = with_file(file, |_| Vec::new());
        let error = load_all(empty.path()).expect_err(file).to_string();
        assert!(error.contains(&format!("{file}:1: expected the header")), "{error}");

        let absent = with_file(file, |t| t.as_bytes().to_vec());
        std::fs::remove_file(absent.path().join(file)).expect("removed");
        let error = load_all(absent.path()).expect_err(file).to_string();
        assert!(error.contains(file), "{error}");
    }
}

#[test]
fn a_directory_without_tables_is_an_error_with_a_remedy() {
    let dir = tempfile::tempdir().expect("a directory");
    for at in [dir.path().to_owned(), dir.path().join("nowhere")] {
        let error = Catalog::load(Some(&at)).expect_err("no tables");
        assert!(error.is_input());
        let said = error.to_string();
        let remedy = format!("`plimsoll prices update --from FILE -o {}`", at.display());
        assert!(said.starts_with("there is no price table `"), "{said}");
        assert!(said.contains(&remedy) && said.contains("without --pricing"), "{said}");
    }
}

#[test]
fn wrong_values_are_errors_with_file_and_line() {
    for (file, from, to, complaint) in [
        (
            "ec2-on-demand.csv",
            "us-east-1,m5.large,0.096,",
            "us-east-1,m5.large,-1,",
            "between 0 and",
        ),
        (
            "ec2-on-demand.csv",
            "us-east-1,m5.large,0.096,",
            "us-east-1,m5.large,0.0,",
            "`0.0` of `m5.large` must be above 0; remove the row",
        ),
        (
            "ec2-on-demand.csv",
            "us-east-1,m5.large,0.096,",
            "us-east-1,m5.large,NaN,",
            "usd_per_hour `NaN`",
        ),
        (
            "ec2-on-demand.csv",
            "us-east-1,m5.large,0.096,",
            "us-east-1,m5.lrge,1,",
            "`m5.lrge` is not listed",
        ),
        ("ec2-on-demand.csv", "us-east-1,m5.large,", "us-east-1,m5.xlarge,", "listed twice"),
        ("ec2-on-demand.csv", "0.096,karpenter", "0.096,nobody", "source `nobody`"),
        ("ec2-spot.csv", "us-east-1,m5.large,66,3", "us-east-1,m5.large,166,3", "saving_pct `166`"),
        ("ec2-spot.csv", "us-east-1,m5.large,66,3", "us-east-1,m5.large,100,3", "up to 99"),
        ("ec2-spot.csv", "us-east-1,m5.large,66,3", "us-east-1,m5.large,66,5", "band `5`"),
        ("fargate.csv", "linux,arm64,spot,0.009714", "linux,amd64,spot,0.009714", "listed twice"),
        (
            "fargate.csv",
            "linux,arm64,spot,0.009714",
            "linux,arm64,sport,0.009714",
            "purchase `sport`",
        ),
        ("charges.csv", "gp3-storage,GB-month", "gp3-storage,GB-hour", "charged per GB-month"),
        (
            "savings-plans.csv",
            "us-east-1,fargate,compute-sp,1y",
            "us-east-1,fargate,compute-sp,2y",
            "term `2y`",
        ),
        ("regions.csv", "us-east-1,usd,1,", "us-east-1,usd,101,", "between 0 and 100"),
        ("instance-types.csv", "m5.large,5,2,", "m5.large,5,0,", "must have cpu"),
        ("instance-types.csv", "m5.large,5,2,8192", "m5.large,5,2,99999999999", "memory_mib"),
        ("instance-types.csv", "\nm5.large,", "\nm5large,", "family.size"),
        ("sources.csv", "karpenter,real", "karpenter,certain", "status `certain`"),
    ] {
        let dir = with_file(file, |text| {
            assert!(text.contains(from), "{file}: {from}");
            text.replacen(from, to, 1).into_bytes()
        });
        let error = load_all(dir.path()).expect_err(to).to_string();
        let place = error.split_once(file).map(|(_, rest)| rest).expect("names the file");
        let line = place.trim_start_matches(':').split(':').next().expect("names the line");
        assert!(line.parse::<usize>().is_ok(), "{error}");
        assert!(error.contains(complaint), "{error}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn no_damage_panics(
        file in 0..EMBEDDED.len(),
        at in 0.0..1.0_f64,
        cut in 0..40_usize,
        junk in "[-+0-9a-zµ,\"\\n\\r. ]{0,12}",
    ) {
        let mut tables = Tables::embedded();
        let text = tables.0[file].text.to_string();
        // The first rows of every table belong to Regions that are read here.
        let mut from = (at * text.len().min(4_000) as f64) as usize;
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        let mut to = (from + cut).min(text.len());
        while !text.is_char_boundary(to) {
            to -= 1;
        }
        tables.0[file].text = Cow::Owned(format!("{}{junk}{}", &text[..from], &text[to..]));
        let read = Catalog::from_tables(tables).and_then(|catalog| {
            catalog.region("af-south-1")?;
            catalog.region("us-east-1")?;
            catalog.dates()
        });
        if let Err(error) = read {
            proptest::prop_assert!(error.is_input(), "{}", error);
        }
    }
}
