//! What waits for reviewers, and what does not: whatever else is in the topic, in however many partitions, and whatever
//! brokers forget.

use super::broker::{self, TestRecord};
use super::review::event;
use super::review_desk::{Desk, text};

/// Why a command did not do what it should.
fn refused(output: &std::process::Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn where_no_decision_is_known_nobody_decides_unasked() {
    const FORGOTTEN: &str = "knows of no decision";
    let desk = Desk::of_doubtful(3);
    let places = desk.places();
    let listed = || text(&desk.review("list", &[]).stderr);
    assert!(listed().contains(FORGOTTEN), "{}", listed());
    let unasked = |verb, place: &str| desk.review(verb, &[place, "--reviewer", "ada"]);
    for verb in ["accept", "reject"] {
        let why = refused(&unasked(verb, &places[0]));
        assert!(why.contains(FORGOTTEN) && why.contains("--first-decision"), "{why}");
    }
    assert!(desk.accept_at_last(&places[0], "ada"));
    assert_eq!(listed(), "");
    assert!(unasked("accept", &places[1]).status.success(), "the first one is known");
    assert_eq!(desk.places(), places[2..]);

    broker::forget_group(&desk.group());
    assert_eq!(desk.places(), places);
    assert!(listed().contains(FORGOTTEN), "{}", listed());
    for place in &places {
        assert!(refused(&unasked("accept", place)).contains(FORGOTTEN));
    }
    assert_eq!(desk.published().values().sum::<usize>(), 2);
    assert_eq!(broker::read(&desk.topics.dead_letters), []);
}

#[test]
fn only_the_connectors_own_results_wait() {
    let desk = Desk::of_doubtful(2);
    let [(_, own), _] = &broker::read(&desk.review)[..] else { panic!("two results") };
    let (mut of_other, mut third) = (own.clone(), own.clone());
    for (record, name, value) in
        [(&mut of_other, "ce_source", "/structured-prompt/other"), (&mut third, "ce_causationid", "e-third")]
    {
        record.headers.retain(|(header, _)| header != name);
        record.headers.push((name.to_owned(), Some(value.into())));
    }
    broker::produce(&desk.review, 1, &[TestRecord::new("hello"), of_other, third]);

    assert_eq!(desk.places(), ["0/0", "0/1", "0/4"]);
    let said = text(&desk.review("list", &[]).stderr);
    assert!(said.contains("2 record(s) of the topic") && said.contains("/0/2 is no result for review"), "{said}");
    for (place, why) in [("0/2", "is no result for review"), ("0/3", "is a result of /structured-prompt/other")] {
        let said = [desk.review("show", &[place]), desk.decide("accept", place, "ada", &[])].map(|it| refused(&it));
        assert!(said.iter().all(|said| said.contains(why)), "{said:?}");
    }
    for place in ["0/4", "0/0", "0/1"] {
        assert!(desk.accept_at_last(place, "ada"));
    }
    assert_eq!(desk.places(), Vec::<String>::new());
    assert_eq!(desk.published().len(), 3);
    // What is nobody's result is behind it, and that of the other connector is not.
    assert_eq!(broker::committed(&desk.group(), &desk.review).map(|(offset, _)| offset), Some(3));

    let text = std::fs::read_to_string(&desk.connector).expect("the file");
    let name = desk.topics.group.trim_end_matches("-group");
    std::fs::write(&desk.connector, text.replace(&format!("name: {name}\n"), "name: other\n")).expect("a file");
    assert_eq!(desk.places(), ["0/3"]);
    assert!(desk.accept_at_last("0/3", "bob"));
    assert_eq!(desk.places(), Vec::<String>::new());
}

/// The topic of a connector with transactions has their ends between the results, and behind the last one.
#[test]
fn each_partition_keeps_what_was_decided_in_it() {
    const PARTITIONS: i32 = 3;
    let events: Vec<_> = (0..12).map(|n| event(4 * n).key(&format!("key-{n}"))).collect();
    let batches: Vec<&[TestRecord]> = events.chunks(3).collect();
    let desk = Desk::of_batches(&batches, PARTITIONS, "delivery: { guarantee: exactly-once }");
    let mut rest = desk.places();
    assert_eq!(rest.len(), 12);
    let of_first = rest.iter().filter(|place| place.starts_with("0/")).count();
    assert!((1..12).contains(&of_first), "{rest:?}");
    // The last one first, so that something is decided out of turn; in each partition one and then another.
    let mut turns = rest.clone();
    turns.sort_by_key(|place| std::cmp::Reverse(place.split_once('/').map(|(_, offset)| offset.parse::<i64>().ok())));
    for place in &turns {
        assert!(desk.accept_at_last(place, "ada"), "{place}");
        rest.retain(|other| other != place);
        assert_eq!(desk.places(), rest, "after {place}");
        // Brokers forget a commit that grows old, also one about which nothing changes.
        let committed =
            (0..PARTITIONS).filter(|number| broker::committed_of(&desk.group(), &desk.review, *number).is_some());
        assert_eq!(committed.count(), 3, "after {place}");
    }
    let published = desk.published();
    assert!(published.len() == 12 && published.values().all(|times| *times == 1), "{published:?}");
}

#[test]
fn brokers_that_are_away_are_no_obstacle_while_one_answers() {
    let desk = Desk::of_doubtful(2);
    let text = std::fs::read_to_string(&desk.runtime).expect("the file");
    let brokers = "brokers: [\"127.0.0.1:1\", \"nowhere.invalid:9092\", ";
    std::fs::write(&desk.runtime, text.replacen("brokers: [", brokers, 1)).expect("a file");
    for _ in 0..3 {
        assert_eq!(desk.places().len(), 2);
    }
    let places = desk.places();
    assert!(desk.accept_at_last(&places[0], "ada"));
    assert_eq!(desk.places(), places[1..]);
}
