//! One walk over a stored message, from its body to where its parameters go.

use super::Outgoing;
use crate::clock::Wall;
use crate::convert::Collision;
use crate::convert::Json;
use crate::convert::List;
use crate::convert::Pass;
use crate::convert::Plan;
use crate::convert::SERVER;
use crate::convert::Sink;
use crate::message::ValueRef;
use crate::message::body::Body;
use crate::message::body::UnknownVersion;
use crate::message::json_write;
use crate::message::names;
use crate::message::names::Name;
use crate::message::names::TIMESTAMP;
use std::time::Duration;

/// A message that can be walked over.
pub(super) struct Walk<'v, 'l> {
    body: Body<'v>,
    received: Wall,
    /// Names of what is not looked at.
    left_out: &'l [&'l str],
    /// The index of `timestamp.valid`, where it is said here and not taken from the body.
    doubted: Option<u16>,
}

impl<'v, 'l> Walk<'v, 'l> {
    /// # Errors
    /// When the body is of an unknown version.
    pub(super) fn new(
        message: &Outgoing<'v>,
        left_out: &'l [&'l str],
    ) -> Result<Self, UnknownVersion> {
        let (body, received) = (Body::new(message.body)?, message.received);
        let is_doubtful = is_doubtful(&body, received);
        Ok(Self {
            body,
            received,
            left_out,
            doubted: is_doubtful
                .then(|| names::index("timestamp.valid"))
                .flatten(),
        })
    }

    /// Appends the parameters as [`json_write::field`] does, converted.
    pub(super) fn json(&self, plan: Option<&'v Plan<'v>>, out: &mut Vec<u8>) {
        let start = out.len();
        let (Err(Collision), Some(plan)) = (self.through(plan, &mut Json(out)), plan) else {
            return;
        };
        out.truncate(start);
        for (name, value) in self.last_of_each(plan).0 {
            json_write::field(&name, value, out);
        }
    }

    /// The parameters, converted.
    pub(super) fn list(&self, plan: Option<&'v Plan<'v>>) -> List<'v> {
        let mut list = List::default();
        match (self.through(plan, &mut list), plan) {
            (Err(Collision), Some(plan)) => self.last_of_each(plan),
            _ => list,
        }
    }

    fn last_of_each(&self, plan: &'v Plan<'v>) -> List<'v> {
        let mut list = List::default();
        // without a plan nothing collides
        let collided = self.through(None, &mut list);
        debug_assert!(collided.is_ok(), "names of a body are unique");
        list.last_of_each(plan)
    }

    /// Takes the parameters in their order, then those that the message got here, to `sink`.
    fn through<S: Sink<'v>>(
        &self,
        plan: Option<&'v Plan<'v>>,
        sink: &mut S,
    ) -> Result<(), Collision> {
        let mut pass = Pass::new(plan);
        let mut is_dated = false;
        let mut fields = self.body.fields();
        while let Some((name, value)) = fields.next_field() {
            match name {
                Name::Known(index) => {
                    is_dated |= index == TIMESTAMP;
                    if self.doubted != Some(index) && self.takes_known(index) {
                        pass.known(index, value, sink)?;
                    }
                }
                Name::Other(SERVER) => {}
                Name::Other(name) if !self.takes(name) => {}
                Name::Other(name) => pass.other(name, value, sink)?,
            }
        }
        let time = ValueRef::F64(seconds(self.received.since_1970));
        if !is_dated && self.takes_known(TIMESTAMP) {
            pass.known(TIMESTAMP, time, sink)?;
        }
        if self.takes(SERVER) {
            pass.server(time, sink)?;
        }
        match self.doubted {
            Some(index) if self.takes_known(index) => {
                pass.known(index, ValueRef::Bool(false), sink)
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn takes_known(&self, index: u16) -> bool {
        self.left_out.is_empty() || names::name(index).is_none_or(|name| self.takes(name))
    }

    fn takes(&self, name: &str) -> bool {
        !self.left_out.contains(&name)
    }
}

/// Whether nobody says when a message was measured.
pub(super) fn is_doubtful(body: &Body<'_>, received: Wall) -> bool {
    !received.trusted && body.find("timestamp").is_none()
}

/// Seconds, cut to microseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of this era are exact in 53 bits"
)]
pub(super) fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}
