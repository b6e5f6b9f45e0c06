//! SQL that breaks out of a value, or that is the whole message.

use super::Expression;
use super::Place::{Bare, Code};

pub(super) const EXPRESSIONS: &[Expression] = &[
    // A quote closes a literal, then a condition that is always true: ' OR '1'='1, " or 1=1 --
    Expression {
        name: "sql-tautology",
        place: Code,
        needs: &["=", "like '", "like'", " true", "+true", "(true", "/true", "|true", "&true"],
        regex: r#"
            ['"]\s*\)*\s* (?:(?:or|and|xor)(?:[\s+(]|/\*.{0,20}?\*/)+ | (?:\|\||&&)[\s(]*)
                (?: '[^']{0,20}'\s*(?:=|like)\s*' | "[^"]{0,20}"\s*=\s*" | \d+\s*=\s*\(?\d+
                    | \d+\s*=\s*\(\s*select\b | true\b )
            | (?:=|^|\s)-?\d+(?:[\s+]|/\*.{0,20}?\*/)+or(?:[\s+]|/\*.{0,20}?\*/)+ (?:0\s*=\s*0|1\s*=\s*1|2\s*=\s*2)\b
            | (?:=|^)\s*-?\d+\s+or\s+\d+\s*=\s*\d+"#,
    },
    // A quote or a number closes a statement, then another one starts: '; DROP TABLE x
    Expression {
        name: "sql-stacked-query",
        place: Code,
        needs: &[";"],
        regex: r#"
            (?:['")]|^\s*\d+|=\d+)\s*\)*\s*;\s* (?:
                drop\s+(?:table|database|schema|user)\b | delete\s+from\s+\w | insert\s+into\s+\w | update\s+\w+\s+set\s
                | truncate\s+table\s | alter\s+(?:table|user|role)\s | create\s+(?:table|user|login|role)\s+\w
                | exec(?:ute)?\s+(?:xp_|sp_|master|immediate) | shutdown(?:\s+with\b|\s*;?\s*--)
                | select\s+pg_sleep | waitfor\s+delay )"#,
    },
    // A statement that changes or destroys, as the whole message: DROP TABLE users;
    Expression {
        name: "sql-statement",
        place: Bare,
        needs: &["drop ", "truncate", "delete from", "insert into", "alter ", "grant all"],
        regex: r#"
            ^[\s;]* (?:
                drop\s+(?:table|database|schema|view|user)\s+(?:if\s+exists\s+)?[\w."\[\]`]+(?:\s+cascade)?
                | truncate\s+(?:table\s+)?[\w."\[\]]+
                | delete\s+from\s+[\w."\[\]]+(?:\s+where\s+[^;\n]+)?
                | insert\s+into\s+[\w."\[\]]+\s*(?:\([^)\n]*\)\s*)?(?:values|select)\b[^;\n]*
                | alter\s+(?:table|user|role)\s+[^;\n]+
                | grant\s+all\s+(?:privileges\s+)?on\s+[^;\n]+
            )\s*;?\s*(?:--[^\n]*|\#[^\n]*)?$"#,
    },
    Expression {
        name: "sql-statement",
        place: Bare,
        needs: &["="],
        regex: r#"^[\s;]*update\s+[\w."\[\]]+\s+set\s+\w+\s*=[^;\n]+;?\s*(?:--[^\n]*|\#[^\n]*)?$"#,
    },
    // A quote or a number closes a literal, then the result is extended: ' UNION SELECT password FROM users
    Expression {
        name: "sql-union",
        place: Code,
        needs: &["union"],
        regex: r#"
            (?:['")]|(?:=|^|\s)-?\d+)\s*(?:/\*.{0,40}?\*/|[\s+])*
            union(?:[\s+]|/\*.{0,40}?\*/)+(?:all[\s+]+|distinct[\s+]+)?(?:/\*.{0,40}?\*/\s*)?select\b"#,
    },
    Expression {
        name: "sql-union",
        place: Bare,
        needs: &["union"],
        regex: r"^\s*union\s+(?:all\s+)?select\s+\S[^\n]*$",
    },
    // A condition or an order that goes on where a value ended: OR 1=1#, ORDER BY 5--
    Expression {
        name: "sql-tautology",
        place: Bare,
        needs: &["=", "order by"],
        regex: r"
            \A\s*(?:or|and|having|where|\d+\s+(?:or|and))\s+\(*\d{1,9}\s*=\s*\d{1,9}\b[^\n]*\z
            | \A[^\n]{0,20}\border\s+by\s+\d{1,5}\s*(?:--|\#)[\s-]*\z",
    },
    // A quote closes a literal and the rest is made a comment: admin'--
    Expression {
        name: "sql-comment",
        place: Bare,
        needs: &["'"],
        regex: r"\A[^\s'()]{1,64}'\s*\)*\s*(?:--|\#|/\*)[\s-]*\z",
    },
    // Functions that wait or reach the system, as used to probe blindly.
    Expression {
        name: "sql-function",
        place: Code,
        needs: &[
            "xp_cmdshell",
            "sleep",
            "benchmark",
            "waitfor",
            "load_file",
            "into outfile",
            "into dumpfile",
            "extractvalue",
            "updatexml",
        ],
        regex: r#"
            \b(?:
                xp_cmdshell | pg_sleep\s*\(\s*\d | (?:and|or|select|,)[\s(]+sleep\s*\(\s*\d
                | benchmark\s*\(\s*\d{4,}\s*, | waitfor\s+delay\s+['"]\d | load_file\s*\(\s*['"]
                | into\s+(?:out|dump)file\s+['"] | (?:extractvalue|updatexml)\s*\(\s*\w+\s*,\s*concat )
            | ['")\d]\s*(?:and|or|,)?[^\n]{0,60}[\s,(]sleep\s*\(\s*\d+\s*\)[\s,)]*(?:--|\#|$|\d|[a-z]{2,8}\b)"#,
    },
];
