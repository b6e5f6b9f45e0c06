//! The table of expressions: what logs and flags call them, where they count, and what a text must have for them to
//! match.
//!
//! - [`sql`], [`script`]: SQL and markup that breaks out of a value
//! - [`system`]: template expressions, paths and shell commands
//! - [`orders`]: orders to the model in English, and what imitates the frame of a conversation
//! - [`foreign`]: orders to the model in other languages

mod foreign;
mod orders;
mod script;
mod sql;
mod system;

/// One shape of an attack.
pub(super) struct Expression {
    /// The pattern's name; several expressions may have the same.
    pub(super) name: &'static str,
    pub(super) place: Place,
    /// A text that matches has one of these: punctuation, or a word of five bytes or more, in small letters, with a
    /// space for `\s+`. Without one of them the expression is not tried, so the rarer they are in ordinary texts, the
    /// better. A test proves it: of an expression that may match without a need it shows a text that does.
    pub(super) needs: &'static [&'static str],
    /// Insensitive to case, multi-line, and written with white space that means nothing (`(?x)`).
    pub(super) regex: &'static str,
}

/// Where an expression counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Anywhere but in quoted code.
    Code,
    /// As nearly all that the record says, with little prose around it.
    Bare,
    /// Anywhere.
    Words,
    /// Anywhere in what the record says; a template may well have it.
    Content,
    /// Anywhere, unless people are said to have given the instructions.
    Order,
}

/// All expressions, the most specific first.
pub(super) fn all() -> impl Iterator<Item = &'static Expression> {
    [sql::EXPRESSIONS, script::EXPRESSIONS, system::EXPRESSIONS, orders::EXPRESSIONS, foreign::EXPRESSIONS]
        .into_iter()
        .flatten()
}

/// What may follow an order to set instructions aside that people gave, not the operator of the model.
pub(super) const OWNED_BY_PEOPLE: &str = r"
    \A\s+(?:
        (?:from|by|of) \s+ (?:your|my|our|the|an?|his|her|their|mr|mrs|ms|dr|last|yesterday|deine[rmn]?|ihre[rmn]?
            |meine[rmn]?)
            \s+ (?:\w+\s+){0,2}?
            (?:colleague|team|agent|support|staff|manager|boss|mail|e-?mail|letter|call|manual|driver|technician
                |website|store
            |shop|office|service|customer|supplier|courier|department|employee|representative|teacher|doctor|kolleg\w*
            |mitarbeiter\w*)
        | of \s+ (?:each|every|our|my) \b
        | (?:in|on) \s+ (?:my|your|our|the|that|last) \s+ (?:\w+\s+){0,2}?
            (?:mail|e-?mail|letter|manual|message|leaflet|box|package|label|website|ticket|call|order|page|exercise)
        | (?:that\s+|which\s+)? (?:i|we|he|she|they|your\s+\w+|my\s+\w+) \s+ (?:\w+\s+)?
            (?:sent|gave|wrote|left|received|got|mailed|posted|provided|had|mentioned)
        | (?:about|for|regarding|concerning) \s+ (?:my|our|the|your) \s+ (?:\w+\s+){0,2}?
            (?:delivery|order|parcel|return|package|installation|assembly|address|appointment|payment|invoice
                |shipment|pick-?up)
        | (?:votre|du|de\s+la|von|vom|de\s+su|de\s+tu|del|van\s+je|van\s+uw|do\s+seu|da\s+sua|del\s+tuo) \b
        | (?:de\s+votre|von\s+ihrem|von\s+ihrer|von\s+deinem|von\s+deiner)
    )";
