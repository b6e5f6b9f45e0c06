//! Numbers as people read them.

use crate::eval::interval::Share;

/// A share with its interval: `91.2 % (86.1–94.6)`; a dash of nothing.
pub fn shown(share: &Share) -> String {
    match share.rate {
        Some(rate) => format!("{} ({:.1}–{:.1})", percent(rate), share.low * 100.0, share.high * 100.0),
        None => "–".to_owned(),
    }
}

/// A share with what it was counted of: `12 of 150 (8.0 %)`; a dash of nothing.
pub(super) fn counted(share: &Share) -> String {
    match share.rate {
        Some(rate) => format!("{} of {} ({})", share.count, share.of, percent(rate)),
        None => "–".to_owned(),
    }
}

/// `91.2 %`.
pub(super) fn percent(rate: f64) -> String {
    format!("{:.1} %", rate * 100.0)
}

/// An amount in US dollars with as many digits as say something.
pub(super) fn usd(amount: f64) -> String {
    if amount == 0.0 {
        "0".to_owned()
    } else if amount < 0.01 {
        format!("{amount:.6}")
    } else {
        format!("{amount:.4}")
    }
}
