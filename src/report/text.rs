//! Text for people and files: figures, and names that users chose.
//!
//! Every name passes [`name`] before it is shown anywhere: control and
//! direction-changing characters would otherwise rearrange the text around
//! them. Escaping for a format happens where that format is written.

use crate::units::Money;

/// What stands for a character that may not be shown.
const REPLACEMENT: char = '\u{FFFD}';

/// Whether a character changes the text around it instead of being text:
/// control characters, direction overrides and isolates, line separators,
/// characters XML does not allow, and the private tag block.
fn unshowable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}')
}

/// A name of the user's, safe to show on one line.
#[must_use]
pub fn name(raw: &str) -> String {
    raw.chars().map(|c| if unshowable(c) { REPLACEMENT } else { c }).collect()
}

/// A text of several lines, each safe to show.
pub(super) fn lines(raw: &str) -> String {
    raw.split('\n').map(name).collect::<Vec<_>>().join("\n")
}

/// At most `max` characters, the last an ellipsis where some were cut.
#[must_use]
pub fn shortened(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// With a capital letter in front.
pub(super) fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect()
}

/// Decimals that suit an amount: cents, and four places below a dollar.
pub(super) fn places(largest: Money) -> u32 {
    let pico = largest.pico().unsigned_abs();
    if pico != 0 && pico < 1_000_000_000_000 { 4 } else { 2 }
}

/// `$1,234.50`, with a true minus sign.
pub(super) fn usd(amount: Money, places: u32) -> String {
    dollars(&amount.human(places))
}

/// A decimal as dollars, with a true minus sign.
pub(super) fn dollars(decimal: &str) -> String {
    match decimal.strip_prefix('-') {
        Some(positive) => format!("\u{2212}${positive}"),
        None => format!("${decimal}"),
    }
}

/// `1,234.50` in at most `width` characters: with fewer decimals where the
/// amount is large, its size alone where even whole dollars are too long.
pub(super) fn fitted(amount: Money, places: u32, width: usize) -> String {
    (0..=places)
        .rev()
        .map(|places| amount.human(places))
        .find(|text| text.len() <= width)
        .unwrap_or_else(|| format!("{:.1e}", amount.to_f64()))
}

/// As [`usd`] with a sign in front of increases as well.
pub(super) fn signed_usd(amount: Money, places: u32) -> String {
    let text = usd(amount, places);
    if amount > Money::ZERO { format!("+{text}") } else { text }
}

/// Dollars of a statistic; `–` where it is no number.
pub(super) fn usd_f64(amount: f64, places: usize) -> String {
    if !amount.is_finite() {
        return "–".to_owned();
    }
    let sign = if amount < 0.0 && !rounds_to_zero(amount, places) { "\u{2212}" } else { "" };
    format!("{sign}${}", grouped(amount.abs(), places))
}

fn rounds_to_zero(value: f64, places: usize) -> bool {
    !format!("{:.places$}", value.abs()).contains(|c: char| c.is_ascii_digit() && c != '0')
}

/// A number with thousands separators; `–` where it is no number.
pub(super) fn grouped(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value.abs() >= 1e15 {
        return format!("{value:.2e}");
    }
    let text = format!("{:.places$}", value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    if value < 0.0 && !rounds_to_zero(value, places) {
        out.push('\u{2212}');
    }
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if !part.is_empty() {
        out.push('.');
        out.push_str(part);
    }
    out
}

/// A count with thousands separators.
pub(super) fn count(value: u64) -> String {
    grouped(value as f64, 0)
}

/// A number of things: `1 pod`, `1,108 pods`.
pub(super) fn counted(n: u64, thing: &str) -> String {
    format!("{} {}", count(n), crate::nouns::noun(n, thing))
}

/// A mean of counts: whole where it is whole or large, else one decimal;
/// beyond a billion only its size.
pub(super) fn mean_count(value: f64) -> String {
    if value.is_finite() && value.abs() >= 1e9 {
        return format!("{value:.1e}");
    }
    let whole = value.fract().abs() < 1e-9 || value.abs() >= 1_000.0;
    grouped(value, usize::from(!whole))
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    let places = usize::from(share.abs() < 0.1 && share.abs() > 0.0);
    format!("{}\u{A0}%", grouped(share * 100.0, places))
}

/// A part of a whole as a percentage; a dash where there is no whole.
pub(super) fn share(part: Money, whole: Money) -> String {
    part.share_of(whole).map_or_else(|| "–".to_owned(), percent)
}

/// Seconds as people say them: `0.35 s`, `41 s`, `4 min 05 s`, `2 h 05 min`;
/// not to be broken across lines.
pub(super) fn seconds(value: f64) -> String {
    duration(value).replace(' ', "\u{A0}")
}

fn duration(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value < 0.0 {
        return format!("\u{2212}{}", duration(-value));
    }
    if value < 9.95 {
        let places = if value == 0.0 {
            0
        } else if value < 0.995 {
            2
        } else {
            1
        };
        return format!("{} s", grouped(value, places));
    }
    if value < 59.5 {
        return format!("{value:.0} s");
    }
    let whole = value.round();
    if whole < 3_600.0 {
        let whole = whole as u64;
        return format!("{} min {:02} s", whole / 60, whole % 60);
    }
    let minutes = (value / 60.0).round();
    if minutes < 48.0 * 60.0 {
        let minutes = minutes as u64;
        return format!("{} h {:02} min", minutes / 60, minutes % 60);
    }
    format!("{} d", grouped(value / 86_400.0, 1))
}

/// Amounts rounded so that they add up: the rounded start plus every rounded
/// part is the rounded end. `start` is what the parts are added to (zero for
/// parts of a whole).
pub(super) fn adding_up(start: Money, parts: &[Money], places: u32) -> Vec<Money> {
    let unit = 10i128.pow(12 - places.min(12));
    let round = |m: Money| {
        // Half away from zero: only the place where rounding happens matters.
        let half = if m.pico() < 0 { -unit / 2 } else { unit / 2 };
        (m.pico() + half) / unit * unit
    };
    let mut exact = start;
    let mut shown = round(start);
    parts
        .iter()
        .map(|part| {
            exact += *part;
            let next = round(exact);
            let step = next - shown;
            shown = next;
            Money::from_pico(step)
        })
        .collect()
}

/// A cell of a CSV file that a spreadsheet will not run as a formula: names
/// come from users and files, and the reader may double-click the file.
pub(super) fn csv_cell(raw: &str) -> String {
    let text = name(raw);
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

/// Text inside a Markdown table cell.
pub(super) fn markdown_cell(raw: &str) -> String {
    let mut out = String::new();
    for c in name(raw).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(text: &str) -> Money {
        text.parse().expect("a decimal")
    }

    #[test]
    fn amounts_fit_their_column() {
        for (amount, shown) in [
            ("96000", "96,000.00"),
            ("1234567.891", "1,234,568"),
            ("-0.0000014", "-0.000001"),
            ("12345678.9", "1.2e7"),
            ("0", "0.000000"),
        ] {
            assert_eq!(fitted(dollars(amount), 6, 9), shown, "{amount}");
        }
    }

    #[test]
    fn names_lose_what_rearranges_text() {
        assert_eq!(name("a\u{202E}b\u{0}c\nd"), "a\u{FFFD}b\u{FFFD}c\u{FFFD}d");
        assert_eq!(name("naïve עברית 日本"), "naïve עברית 日本");
        assert_eq!(lines("a\nb\u{7}"), "a\nb\u{FFFD}");
        assert_eq!(shortened("abcdef", 4), "abc…");
        assert_eq!(shortened("abcd", 4), "abcd");
        assert_eq!(shortened("ab cdef", 4), "ab…");
    }

    #[test]
    fn figures_are_grouped() {
        assert_eq!(grouped(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(grouped(-1_000.0, 0), "\u{2212}1,000");
        assert_eq!(grouped(-0.001, 2), "0.00");
        assert_eq!(grouped(f64::NAN, 2), "–");
        assert_eq!(grouped(1e300, 0), "1.00e300");
        assert_eq!(usd(dollars("-1234.5"), 2), "\u{2212}$1,234.50");
        assert_eq!(signed_usd(dollars("3"), 2), "+$3.00");
        assert_eq!(usd_f64(-0.001, 2), "$0.00");
        assert_eq!(usd_f64(-3.456, 2), "\u{2212}$3.46");
        assert_eq!(percent(0.635), "64\u{A0}%");
        assert_eq!(percent(0.0123), "1.2\u{A0}%");
        assert_eq!(mean_count(3.0), "3");
        assert_eq!(mean_count(3.25), "3.2");
    }

    #[test]
    fn seconds_read_naturally() {
        for (value, text) in [
            (0.0, "0 s"),
            (0.351, "0.35 s"),
            (9.94, "9.9 s"),
            (41.2, "41 s"),
            (59.7, "1 min 00 s"),
            (245.0, "4 min 05 s"),
            (7_500.0, "2 h 05 min"),
            (3_599.6, "1 h 00 min"),
            (432_000.0, "5.0 d"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(seconds(value), text.replace(' ', "\u{A0}"), "{value}");
        }
    }

    #[test]
    fn rounded_parts_add_up() {
        let parts = [dollars("0.333333"), dollars("0.333333"), dollars("0.333334")];
        let shown = adding_up(Money::ZERO, &parts, 2);
        assert_eq!(shown.iter().copied().sum::<Money>(), dollars("1.00"));
        // A bridge: 10.004 + 0.004 − 3.336 = 6.672, shown 10.00 … 6.67.
        let shown = adding_up(dollars("10.004"), &[dollars("0.004"), dollars("-3.336")], 2);
        assert_eq!(dollars("10.00") + shown[0] + shown[1], dollars("6.67"));
    }

    #[test]
    fn cells_cannot_break_out() {
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("web"), "web");
        assert_eq!(markdown_cell("a|b<c>*"), "a\\|b&lt;c&gt;\\*");
        assert_eq!(markdown_cell("a\nb"), "a\u{FFFD}b");
    }
}
