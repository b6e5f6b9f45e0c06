//! Script and markup that shows or steals something, or that is the whole message.

use super::Expression;
use super::Place::{Bare, Code};

/// What scripts do that are there to show or to steal something; what a page's own scripts call is not among it.
macro_rules! active {
    () => {
        r"(?: (?:alert|eval|atob|fetch|import)\s*[(`] | (?:confirm|prompt)\s*(?:`|\(\s*['\x22]?\d)
            | document\s*\.\s*(?:cookie|domain|location|write)
            | (?:window|top|self|parent)\s*(?:\[|\.\s*(?:alert|eval|name|open)\b)
            | (?:settimeout|setinterval)\s*\(\s*['\x22] | (?:this\.)?src\s*=\s*['\x22]?(?:https?:)?//
            | localstorage | sessionstorage | xmlhttprequest | string\s*\.\s*fromcharcode | new\s+image\b )"
    };
}

/// Names of event handlers that markup sets.
macro_rules! handler {
    () => {
        r"\bon[a-z]{3,20}\s*="
    };
}

pub(super) const EXPRESSIONS: &[Expression] = &[
    // A script element that shows or steals something, or that closes the tag before it.
    Expression {
        name: "script-tag",
        place: Code,
        needs: &["<", "%3cscript"],
        regex: concat!(
            r#"<\s*script\b[^<>]{0,200}>[^<]{0,200}?"#,
            active!(),
            r#"| ['"]\s*/?>\s*<\s*script\b
                | </\s*(?:textarea|title|style|script|noscript)\s*>\s*<\s*(?:script|img|svg)\b
                | %3cscript"#
        ),
    },
    // A script element as the whole message, wherever it comes from.
    Expression {
        name: "script-tag",
        place: Bare,
        needs: &["<"],
        regex: r"^\s*(?:\w+:\s*)?<\s*script\b[^<>\n]*>?[^\n]*$",
    },
    // An event handler that shows or steals something: <img src=x onerror=alert(1)>
    Expression {
        name: "script-handler",
        place: Code,
        needs: &["<"],
        regex: concat!(
            r#"<\s*[a-z][a-z0-9]{0,20}(?:[\s/][^<>]{0,300}?)?[\s/'"]"#,
            handler!(),
            r#"\s*["'`]?[^<>"']{0,60}?"#,
            active!()
        ),
    },
    // The same, out of an attribute that a quote closes: " onfocus="alert(1)
    Expression {
        name: "script-handler",
        place: Code,
        needs: &["="],
        regex: concat!(
            r#"(?:^|\s)["']\s*(?:\w+\s*=\s*\S{0,40}\s+)?"#,
            handler!(),
            r#"\s*["'`]?[^<>"']{0,60}?"#,
            active!()
        ),
    },
    Expression {
        name: "script-handler",
        place: Bare,
        needs: &["<"],
        regex: concat!(
            r#"^\s*["']?\s*/?>?\s*<\s*[a-z][a-z0-9]{0,20}[\s/][^<>\n]*?"#,
            handler!(),
            r#"\s*["'`]?\s*[\w(][^\n]*$"#
        ),
    },
    // A URL that is code, in a link or by itself: javascript:alert(1). What links without a target say, void(0), is
    // none.
    Expression {
        name: "script-url",
        place: Code,
        needs: &["script:", "script :", "java&", "data:text/html"],
        regex: concat!(
            r#"(?: (?:href|src|action|data|formaction)\s*=\s*["']?\s*
                | \]\(\s* )(?:javascript|vbscript)\s*:\s*[^\s"'<>]{0,60}?(?:"#,
            active!(),
            r"| msgbox ) | \b(?:javascript|vbscript):[^\s<>]{0,60}?(?:",
            active!(),
            r"| msgbox ) | \bjava&(?:\#|tab;|newline;)[^\s<>]{0,20}script:
                | \bdata:text/html[;,][^\s]{0,40}(?:base64|<)"
        ),
    },
    // A page within the page that is written here, or a redirect.
    Expression {
        name: "script-frame",
        place: Code,
        needs: &["<"],
        regex: r#"<\s*iframe\b[^<>]{0,200}\bsrcdoc\s*= | <\s*meta\b[^<>]{0,60}http-equiv\s*=\s*["']?\s*refresh"#,
    },
    Expression {
        name: "script-frame",
        place: Bare,
        needs: &["<"],
        regex: r"^\s*<\s*(?:iframe|object|embed|base)\b[^<>\n]*>[^\n]*$",
    },
];
