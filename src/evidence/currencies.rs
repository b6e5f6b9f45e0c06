//! Currencies: how people write them, and how many decimals their amounts have.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

/// A way to write a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Currency {
    /// Symbol, word or code, in lower case.
    pub(super) name: &'static str,
    /// ISO 4217 code.
    pub(super) code: &'static str,
}

/// Currencies whose amounts have three decimals, so that `1.234` may be a fraction.
const THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Symbols, words and codes. Where several currencies share a name, the one that it mostly means comes first.
pub(super) const CURRENCIES: &[Currency] = &[
    named("$", "USD"),
    named("us$", "USD"),
    named("usd", "USD"),
    named("dollar", "USD"),
    named("dollars", "USD"),
    named("bucks", "USD"),
    named("€", "EUR"),
    named("eur", "EUR"),
    named("euro", "EUR"),
    named("euros", "EUR"),
    named("£", "GBP"),
    named("gbp", "GBP"),
    named("pound", "GBP"),
    named("pounds", "GBP"),
    named("quid", "GBP"),
    named("chf", "CHF"),
    named("sfr", "CHF"),
    named("fr", "CHF"),
    named("franken", "CHF"),
    named("¥", "JPY"),
    named("jpy", "JPY"),
    named("yen", "JPY"),
    named("円", "JPY"),
    named("cad", "CAD"),
    named("c$", "CAD"),
    named("ca$", "CAD"),
    named("aud", "AUD"),
    named("a$", "AUD"),
    named("inr", "INR"),
    named("₹", "INR"),
    named("rs", "INR"),
    named("sek", "SEK"),
    named("nok", "NOK"),
    named("dkk", "DKK"),
    named("kr", "SEK"),
    named("pln", "PLN"),
    named("zł", "PLN"),
    named("mxn", "MXN"),
    named("brl", "BRL"),
    named("r$", "BRL"),
    named("cny", "CNY"),
    named("rmb", "CNY"),
    named("元", "CNY"),
    named("krw", "KRW"),
    named("₩", "KRW"),
    named("원", "KRW"),
    named("czk", "CZK"),
    named("kč", "CZK"),
    named("huf", "HUF"),
    named("ft", "HUF"),
    named("ron", "RON"),
    named("try", "TRY"),
    named("₺", "TRY"),
    named("rub", "RUB"),
    named("₽", "RUB"),
    named("руб", "RUB"),
    named("uah", "UAH"),
    named("₴", "UAH"),
    named("ils", "ILS"),
    named("₪", "ILS"),
    named("thb", "THB"),
    named("฿", "THB"),
    named("vnd", "VND"),
    named("₫", "VND"),
    named("aed", "AED"),
    named("sar", "SAR"),
    named("zar", "ZAR"),
    named("sgd", "SGD"),
    named("hkd", "HKD"),
    named("nzd", "NZD"),
    named("bhd", "BHD"),
    named("jod", "JOD"),
    named("kwd", "KWD"),
    named("omr", "OMR"),
    named("tnd", "TND"),
];

/// Symbols that stand for several currencies.
const SHARED: [&str; 4] = ["$", "¥", "£", "kr"];

const fn named(name: &'static str, code: &'static str) -> Currency {
    Currency { name, code }
}

static BY_NAME: LazyLock<HashMap<&'static str, Currency, RandomState>> =
    LazyLock::new(|| CURRENCIES.iter().map(|currency| (currency.name, *currency)).collect());

/// The currency that a symbol, word or code in lower case names.
pub(super) fn find(name: &str) -> Option<Currency> {
    if name.is_empty() { None } else { BY_NAME.get(name).copied() }
}

impl Currency {
    /// Whether the name may mean another currency as well.
    pub(super) fn is_shared(self) -> bool {
        SHARED.contains(&self.name)
    }

    /// Whether amounts may have three decimals.
    pub(super) fn has_three_decimals(self) -> bool {
        THREE_DECIMALS.contains(&self.code)
    }

    /// Whether an amount with this name may be one of `code`.
    pub(super) fn may_be(self, code: &str) -> bool {
        let is_dollar = matches!(code, "USD" | "CAD" | "AUD" | "NZD" | "SGD" | "HKD" | "MXN");
        let is_krona = matches!(code, "SEK" | "NOK" | "DKK");
        self.code == code
            || (self.name == "$" && is_dollar)
            || (self.name == "kr" && is_krona)
            || (self.name == "¥" && code == "CNY")
    }
}
