//! Checks across connectors: names, shared groups, and events that would go round in circles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::topics::Topics;
use crate::config::diagnostics::Diagnostics;
use crate::config::finding::{Finding, Place};
use crate::config::values::Problem;
use crate::kafka::review_queue;

/// A topic and where it is written.
type Topic = (Arc<str>, Place, String);

/// How one connector is wired.
pub(crate) struct Wiring {
    name: Option<(String, Place)>,
    group: String,
    sources: Vec<Topic>,
    targets: Vec<Topic>,
    review: Option<Topic>,
}

impl Wiring {
    pub(super) fn of(diagnostics: &Diagnostics, name: Option<(&str, Place)>, topics: &Topics) -> Self {
        let topic = |(topic, location): &(Arc<str>, crate::config::diagnostics::Location)| {
            (Arc::clone(topic), diagnostics.place(&location.origin), location.path.clone())
        };
        check_outputs(diagnostics, topics);
        Self {
            name: name.map(|(name, place)| (name.to_owned(), place)),
            group: topics.group.clone(),
            sources: topics.source.topics.iter().map(topic).collect(),
            targets: topics.sink.topics.iter().chain(&topics.dead_letter).chain(&topics.review).map(topic).collect(),
            review: topics.review.as_ref().map(topic),
        }
    }

    fn shown(&self) -> &str {
        self.name.as_ref().map_or("unnamed", |(name, _)| name)
    }
}

/// Readers of one kind of outcome must not meet another.
fn check_outputs(diagnostics: &Diagnostics, topics: &Topics) {
    let outputs = [
        ("the sink", topics.sink.topics.as_slice()),
        ("the dead letter topic", topics.dead_letter.as_slice()),
        ("the review topic", topics.review.as_slice()),
    ];
    for (index, (first, ones)) in outputs.iter().enumerate() {
        let later = outputs.iter().skip(index + 1);
        for (second, (same, location)) in later.flat_map(|(second, others)| others.iter().map(move |one| (second, one)))
        {
            if ones.iter().any(|(topic, _)| topic == same) {
                let message = format!("{same} is {first} and {second}");
                let help = "use two topics: whoever reads one of them must not meet records of the other kind";
                diagnostics.note(location, Problem::new(message, help));
            }
        }
    }
}

/// What is wrong with connectors together.
pub(crate) fn check_together<'a>(wirings: impl Iterator<Item = &'a Wiring>) -> Vec<Finding> {
    let wirings: Vec<&Wiring> = wirings.collect();
    let mut findings = same_names(&wirings);
    findings.extend(shared_sources(&wirings));
    findings.extend(shared_reviews(&wirings));
    findings.extend(cycles(&wirings));
    findings
}

fn same_names(wirings: &[&Wiring]) -> Vec<Finding> {
    let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
    let mut findings = Vec::new();
    for (name, place) in wirings.iter().filter_map(|wiring| wiring.name.as_ref()) {
        let Some(earlier) = first.get(name.as_str()) else {
            first.insert(name, place);
            continue;
        };
        findings.push(Finding {
            place: place.clone(),
            key_path: "name".to_owned(),
            message: format!("the name {name} is taken by {earlier}"),
            help: "give each connector a name of its own: results carry it".to_owned(),
        });
    }
    findings
}

/// Two connectors that read a topic in the same group would each get a part of it.
fn shared_sources(wirings: &[&Wiring]) -> Vec<Finding> {
    let mut first: BTreeMap<(&str, &str), &Wiring> = BTreeMap::new();
    let mut findings = Vec::new();
    for wiring in wirings {
        let own: BTreeSet<&str> = wiring.sources.iter().map(|(topic, ..)| &**topic).collect();
        for topic in own {
            let Some(earlier) = first.get(&(wiring.group.as_str(), topic)) else {
                first.insert((&wiring.group, topic), wiring);
                continue;
            };
            if earlier.shown() == wiring.shown() {
                continue;
            }
            let written = wiring.sources.iter().find(|(own, ..)| &**own == topic);
            findings.extend(written.map(|(_, place, path)| Finding {
                place: place.clone(),
                key_path: path.clone(),
                message: format!("{topic} is also read by {} in the same group", earlier.shown()),
                help: "each would get a part of the events; give each connector a group of its own".to_owned(),
            }));
        }
    }
    findings
}

/// Whoever decides about the results of one connector must not meet records of another, nor commit for its group.
fn shared_reviews(wirings: &[&Wiring]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, wiring) in wirings.iter().enumerate() {
        let Some((topic, place, path)) = &wiring.review else { continue };
        let mut note = |message, help: &str| {
            let (place, key_path) = (place.clone(), path.clone());
            findings.push(Finding { place, key_path, message, help: help.to_owned() });
        };
        let others = wirings.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, wiring)| wiring);
        for other in others {
            if other.targets.iter().any(|(target, ..)| target == topic) {
                let message = format!("{topic} is also written by {}", other.shown());
                note(
                    message,
                    "each result would be decided about for both; use a review topic for this connector alone",
                );
            }
            if other.group == review_queue::group_of(&wiring.group) {
                let message = format!(
                    "the group {} of {} is where decisions about this review topic are kept",
                    other.group,
                    other.shown()
                );
                note(message, "give that connector another `source.kafka.group`");
            }
        }
    }
    findings
}

/// One step of an event: from a source, through a connector, to a topic that it writes.
struct Step<'a> {
    from: &'a str,
    wiring: &'a Wiring,
    target: &'a Topic,
}

/// Cycles of topics, each step reported at most once.
fn cycles(wirings: &[&Wiring]) -> Vec<Finding> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for &wiring in wirings {
        for (from, ..) in &wiring.sources {
            steps.extend(wiring.targets.iter().map(|target| Step { from, wiring, target }));
        }
    }
    let mut leaving: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        leaving.entry(step.from).or_default().push(index);
    }
    let mut reported: BTreeSet<usize> = BTreeSet::new();
    let mut findings = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        if reported.contains(&index) {
            continue;
        }
        let Some(mut back) = way(&steps, &leaving, &step.target.0, step.from) else { continue };
        back.insert(0, index);
        let mut shown = step.from.to_owned();
        for step in back.iter().filter_map(|index| steps.get(*index)) {
            shown.push_str(&format!(" → [{}] → {}", step.wiring.shown(), step.target.0));
        }
        reported.extend(back);
        findings.push(Finding {
            place: step.target.1.clone(),
            key_path: step.target.2.clone(),
            message: format!("events would go round in circles: {shown}"),
            help: "write to a topic that leads nowhere back, or read another one".to_owned(),
        });
    }
    findings
}

/// The shortest way between topics as indexes of steps; an empty one when they are the same.
fn way(steps: &[Step<'_>], leaving: &BTreeMap<&str, Vec<usize>>, from: &str, to: &str) -> Option<Vec<usize>> {
    let mut reached: BTreeMap<&str, Vec<usize>> = BTreeMap::from([(from, Vec::new())]);
    let mut queue = VecDeque::from([from]);
    while let Some(topic) = queue.pop_front() {
        let path = reached.get(topic).cloned().unwrap_or_default();
        if topic == to {
            return Some(path);
        }
        for (index, step) in leaving.get(topic).into_iter().flatten().filter_map(|i| Some((*i, steps.get(*i)?))) {
            if !reached.contains_key(&*step.target.0) {
                reached.insert(&step.target.0, path.iter().copied().chain([index]).collect());
                queue.push_back(&step.target.0);
            }
        }
    }
    None
}
