use super::*;
use crate::evidence::folded_text::fold;

fn found(text: &str) -> Vec<String> {
    times(&fold(text)).found.into_iter().map(|time| time.time.to_string()).collect()
}

#[test]
fn times_are_read_in_many_writings() {
    for text in [
        "14:30",
        "14:30:00",
        "2:30 pm",
        "2:30 P.M.",
        "2.30 pm",
        "14h30",
        "14 h 30",
        "14.30 Uhr",
        "14 Uhr 30",
        "14:30 Uhr",
        "14:30Z",
        "14:30 UTC",
        "at 14:30.",
    ] {
        assert_eq!(found(text), ["14:30:00"], "{text}");
    }
    assert_eq!(found("from 2 pm to 14 Uhr, 12 am, 12 pm"), ["14:00:00", "14:00:00", "00:00:00", "12:00:00"]);
}

#[test]
fn what_is_no_time_is_not_read_as_one() {
    for text in ["25:00", "14:60", "13 pm", "1:2:3", "12.50", "14:305", "5 hours", "2026:14:30", "3 ham", "114:30"] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn both_ends_of_a_range_are_found_and_its_hyphen_is_no_offset() {
    for text in
        ["09:00-17:00", "9:00 – 17:00 Uhr", "9-17 Uhr", "9.00-17.00 Uhr", "9am-5pm", "9-5 pm", "9h-17h", "9 to 5 pm"]
    {
        assert_eq!(found(text), ["09:00:00", "17:00:00"], "{text}");
    }
    assert_eq!(found("2-4 pm"), ["14:00:00", "16:00:00"]);
    assert_eq!(found("4711-14:30"), [""; 0]);
    assert_eq!(found("room_9-17 Uhr"), [""; 0]);
}

#[test]
fn offsets_are_read_after_times() {
    let offset = |text: &str| {
        let time = times(&fold(text)).found.remove(0);
        assert_eq!(time.place.end, text.len(), "{text}");
        time.offset.map(|offset| offset.local_minus_utc() / 60)
    };
    for (text, minutes) in [
        ("14:30Z", 0),
        ("14:30 GMT", 0),
        ("14:30+02:00", 120),
        ("14:30:00-0530", -330),
        ("2026-03-12T14:30-05:00", -300),
        ("14:30 UTC+2", 120),
    ] {
        assert_eq!(offset(text), Some(minutes), "{text}");
    }
    assert_eq!(times("14:30 zurück").found[0].place, 0..5);
}

#[test]
fn the_first_time_of_a_range_is_sure_where_the_dash_holds_both_together() {
    let first = |text: &str| times(&fold(text)).found.remove(0);
    for (text, is_sure) in [("9–17 Uhr", true), ("2-4 pm", true), ("gate 3 – 5 pm", false), ("table 9 to 5 pm", false)]
    {
        assert_eq!(first(text).is_sure, is_sure, "{text}");
    }
}

#[test]
fn hours_that_may_be_a_duration_or_a_german_preposition_are_not_sure() {
    let is_sure = |text: &str| times(&fold(text)).found[0].is_sure;
    for text in ["8h", "8 h de travail", "10 am Montag", "10 am 12.03.2026"] {
        assert!(!is_sure(text), "{text}");
    }
    for text in ["à 8h", "8h30", "10 am", "8 Uhr"] {
        assert!(is_sure(text), "{text}");
    }
    assert_eq!(found("14:30 am Montag, 8 h 30 min"), ["14:30:00"]);
}
