//! What digits with points, commas, spaces and apostrophes between them may be worth.

/// The values of a number as written, in JSON's grammar and without a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    /// It can be read in one way.
    Clear {
        /// What it is worth.
        value: String,
        /// The decimal mark of whoever writes numbers like this, where it shows.
        decimal_mark: Option<char>,
    },
    /// `1.234`: a mark before three digits groups thousands or begins a fraction.
    Unclear {
        /// Its value if the mark groups thousands.
        grouped: String,
        /// Its value if the mark is a decimal one.
        fraction: String,
        /// The mark.
        mark: char,
    },
}

/// Longest number that is read, in bytes.
const MAX_LENGTH: usize = 500;

/// Reads digits and marks; `None` for dates, versions and whatever else is no number.
pub(super) fn read(text: &str) -> Option<Written> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let marks: Vec<char> = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).collect();
    let (Some(last_mark), [head @ .., last]) = (marks.last().copied(), groups.as_slice()) else {
        return Some(Written::Clear { value: text.to_owned(), decimal_mark: None });
    };
    let is_grouped = are_groups(&groups, &marks);
    let fraction = || format!("{}.{last}", head.concat());
    match (last_mark, marks.len()) {
        ('.' | ',', 1) if is_grouped => {
            Some(Written::Unclear { grouped: groups.concat(), fraction: fraction(), mark: last_mark })
        }
        ('.' | ',' | '٫', 1) => {
            Some(Written::Clear { value: fraction(), decimal_mark: Some(last_mark).filter(|mark| *mark != '٫') })
        }
        _ if is_grouped => Some(Written::Clear { value: groups.concat(), decimal_mark: other(last_mark) }),
        ('.' | ',' | '٫', _) => {
            let groups_before = marks.get(..marks.len() - 1).unwrap_or_default();
            let is_number = !groups_before.contains(&last_mark) && are_groups(head, groups_before);
            let decimal_mark = Some(last_mark).filter(|mark| *mark != '٫');
            is_number.then(|| Written::Clear { value: fraction(), decimal_mark })
        }
        _ => None,
    }
}

/// Whether one mark groups the digits by thousands, or by lakhs and crores as in India (`12,34,567`).
fn are_groups(groups: &[&str], marks: &[char]) -> bool {
    let ([first, rest @ ..], Some(mark)) = (groups, marks.first()) else { return false };
    let Some((last, between)) = rest.split_last() else { return false };
    let is_one_mark = marks.iter().all(|other| other == mark) && matches!(mark, '.' | ',' | '\'' | ' ' | '٬');
    let has_length = |length: usize| between.iter().all(|group| group.len() == length);
    let by_lakh = *mark == ',' && !between.is_empty() && first.len() <= 2 && has_length(2);
    is_one_mark
        && !first.is_empty()
        && first.len() <= 3
        && !first.starts_with('0')
        && last.len() == 3
        && (has_length(3) || by_lakh)
}

/// The decimal mark of those who group thousands with this one.
fn other(mark: char) -> Option<char> {
    match mark {
        '.' => Some(','),
        ',' => Some('.'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clear(text: &str) -> Option<(String, Option<char>)> {
        match read(text)? {
            Written::Clear { value, decimal_mark } => Some((value, decimal_mark)),
            Written::Unclear { .. } => None,
        }
    }

    #[test]
    fn numbers_are_read_in_the_writings_of_many_countries() {
        for (text, value, mark) in [
            ("4711", "4711", None),
            ("12.5", "12.5", Some('.')),
            ("12,50", "12.50", Some(',')),
            ("1.234,56", "1234.56", Some(',')),
            ("1,234.56", "1234.56", Some('.')),
            ("1 234 567", "1234567", None),
            ("1 234,56", "1234.56", Some(',')),
            ("1'234.56", "1234.56", Some('.')),
            ("1.234.567", "1234567", Some(',')),
            ("12,34,567.89", "1234567.89", Some('.')),
            ("1234,567", "1234.567", Some(',')),
            ("0.125", "0.125", Some('.')),
            ("1٬234٫5", "1234.5", None),
        ] {
            assert_eq!(clear(text), Some((value.to_owned(), mark)), "{text}");
        }
    }

    #[test]
    fn one_mark_before_three_digits_is_unclear() {
        let expected = Written::Unclear { grouped: "1234".into(), fraction: "1.234".into(), mark: '.' };
        assert_eq!(read("1.234"), Some(expected));
        assert!(matches!(read("12,500"), Some(Written::Unclear { mark: ',', .. })));
    }

    #[test]
    fn dates_versions_and_lists_are_no_numbers() {
        for text in ["12.03.2026", "1.2.3", "10.0.0.1", "1,2,3", "5'30", "1.23.456,7", "1,234,56", "1.234,56,7"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"1".repeat(501)), None);
    }
}
