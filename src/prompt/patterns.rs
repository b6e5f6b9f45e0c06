//! Signs of an injection attempt in a text: SQL that is meant to run, script that is meant to run, and orders to the
//! model. They are hints. What protects is elsewhere: prompts are never executed, the model's answer never selects a topic
//! or an address, and the schema holds. So the patterns look for attack shapes, not for words that a support ticket, an
//! invoice or a bug report may well contain.

use std::sync::LazyLock;

use regex::{RegexSet, RegexSetBuilder};

/// Name and expression of each pattern, the most specific first. `\b` and white space are ASCII-only where that is enough.
const PATTERNS: &[(&str, &str)] = &[
    // A quote closes a literal, then a condition that is always true: ' OR '1'='1, " or 1=1 --
    (
        "sql-tautology",
        r#"['"]\s*\)*\s*(?:or|and)\s+\(*(?:'[^']{0,20}'\s*=\s*'|"[^"]{0,20}"\s*=\s*"|\d+\s*=\s*\d+|true\b|not\s+false\b)"#,
    ),
    // A quote, or a number at the beginning, closes a statement, then another one starts: '; DROP TABLE x
    (
        "sql-stacked-query",
        r#"(?:['")]|^\s*\d+)\s*;\s*(?:drop\s+(?:table|database|schema|user)|delete\s+from|insert\s+into|update\s+\w+\s+set|truncate\s+table|alter\s+table|exec(?:ute)?\s+\w|shutdown\b)"#,
    ),
    // A quote or number closes a literal, then the result is extended: ' UNION SELECT password FROM users
    (
        "sql-union",
        r#"(?:['")]|=\s*-?\d+)\s*(?:/\*.{0,40}?\*/|\s)*union(?:\s|/\*.{0,40}?\*/)+(?:all\s+|distinct\s+)?(?:/\*.{0,40}?\*/\s*)?select\b"#,
    ),
    // A quote closes a literal and the rest is made a comment: admin'--
    ("sql-comment", r"^\s*[\w.@-]{1,64}'\s*\)*\s*(?:--|#|/\*)\s*$"),
    // Functions that wait or reach the system, as used to probe blindly.
    (
        "sql-function",
        r"\b(?:xp_cmdshell|pg_sleep\s*\(\s*\d|benchmark\s*\(\s*\d{4,}\s*,|waitfor\s+delay\s+'|load_file\s*\(\s*'|into\s+(?:out|dump)file\s+')",
    ),
    // Markup that runs: an opening tag with its bracket.
    ("script-tag", r#"<\s*script(?:\s+[^<>]{0,200})?/?>"#),
    // An event handler within a tag: <img src=x onerror=alert(1)>
    (
        "script-handler",
        r#"<\s*[a-z][a-z0-9]{0,20}[\s/][^<>]{0,300}?\bon(?:error|load|click|mouse\w{1,8}|focus|blur|toggle|start|begin|animation\w{1,12}|pointer\w{1,8}|key\w{1,8})\s*=\s*["'`]?\s*[\w(]"#,
    ),
    // A URL that is code.
    (
        "script-url",
        r#"(?:href|src|action|data|xlink:href|formaction)\s*=\s*["']?\s*(?:javascript|vbscript)\s*:|\bdata:text/html[;,][^\s]{0,40}(?:base64|<)|\]\(\s*javascript:"#,
    ),
    // Orders to set the instructions aside.
    (
        "prompt-override",
        r"\b(?:ignore|disregard|forget|override|bypass)\s+(?:(?:all|any|every|of|the|your|these|those|previous|prior|above|earlier|preceding|existing|system)\s+){0,5}(?:previous|prior|above|earlier|preceding|system|original|initial)\s+(?:\w+\s+)?(?:instruction|prompt|rule|guideline|direction|command|context)s?\b|\b(?:ignore|disregard|forget|override|bypass)\s+(?:all\s+(?:of\s+)?)?your\s+(?:\w+\s+)?(?:instruction|rule|guideline|programming|training|prompt)s?\b",
    ),
    (
        "prompt-override-foreign",
        r"\b(?:ignoriere|vergiss)\s+(?:alle\s+|bitte\s+|deine\s+|die\s+)*(?:vorherigen|bisherigen|obigen|vorigen)\s+(?:anweisungen|regeln|instruktionen)|\bignore[zr]?\s+(?:toutes\s+)?(?:les|vos|tes)\s+(?:instructions|consignes)\s+pr[ée]c[ée]dentes|\bignora\s+(?:todas\s+)?(?:las|tus)\s+instrucciones\s+(?:anteriores|previas)",
    ),
    // Orders to take another role.
    (
        "prompt-role",
        r"\byou\s+are\s+(?:now\s+)?(?:(?:in|an?|the)\s+)?(?:dan\b|developer\s+mode|jailbroken|unrestricted\s+(?:ai|assistant|model)|no\s+longer\s+bound)|\b(?:act|respond|behave|pretend)\s+(?:as|like|to\s+be)\s+(?:an?\s+)?(?:unrestricted|unfiltered|uncensored|jailbroken)\b|\b(?:enable|enter|activate)\s+(?:developer|jailbreak|god|dan)\s+mode\b.{0,80}\b(?:you|restrictions?|filters?|answer|respond)\b",
    ),
    // Orders to show what the model was told.
    (
        "prompt-leak",
        r"\b(?:reveal|show|print|repeat|output|display|tell\s+me|leak|dump)\s+(?:me\s+)?(?:us\s+)?(?:all\s+(?:of\s+)?)?(?:your|the)\s+(?:(?:full|entire|exact|original|hidden|secret|initial|complete)\s+)?(?:system\s+(?:prompt|message|instructions?)|hidden\s+(?:prompt|instructions?)|initial\s+(?:prompt|instructions?))",
    ),
    // Tokens and headings that imitate the frame of a conversation.
    (
        "prompt-frame",
        r"<\|(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|>|\[/?INST\]\s*\S|<<\s*/?SYS\s*>>|(?:^|\n)\s*#{2,}\s*(?:new\s+)?(?:system|instructions?)\s*(?:prompt|override)?\s*:\s*\S|(?:^|\n)\s*system\s*:\s*(?:you\s+(?:are|must|will)|ignore|from\s+now)",
    ),
];

static SET: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    // Word boundaries of Unicode would take the fast engine away from every text that is not ASCII: a hundredfold of the time.
    RegexSetBuilder::new(PATTERNS.iter().map(|(_, expression)| expression.replace(r"\b", r"(?-u:\b)")))
        .case_insensitive(true)
        .size_limit(16 * 1024 * 1024)
        .dfa_size_limit(16 * 1024 * 1024)
        .build()
        .ok()
});

/// Name of the first pattern that the text matches. Linear in the length of the text, whatever the text is.
pub fn suspicious(text: &str) -> Option<&'static str> {
    let matched = SET.as_ref()?.matches(text).iter().next()?;
    PATTERNS.get(matched).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests;
