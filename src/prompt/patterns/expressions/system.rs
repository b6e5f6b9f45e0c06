//! Template expressions, paths and shell commands: what reaches the system below, where something executes it.

use super::Expression;
use super::Place::{Bare, Code, Words};

pub(super) const EXPRESSIONS: &[Expression] = &[
    // Arithmetic, look-ups and the insides of objects between a template language's brackets: {{7*7}}, ${jndi:ldap://x}
    Expression {
        name: "template-expression",
        place: Code,
        needs: &["{"],
        regex: r#"
            \{\{[^{}\n]*?(?: __[a-z]{2,20}__ | \b\d+\s*\*\s*'?\d+ | \bconstructor\b | \bconfig\s*(?:\}\}|\[|\.items)
                | \bself\b[.\[] | \brequest\s*(?:\.(?:application|environ)|\|\s*attr) | \b(?:cycler|joiner|lipsum)\b
                    | \bpopen\b | getclass
                | \bdump\s*\( | \bos\.system\b | /etc/ )
            | \{%[^%\n]*?(?: __[a-z]{2,20}__ | \bpopen\b | \bimport\s+os\b )
            | [$\#*]\{[^{}\n]*?(?: \b\d+\s*\*\s*\d+ | \bt\s*\(\s*java | getruntime | java\.lang | getclass
                | processbuilder
                | \bos\.(?:system|popen)\b | __[a-z]{2,20}__ )
            | \$\{\s*(?: jndi\s*: | \$\{\s*(?:lower|upper|env|::) )
            | \{php\} | \{\$smarty\. | \}\s*\$\{\s*ex\s*\("#,
    },
    Expression {
        name: "template-expression",
        place: Code,
        needs: &["<#ass", "#set(", "#set ("],
        regex: r"<\#assign\s[^>]{0,100}\?new\( | \#set\s*\(\s*\$\w+\s*=[^)]{0,60}\) [^\n]{0,60}(?:class|runtime)",
    },
    Expression {
        name: "template-expression",
        place: Code,
        needs: &["<"],
        regex: r"
            <%=?\s*(?: \d+\s*\*\s*\d+ | (?:system|exec|eval|file|dir|io)\s*[.(] | ` )
            | <\?(?:php|=)\s[^\n]{0,60}?(?:system|exec|passthru|shell_exec|eval|assert|include)\s*\( | <!--\s*\#exec\s",
    },
    // A way up and out of a folder, and addresses of what only the machine itself may read.
    Expression {
        name: "path-traversal",
        place: Code,
        needs: &[
            "../",
            r"..\",
            "..%",
            "%2e%2e",
            "%252e%252e",
            "....//",
            "file://",
            "php://",
            "expect://",
            "gopher:",
            "169.254.169",
        ],
        regex: r"
            (?:\.\.[/\\]){4,}
            | (?:\.\.[/\\])+[a-z0-9_./\\-]{0,80}(?:etc[/\\]|proc[/\\]self|windows[/\\]|winnt|boot\.ini|win\.ini|\.ssh
                |\.env\b|\.aws|id_rsa)
            | (?:\.\.[/\\]){3,}[a-z0-9_./\\-]{0,80}(?:config|secret|passw|credential|shadow)
            | (?:\.{4,}//+){2,}
            | (?:%2e%2e|%252e%252e)(?:[/\\]|%2f|%5c|%252f|%255c) | \.\.(?:%2f|%5c|%252f|%255c|%c0%af|%c1%9c)
            | \bfile:/{2,3}(?:etc|proc|root|var|home)/ | \bphp://(?:filter|input) | \bexpect://\w | \bgopher://\w
            | \bhttps?://169\.254\.169\.254\b",
    },
    Expression {
        name: "path-traversal",
        place: Bare,
        needs: &["/etc/"],
        regex: r"^\s*(?:\w+\s*[=:]\s*)?[./\\]*/etc/(?:passwd|shadow)(?:%00\S*)?\s*$",
    },
    // A separator, then a command that reads, destroys, waits or calls home.
    Expression {
        name: "shell-command",
        place: Code,
        needs: &[
            "/etc/",
            "rm -r",
            "rm -f",
            "rm -i",
            "rm -v",
            "rm -d",
            "wget ",
            "curl ",
            "whoami",
            "uname ",
            "ifconfig",
            "sleep ",
            "ping -",
            "python -c",
            "python3 -c",
            "python2 -c",
            "netcat",
            "|",
            "nslookup",
            "/bin/",
            "perl -",
            "type c:",
            "system(",
            "system (",
            "net local",
            "net user",
            "net view",
        ],
        regex: r#"
            (?: ^ | [;&|] | \$\( | ` )\s*(?:
                cat\s+/etc/(?:passwd|shadow|group|hosts\s*$) | rm\s+-[rfivd]*[rf]\w*\s+(?:/|~|\*|--no) )
            | (?: [;&|] | \$\( | ` )\s*(?:
                whoami\b | uname\s+-a | ifconfig\b | sleep\s+\d+\s*(?:[;&|)`\#]|$) | ping\s+-[cn]\s*\d+ | nslookup\s+\S
                | python[23]?\s+-c\s*['"] | wget\s[^\n]{0,120}(?:chmod\s|-o\s*/tmp|\|\s*(?:ba)?sh\b)
                | curl\s[^\n|]{0,120}\|\s*(?:sudo\s+)?(?:ba|z)?sh\b )
            | \|\s*(?:nc|ncat|netcat)\s+\S+\s+\d | ['")|;&]\s*[|;&]?\s*/(?:usr/)?bin/(?:id|ls|cat|uname|whoami|sh)\b
            | (?:;|&&|\|\|)\s*(?:perl\s+-e\s*['"] | type\s+c:\\ | net\s+(?:localgroup|user|view)\b
                | system\s*\(\s*['"] )"#,
    },
    Expression {
        name: "shell-command",
        place: Code,
        needs: &["/dev/tcp/", "/bin/", "bash -i", "powershell", "net user", "no-preserve-root", "()"],
        regex: r"
            /dev/tcp/\S+/\d | \bnc(?:at)?\s[^\n]{0,60}\s-\w*[ec]\s*/bin/ | \bbash\s+-i\s*[>&]
                | [;&|]\s*/bin/(?:ba)?sh\s+-[ic]\b
            | \bpowershell\b[^\n]{0,60}\s-e\w{0,14}\s+[a-z0-9+/=]{16,} | \bnet\s+user\s+\S+\s+\S+\s+/add
                | --no-preserve-root
            | \(\)\s*\{\s*:?;?\s*\}\s*;",
    },
    // As the whole message: a script that is fetched and run, or a call.
    Expression {
        name: "shell-command",
        place: Bare,
        needs: &["|", "system(", "system (", "exec(", "exec (", "eval(", "eval (", "passthru"],
        regex: r#"
            ^\s*(?:curl|wget)\s[^\n|]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b[^\n]{0,40}$
            | ^\s*(?:system|exec|eval|passthru)\s*\(\s*['"][^\n]{0,80}['"]\s*\)\s*;?\s*$"#,
    },
    // A value, a separator and a command: report.pdf; ls -l
    Expression {
        name: "shell-command",
        place: Bare,
        needs: &[";", "|", "&"],
        regex: r#"
            \A\S*?\s*[;&|]{1,2}\s*(?:id|ls|dir|pwd|whoami|ifconfig|ipconfig|netstat|uname|systeminfo|curl
                |wget)\b
            (?:\s+[-/a-z0-9_:.*\\]+){0,3}\s*[;&|)]*\s*\z"#,
    },
    // Between backticks, but grown together with a word: name`id`
    Expression {
        name: "shell-command",
        place: Words,
        needs: &["`"],
        regex: r"\w`\s*(?:id|whoami|uname[^`\n]{0,10}|sleep\s+\d+)\s*` | `\s*(?:id|whoami|hostname)\s*`[.\w]",
    },
];
