//! Sizes of instance types in normalised units.
//!
//! EC2 user guide, "How Reserved Instances are applied", instance size
//! flexibility: nano 0.25, micro 0.5, small 1, medium 2, large 4, xlarge 8,
//! *k*xlarge 8·*k*; a bare-metal size counts as the size it is equivalent to.
//! In quarters of a unit every size is an integer.

/// The size of an instance type in quarters of a normalised unit; `None` where
/// the name has no size AWS documents.
///
/// ```
/// use plimsoll::bill::commitments::normal_quarters;
/// assert_eq!(normal_quarters("t3.nano"), Some(1));
/// assert_eq!(normal_quarters("m5.2xlarge"), Some(64));
/// assert_eq!(normal_quarters("i3.metal"), Some(512));
/// ```
#[must_use]
pub fn normal_quarters(instance_type: &str) -> Option<u32> {
    let (family, size) = instance_type.split_once('.')?;
    let units = match size {
        "nano" => return Some(1),
        "micro" => return Some(2),
        "small" => 1,
        "medium" => 2,
        "large" => 4,
        "xlarge" => 8,
        "metal" => metal(family)?,
        _ => {
            let times = size.strip_prefix("metal-").unwrap_or(size);
            let times = times.strip_suffix("xlarge").or_else(|| {
                // `metal-24xl`, and only there.
                size.starts_with("metal-").then(|| times.strip_suffix("xl")).flatten()
            })?;
            times.parse::<u32>().ok().filter(|k| (1..=10_000).contains(k))? * 8
        }
    };
    Some(units * 4)
}

/// Bare-metal sizes without a number, in normalised units: those of the size of
/// the family with as many vCPUs. AWS lists families up to 2021; the rule it
/// states gives the later ones.
fn metal(family: &str) -> Option<u32> {
    Some(match family {
        "a1" => 32,
        "m5zn" | "x2iezn" | "z1d" => 96,
        "c6g" | "c6gd" | "c7g" | "c7gd" | "c7gn" | "g5g" | "i3" | "m6g" | "m6gd" | "m7g"
        | "m7gd" | "r6g" | "r6gd" | "r7g" | "r7gd" | "x2gd" => 128,
        "c5n" => 144,
        "c5" | "c5d" | "i3en" | "m5" | "m5d" | "m5dn" | "m5n" | "r5" | "r5b" | "r5d" | "r5dn"
        | "r5n" => 192,
        "c6i" | "c6id" | "c6in" | "i4i" | "m6i" | "m6id" | "m6idn" | "m6in" | "r6i" | "r6id"
        | "r6idn" | "r6in" | "x2idn" | "x2iedn" => 256,
        "c6a" | "m6a" | "r6a" => 384,
        _ if family.starts_with("u-") => 896,
        _ => return None,
    })
}

/// Families whose regional Reserved Instances cover their own size only (EC2
/// user guide, edition of 2025).
const FIXED_SIZE: [&str; 15] = [
    "g4ad", "g4dn", "g5", "g5g", "g6", "g6e", "g6f", "gr6", "gr6f", "hpc7a", "inf1", "inf2", "p5",
    "u7i-6tb", "u7i-8tb",
];

/// Whether a regional Reserved Instance of this type (Linux, shared tenancy)
/// also covers other sizes of its family.
#[must_use]
pub fn size_flexible(instance_type: &str) -> bool {
    let family = instance_type.split_once('.').map_or(instance_type, |(family, _)| family);
    !FIXED_SIZE.contains(&family) && normal_quarters(instance_type).is_some()
}

/// Whether two instance types are sizes of one family.
#[must_use]
pub fn same_family(a: &str, b: &str) -> bool {
    match (a.split_once('.'), b.split_once('.')) {
        (Some((a, _)), Some((b, _))) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_documented_factors() {
        let units = |name| f64::from(normal_quarters(name).expect(name)) / 4.0;
        for (name, expected) in [
            ("t3.nano", 0.25),
            ("t3.micro", 0.5),
            ("t3.small", 1.0),
            ("t3.medium", 2.0),
            ("m5.large", 4.0),
            ("m5.xlarge", 8.0),
            ("c5.9xlarge", 72.0),
            ("c5.18xlarge", 144.0),
            ("m7i.48xlarge", 384.0),
            ("u-6tb1.112xlarge", 896.0),
            ("a1.metal", 32.0),
            ("z1d.metal", 96.0),
            ("i3.metal", 128.0),
            ("c5n.metal", 144.0),
            ("m5.metal", 192.0),
            ("u-12tb1.metal", 896.0),
            ("m7i.metal-24xl", 192.0),
            ("m7i.metal-48xl", 384.0),
            ("m6i.metal", 256.0),
            ("r7gd.metal", 128.0),
        ] {
            assert_eq!(units(name).to_bits(), f64::to_bits(expected), "{name}");
        }
        for name in ["m5", "m5.", "m5.xl", "m5.0xlarge", "mac1.metal", "m5.metal-xl", "m5.24xl"] {
            assert_eq!(normal_quarters(name), None, "{name}");
        }
    }

    #[test]
    fn some_families_have_no_size_flexibility() {
        assert!(size_flexible("m5.large") && size_flexible("i3.metal"));
        for name in ["g4dn.xlarge", "inf1.6xlarge", "g6.xlarge", "gr6.4xlarge", "p5.48xlarge"] {
            assert!(!size_flexible(name), "{name}");
        }
        assert!(size_flexible("p4d.24xlarge") && size_flexible("u7i-12tb.224xlarge"));
        assert!(same_family("m5.large", "m5.metal") && !same_family("m5.large", "m5a.large"));
    }

    /// Bare metal has the size of its family with as many vCPUs.
    #[test]
    fn every_known_type_has_a_size() {
        let Some(dir) = crate::testing::shared_dir() else { return };
        let text =
            std::fs::read_to_string(dir.join("facts/ec2-instance-types.csv")).expect("readable");
        let rows: Vec<(&str, &str)> = text
            .lines()
            .skip(1)
            .filter_map(|line| {
                let mut fields = line.split(',');
                fields.next().zip(fields.nth(3))
            })
            .collect();
        assert!(rows.len() > 1_000, "{}", rows.len());
        let mut compared = 0;
        for (name, vcpus) in &rows {
            let size = normal_quarters(name);
            // Nothing to be equivalent to: no other size, or none so large.
            let alone = name.starts_with("mac") || *name == "g4dn.metal";
            assert_eq!(size.is_none(), alone, "{name}");
            let equal = rows.iter().find(|(other, of)| {
                other != name && of == vcpus && same_family(other, name) && !other.contains("metal")
            });
            if let Some((other, _)) = equal.filter(|_| name.contains(".metal")) {
                assert_eq!(size, normal_quarters(other), "{name} and {other}");
                compared += 1;
            }
        }
        assert!(compared > 70, "{compared}");
    }
}
