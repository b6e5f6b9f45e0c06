//! Where a model's reasoning begins and ends in its answer, by the marks that open models and the servers in front of
//! them use. What stands there is no answer, however much it looks like one.

use std::sync::LazyLock;

use regex::Regex;

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Reasoning of this family begins.
    Opens(Family),
    /// Reasoning of this family ends. When none is open, the beginning was part of the prompt, as in the chat templates
    /// of DeepSeek-R1 and Qwen: all before the mark is reasoning.
    Closes(Family),
    /// A message ends, be it reasoning or the answer.
    EndsMessage,
    /// The answer begins, and all before it is none.
    Answers,
}

/// Marks of one family close each other, whatever their brackets: `<think> … </thinking>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Thought,
    Reason,
    Reflection,
    Scratchpad,
    Analysis,
    /// Granite's sentences.
    Preface,
    /// A message of gpt-oss in another channel than the final one.
    Channel,
}

/// A mark and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) sense: Sense,
}

/// Names in tags. A namespace may precede them (`<seed:think>`, `<mm:think>`), or words that say whose thoughts
/// (`<longcat_think>`, `<chain_of_thought>`).
const NAMES: [(Family, &str); 5] = [
    (Family::Thought, "(?:[a-z0-9_]+_)?(?:think|thinking|thoughts?|monologue)(?:_process)?"),
    (Family::Reason, "(?:reason|reasoning(?:_content)?|rationale)"),
    (Family::Reflection, "(?:reflection|reflect)"),
    (Family::Scratchpad, "(?:scratch_?pad)"),
    (Family::Analysis, "(?:analysis)"),
];

/// How a name is written as a tag that opens and as one that closes: XML; Kimi; the special tokens of OpenThoughts,
/// Cohere and others.
const BRACKETS: [(&str, &str); 3] = [
    (r"<(?:[a-z0-9_.-]+:)?NAME(?:\s[^<>]*)?>", r"</(?:[a-z0-9_.-]+:)?NAME\s*>"),
    ("◁NAME▷", "◁/NAME▷"),
    (r"<\|(?:(?:begin|start)_(?:of_)?)?NAME\|>", r"<\|(?:/|end_(?:of_)?)NAME\|>"),
];

/// Marks with other names.
const OTHERS: [(Sense, &str); 15] = [
    // Mistral. Other words in square brackets are headings.
    (Sense::Opens(Family::Thought), r"\[THINK\]"),
    (Sense::Closes(Family::Thought), r"\[/THINK\]"),
    // Apertus, Pangu, s1 and Granite.
    (Sense::Opens(Family::Thought), r"<\|inner_prefix\|>"),
    (Sense::Closes(Family::Thought), r"<\|inner_suffix\|>"),
    (Sense::Opens(Family::Thought), r"\[unused16\]"),
    (Sense::Closes(Family::Thought), r"\[unused17\]"),
    (Sense::Opens(Family::Thought), r"<\|im_start\|>think(?-u:\b)"),
    (Sense::Closes(Family::Thought), r"<\|im_start\|>answer(?-u:\b)"),
    (Sense::Opens(Family::Preface), r"(?-u:\b)here(?: is|'s) my thought process:"),
    (Sense::Closes(Family::Preface), r"(?-u:\b)here(?: is|'s) my response:"),
    // gpt-oss, where the server leaves its channels in the text, and Gemma.
    (Sense::Answers, r"<\|channel\|?>\s*final(?-u:\b)[^<]*(?:<\|constrain\|>[^<]*)?(?:<\|message\|>)?"),
    (Sense::Opens(Family::Channel), r"<\|channel\|?>[^<]*(?:<\|constrain\|>[^<]*)?(?:<\|message\|>)?"),
    (Sense::Closes(Family::Channel), r"<channel\|>"),
    (Sense::EndsMessage, r"<\|(?:start|end|return|call)\|>"),
    // gpt-oss, where the server leaves out the special tokens, but not the words between them.
    (Sense::Answers, r"assistantfinal"),
];

/// What such a text begins with: the channel and, without a space, the first word.
const BARE_CHANNEL: &str = "analysis";

/// All marks as one expression with a group for each, and what each group says.
static MARKS: LazyLock<Option<(Regex, Vec<Sense>)>> = LazyLock::new(|| {
    let tags = BRACKETS.iter().flat_map(|(open, close)| {
        NAMES.iter().flat_map(move |(family, name)| {
            // What ends is tried first: `<|end_of_thought|>` could be read as another kind of thought.
            let closes = (Sense::Closes(*family), close.replace("NAME", name));
            [closes, (Sense::Opens(*family), open.replace("NAME", name))]
        })
    });
    let others = OTHERS.iter().map(|(sense, expression)| (*sense, (*expression).to_owned()));
    let (senses, groups): (Vec<_>, Vec<_>) = tags.chain(others).map(|(sense, one)| (sense, format!("({one})"))).unzip();
    // The tests hold that it compiles.
    Some((Regex::new(&format!("(?i:{})", groups.join("|"))).ok()?, senses))
});

/// All marks in a text, in their order.
pub(super) fn marks(text: &str) -> Vec<Mark> {
    let Some((expression, senses)) = LazyLock::force(&MARKS) else { return Vec::new() };
    let is_bare = text
        .strip_prefix(BARE_CHANNEL)
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase() || !first.is_ascii()));
    let channel = Mark { start: 0, end: BARE_CHANNEL.len(), sense: Sense::Opens(Family::Channel) };
    let found = expression.captures_iter(text).filter_map(|captures| {
        let (group, place) =
            captures.iter().skip(1).enumerate().find_map(|(group, place)| place.map(|place| (group, place)))?;
        // Of all marks only `assistantfinal` begins with a letter a.
        let is_mark = !place.as_str().ends_with("/>") && (is_bare || !place.as_str().starts_with(['a', 'A']));
        is_mark.then_some(Mark { start: place.start(), end: place.end(), sense: *senses.get(group)? })
    });
    is_bare.then_some(channel).into_iter().chain(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn senses(text: &str) -> Vec<Sense> {
        marks(text).into_iter().map(|mark| mark.sense).collect()
    }

    #[test]
    fn a_heading_in_square_brackets_is_no_mark() {
        for heading in ["[Analysis] {", "[Reason]", "[Reflection]\n{", "[scratchpad]"] {
            assert_eq!(senses(heading), [], "{heading}");
        }
    }

    #[test]
    fn the_marks_of_the_models_are_known() {
        let (opens, closes) = (Sense::Opens, Sense::Closes);
        for (open, close, family) in [
            ("<think>", "</think>", Family::Thought),
            ("<THINKING>", "</Thinking >", Family::Thought),
            ("<think effort=\"high\">", "</think>", Family::Thought),
            ("<thought>", "</thought>", Family::Thought),
            ("<seed:think>", "</seed:think>", Family::Thought),
            ("<mm:think>", "</mm:think>", Family::Thought),
            ("<longcat_think>", "</longcat_think>", Family::Thought),
            ("<chain_of_thought>", "</chain_of_thought>", Family::Thought),
            ("[THINK]", "[/THINK]", Family::Thought),
            ("◁think▷", "◁/think▷", Family::Thought),
            ("<|begin_of_thought|>", "<|end_of_thought|>", Family::Thought),
            ("<|START_THINKING|>", "<|END_THINKING|>", Family::Thought),
            ("<|thinking|>", "<|/thinking|>", Family::Thought),
            ("<|inner_prefix|>", "<|inner_suffix|>", Family::Thought),
            ("<reasoning>", "</reasoning>", Family::Reason),
            ("<reason>", "</reason>", Family::Reason),
            ("<reasoning_content>", "</reasoning_content>", Family::Reason),
            ("<thought_process>", "</thought_process>", Family::Thought),
            ("<inner_monologue>", "</inner_monologue>", Family::Thought),
            ("<reflection>", "</reflection>", Family::Reflection),
            ("<scratchpad>", "</scratchpad>", Family::Scratchpad),
            ("<analysis>", "</analysis>", Family::Analysis),
            ("<|channel>thought\n", "<channel|>", Family::Channel),
            ("Here is my thought process:", "Here's my response:", Family::Preface),
        ] {
            assert_eq!(senses(&format!("{open}\nhm {{}}\n{close}{{}}")), [opens(family), closes(family)], "{open}");
        }
    }

    #[test]
    fn channels_are_reasoning_but_for_the_final_one() {
        let text = "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>";
        let (opens, ends) = (Sense::Opens(Family::Channel), Sense::EndsMessage);
        assert_eq!(senses(text), [opens, ends, ends, Sense::Answers, ends]);
        let json = "<|channel|>final <|constrain|>json<|message|>{}";
        assert_eq!(marks(json).first().map(|mark| &json[mark.end..]), Some("{}"));
        assert_eq!(senses("analysisWe need JSON.assistantfinal{}"), [opens, Sense::Answers]);
        assert_eq!(senses("analysis: assistantfinal {}"), []);
    }

    #[test]
    fn other_tags_and_words_are_no_marks() {
        let text = "<answer>{}</answer> <think/> <thinkpad> <b>reasoning</b> [1] think: <rethink> [thinker] <|im_end|>";
        assert_eq!(senses(text), []);
    }
}
