//! The balance: what was sent, and what became of it. Every message carries the number that its
//! vehicle gave it, so that each can be found again, and none twice without notice.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

/// What arrived at the receiver.
#[derive(Debug)]
pub(super) struct Ledger {
    vehicles: BTreeMap<String, Arrivals>,
    /// What no vehicle can have sent.
    strange: u64,
}

/// What arrived of one vehicle.
#[derive(Debug, Default)]
struct Arrivals {
    highest: u64,
    /// Below `highest` and not there: at most [`MISSING_MAX`].
    missing: BTreeSet<u64>,
    duplicated: u64,
    late: u64,
}

/// What one vehicle knows of its own messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// Different messages that went out at least once.
    pub(super) sent: u64,
    /// All up to this number were acknowledged to it.
    pub(super) acked: u64,
}

/// What became of all messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Different messages that vehicles sent.
    pub sent: u64,
    /// What the daemon took: a vehicle that got no answer sends again.
    pub stored: u64,
    /// Different messages that arrived.
    pub delivered: u64,
    /// Acknowledged to a vehicle and never delivered.
    pub lost: u64,
    /// Arrivals of what had arrived before.
    pub duplicated: u64,
    /// Arrived for the first time after a younger message of the same vehicle.
    pub late: u64,
    /// Sent, and neither acknowledged nor refused when the counting began.
    pub unanswered: u64,
    /// Arrived, and sent by no vehicle.
    pub strange: u64,
}

impl Ledger {
    /// An empty one for these vehicles.
    pub(super) fn new<'a>(idents: impl Iterator<Item = &'a str>) -> Self {
        let vehicles = idents
            .map(|ident| (ident.to_owned(), Arrivals::default()))
            .collect();
        Self {
            vehicles,
            strange: 0,
        }
    }

    /// One message is there.
    pub(super) fn arrive(&mut self, ident: &str, number: u64) {
        let known = self.vehicles.get_mut(ident);
        if !known.is_some_and(|vehicle| vehicle.arrive(number)) {
            self.strange += 1;
        }
    }

    /// Something is there that cannot be understood.
    pub(super) fn arrive_strange(&mut self) {
        self.strange += 1;
    }

    /// Different messages that arrived.
    pub(super) fn delivered(&self) -> u64 {
        self.vehicles.values().map(Arrivals::delivered).sum()
    }

    /// Arrivals of what had arrived before.
    pub(super) fn duplicated(&self) -> u64 {
        self.vehicles
            .values()
            .map(|vehicle| vehicle.duplicated)
            .sum()
    }

    /// The balance with what the vehicles and the daemon say.
    pub(super) fn balance<'a>(
        &self,
        accounts: impl Iterator<Item = (&'a str, Account)>,
        stored: u64,
    ) -> Balance {
        let mut balance = Balance {
            stored,
            delivered: self.delivered(),
            duplicated: self.duplicated(),
            strange: self.strange,
            ..Balance::default()
        };
        for (ident, account) in accounts {
            let arrived = self.vehicles.get(ident);
            balance.sent += account.sent;
            balance.unanswered += account.sent.saturating_sub(account.acked);
            balance.lost += arrived.map_or(account.acked, |arrived| arrived.lost(account.acked));
            balance.late += arrived.map_or(0, |arrived| arrived.late);
        }
        balance
    }
}

impl Arrivals {
    /// Whether this can be a number of this vehicle.
    fn arrive(&mut self, number: u64) -> bool {
        if number == 0 {
            return false;
        }
        if number > self.highest {
            let skipped = number - self.highest - 1;
            if skipped > MISSING_MAX - self.missing.len() as u64 {
                return false;
            }
            self.missing.extend(self.highest + 1..number);
            self.highest = number;
        } else if self.missing.remove(&number) {
            self.late += 1;
        } else {
            self.duplicated += 1;
        }
        true
    }

    fn delivered(&self) -> u64 {
        self.highest - self.missing.len() as u64
    }

    /// How many of the first `acked` did not arrive.
    fn lost(&self, acked: u64) -> u64 {
        self.missing.range(..=acked).count() as u64 + acked.saturating_sub(self.highest)
    }
}

impl Balance {
    /// Whether something was sent, and all of it was acknowledged and arrived, in order.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let faults = [self.lost, self.late, self.unanswered, self.strange];
        self.delivered > 0 && faults == [0; 4]
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sent,
            stored,
            delivered,
            lost,
            duplicated,
            late,
            unanswered,
            strange,
        } = self;
        write!(
            f,
            "sent {sent}, stored {stored}, delivered {delivered}, lost {lost}, \
             duplicated {duplicated}"
        )?;
        match late {
            0 => write!(f, ", in order")?,
            late => write!(f, ", out of order {late}")?,
        }
        if *unanswered > 0 {
            write!(f, ", unanswered {unanswered}")?;
        }
        if *strange > 0 {
            write!(f, ", never sent {strange}")?;
        }
        Ok(())
    }
}

/// Gaps that are remembered for one vehicle: 1 MiB of RAM, when nearly all is lost.
const MISSING_MAX: u64 = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(numbers: &[u64]) -> Ledger {
        let mut ledger = Ledger::new(["bus"].into_iter());
        numbers
            .iter()
            .for_each(|number| ledger.arrive("bus", *number));
        ledger
    }

    fn balance(numbers: &[u64], account: Account) -> Balance {
        ledger(numbers).balance([("bus", account)].into_iter(), 9)
    }

    #[test]
    fn what_arrives_once_and_in_order_is_whole() {
        let balance = balance(&[1, 2, 3], Account { sent: 3, acked: 3 });
        assert!(balance.is_whole());
        let wanted = "sent 3, stored 9, delivered 3, lost 0, duplicated 0, in order";
        assert_eq!(balance.to_string(), wanted);
    }

    #[test]
    fn repeats_are_counted_and_break_nothing() {
        let balance = balance(&[1, 2, 1, 2, 3, 3], Account { sent: 3, acked: 3 });
        assert_eq!(
            (balance.delivered, balance.duplicated, balance.late),
            (3, 3, 0)
        );
        assert!(balance.is_whole());
    }

    #[test]
    fn what_was_acknowledged_and_is_not_there_is_lost() {
        let account = Account { sent: 7, acked: 6 };
        assert_eq!(balance(&[1, 2, 4], account).lost, 3);
        assert_eq!(balance(&[1, 2, 4, 7], account).lost, 3);
        assert_eq!(balance(&[], account).lost, 6);
        assert!(!balance(&[1, 2, 4], account).is_whole());
    }

    #[test]
    fn what_was_not_acknowledged_is_not_lost_but_unanswered() {
        let balance = balance(&[1, 2], Account { sent: 5, acked: 2 });
        assert_eq!((balance.lost, balance.unanswered), (0, 3));
        assert!(!balance.is_whole());
    }

    #[test]
    fn an_older_message_after_a_younger_one_is_out_of_order() {
        let balance = balance(&[1, 3, 2, 2], Account { sent: 3, acked: 3 });
        assert_eq!((balance.lost, balance.late, balance.duplicated), (0, 1, 1));
        assert!(!balance.is_whole());
        assert!(balance.to_string().contains("out of order 1"));
    }

    #[test]
    fn a_number_that_cannot_be_is_strange_and_takes_no_memory() {
        let mut ledger = ledger(&[1, u64::MAX, 0]);
        ledger.arrive("nobody", 1);
        assert_eq!((ledger.strange, ledger.delivered()), (3, 1));
    }

    #[test]
    fn nothing_at_all_is_not_whole() {
        assert!(!balance(&[], Account::default()).is_whole());
    }
}
