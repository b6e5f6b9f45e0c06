//! Who is measured when: what is compared takes turns, and each second turn goes backwards.

use std::cell::Cell;

use crate::contender::Contender;
use crate::run::{Bench, Figures};
use crate::scenario::{Load, Scenario};

/// How the runs are made.
pub struct Rounds<'a> {
    pub bench: &'a Bench,
    pub contenders: &'a [Contender],
    pub repeats: usize,
    /// Which part of the records of a load is taken.
    pub part: usize,
    /// Whether the broker has had a run that does not count.
    pub is_warm: Cell<bool>,
}

/// All runs of a contender in a scenario.
#[derive(Debug, Clone)]
pub struct Measured {
    pub scenario: Scenario,
    pub contender: &'static str,
    pub figures: Vec<Figures>,
}

struct Entry<'a> {
    scenario: Scenario,
    contender: &'a Contender,
    source: String,
    figures: Vec<Figures>,
}

impl Rounds<'_> {
    /// Measures scenarios, those with the same load in turns.
    pub fn measure(&self, scenarios: &[Scenario]) -> Vec<Measured> {
        let same_load = |a: &Scenario, b: &Scenario| a.load == b.load;
        scenarios.chunk_by(same_load).flat_map(|together| self.measure_together(together)).collect()
    }

    fn measure_together(&self, scenarios: &[Scenario]) -> Vec<Measured> {
        let mut entries: Vec<Entry<'_>> = Vec::new();
        let mut sources: Vec<(Load, String)> = Vec::new();
        for scenario in scenarios {
            println!("{}: {}", scenario.name, scenario.title);
            for contender in self.contenders.iter().filter(|contender| contender.takes_part_in(scenario)) {
                let load = contender.load(scenario.load.part(self.part));
                let source = self.source(&mut sources, load);
                entries.push(Entry {
                    scenario: Scenario { load, ..*scenario },
                    contender,
                    source,
                    figures: Vec::new(),
                });
            }
        }
        if !self.is_warm.replace(true)
            && let Some(first) = entries.first_mut()
        {
            // A broker that has just started is slow.
            self.run(first, 0);
            first.figures.clear();
        }
        for repeat in 1..=self.repeats {
            let mut order: Vec<usize> = (0..entries.len()).collect();
            if repeat % 2 == 1 {
                order.reverse();
            }
            for index in order {
                self.run(&mut entries[index], repeat);
            }
        }
        let names: Vec<&str> = sources.iter().map(|(_, topic)| topic.as_str()).collect();
        self.bench.cluster.delete(&names);
        let measured = |entry: Entry<'_>| Measured {
            scenario: entry.scenario,
            contender: entry.contender.name(),
            figures: entry.figures,
        };
        entries.into_iter().map(measured).collect()
    }

    /// A filled topic for a load.
    fn source(&self, sources: &mut Vec<(Load, String)>, load: Load) -> String {
        if let Some((_, topic)) = sources.iter().find(|(filled, _)| *filled == load) {
            return topic.clone();
        }
        let topic = format!("{}-{}-{}-in", std::process::id(), load.name, load.records);
        self.bench.cluster.create(&topic);
        self.bench.cluster.fill(&topic, load.records, load.texts);
        sources.push((load, topic.clone()));
        topic
    }

    fn run(&self, entry: &mut Entry<'_>, repeat: usize) {
        let contender = entry.contender.name();
        let name = format!("{}-{}-{contender}-{repeat}", std::process::id(), entry.scenario.name);
        // A connector's name has small letters.
        let name = name.replace(' ', "-").to_lowercase();
        let figures = self.bench.run(&name, entry.contender, &entry.scenario, &entry.source);
        println!("  {:<4}{contender:<18}{figures}", entry.scenario.name);
        entry.figures.push(figures);
    }
}
