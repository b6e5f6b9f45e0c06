use std::time::Duration;

use proptest::prelude::*;
use tokio::runtime::Handle;

use super::*;
use crate::domain::failure::{Code, Failure};
use crate::kafka::handler::{RecordHandler, RecordStep};
use crate::kafka::simulation::process::handler;
use crate::kafka::simulation::record;
use crate::ports::journal::Key;
use crate::ports::model::FakeModel;
use crate::tasks::{Commitment, Tasks};

/// Records of two partitions, on their way through the table.
struct Bench {
    flights: FlightTable,
    handler: RecordHandler,
    tasks: Tasks,
}

impl Bench {
    fn new() -> Self {
        Self {
            flights: FlightTable::new(Ordering::Partition),
            handler: handler(Arc::new(FakeModel::default()), None),
            tasks: Tasks::new(Handle::current()),
        }
    }

    fn letter(&self, record: &Record) -> Settled {
        self.handler.dead_letter(record, &Failure::new(Code::IdConflict, "as told"))
    }

    /// Receives a record that needs a provider, or has come to its end.
    fn receive(&mut self, partition: usize, has_claim: bool, is_settled: bool) -> Ticket {
        let ticket = Ticket(self.flights.next_ticket);
        let topic: Arc<str> = "in".into();
        let record = Arc::new(record(&topic, partition, ticket.0, &format!("e{}", ticket.0), "text", "a"));
        let (event, input) = (Key([0; 32]), Key([0; 32]));
        let claim = Claim { event, input, origin: String::new(), window: Duration::from_secs(1) };
        let mut begun = self.handler.begin(&record);
        begun.claim = has_claim.then_some(claim);
        if is_settled {
            begun.step = RecordStep::Settled(self.letter(&record));
        }
        self.flights.receive(in_partition(partition), record, Instant::now(), begun);
        ticket
    }

    fn receive_in(&mut self, phase: &str) -> Ticket {
        let ticket = self.receive(0, phase == "claiming" || phase == "skipped", false);
        let way: &[&str] = match phase {
            "asking" => &["ask"],
            "ready" => &["ask", "answer"],
            "skipped" => &["repeat"],
            "sent" => &["ask", "answer", "send"],
            "delivered" => &["ask", "answer", "send", "deliver"],
            _ => &[],
        };
        way.iter().for_each(|step| self.take(step, ticket));
        ticket
    }

    /// Takes a step, allowed or not.
    fn take(&mut self, step: &str, ticket: Ticket) {
        let Some(record) = self.flights.get(ticket).map(|flight| Arc::clone(&flight.record)) else { return };
        let (letter, tasks, flights) = (self.letter(&record), &self.tasks, &mut self.flights);
        match step {
            "grant" | "repeat" | "conflict" => {
                flights.take_claims();
                let claimed = match step {
                    "grant" => Claimed::Granted,
                    "repeat" => Claimed::Repeat,
                    _ => Claimed::Conflict,
                };
                flights.decide(ticket, claimed, |_| letter);
            }
            "ask" => drop(flights.ask_next(|_, _, _| tasks.record(async {}, Commitment::default()))),
            "answer" => flights.answered(ticket, letter),
            "close skipped" => drop(flights.close_skipped(ticket)),
            "send" => flights.sent(ticket),
            "refuse" => drop(flights.refused(ticket)),
            "acknowledge" => drop(flights.acknowledged(ticket)),
            "deliver" => drop(flights.delivered(ticket)),
            "commit" => drop(flights.committed(ticket)),
            "abort" => drop(flights.aborted(ticket)),
            "replace" => flights.replace_outcome(ticket, letter),
            "enqueue" => flights.enqueue(ticket),
            other => panic!("{other}"),
        }
    }

    fn phase(&self, ticket: Ticket) -> &'static str {
        match self.flights.get(ticket).map(|flight| &flight.phase) {
            None => "closed",
            Some(Phase::Claiming(_)) => "claiming",
            Some(Phase::Waiting(_)) => "waiting",
            Some(Phase::Asking { .. }) => "asking",
            Some(Phase::Ready(_)) => "ready",
            Some(Phase::Skipped(_)) => "skipped",
            Some(Phase::Sent(_)) => "sent",
            Some(Phase::Delivered(_)) => "delivered",
        }
    }

    /// The counters are what counting comes to, and nobody stands in a queue who is not there.
    fn check(&self) {
        let flights = &self.flights;
        let (mut counts, mut bytes) = (PhaseCounts::default(), 0);
        for flight in flights.flights.values() {
            *counts.of(&flight.phase) += 1;
            bytes += flight.record.weight();
        }
        assert_eq!((flights.counts(), flights.bytes()), (counts, bytes));
        let queued = flights.flights.keys().filter(|ticket| flights.send_queue.contains(**ticket));
        assert!(queued.clone().all(|ticket| flights.is_ready(*ticket)), "only what is ready waits to be sent");
        assert!(flights.waiting.iter().all(|ticket| flights.flights.contains_key(ticket)));
        assert!(flights.claims.iter().all(|(ticket, _)| flights.flights.contains_key(ticket)));
    }
}

fn in_partition(number: usize) -> Partition {
    Partition { topic: "in".into(), number: i32::try_from(number).unwrap() }
}

const PHASES: [&str; 7] = ["claiming", "waiting", "asking", "ready", "skipped", "sent", "delivered"];
const STEPS: [&str; 14] = [
    "grant",
    "repeat",
    "conflict",
    "ask",
    "answer",
    "close skipped",
    "send",
    "refuse",
    "acknowledge",
    "deliver",
    "commit",
    "abort",
    "replace",
    "enqueue",
];
/// All that changes a phase.
const ALLOWED: [(&str, &str, &str); 12] = [
    ("claiming", "grant", "waiting"),
    ("claiming", "repeat", "skipped"),
    ("claiming", "conflict", "ready"),
    ("waiting", "ask", "asking"),
    ("asking", "answer", "ready"),
    ("skipped", "close skipped", "closed"),
    ("ready", "send", "sent"),
    ("sent", "refuse", "ready"),
    ("sent", "acknowledge", "closed"),
    ("sent", "deliver", "delivered"),
    ("delivered", "commit", "closed"),
    ("delivered", "abort", "ready"),
];

#[tokio::test]
async fn a_step_leads_to_its_phase_and_one_that_is_not_allowed_to_none() {
    for phase in PHASES {
        for step in STEPS {
            let mut bench = Bench::new();
            let ticket = bench.receive_in(phase);
            assert_eq!(bench.phase(ticket), phase);
            bench.check();
            bench.take(step, ticket);
            let allowed = ALLOWED.iter().find(|(from, by, _)| (*from, *by) == (phase, step));
            assert_eq!(bench.phase(ticket), allowed.map_or(phase, |(_, _, to)| to), "{phase}: {step}");
            bench.check();
        }
    }
}

#[tokio::test]
async fn what_is_delivered_in_a_transaction_is_done_with_when_that_is_committed_and_not_before() {
    let mut bench = Bench::new();
    let ticket = bench.receive_in("delivered");
    assert!(bench.flights.acknowledged(ticket).is_none());
    assert_eq!(bench.flights.counts(), PhaseCounts { delivered: 1, ..PhaseCounts::default() });
    assert!(bench.flights.committed(ticket).and_then(Flight::into_outcome).is_some());
    assert_eq!((bench.flights.counts(), bench.flights.bytes()), (PhaseCounts::default(), 0));
}

#[tokio::test]
async fn nothing_is_published_before_a_record_that_was_forgotten_in_front_of_it() {
    let mut bench = Bench::new();
    bench.receive(0, false, false);
    let behind = bench.receive(0, false, true);
    let beside = bench.receive(1, false, true);
    assert_eq!(bench.flights.next_released(), Some(beside), "another partition has an order of its own");
    bench.flights.forget_waiting(|partition| *partition == in_partition(0));
    assert_eq!((bench.flights.len(), bench.flights.next_released()), (2, None));
    assert_eq!(bench.phase(behind), "ready");
}

#[tokio::test]
async fn a_partition_that_leaves_takes_along_what_is_in_flight_and_says_what_the_producer_has() {
    let mut bench = Bench::new();
    // Backwards, because a record that waits would be asked in place of the next one.
    for phase in PHASES.iter().rev() {
        bench.receive_in(phase);
    }
    let stays = bench.receive(1, false, true);
    assert_eq!(bench.flights.forget_partition(&in_partition(0)), 2);
    bench.check();
    assert_eq!((bench.flights.len(), bench.phase(stays)), (1, "ready"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn counters_are_what_counting_comes_to_whatever_happens(
        steps in prop::collection::vec((0..STEPS.len() + 4, 0_usize..8, 0_usize..2), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut bench = Bench::new();
            for (step, back, partition) in steps {
                let ticket = Ticket(bench.flights.next_ticket.saturating_sub(1 + back));
                match step.checked_sub(STEPS.len()) {
                    None => bench.take(STEPS[step], ticket),
                    Some(0) => bench.flights.forget_waiting(|left| *left == in_partition(partition)),
                    Some(1) if back == 0 => drop(bench.flights.forget_partition(&in_partition(partition))),
                    Some(_) => drop(bench.receive(partition, step % 2 == 0, back % 3 == 0)),
                }
                while let Some(ticket) = bench.flights.next_released() {
                    bench.take("close skipped", ticket);
                    bench.take("send", ticket);
                }
                bench.check();
            }
        });
    }
}
