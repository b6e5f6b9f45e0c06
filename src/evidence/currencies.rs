//! Currencies: how people write them, and how many decimals their amounts have.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

/// A way to write a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Currency {
    /// Symbol, word or code, in lower case.
    pub(crate) name: &'static str,
    /// ISO 4217 code.
    pub(crate) code: &'static str,
    /// What else the name means.
    also: Also,
}

/// What the name of a currency means beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Also {
    Nothing,
    /// Another currency.
    Money,
    /// Something else: feet, a Friday, a weight, a file format.
    Else,
}

/// Currencies whose amounts have three decimals, so that `1.234` may be a fraction.
const THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Symbols, words and codes. Where several currencies share a name, the one that it mostly means comes first.
pub(crate) const CURRENCIES: &[Currency] = &[
    shared("$", "USD"),
    named("us$", "USD"),
    named("usd", "USD"),
    named("dollar", "USD"),
    named("dollars", "USD"),
    named("bucks", "USD"),
    named("€", "EUR"),
    named("eur", "EUR"),
    named("euro", "EUR"),
    named("euros", "EUR"),
    shared("£", "GBP"),
    named("gbp", "GBP"),
    word("pound", "GBP"),
    word("pounds", "GBP"),
    named("quid", "GBP"),
    named("chf", "CHF"),
    named("sfr", "CHF"),
    word("fr", "CHF"),
    named("franken", "CHF"),
    shared("¥", "JPY"),
    named("jpy", "JPY"),
    named("yen", "JPY"),
    named("円", "JPY"),
    word("cad", "CAD"),
    named("c$", "CAD"),
    named("ca$", "CAD"),
    named("aud", "AUD"),
    named("a$", "AUD"),
    named("inr", "INR"),
    named("₹", "INR"),
    word("rs", "INR"),
    named("sek", "SEK"),
    named("nok", "NOK"),
    named("dkk", "DKK"),
    shared("kr", "SEK"),
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
    word("ft", "HUF"),
    word("ron", "RON"),
    word("try", "TRY"),
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

const fn named(name: &'static str, code: &'static str) -> Currency {
    Currency { name, code, also: Also::Nothing }
}

const fn shared(name: &'static str, code: &'static str) -> Currency {
    Currency { name, code, also: Also::Money }
}

const fn word(name: &'static str, code: &'static str) -> Currency {
    Currency { name, code, also: Also::Else }
}

static BY_NAME: LazyLock<HashMap<&'static str, Currency, RandomState>> =
    LazyLock::new(|| CURRENCIES.iter().map(|currency| (currency.name, *currency)).collect());

/// The currency that a symbol, word or code in lower case names.
pub(crate) fn find(name: &str) -> Option<Currency> {
    if name.is_empty() { None } else { BY_NAME.get(name).copied() }
}

/// Whether a value is the code of a currency.
pub(super) fn is_code(value: &str) -> bool {
    value.len() == 3 && CURRENCIES.iter().any(|currency| currency.code == value)
}

impl Currency {
    /// Whether the name may mean another currency, or something else, as well.
    pub(super) fn is_shared(self) -> bool {
        self.also != Also::Nothing
    }

    /// Whether the name means money, and nothing else.
    pub(crate) fn is_money(self) -> bool {
        self.also != Also::Else
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
