//! Text files from outside: opening them, plain or gzip, with a bound on
//! what one record may hold, and reading single values.
//!
//! Values take a short path for the forms that fill real files (`12.5`,
//! `500m`, `2Gi`) and fall back on the exact parsers of [`crate::units`].

pub(crate) mod sealed;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};
use crate::units::{Bytes, DAY_MS, MilliCpu, parse_cpu, parse_memory};

/// Longest line or CSV record. A missing line end or an unclosed quote in a
/// large file must not fill memory.
pub const MAX_RECORD_BYTES: u64 = 1 << 20;

/// Latest accepted time and longest accepted duration: 1,000 years.
pub const MAX_MS: i64 = 1_000 * 366 * DAY_MS;

/// Bytes read from the file at a time.
const BUFFER: usize = 64 << 10;

/// Refuses what is no regular file: directories, and pipes and devices, which
/// may never end.
///
/// # Errors
/// Where there is nothing, or something else than a file.
pub fn check_regular(path: &Path) -> Result<()> {
    let kind = std::fs::metadata(path).map_err(|e| Error::read(path, &e))?;
    if kind.is_dir() {
        return Err(Error::input(format!("`{}` is a directory, not a file", path.display())));
    }
    if !kind.is_file() {
        return Err(Error::input(format!("`{}` is no regular file", path.display())));
    }
    Ok(())
}

/// Opens a file, unpacking gzip by its magic number whatever the name says.
///
/// # Errors
/// When the file cannot be opened or read.
pub fn open(path: &Path) -> Result<Box<dyn Read>> {
    check_regular(path)?;
    let file = File::open(path).map_err(|e| Error::read(path, &e))?;
    unpack(file).map_err(|e| Error::read(path, &e))
}

/// As [`open`] for bytes that are already at hand.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn unpack<R: Read + 'static>(input: R) -> io::Result<Box<dyn Read>> {
    let mut reader = BufReader::with_capacity(BUFFER, input);
    if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        Ok(Box::new(MultiGzDecoder::new(reader)))
    } else {
        Ok(Box::new(reader))
    }
}

/// A reader that fails once it has handed out far more than
/// [`MAX_RECORD_BYTES`] since its owner last saw the end of a record.
pub struct Bounded {
    input: Box<dyn Read>,
    since: Rc<Cell<u64>>,
    /// The first line's end, once it is seen: whether it is CRLF.
    crlf: Rc<Cell<Option<bool>>>,
    last: u8,
}

/// Where the owner of a [`Bounded`] reports the end of a record.
#[derive(Debug, Clone)]
pub struct RecordEnd {
    since: Rc<Cell<u64>>,
    crlf: Rc<Cell<Option<bool>>>,
}

impl RecordEnd {
    /// A record is complete.
    pub fn mark(&self) {
        self.since.set(0);
    }

    /// Whether the first line read ends in CRLF.
    #[must_use]
    pub fn is_crlf(&self) -> bool {
        self.crlf.get() == Some(true)
    }
}

impl Bounded {
    /// Bounds `input`.
    #[must_use]
    pub fn new(input: Box<dyn Read>) -> (Self, RecordEnd) {
        let end = RecordEnd { since: Rc::new(Cell::new(0)), crlf: Rc::new(Cell::new(None)) };
        let (since, crlf) = (Rc::clone(&end.since), Rc::clone(&end.crlf));
        (Bounded { input, since, crlf, last: 0 }, end)
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since.get() > MAX_RECORD_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a row is longer than 1 MiB; is a line end or a closing quote missing?",
            ));
        }
        let n = self.input.read(buffer)?;
        self.since.set(self.since.get() + n as u64);
        let read = buffer.get(..n).unwrap_or_default();
        if self.crlf.get().is_none() {
            if let Some(at) = read.iter().position(|c| *c == b'\n') {
                let before = at.checked_sub(1).map_or(self.last, |before| read[before]);
                self.crlf.set(Some(before == b'\r'));
            }
            self.last = read.last().copied().unwrap_or(self.last);
        }
        Ok(n)
    }
}

/// Lines of a text file, each at most [`MAX_RECORD_BYTES`] long.
pub struct Lines {
    input: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Lines of `input`.
    #[must_use]
    pub fn new(input: Box<dyn Read>) -> Self {
        Lines { input: BufReader::with_capacity(BUFFER, input), line: Vec::new(), number: 0 }
    }

    /// Number of the line last read, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The line last read.
    #[must_use]
    pub fn current(&self) -> &[u8] {
        &self.line
    }

    /// Reads the next line without its end; false at the end of the file.
    ///
    /// # Errors
    /// When reading fails or the line is too long.
    pub fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        let mut limited = self.input.by_ref().take(MAX_RECORD_BYTES + 1);
        if limited.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(false);
        }
        self.number += 1;
        if self.line.len() as u64 > MAX_RECORD_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("line {} is longer than 1 MiB", self.number),
            ));
        }
        while matches!(self.line.last(), Some(b'\n' | b'\r')) {
            self.line.pop();
        }
        Ok(true)
    }
}

/// Seconds as a decimal, to the nearest millisecond.
///
/// # Errors
/// When it is no decimal, negative, not finite or beyond 1,000 years.
pub fn seconds_ms(text: &[u8]) -> std::result::Result<i64, &'static str> {
    let text = text.trim_ascii();
    let ms = match plain_seconds(text) {
        Some(ms) => ms,
        None => float_seconds(text)?,
    };
    if ms > MAX_MS { Err("is later or longer than 1,000 years") } else { Ok(ms) }
}

/// Digits with at most one point: the short path of [`seconds_ms`].
fn plain_seconds(text: &[u8]) -> Option<i64> {
    let mut ms: i64 = 0;
    let mut rest = text;
    let mut digits = 0;
    while let Some((c @ b'0'..=b'9', tail)) = rest.split_first() {
        ms = ms * 10 + i64::from(c - b'0');
        digits += 1;
        rest = tail;
        if digits > 14 {
            return None;
        }
    }
    ms *= 1_000;
    match rest.split_first() {
        None => {}
        Some((b'.', fraction)) => {
            let mut unit = 100;
            for (i, c) in fraction.iter().enumerate() {
                if !c.is_ascii_digit() {
                    return None;
                }
                let digit = i64::from(c - b'0');
                ms += digit * unit;
                unit /= 10;
                // The fourth digit alone decides rounding half up.
                if i == 3 && digit >= 5 {
                    ms += 1;
                }
            }
            digits += fraction.len();
        }
        Some(_) => return None,
    }
    (digits > 0).then_some(ms)
}

/// Scientific notation, and the reason where it is no number at all.
fn float_seconds(text: &[u8]) -> std::result::Result<i64, &'static str> {
    let value: f64 = std::str::from_utf8(text)
        .ok()
        .and_then(|t| t.parse().ok())
        .ok_or("is not a number of seconds")?;
    if value.is_nan() || value.is_infinite() {
        return Err("is not a finite number of seconds");
    }
    if value < 0.0 {
        return Err("is negative");
    }
    if value > MAX_MS as f64 / 1e3 {
        return Err("is later or longer than 1,000 years");
    }
    Ok((value * 1e3 + 0.5) as i64)
}

/// Whether a time looks like a calendar timestamp rather than seconds.
#[must_use]
pub fn is_timestamp(text: &[u8]) -> bool {
    matches!(text.trim_ascii(), [a, b, c, d, b'-', ..] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()))
}

/// A timestamp in Unix milliseconds: RFC 3339, or without a zone, which
/// then is UTC.
///
/// # Errors
/// When it is none.
pub fn timestamp_ms(text: &[u8]) -> std::result::Result<i64, &'static str> {
    let wrong = "is no timestamp such as 2026-01-05T08:00:00Z";
    let text = std::str::from_utf8(text.trim_ascii()).map_err(|_| wrong)?;
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Ok(stamp.as_millisecond());
    }
    text.parse::<jiff::civil::DateTime>()
        .ok()
        .and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp().as_millisecond())
        .ok_or(wrong)
}

/// The day (UTC) of a moment, as in 2026-01-05; empty where no calendar has it.
#[must_use]
pub fn utc_day(unix_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(unix_ms);
    at.map_or_else(|_| String::new(), |t| t.strftime("%Y-%m-%d").to_string())
}

/// A time since the start of the run: seconds, or a timestamp where the
/// start is known.
///
/// # Errors
/// When it is neither, or lies before the start.
pub fn time_ms(text: &[u8], start_unix_ms: Option<i64>) -> std::result::Result<i64, &'static str> {
    if !is_timestamp(text) {
        return seconds_ms(text);
    }
    let at = timestamp_ms(text)?;
    let start = start_unix_ms.ok_or(
        "is a timestamp, but the start of the run is not known; set `time.start` or give seconds since the start",
    )?;
    let ms = at.saturating_sub(start);
    if ms < 0 {
        return Err("is before the start of the run; set `time.start` to it or earlier");
    }
    if ms > MAX_MS {
        return Err("is more than 1,000 years after the start");
    }
    Ok(ms)
}

/// A cpu quantity or number of cores.
///
/// # Errors
/// As [`parse_cpu`].
pub fn cpu(text: &[u8]) -> std::result::Result<MilliCpu, String> {
    let text = text.trim_ascii();
    if let Some(milli) = plain_cpu(text) {
        return Ok(milli);
    }
    let text = std::str::from_utf8(text).map_err(|_| "is not text".to_owned())?;
    parse_cpu(text).map_err(|e| reason(&e.0))
}

fn plain_cpu(text: &[u8]) -> Option<MilliCpu> {
    let (number, milli) = match text {
        [number @ .., b'm'] => (number, true),
        number => (number, false),
    };
    let value = plain_integer(number, 6)?;
    Some(MilliCpu(if milli { value } else { value * 1_000 })).filter(|c| c.0 <= 1_000_000_000)
}

/// A memory quantity or number of bytes.
///
/// # Errors
/// As [`parse_memory`].
pub fn memory(text: &[u8]) -> std::result::Result<Bytes, String> {
    let text = text.trim_ascii();
    if let Some(bytes) = plain_memory(text) {
        return Ok(bytes);
    }
    let text = std::str::from_utf8(text).map_err(|_| "is not text".to_owned())?;
    parse_memory(text).map_err(|e| reason(&e.0))
}

fn plain_memory(text: &[u8]) -> Option<Bytes> {
    let (number, shift) = match text {
        [number @ .., b'K', b'i'] => (number, 10),
        [number @ .., b'M', b'i'] => (number, 20),
        [number @ .., b'G', b'i'] => (number, 30),
        number => (number, 0),
    };
    // Six digits of Gi and fifteen of bytes stay below the bound of 2^52.
    let value = plain_integer(number, if shift == 0 { 15 } else { 6 })?;
    Some(Bytes(value << shift))
}

/// A whole number of at most `max_digits` digits.
fn plain_integer(text: &[u8], max_digits: usize) -> Option<i64> {
    if text.is_empty() || text.len() > max_digits {
        return None;
    }
    text.iter().try_fold(0i64, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
}

/// A whole number between `min` and `max`.
///
/// # Errors
/// When it is none.
pub fn integer(text: &[u8], min: i64, max: i64) -> std::result::Result<i64, String> {
    let text = text.trim_ascii();
    plain_integer(text, 17)
        .or_else(|| std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()))
        .filter(|n| (min..=max).contains(n))
        .ok_or_else(|| format!("is not a whole number from {min} to {max}"))
}

/// A decimal that is finite and not negative.
///
/// # Errors
/// When it is none.
pub fn decimal(text: &[u8]) -> std::result::Result<f64, &'static str> {
    let value: Option<f64> =
        std::str::from_utf8(text.trim_ascii()).ok().and_then(|t| t.parse().ok());
    match value {
        None => Err("is not a number"),
        Some(value) if !value.is_finite() => Err("is not a finite number"),
        Some(value) if value < 0.0 => Err("is negative"),
        Some(value) => Ok(value),
    }
}

/// A decimal between 0 and 1.
///
/// # Errors
/// When it is none.
pub fn share(text: &[u8]) -> std::result::Result<f64, &'static str> {
    decimal(text).ok().filter(|s| *s <= 1.0).ok_or("is not a share between 0 and 1")
}

/// Phrases a parser's message as the rest of a sentence about the value.
fn reason(message: &str) -> String {
    format!("is {message}")
}

/// What a person needs to recognise a value: its first characters, with
/// anything unprintable escaped.
#[must_use]
pub fn excerpt(text: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let mut shown: String = text
        .chars()
        .take(most)
        .flat_map(|c| {
            let plain = !c.is_control() && c != char::REPLACEMENT_CHARACTER;
            let escaped: Box<dyn Iterator<Item = char>> =
                if plain { Box::new(std::iter::once(c)) } else { Box::new(c.escape_default()) };
            escaped
        })
        .collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seconds_round_to_the_nearest_millisecond() {
        for (text, ms) in [
            ("0", 0),
            ("12", 12_000),
            ("12.5", 12_500),
            (" 1.2345 ", 1_235),
            ("1.23449999", 1_234),
            (".5", 500),
            ("5.", 5_000),
            ("1e3", 1_000_000),
            ("1e-05", 0),
            ("116.38162544169612", 116_382),
        ] {
            assert_eq!(seconds_ms(text.as_bytes()), Ok(ms), "{text}");
        }
        for bad in ["", "-1", "NaN", "inf", "1e99", "99999999999999999", "1.2.3", "x", ".", "1_0"] {
            assert!(seconds_ms(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn timestamps_count_from_the_start() {
        let start = timestamp_ms(b"2026-01-05T00:00:00Z").expect("timestamp");
        assert_eq!(time_ms(b"2026-01-05T01:00:00+01:00", Some(start)), Ok(0));
        assert_eq!(time_ms(b"2026-01-05 00:01:00", Some(start)), Ok(60_000));
        assert!(time_ms(b"2026-01-04T00:00:00Z", Some(start)).is_err());
        assert!(time_ms(b"2026-01-05T00:00:00Z", None).is_err());
        assert!(time_ms(b"2026-99-05T00:00:00Z", Some(start)).is_err());
    }

    #[test]
    fn excerpts_are_short_and_printable() {
        assert_eq!(excerpt(b"a\x1b[0m\xff", 20), "a\\u{1b}[0m\\u{fffd}");
        assert_eq!(excerpt(b"abcdef", 3), "abc…");
    }

    #[test]
    fn an_endless_record_is_cut_off() {
        let mut lines = Lines::new(Box::new(io::repeat(b'x')));
        assert!(lines.advance().is_err());
        let (mut bounded, _) = Bounded::new(Box::new(io::repeat(b'x')));
        assert!(io::copy(&mut bounded, &mut io::sink()).is_err());
    }

    proptest! {
        #[test]
        fn short_paths_agree_with_the_exact_parsers(text in "[0-9.]{0,9}(m|Ki|Mi|Gi|k|)") {
            prop_assert_eq!(cpu(text.as_bytes()).ok(), parse_cpu(&text).ok());
            prop_assert_eq!(memory(text.as_bytes()).ok(), parse_memory(&text).ok());
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            let _ = (time_ms(&bytes, Some(0)), cpu(&bytes), memory(&bytes), integer(&bytes, 0, 9));
            let _ = excerpt(&bytes, 5);
        }
    }
}
