//! Dates as the cost-management exports write them.

use crate::text;

/// Months as `date` abbreviates them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Unix milliseconds of `2023-03-15 13:00:00 +0000 UTC` (Go's `Time.String`),
/// `Wed Mar 15 09:27:43 UTC 2023` (`date`), or RFC 3339.
///
/// # Errors
/// When it is none of them.
pub(super) fn unix_ms(value: &[u8]) -> Result<i64, &'static str> {
    let wrong = "is no date such as 2023-03-15 13:00:00 +0000 UTC";
    let text = std::str::from_utf8(value.trim_ascii()).map_err(|_| wrong)?;
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let rfc3339 = match words.as_slice() {
        // The offset decides; the zone's name repeats it.
        [date, time, offset] | [date, time, offset, _] if text::is_timestamp(value) => {
            let (hours, minutes) =
                offset.split_at_checked(3).filter(|(_, m)| m.len() == 2).ok_or(wrong)?;
            format!("{date}T{time}{hours}:{minutes}")
        }
        [_, month, day, time, "UTC" | "GMT", year] => {
            let month = MONTHS.iter().position(|m| m == month).ok_or(wrong)? + 1;
            format!("{year}-{month:02}-{day:0>2}T{time}Z")
        }
        _ => text.to_owned(),
    };
    text::timestamp_ms(rfc3339.as_bytes()).map_err(|_| wrong)
}

/// The interval that a first and a last second describe, as start and length
/// in milliseconds. An interval that ends at `:59` includes that second; one
/// that begins at `:01` and ends at `:00` begins after the one before it.
///
/// # Errors
/// When either is no date.
pub(super) fn interval(first: &[u8], last: &[u8]) -> Result<(i64, i64), (bool, &'static str)> {
    let (mut start, mut end) =
        (unix_ms(first).map_err(|e| (true, e))?, unix_ms(last).map_err(|e| (false, e))?);
    let second = |ms: i64| ms.rem_euclid(60_000);
    if second(end) == 59_000 && second(start) == 0 {
        end += 1_000;
    }
    if second(start) == 1_000 && second(end) == 0 {
        start -= 1_000;
    }
    Ok((start, end.saturating_sub(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_styles_name_the_same_moment() {
        let at = text::timestamp_ms(b"2023-03-05T09:27:43Z").expect("a timestamp");
        for text in [
            "2023-03-05 09:27:43 +0000 UTC",
            "2023-03-05 11:27:43 +0200 CEST",
            "2023-03-05 09:27:43 +0000",
            "Sun Mar  5 09:27:43 UTC 2023",
            "Sun Mar 05 09:27:43 GMT 2023",
            "2023-03-05T09:27:43Z",
            "2023-03-05 09:27:43",
        ] {
            assert_eq!(unix_ms(text.as_bytes()), Ok(at), "{text}");
        }
        for bad in [
            "",
            "Sun Mar 5 09:27:43 CET 2023",
            "2023-03-05 09:27:43 UTC",
            "2023-13-05 09:27:43 +0000 UTC",
            "1678008463",
            "Sun Foo 5 09:27:43 UTC 2023",
        ] {
            assert!(unix_ms(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn borders_are_whole_minutes() {
        let of = |a: &str, b: &str| interval(a.as_bytes(), b.as_bytes());
        let hour = of("2023-03-15 13:00:00 +0000 UTC", "2023-03-15 13:59:59 +0000 UTC");
        let start = unix_ms(b"2023-03-15 13:00:00 +0000 UTC").expect("a date");
        assert_eq!(hour, Ok((start, 3_600_000)));
        let quarter = of("2023-03-15 13:00:01 +0000 UTC", "2023-03-15 13:15:00 +0000 UTC");
        assert_eq!(quarter, Ok((start, 900_000)));
        let odd = of("Wed Mar 15 09:27:43 UTC 2023", "Wed Mar 15 09:42:44 UTC 2023");
        assert_eq!(odd.map(|i| i.1), Ok(901_000));
        assert_eq!(of("x", "y").map_err(|e| e.0), Err(true));
    }
}
