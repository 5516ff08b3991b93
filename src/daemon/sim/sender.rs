//! A sender: has messages, brings them in through a channel's ingress, and brings again what was
//! not acknowledged.

use super::network::Shared;
use super::oracle::Instance;
use super::plan::IDENTS;
use crate::channel::Intake;
use crate::channel::Refusal;
use crate::daemon::Daemon;
use crate::daemon::ingress::AckTokens;
use crate::daemon::ingress::Ingress;
use crate::daemon::shared::SharedState;
use crate::message::Message;
use crate::ring::sim::random::Random;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// A report that is not known to be safe.
#[derive(Clone, Copy, Debug)]
struct Report {
    ident: u8,
    speed: u8,
    measured: Duration,
    padding: usize,
    /// As what it was brought in last, and when.
    brought: Option<(u32, Duration)>,
}

impl Report {
    /// Whether its sender has no clock.
    fn is_undated(&self) -> bool {
        self.padding.is_multiple_of(3)
    }
}

/// Answers that wait, and those that came: each has a message's number for its ack token.
#[derive(Default)]
pub(super) struct Desk {
    ack_tokens: AckTokens,
    acknowledged: Vec<u64>,
}

pub(super) struct Sender {
    reports: VecDeque<Report>,
    desk: Rc<RefCell<Desk>>,
    random: Random,
    pub(super) reported: u64,
}

/// Tells the sender what is safe, as a connection of a channel does, for ever.
pub(super) async fn acknowledge(shared: Rc<SharedState>, desk: Rc<RefCell<Desk>>) {
    loop {
        desk.borrow_mut().collect(&shared);
        let any = shared.ring.next_safe();
        shared.ring.durable_event(Some(any)).await;
    }
}

impl Desk {
    fn collect(&mut self, shared: &SharedState) {
        self.acknowledged
            .extend(self.ack_tokens.safe(shared.ring.safe()));
    }
}

impl Sender {
    pub(super) fn new(random: Random) -> Self {
        Self {
            reports: VecDeque::new(),
            desk: Rc::default(),
            random,
            reported: 0,
        }
    }

    /// A new connection, to a daemon that knows of no earlier one.
    pub(super) fn connect(&mut self) -> Rc<RefCell<Desk>> {
        self.desk = Rc::default();
        for report in &mut self.reports {
            report.brought = None;
        }
        Rc::clone(&self.desk)
    }

    /// Something was measured.
    pub(super) fn report(&mut self, t: Duration, count: usize) {
        let ident = u8::try_from(self.random.below(IDENTS.len())).unwrap_or(0);
        for _ in 0..count {
            self.reported += 1;
            self.reports.push_back(Report {
                ident,
                speed: u8::try_from(self.random.below(90)).unwrap_or(0),
                measured: t,
                padding: self.random.below(120),
                brought: None,
            });
        }
    }

    /// Brings in what was not brought in; whether there was room for it.
    pub(super) fn bring(&mut self, daemon: &Daemon, world: &Shared) -> bool {
        let mut left = VecDeque::new();
        let mut room = true;
        while let Some(mut report) = self.reports.pop_front() {
            if room && report.brought.is_none() {
                match self.bring_one(&mut report, daemon, world) {
                    Err(Refusal::Full) => room = false,
                    Err(_) => continue,
                    Ok(()) => {}
                }
            }
            left.push_back(report);
        }
        self.reports = left;
        self.desk.borrow_mut().collect(&daemon.shared);
        room
    }

    fn bring_one(
        &mut self,
        report: &mut Report,
        daemon: &Daemon,
        world: &Shared,
    ) -> Result<(), Refusal> {
        let network = &mut *world.borrow_mut();
        let oracle = &mut network.oracle;
        let instance = Instance {
            at: network.t,
            boot: oracle.boot,
            ident: report.ident,
            mask: oracle.wanted(report.ident),
            speed: report.speed,
            instead: Default::default(),
            measured: report.measured,
            undated: report.is_undated(),
            deceived: false,
            acknowledged: false,
        };
        let number = u32::try_from(oracle.instances.len()).unwrap_or(u32::MAX);
        let desk = &mut *self.desk.borrow_mut();
        let mut ingress = Ingress {
            shared: &daemon.shared,
            channel: &daemon.all_channels()[0],
            now: daemon.shared.now(),
            peer: "tracker",
            conn: 0,
            known: None,
            ack_tokens: &mut desk.ack_tokens,
            claim: &mut None,
        };
        match ingress.submit(&mut [message(report, number)]) {
            Ok(()) => {
                ingress.ack_when_durable(number.into());
                oracle.brought(instance);
                report.brought = Some((number, network.t));
                Ok(())
            }
            Err(refused) => {
                if refused.reason == Refusal::Unwanted && instance.mask != 0 {
                    oracle.violation("a message that is wanted was refused");
                }
                Err(refused.reason)
            }
        }
    }

    /// Takes the acknowledgements that came. Now and then one gets lost, and the sender says all
    /// again that it does not know to be safe.
    pub(super) fn hear(&mut self, world: &Shared) {
        let acknowledged = std::mem::take(&mut self.desk.borrow_mut().acknowledged);
        for ack_token in acknowledged {
            let number = u32::try_from(ack_token).unwrap_or(u32::MAX);
            let oracle = &mut world.borrow_mut().oracle;
            oracle.acknowledged(number);
            if self.random.once_in(500) {
                self.reports
                    .iter_mut()
                    .for_each(|report| report.brought = None);
                continue;
            }
            let is = |report: &Report| report.brought.is_some_and(|(it, _)| it == number);
            self.reports.retain(|report| !is(report));
        }
    }

    /// Since when the oldest message that was taken waits for its acknowledgement.
    pub(super) fn waits_since(&self) -> Option<Duration> {
        let brought = self.reports.iter().filter_map(|report| report.brought);
        brought.map(|(_, at)| at).min()
    }

    pub(super) fn has_more(&self) -> bool {
        self.reports.iter().any(|report| report.brought.is_none())
    }
}

fn message(report: &Report, number: u32) -> Message {
    let mut message = Message::new(IDENTS[usize::from(report.ident)]).unwrap();
    let date = super::world::date(report.measured);
    if !report.is_undated() {
        message.set_timestamp(u64::try_from(date.as_micros()).unwrap_or(0));
    }
    message.set("n", u64::from(number));
    message.set("position.speed", u64::from(report.speed));
    message.set("pad", "x".repeat(report.padding).as_str());
    message
}
