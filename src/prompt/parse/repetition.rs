//! Whether an answer that was cut at its limit had run away: small models fill numbers with digits and strings with one
//! phrase until nothing is left of the limit. A higher limit buys more of the same.

/// How much of the end is looked at, in bytes.
const WINDOW: usize = 1024;
/// Longest group that is recognised as repeated, in bytes.
const LONGEST_GROUP: usize = 128;
/// Times that a group must stand in a row.
const TIMES: usize = 8;
/// Shortest repetition that counts, in bytes: shorter ones occur in honest text (indentation, a separator line).
const SHORTEST: usize = 24;
/// Repetition at the very end that is enough, in bytes.
const AT_THE_END: usize = 64;
/// Shortest text in which a repetition of half of it is enough, in bytes.
const SHORTEST_HALF: usize = 128;

/// Whether `text` ends in a repetition of one character or one short group, or is one for the greater part of its last
/// kilobyte: a model that fills each of its fields up to their limits comes between them to something else for a
/// moment. Numbers of 24 digits and more count as repetitions.
pub fn is_runaway(text: &str) -> bool {
    let bytes = text.as_bytes();
    let tail = bytes.get(bytes.len().saturating_sub(WINDOW)..).unwrap_or_default();
    let repeated = repeated(tail);
    if repeated.iter().rev().take_while(|is_repeated| **is_repeated).count() >= AT_THE_END {
        return true;
    }
    // Indentation is no content, so its share says nothing.
    let visible = || tail.iter().zip(&repeated).filter(|(byte, _)| !byte.is_ascii_whitespace());
    let (all, within) = (visible().count(), visible().filter(|(_, is_repeated)| **is_repeated).count());
    all >= SHORTEST_HALF && within * 2 >= all
}

/// For each byte whether it is part of a repetition.
fn repeated(tail: &[u8]) -> Vec<bool> {
    let mut marked = vec![false; tail.len()];
    for period in 1..=LONGEST_GROUP.min(tail.len()) {
        let equals = tail.iter().zip(tail.get(period..).unwrap_or_default()).map(|(before, after)| before == after);
        // A run of n equal pairs is a text of n + period bytes.
        mark_runs(equals, period, SHORTEST.max(TIMES * period), &mut marked);
    }
    mark_runs(tail.iter().map(|byte| matches!(byte, b'0'..=b'9' | b'.')), 0, SHORTEST, &mut marked);
    marked
}

/// Marks the runs of `true`, each `extra` bytes longer, that come to at least `shortest` bytes.
fn mark_runs(flags: impl Iterator<Item = bool>, extra: usize, shortest: usize, marked: &mut [bool]) {
    let mut length = 0;
    for (at, flag) in flags.chain([false]).enumerate() {
        if flag {
            length += 1;
            continue;
        }
        if length > 0 && length + extra >= shortest {
            let run = marked.get_mut(at - length..at + extra);
            run.unwrap_or_default().fill(true);
        }
        length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::is_runaway;

    #[test]
    fn what_repeats_itself_until_it_is_cut_ran_away() {
        let words = "very ".repeat(20);
        let sentence = "The customer wants the money back, and would like to have it soon. ".repeat(10);
        let fields = format!("{{\"a\":\"{}\",\"b\":\"{}\",\"c\":\"x", "x".repeat(90), "ab".repeat(45));
        let number = "12345678901234567.8901234567890123e+000000000000000";
        let digits: String = (1..60).map(|number| number.to_string()).collect();
        for text in [
            format!("{{\"total\":1{}", "0".repeat(64)),
            format!("{{\"total\":0.{}", "142857".repeat(15)),
            format!("{{\"id\":{digits}"),
            format!("{{\"text\":\"{words}"),
            format!("{{\"text\":\"{}", "はい".repeat(20)),
            format!("{{\"text\":\"{sentence}The cust"),
            format!("{{\"tags\":[{}", "\"x\",".repeat(20)),
            format!("{{\"items\":[{}", "{\"sku\": \"A-1\", \"quantity\": 1},\n".repeat(12)),
            format!("{{\"label\":\"refund\"{}", "\n".repeat(100)),
            format!("{{\"text\":\"{}", "\\n".repeat(40)),
            format!("{{\"a\":{number},\"b\":{number},\"c\":{number},\"d\":1234"),
            fields,
        ] {
            assert!(is_runaway(&text), "{text}");
        }
    }

    #[test]
    fn an_honest_answer_did_not() {
        let prose = "We met on Monday, agreed on the price of 1,250.00 EUR, and signed the contract a week later. The \
            goods came in two parts; the second one was damaged, which the carrier confirmed in writing.";
        let rows: String =
            (0..60).map(|row| format!("    {{\"row\": {row}, \"total\": {}.50}},\n", row * 17)).collect();
        let indented: String = (0..40).map(|row| format!("{}\"k{row}\": {row},\n", " ".repeat(32))).collect();
        let mut seed = 7_u32;
        let base64: String = (0..2000)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(b'A' + (seed >> 24) as u8 % 26)
            })
            .collect();
        for text in [
            String::new(),
            "{\"label\":\"ref".to_owned(),
            "00000000000000000000000000000000".to_owned(),
            format!("{{\"text\":\"{prose}"),
            format!("{{\"text\":\"{prose}\\n{}\\n{prose}", "-".repeat(76)),
            format!("[{rows}"),
            format!("{{{indented}"),
            format!("{{\"pdf\":\"{base64}"),
            format!("{{\"iban\":\"DE89370400440532013000\",\"text\":\"{prose}"),
        ] {
            assert!(!is_runaway(&text), "{text}");
        }
    }
}
