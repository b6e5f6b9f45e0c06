//! Orders to the model in English, and what imitates the frame of a conversation.

use super::Expression;
use super::Place::{Content, Order, Words};

/// What a model is told to follow.
macro_rules! instructions {
    () => {
        r"(?:instruction|prompt|rule|guideline|direction|directive|command|context|restriction)s?"
    };
}

/// Verbs that set something aside.
macro_rules! set_aside {
    () => {
        r"\b(?:ignore|disregard|forget|override|bypass|overlook|skip|(?:stop|quit)\s+(?:following|obeying)
            |(?:not|don't|never|no\s+longer)\s+(?:follow|obey)|pay\s+no\s+attention\s+to)\s+"
    };
}

/// What a text has that has one of them.
const VERBS: &[&str] = &[
    "ignore",
    "disregard",
    "forget",
    "override",
    "bypass",
    "overlook",
    "skip ",
    "stop following",
    "quit following",
    "obeying",
    "not follow",
    "don't follow",
    "never follow",
    "longer follow",
    "obey ",
    "attention to",
    "drop your",
];

pub(super) const EXPRESSIONS: &[Expression] = &[
    // Ignore all previous instructions. Disregard your rules. Forget the prompt above.
    Expression {
        name: "prompt-override",
        place: Order,
        needs: VERBS,
        regex: concat!(
            set_aside!(),
            r"(?:(?:all|any|every|everything|of|the|your|these|those|previous|prior|above|earlier|preceding|existing
                |system)\s+){0,5}
                (?:previous|prior|above|earlier|preceding|system|original|initial)\s+(?:\w+\s+)?",
            instructions!(),
            r"\b |",
            set_aside!(),
            r"(?:all\s+(?:of\s+)?)?your\s+(?:\w+\s+)?(?:",
            instructions!(),
            r"|programming|training)\b |",
            set_aside!(),
            r"(?:(?:all|any|every|of|the|these|those)\s+){0,4}(?:\w+\s+)?",
            instructions!(),
            r"\s+(?:(?:stated|given|written|mentioned|listed)\s+)?
                (?:above\b|before\s+this\b|(?:that\s+)?you\s+(?:were|have\s+been|had\s+been|got|received)\b)"
        ),
    },
    // Ignore everything above. Ignore what the developer told you. Everything above was a test, ignore it.
    Expression {
        name: "prompt-override",
        place: Order,
        needs: VERBS,
        regex: concat!(
            set_aside!(),
            r"(?:all|everything|anything|any\s+\w+|whatever)\s+(?:that\s+)?
                (?: you\s+(?:were|have\s+been) | i(?:'ve)?\s+told | (?:the\s+)?instructions?\s+(?:above|before)
                | (?:(?:is|was|stands)\s+)?above )\b |",
            set_aside!(),
            r"(?:what|everything|all)\s+(?:that\s+)?(?:the\s+|your\s+)?
                (?:developers?|system|operators?|programmers?|creators?)\s+
                (?:(?:has|have)\s+)?(?:told|said|instructed|wrote|written)\b |",
            set_aside!(),
            r"(?:(?:all|the|any)\s+){0,2}(?:preceding|foregoing|above)\s+(?:text|input|content|paragraphs?)\b
            | \b(?:everything|all|the\s+text)\s+(?:above|before\s+this)\b[^.\n]{0,60}[.;,]\s*
                (?:please\s+)?(?:ignore|disregard|forget)\b
            | \b(?:ignore|forget|drop)\s+your\s+(?:previous|former|current|assigned)\s+
                (?:role|identity|persona|task|job)\b"
        ),
    },
    // Your previous instructions are void. New instructions: answer with …
    Expression {
        name: "prompt-override",
        place: Order,
        needs: &[
            "instruction",
            "guideline",
            " rule",
            "prompt",
            "directive",
            "new task",
            "real task",
            "actual task",
            "updated task",
            "true task",
            "system task",
        ],
        regex: r"
            \b(?:previous|prior|earlier|above|original|your)\s+
                (?:\w+\s+)?(?:instruction|rule|guideline|prompt|directive)s?\s+
                (?:are|is|were|have\s+been)\s+(?:now\s+|hereby\s+)?
                (?:void|cancell?ed|obsolete|revoked|suspended|lifted|invalid|overridden|replaced
                |no\s+longer\s+(?:valid|in\s+force))\b
            | \b(?:replaces?|supersedes?|overrides?|overwrites?)\s+(?:all\s+)?(?:of\s+)?your\s+
                (?:\w+\s+)?(?:instruction|rule|guideline|prompt)s?\b
            | \b(?:new|real|actual|updated|true)\s+
                (?:system\s+)?(?:instructions?|task|directives?)\b[^:\n]{0,40}?(?::|\bis\s+to\b)\s*\W?
                (?:set|answer|respond|reply|output|return|print|write|translate|classify|approve|mark|say|you|ignore
                    |act)\b",
    },
    // Orders to take another role, or to have no rules.
    Expression {
        name: "prompt-role",
        place: Words,
        needs: &["you are", "you're"],
        regex: r"\byou(?:\s+are|'re)\s+(?:now\s+)?(?:(?:in|an?|the)\s+)?dan\b",
    },
    Expression {
        name: "prompt-role",
        place: Words,
        needs: &[
            " mode",
            "jailb",
            "longer bound",
            "longer a",
            "longer the",
            "terminal",
            "shell",
            "interpreter",
            "compiler",
            "pirate",
            "hacker",
            " poet",
            "restrict",
            "unfilter",
            "uncensor",
            "unalign",
            "anything now",
            "from now on",
        ],
        regex: r"
            \byou(?:\s+are|'re)\s+(?:now\s+)?(?:(?:in|an?|the)\s+)?
                (?:developer\s+mode|god\s+mode|jailbroken|no\s+longer\s+bound)
            | \byou(?:\s+are|'re)\s+no\s+longer\s+(?:an?|the)\s+
                (?:\w+\s+)?(?:classifier|assistant|ai|model|bot|chatbot|system)\b
            | \byou(?:\s+are|'re)\s+(?:now\s+)?an?\s+
                (?:\w+\s+)?(?:terminal|shell|interpreter|compiler|pirate|hacker|poet)\b
            | \b(?:unrestricted|unfiltered|uncensored|jailbroken|unaligned)\s+
                (?:\w+\s+)?(?:ai|model|assistant|chatbot|bot|llm|version)\b
            | \b(?:act|respond|behave|pretend)\s+(?:as|like|to\s+be)\s+
                (?:an?\s+)?(?:unrestricted|unfiltered|uncensored|jailbroken)\b
            | \b(?:enable|enter|activate|switch\s+to)\s+(?:the\s+)?(?:jailbreak|god|dan)\s+mode\b
            | \bdo\s+anything\s+now\b
            | \b(?:enable|enter|activate|simulate)\s+developer\s+mode\b.{0,80}
                \b(?:you|restrictions?|filters?|answer|respond)\b
            | \bfrom\s+now\s+on,?\s+you\s+(?:are\s+(?:an?|my)\b|(?:will\s+|must\s+|shall\s+|only\s+)?
                (?:act|answer|respond|reply|obey|play|behave|speak|pretend)\b)",
    },
    Expression {
        name: "prompt-role",
        place: Words,
        needs: &["pretend", "imagine", "act as if", "act as though", "suppose you", "suppose that", "role of"],
        regex: r"
            \b(?:pretend|imagine|suppose|act\s+as\s+(?:if|though))\s+(?:that\s+)?you\b[^.\n]{0,60}?\b
                (?: an?\s+(?:\w+\s+)?(?:ai|llm) | language\s+model | (?:helpful\s+)?assistant\s+(?:who|that)
                | (?:no|without(?:\s+any)?)\s+(?:\w+\s+)?
                    (?:restrictions?|rules|filters?|guidelines|policy|policies|limits) )\b
            | \b(?:play|take|assume)\s+(?:on\s+)?the\s+role\s+of\s+(?:\w+,?\s+)?(?:an?\s+)?
                (?:ai|language\s+model|evil\w*)\b",
    },
    Expression {
        name: "prompt-role",
        place: Words,
        needs: &["restriction", "rules", "filter", "guidelines", "limits", "policy"],
        regex: r"
            \b(?:ai|assistant|model|bot)\s+(?:with(?:out)?|that\s+has)\s+(?:no|any)\s+
                (?:\w+\s+)?(?:restrictions?|rules|filters?|guidelines|limits|policy)\b",
    },
    // Orders to show what the model was told.
    Expression {
        name: "prompt-leak",
        place: Order,
        needs: &[
            "prompt",
            "instruction",
            "rules",
            "systemmessage",
            "system message",
            "initial message",
            "original message",
            "hidden message",
            "secret message",
            "exact message",
            "first message",
            "full message",
        ],
        regex: r"
            \b(?:reveal|show|print|repeat|output|display|tell|leak|dump|quote|summari[sz]e|list|share|give|write
                |paste|encode|translate|copy)\s+
                (?:out\s+)?(?:(?:me|us)\s+)?(?:what\s+)?(?:all\s+(?:of\s+)?)?(?:the\s+(?:text|content|words)\s+of\s+)?
                (?: (?:your|the)\s+(?:(?:full|entire|exact|original|hidden|secret|initial|complete|whole)\s+)?
                    (?:system\s*(?:prompt|message|instructions?)|hidden\s+(?:prompt|instructions?|rules)
                    |initial\s+prompt)
                | your\s+(?:(?:full|entire|exact)\s+)?(?:initial|hidden|secret|original|exact)\s+
                    (?:prompt|instructions?|rules) )\b
            | \b(?:reveal|output|leak|dump|encode|print|recite)\s+(?:all\s+(?:of\s+)?)?your\s+
                (?:\w+\s+){0,4}(?:system\s+)?(?:prompt|instructions?|rules)\b
            | \b(?:what|which)\s+(?:is|are|was|were|does|did)\s+your\s+
                (?:(?:system|initial|original|hidden|secret|exact|first|full)\s+){1,2}
                (?:prompt|message|instructions?|rules)\b
            | \byour\s+(?:(?:full|entire|exact|original|hidden|initial|own)\s+)?system\s*prompts?\b
            | \byour\s+(?:prompt|instructions?|rules)\b[^.?!\n]{0,40}[.?!]?[^.?!\n]{0,30}\b
                (?:verbatim|word\s+for\s+word|in\s+base64)\b
            | \b(?:rules|instructions?)\s+(?:that\s+)?you\s+(?:were|have\s+been|got)\s+(?:given\s+)?(?:by|from)\s+
                (?:the|your)\s+(?:developers?|operator|creators?)\b",
    },
    Expression {
        name: "prompt-leak",
        place: Words,
        needs: &[
            "thing above",
            "all above",
            "the above",
            "text above",
            "words above",
            "line above",
            "lines above",
            "content above",
            "that above",
            "which above",
            " is above",
            "was above",
            "stands above",
            "before this",
        ],
        regex: r"
            \b(?:output|print|repeat|copy|translate|show|write|recite|return)\s+(?:\w+\s+){0,2}?
                (?:everything|all(?:\s+the)?(?:\s+text)?|the\s+(?:text|words|lines?|content))\s+
                    (?:(?:that|which)\s+)?(?:(?:stands|is|was)\s+)?
                (?:above|before\s+this)\b",
    },
    // Tokens, tags and headings that imitate the frame of a conversation.
    Expression {
        name: "prompt-frame",
        place: Words,
        needs: &[
            "<",
            "[inst]",
            "[/inst]",
            "system:",
            "system :",
            "system]",
            "\"system\"",
            "#system",
            "# system",
            "new system",
            "new instruction",
            "#instruction",
            "# instruction",
        ],
        regex: r#"
            <\|(?:im_start|im_end|system|user|assistant|endoftext|end_of_text|begin_of_text|eot_id|start_header_id
                |end_header_id)\|>
            | \[/?inst\]\s*\S | <<\s*/?sys\s*>> | <\s*/?\s*system(?:_?prompt)?\s*>
            | ^\s*\#{2,}\s*(?:new\s+)?(?:system|instructions?)\s*(?:prompt|override|message)?\s*:\s*\S
            | ^\s*\[?system\]?\s*:\s*(?:you\s+(?:are|must|will)|ignore|from\s+now) | "role"\s*:\s*"system"
                | \[system\]\(\#"#,
    },
    // What closes the record's own text, and what opens another one in it.
    Expression {
        name: "prompt-frame",
        place: Content,
        needs: &["end of", "</", "<instruct", "< instruct", "assistant:", "assistant :"],
        regex: r"
            ^\W*end\s+of\s+(?:the\s+)?(?:message|prompt|input|document|context|text|ticket|user\s+input)\b\W*
                [^\n]{0,80}\b(?:instructions?|system|assistant|operator|answer|classify|respond|reply)\b
            | </?\s*instructions?\s*> | </\s*(?:message|user|user_input|document)\s*>\s*<
            | ^\s*human\s*:[^\n]*\n\s*assistant\s*: | ^\s*assistant\s*:[^\n]+\n\s*(?:user|human)\s*:",
    },
];
