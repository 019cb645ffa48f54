//! A file to import: opened, told and hashed while it is read.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::catalog::hex;
use crate::text;
use crate::{Error, Result};

/// A text of AWS's files as messages show it.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// What is looked at to tell a file: the keys of its first objects.
const HEAD: usize = 64 << 10;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Price list of a service.
    Offer,
    /// Price list of a Savings Plan.
    PlanOffer,
    /// `describe-savings-plans-offering-rates`.
    PlanRates,
    /// Data of the Spot advisor.
    Advisor,
    /// `describe-spot-price-history`.
    SpotHistory,
    /// `describe-savings-plans`.
    OwnedPlans,
    /// `describe-reserved-instances`.
    OwnedReserved,
}

impl Kind {
    /// Whether On-Demand prices come from such files.
    pub(super) fn states_on_demand(self) -> bool {
        self == Kind::Offer
    }

    fn tell(head: &str) -> Option<Self> {
        let has = |key: &str| head.contains(&format!("\"{key}\""));
        if !head.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
            let first = head.lines().next().unwrap_or("").to_ascii_lowercase();
            let plain: String =
                first.chars().filter(|c| c.is_alphanumeric() || *c == ',').collect();
            let spot = plain.contains("instancetype")
                && (plain.contains("spotprice") || plain.contains("usdperhour"));
            return spot.then_some(Kind::SpotHistory);
        }
        Some(if has("offerCode") {
            Kind::Offer
        } else if has("spot_advisor") || has("instance_types") && has("ram_gb") {
            Kind::Advisor
        } else if has("SpotPriceHistory") || has("SpotPrice") {
            Kind::SpotHistory
        } else if has("searchResults") {
            Kind::PlanRates
        } else if has("savingsPlans") {
            Kind::OwnedPlans
        } else if has("ReservedInstances") {
            Kind::OwnedReserved
        } else if has("productFamily") && head.contains("SavingsPlans") {
            Kind::PlanOffer
        } else {
            return None;
        })
    }
}

/// What to fetch instead of a file that is none of these: AWS has some that are
/// close to them.
fn help(head: &str) -> &'static str {
    let has = |key: &str| head.contains(&format!("\"{key}\""));
    if has("currentVersionUrl") || has("versionUrl") || has("currentRegionIndexUrl") {
        "it is an index of price lists: fetch the one that it names for the service or Region"
    } else if head.trim_start_matches('\u{feff}').starts_with("\"FormatVersion\"") {
        "it is a price list as CSV: fetch it as JSON, which is index.json beside index.csv"
    } else if has("PriceList") {
        "it is an answer of `aws pricing get-products`: fetch the price list itself, \
         https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/current/<region>/index.json"
    } else {
        "they are price lists of AmazonEC2, AmazonECS, AmazonEKS or Savings Plans, the Spot \
         advisor, the Spot price history, and answers of describe-savings-plans, \
         describe-savings-plans-offering-rates and describe-reserved-instances"
    }
}

/// An open file.
pub(super) struct Input {
    /// What it is.
    pub(super) kind: Kind,
    /// The date of its last change, UTC.
    pub(super) modified: String,
    reader: Box<dyn Read>,
    hasher: Rc<RefCell<Sha256>>,
}

/// Hashes what passes.
struct Hashing {
    file: File,
    hasher: Rc<RefCell<Sha256>>,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.hasher.borrow_mut().update(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| match e.kind() {
            // Of gzip, whose end says that it is one.
            ErrorKind::UnexpectedEof => Error::input(format!(
                "`{}` ends too early; it looks truncated, fetch it again",
                path.display()
            )),
            _ => Error::read(path, &e),
        };
        let mut head = Vec::new();
        text::open(path)?.take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
        if head.trim_ascii().is_empty() {
            return Err(Error::input(format!("`{}` is empty; fetch it again", path.display())));
        }
        let head = String::from_utf8_lossy(&head);
        let kind = Kind::tell(&head).ok_or_else(|| {
            Error::input(format!(
                "`{}` is none of the files that prices are updated from\n  = help: {}",
                path.display(),
                help(&head)
            ))
        })?;
        let file = File::open(path).map_err(failed)?;
        let modified = file
            .metadata()
            .and_then(|m| m.modified())
            .ok()
            .and_then(|t| Timestamp::try_from(t).ok())
            .map_or_else(String::new, |t| t.strftime("%Y-%m-%d").to_string());
        let hasher = Rc::new(RefCell::new(Sha256::new()));
        let hashing = Hashing { file, hasher: Rc::clone(&hasher) };
        let reader = text::unpack(hashing).map_err(failed)?;
        Ok(Input { kind, modified, reader, hasher })
    }

    /// Its bytes, unpacked.
    pub(super) fn reader(&mut self) -> BufReader<&mut Box<dyn Read>> {
        BufReader::with_capacity(1 << 18, &mut self.reader)
    }

    /// One JSON document after another.
    pub(super) fn documents<T: serde::de::DeserializeOwned>(
        &mut self,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let reader = self.reader();
        for page in serde_json::Deserializer::from_reader(reader).into_iter::<T>() {
            take(page.map_err(|e| bad_json(&e))?)?;
        }
        Ok(())
    }

    /// Reads what is left; the SHA-256 of the file as it lies on disk.
    pub(super) fn finish(mut self) -> Result<String> {
        std::io::copy(&mut self.reader, &mut std::io::sink())
            .map_err(|e| Error::failed(format!("a file changed while it was read: {e}")))?;
        Ok(hex(&self.hasher.borrow().clone().finalize()))
    }
}

/// A fault of JSON, with line and column.
pub(super) fn bad_json(e: &serde_json::Error) -> Error {
    let ended = e.is_eof() || e.io_error_kind() == Some(ErrorKind::UnexpectedEof);
    let cut = if ended { "; the file looks truncated" } else { "" };
    Error::input(format!("{e}{cut}"))
}
