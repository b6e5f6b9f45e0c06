//! Plain text in columns, not wider than a terminal.

/// Widest line that is printed.
pub(super) const WIDTH: usize = 100;

/// The text in lines of at most `width` characters, broken at spaces where there are any. Line breaks stay.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|line| wrap_line(line, width)).collect()
}

fn wrap_line(line: &str, width: usize) -> Vec<String> {
    let indent: String = line.chars().take_while(|char| *char == ' ').take(width / 2).collect();
    // Only what is indented hangs: prose does not.
    let hanging = if indent.is_empty() { String::new() } else { format!("{indent}  ") };
    let mut lines = Vec::new();
    let mut current = indent;
    let mut is_empty = true;
    for word in line.split_whitespace() {
        let mut word = word;
        let length = current.chars().count();
        if !is_empty && length + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut current, hanging.clone()));
            is_empty = true;
        }
        if !is_empty {
            current.push(' ');
        }
        // A word that is longer than a line is cut.
        while current.chars().count() + word.chars().count() > width {
            let room = width.saturating_sub(current.chars().count()).max(1);
            let cut = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
            let (head, tail) = word.split_at(cut);
            current.push_str(head);
            lines.push(std::mem::replace(&mut current, hanging.clone()));
            word = tail;
        }
        current.push_str(word);
        is_empty = false;
    }
    lines.push(current);
    lines
}

/// Two texts side by side, the left one in `width` characters, after an indent.
pub(super) fn beside(left: &[String], right: &[String], width: usize) -> Vec<String> {
    let rows = left.len().max(right.len());
    let line = |lines: &[String], row: usize| lines.get(row).cloned().unwrap_or_default();
    let joined = (0..rows).map(|row| {
        let (left, right) = (line(left, row), line(right, row));
        let gap = " ".repeat(width.saturating_sub(left.chars().count()));
        format!("   {left}{gap}  {right}").trim_end().to_owned()
    });
    joined.collect()
}

/// On one line, and not longer than this.
pub(super) fn shorten(text: &str, width: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= width {
        return line;
    }
    let cut: String = line.chars().take(width.saturating_sub(1)).collect();
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_asked_and_no_character_is_lost() {
        let text = "  \"summary\": \"Ein sehr langer Satz über Lampen\"\n\nünbroken-ünbroken-ünbroken-ünbroken\nend";
        for width in 4..60 {
            let lines = wrap(text, width);
            assert!(lines.iter().all(|line| line.chars().count() <= width.max(6)), "{width}: {lines:?}");
            let letters = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
            assert_eq!(letters(&lines.concat()), letters(text), "{width}");
        }
    }

    #[test]
    fn columns_stand_side_by_side() {
        let text = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(beside(&text("a\nbc"), &text("1\n2\n3"), 3), ["   a    1", "   bc   2", "        3"]);
    }
}
