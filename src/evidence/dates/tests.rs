use super::*;
use crate::evidence::folded_text::fold;

fn found(text: &str) -> Vec<String> {
    let days = |date: Date| date.days.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    dates(&fold(text)).found.into_iter().map(days).collect()
}

#[test]
fn dates_are_read_in_many_writings() {
    for text in [
        "2026-03-12",
        "2026/03/12",
        "2026.3.12",
        "20260312",
        "2026年3月12日",
        "2026년 3월 12일",
        "12.03.2026",
        "12. 3. 2026",
        "12.3.26",
        "12. März 2026",
        "12 mars 2026",
        "12-mar-2026",
        "12 Mar '26",
        "le 12 mars 2026",
        "12 de marzo de 2026",
        "12 de março de 2026",
        "12 marzo 2026",
        "12 maart 2026",
        "12 marca 2026",
        "March 12th, 2026",
        "Mar. 12, 2026",
        "the 12th of March, 2026",
        "2026-03-12T10:00",
        "١٢ mars ٢٠٢٦",
    ] {
        assert_eq!(found(text), ["2026-03-12"], "{text}");
    }
}

#[test]
fn day_and_month_are_told_apart_by_another_date_of_the_text_or_not_at_all() {
    assert_eq!(found("03/04/2026"), ["2026-04-03 or 2026-03-04"]);
    assert_eq!(found("03-04-2026"), ["2026-04-03 or 2026-03-04"]);
    assert_eq!(found("03/03/2026"), ["2026-03-03"]);
    assert_eq!(found("03.04.2026"), ["2026-04-03"]);
    assert_eq!(found("03/04/2026 to 25/04/2026"), ["2026-04-03", "2026-04-25"]);
    assert_eq!(found("03/04/2026 to 04/25/2026"), ["2026-03-04", "2026-04-25"]);
    assert_eq!(found("26-03-12"), ["2012-03-26 or 2026-03-12"]);
}

#[test]
fn dates_with_points_or_names_do_not_decide_how_slashes_are_read() {
    for other in ["28.02.2026", "28. Februar 2026", "28 February 2026", "February 28, 2026"] {
        let text = format!("{other}, then 05/06/2026");
        assert_eq!(found(&text), ["2026-02-28", "2026-06-05 or 2026-05-06"], "{text}");
    }
    assert_eq!(found("04/25/2026, 05.06.2026"), ["2026-04-25", "2026-06-05"]);
}

#[test]
fn what_is_no_date_is_not_read_as_one() {
    for text in [
        "31.02.2026",
        "12 apples 2026",
        "1.2.3.2026",
        "192.168.10.12",
        "12.03.20265",
        "A-12.03.2026",
        "2026-03/12",
        "120260312",
        "March 2026",
        "12 March",
        "2026-03-12-7",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn both_ends_of_a_range_are_found() {
    for text in [
        "12.03.2026–15.03.2026",
        "12.03.2026 - 15.03.2026",
        "12.03.–15.03.2026",
        "12.–15.03.2026",
        "12.-15. März 2026",
        "12–15 March 2026",
        "12 March – 15 March 2026",
        "March 12–15, 2026",
        "2026-03-12 – 2026-03-15",
    ] {
        assert_eq!(found(text), ["2026-03-12", "2026-03-15"], "{text}");
    }
    assert_eq!(found("28.12.–03.01.2027"), ["2026-12-28", "2027-01-03"]);
    assert_eq!(found("15.-12. März 2026"), ["2026-03-12"]);
    assert_eq!(found("item 12 - 15.03.2026"), ["2026-03-15"]);
    for text in ["08:12-15.03.2026", "#12-15.03.2026", "ticket_12-15.03.2026"] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn two_digits_are_a_year_only_where_they_can_be_nothing_else() {
    for text in ["5 mars 10:30", "5. März 14 Uhr", "5 mars 10h", "12.3. 14 Uhr", "5. Mai 20 Personen", "5 May 10 am"] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
    for text in ["5. Mai 26", "5. Mai 26, 14 Uhr", "5 May '26 people", "05.05.26 Anna"] {
        assert_eq!(found(text), ["2026-05-05"], "{text}");
    }
    assert_eq!(found("0026-03-12"), ["0026-03-12"]);
}
