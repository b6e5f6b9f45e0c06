//! The expressions, each with its name, which logs and flags show, and the place where it counts.

use super::Place::{self, Bare, Code, Order, Words};

/// What scripts do that are there to show or to steal something; what a page's own scripts call is not among it.
macro_rules! active {
    () => {
        r"(?:alert|eval|atob|fetch|import)\s*[(`]|(?:confirm|prompt)\s*(?:`|\(\s*['\x22]?\d)|document\s*\.\s*(?:cookie|domain|location)|(?:window|top|self|parent)\s*(?:\[|\.\s*(?:alert|eval|name|open)\b)|localstorage|sessionstorage|xmlhttprequest|string\s*\.\s*fromcharcode|new\s+image\b"
    };
}

/// The most specific first. `\b` and white space are ASCII-only where that is enough.
pub(super) const EXPRESSIONS: &[(&str, Place, &str)] = &[
    // A quote closes a literal, then a condition that is always true: ' OR '1'='1, " or 1=1 --
    (
        "sql-tautology",
        Code,
        r#"['"]\s*\)*\s*(?:or|and|\|\|)\s+\(*(?:'[^']{0,20}'\s*=\s*'|"[^"]{0,20}"\s*=\s*"|\d+\s*=\s*\d+|true\b|not\s+false\b)|(?:=|^)\s*-?\d+\s+or\s+\d+\s*=\s*\d+"#,
    ),
    // A quote, or a number at the beginning, closes a statement, then another one starts: '; DROP TABLE x
    (
        "sql-stacked-query",
        Code,
        r#"(?:['")]|^\s*\d+|=\d+)\s*;\s*(?:drop\s+(?:table|database|schema|user)|delete\s+from|insert\s+into|update\s+\w+\s+set|truncate\s+table|alter\s+table|exec(?:ute)?\s+\w|shutdown\b)"#,
    ),
    // A statement that destroys, as the whole message: DROP TABLE users;
    (
        "sql-statement",
        Bare,
        r#"^[\s;]*(?:drop\s+(?:table|database|schema|view|user)\s+(?:if\s+exists\s+)?[\w."\[\]`]+(?:\s+cascade)?|truncate\s+(?:table\s+)?[\w."\[\]]+|delete\s+from\s+[\w."\[\]]+(?:\s+where\s+[^;\n]{1,120})?|update\s+[\w."\[\]]+\s+set\s+[^;\n]{1,120}|insert\s+into\s+[\w."\[\]]+\s*(?:\([^)\n]{0,120}\)\s*)?(?:values|select)\b[^;\n]{0,120}|alter\s+(?:table|user|role)\s+[^;\n]{1,120}|grant\s+all\b[^;\n]{1,120})\s*;?\s*(?:--[^\n]*|#[^\n]*)?$"#,
    ),
    // A quote or a number closes a literal, then the result is extended: ' UNION SELECT password FROM users
    (
        "sql-union",
        Code,
        r#"(?:['")]|(?:=|^|\s)-?\d+)\s*(?:/\*.{0,40}?\*/|[\s+])*union(?:[\s+]|/\*.{0,40}?\*/)+(?:all[\s+]+|distinct[\s+]+)?(?:/\*.{0,40}?\*/\s*)?select\b"#,
    ),
    ("sql-union", Bare, r"^\s*union\s+(?:all\s+)?select\s+\S[^\n]{0,200}$"),
    // A quote closes a literal and the rest is made a comment: admin'--
    ("sql-comment", Bare, r"^\s*[\w.@-]{1,64}'\s*\)*\s*(?:--|#|/\*)\s*$"),
    // Functions that wait or reach the system, as used to probe blindly.
    (
        "sql-function",
        Code,
        r"\b(?:xp_cmdshell|pg_sleep\s*\(\s*\d|(?:and|or|select)\s+sleep\s*\(\s*\d|benchmark\s*\(\s*\d{4,}\s*,|waitfor\s+delay\s+'|load_file\s*\(\s*'|into\s+(?:out|dump)file\s+')",
    ),
    // A script element that shows or steals something, or that closes the tag before it.
    (
        "script-tag",
        Code,
        concat!(r#"<\s*script\b[^<>]{0,200}>[^<]{0,200}?(?:"#, active!(), r#")|['"]\s*/?>\s*<\s*script\b"#),
    ),
    // A script element as the whole message, wherever it comes from.
    ("script-tag", Bare, r"^\s*<\s*script\b[^<>\n]{0,300}>?[^\n]{0,300}$"),
    // An event handler that shows or steals something: <img src=x onerror=alert(1)>
    (
        "script-handler",
        Code,
        concat!(
            r#"<\s*[a-z][a-z0-9]{0,20}[\s/][^<>]{0,300}?\bon[a-z]{3,20}\s*=\s*["'`]?[^<>"']{0,60}?(?:"#,
            active!(),
            ")"
        ),
    ),
    (
        "script-handler",
        Bare,
        r#"^\s*["']?\s*/?>?\s*<\s*[a-z][a-z0-9]{0,20}[\s/][^<>\n]{0,300}?\bon[a-z]{3,20}\s*=\s*["'`]?\s*[\w(][^\n]{0,200}$"#,
    ),
    // A URL that is code, in a link or by itself: javascript:alert(1). What links without a target say, void(0), is
    // none.
    (
        "script-url",
        Code,
        concat!(
            r#"(?:(?:href|src|action|data|formaction)\s*=\s*["']?\s*|\]\(\s*)(?:javascript|vbscript)\s*:\s*[^\s"'<>]{0,60}?(?:"#,
            active!(),
            r"|msgbox)|\b(?:javascript|vbscript):[^\s<>]{0,60}?(?:",
            active!(),
            r"|msgbox)|\bdata:text/html[;,][^\s]{0,40}(?:base64|<)"
        ),
    ),
    // Orders to set the instructions aside.
    (
        "prompt-override",
        Order,
        r"\b(?:ignore|disregard|forget|override|bypass)\s+(?:(?:all|any|every|everything|of|the|your|these|those|previous|prior|above|earlier|preceding|existing|system)\s+){0,5}(?:previous|prior|above|earlier|preceding|system|original|initial)\s+(?:\w+\s+)?(?:instruction|prompt|rule|guideline|direction|command|context)s?\b|\b(?:ignore|disregard|forget|override|bypass)\s+(?:all\s+(?:of\s+)?)?your\s+(?:\w+\s+)?(?:instruction|rule|guideline|programming|training|prompt)s?\b|\b(?:ignore|disregard|forget)\s+(?:all|everything|any\s+\w+)\s+(?:that\s+)?(?:you\s+(?:were|have\s+been)|i(?:'ve)?\s+told|(?:the\s+)?instructions?\s+(?:above|before))\b|\b(?:ignore|disregard|forget)\s+(?:everything|all)\s+above\b",
    ),
    (
        "prompt-override-foreign",
        Order,
        r"\b(?:ignorieren?|vergiss|vergessen|missachten?)\s+(?:sie\s+)?(?:alle[sn]?\s+|bitte\s+|deine\s+|ihre\s+|die\s+)*(?:vorherigen|bisherigen|obigen|vorigen|vorangegangenen|fr(?:ü|ue)heren)\s+(?:\w+\s+)?(?:anweisungen|regeln|instruktionen|vorgaben|befehle)|\b(?:ignor|oubli)e[zr]?\s+(?:toutes\s+)?(?:les|vos|tes)\s+(?:instructions|consignes|r[èe]gles)\s+(?:pr[ée]c[ée]dentes|ant[ée]rieures|ci-dessus)|\b(?:ignor[ae]|olvid[ae]|descarta)\s+(?:todas\s+)?(?:las\s+|tus\s+|sus\s+)?(?:instrucciones|[óo]rdenes|reglas)\s+(?:anteriores|previas)|\b(?:ignor[ae]|esque[çc]a|desconsidere)\s+(?:todas\s+)?(?:as\s+)?(?:instru[çc][õo]es|regras)\s+(?:anteriores|pr[ée]vias|acima)|\b(?:ignora|dimentica)\s+(?:tutte\s+)?(?:le\s+)?(?:istruzioni|regole)\s+(?:precedenti|sopra)|\b(?:negeer|vergeet)\s+(?:alle\s+)?(?:de\s+)?(?:vorige|eerdere|voorgaande|bovenstaande)\s+(?:instructies|opdrachten|regels)|\bzignoruj\s+(?:wszystkie\s+)?(?:poprzednie|wcze[śs]niejsze|powy[żz]sze)\s+(?:instrukcje|polecenia)|игнорируй(?:те)?\s+(?:все\s+)?предыдущие\s+(?:инструкции|указания)|忽略(?:之前|以上|前面|上面)?(?:的)?(?:所有)?(?:之前|以上|前面|上面)?(?:的)?(?:指令|指示|提示)",
    ),
    // Orders to take another role.
    (
        "prompt-role",
        Words,
        r"\byou\s+are\s+(?:now\s+)?(?:(?:in|an?|the)\s+)?(?:dan\b|developer\s+mode|jailbroken|unrestricted\s+(?:ai|assistant|model)|no\s+longer\s+bound)|\b(?:act|respond|behave|pretend)\s+(?:as|like|to\s+be)\s+(?:an?\s+)?(?:unrestricted|unfiltered|uncensored|jailbroken)\b|\b(?:enable|enter|activate)\s+(?:developer|jailbreak|god|dan)\s+mode\b.{0,80}\b(?:you|restrictions?|filters?|answer|respond)\b",
    ),
    // Orders to show what the model was told.
    (
        "prompt-leak",
        Words,
        r"\b(?:reveal|show|print|repeat|output|display|tell\s+me|leak|dump)\s+(?:me\s+)?(?:us\s+)?(?:all\s+(?:of\s+)?)?(?:your|the)\s+(?:(?:full|entire|exact|original|hidden|secret|initial|complete)\s+)?(?:system\s+(?:prompt|message|instructions?)|hidden\s+(?:prompt|instructions?)|initial\s+(?:prompt|instructions?))",
    ),
    // Tokens and headings that imitate the frame of a conversation.
    (
        "prompt-frame",
        Words,
        r"<\|(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|>|\[/?INST\]\s*\S|<<\s*/?SYS\s*>>|^\s*#{2,}\s*(?:new\s+)?(?:system|instructions?)\s*(?:prompt|override)?\s*:\s*\S|^\s*\[?system\]?\s*:\s*(?:you\s+(?:are|must|will)|ignore|from\s+now)|<\s*/?\s*system\s*>",
    ),
];

/// What may follow an order to set instructions aside that people gave, not the operator of the model.
pub(super) const OWNED_BY_PEOPLE: &str = r"\A\s+(?:(?:from|by|of)\s+(?:your|my|our|the|an?|his|her|their|mr|mrs|ms|dr|last|yesterday|deine[rmn]?|ihre[rmn]?|meine[rmn]?)\s+(?:\w+\s+){0,2}?(?:colleague|team|agent|support|staff|manager|boss|mail|e-?mail|letter|call|manual|driver|technician|website|store|shop|office|service|customer|supplier|courier|department|employee|representative|teacher|doctor|kolleg\w*|mitarbeiter\w*)|(?:in|on)\s+(?:my|your|our|the|that|last)\s+(?:\w+\s+){0,2}?(?:mail|e-?mail|letter|manual|message|leaflet|box|package|label|website|ticket|call|order|page)|(?:that\s+|which\s+)?(?:i|we|he|she|they|your\s+\w+|my\s+\w+)\s+(?:\w+\s+)?(?:sent|gave|wrote|left|received|got|mailed|posted|provided|had|mentioned)|(?:about|for|regarding|concerning)\s+(?:my|our|the|your)\s+(?:\w+\s+){0,2}?(?:delivery|order|parcel|return|package|installation|assembly|address|appointment|payment|invoice|shipment|pick-?up)|(?:votre|du|de\s+la|von|vom|de\s+su|de\s+tu|del|van\s+je|van\s+uw|do\s+seu|da\s+sua|del\s+tuo)\b|(?:de\s+votre|von\s+ihrem|von\s+ihrer|von\s+deinem|von\s+deiner))";
