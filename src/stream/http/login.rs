//! Who asks now: a login that a platform made, until it has to make another.

use super::profile::Login;
use super::profile::Profile;
use crate::clock::Now;
use crate::stream::Disconnect;
use crate::stream::NetworkEndpoint;
use crate::stream::lease::Lease;

/// The login of a connection.
pub(super) struct LoginOfNow {
    /// Whether it is made from the date, see [`NetworkEndpoint`].
    needs_date: bool,
    login: Login,
    /// How long it holds, see [`Held`].
    held: Held,
}

enum Held {
    /// There is none: nothing was asked yet, or the server has blamed it.
    Not,
    ForEver,
    Until(Lease),
}

impl LoginOfNow {
    /// None yet.
    pub(super) fn new(server: Option<&NetworkEndpoint<'_>>) -> Self {
        Self {
            needs_date: server.is_some_and(|server| server.needs_date),
            login: Login::default(),
            held: Held::Not,
        }
    }

    /// Has a login that holds; asks for another in good time before it ends.
    ///
    /// # Errors
    /// When there is none: nothing can be sent.
    pub(super) fn renew(&mut self, profile: &dyn Profile, now: Now) -> Result<(), Disconnect> {
        let holds = match &self.held {
            Held::Not => false,
            Held::ForEver => true,
            Held::Until(lease) => !lease.is_due(now),
        };
        if holds {
            return Ok(());
        }
        if self.needs_date && !now.wall.trusted {
            // whoever makes the next connection waits for the date, and says so
            return Err(Disconnect::ended(
                "the login needs the date, which is not known",
            ));
        }
        self.login = profile.authorize(now);
        self.held = match self.login.until {
            None => Held::ForEver,
            Some(until) => Held::Until(Lease::until(until, now)?),
        };
        Ok(())
    }

    /// That of the last [`LoginOfNow::renew`].
    pub(super) fn get(&self) -> &Login {
        &self.login
    }

    /// The next is made anew: it may have been made from a wrong date.
    pub(super) fn forget(&mut self) {
        self.held = Held::Not;
    }
}
