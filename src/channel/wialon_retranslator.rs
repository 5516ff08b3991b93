//! Wialon Retranslator as a receiver: packets of many devices on one connection, and one byte for
//! each that is safe.
//!
//! What the bytes are, and which block becomes which parameter, is said in
//! [`crate::wire::retranslator`].
//!
//! # Answers
//! An acknowledgement has no number: a sender takes it for that of its oldest packet without one.
//! So where a packet that somebody wants is not taken, nothing that comes behind it is
//! acknowledged either.
//!
//! | what came | answer | connection |
//! |---|---|---|
//! | packet | 11, once it is safe | stays |
//! | the same again after a second, its answer still owed | none of its own | stays |
//! | a uid that is no ident or not taken, what nobody wants | none | stays |
//! | longer than the ring can store, or of too many blocks | none | stays |
//! | the ring takes nothing now | none | ends |
//! | a size out of bounds, a uid or block that is damaged | none | ends |

use super::Disconnect;
use super::InputError;
use super::Intake;
use super::Refusal;
use super::Session;
use super::kind::Ident;
use super::kind::Kind;
use super::kind::Protocol;
use super::kind::Way;
use super::owed::Digest;
use crate::wire::retranslator as wire;
use crate::wire::retranslator::DecodeError;
use crate::wire::retranslator::MessageError;
use crate::wire::retranslator::Packet;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "wialon-retranslator",
    example: "listen = \"0.0.0.0:20163\"",
    ways: &[Way::Tcp],
    ident: Ident::Named,
    read: |_| Some(Rc::new(Keys)),
};

/// It has no keys of its own.
#[derive(Debug, PartialEq)]
struct Keys;

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        Some(Box::new(WialonRetranslator::new()))
    }
}

/// One connection of a sender.
#[derive(Debug, Default)]
pub struct WialonRetranslator {
    /// Packets that are taken and not safe yet, in their order; at most [`OWED_MAX`].
    owed: VecDeque<Owed>,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    digest: Digest,
    since: Duration,
}

impl WialonRetranslator {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn packet(
        &mut self,
        packet: &Packet<'_>,
        bytes: &[u8],
        intake: &mut dyn Intake,
    ) -> Result<(), Disconnect> {
        let now = intake.now().mono;
        let digest = Digest::of(bytes);
        // A second answer to it would be taken for that of the packet that follows. Senders that
        // do not wait may well send two that are the same, but not so far apart.
        let repeats =
            |owed: &Owed| owed.digest == digest && now.saturating_sub(owed.since) >= REPEAT;
        if self.owed.iter().any(repeats) {
            return Ok(());
        }
        let message = match wire::message(packet) {
            Ok(message) => message,
            Err(wrong) => {
                let reason = match wrong {
                    MessageError::Ident(_) => InputError::Ident,
                    MessageError::Blocks => InputError::Length,
                };
                intake.malformed(reason, &wrong.to_string());
                return Ok(());
            }
        };
        match intake
            .submit(&mut [message])
            .map_err(|refused| refused.reason)
        {
            Ok(()) => {
                self.owed.push_back(Owed { digest, since: now });
                intake.ack_when_durable(0);
                Ok(())
            }
            Err(Refusal::Full) => Err(Disconnect {
                reason: "a packet is not taken now",
            }),
            Err(Refusal::Ident | Refusal::Unwanted | Refusal::TooLong) => Ok(()),
        }
    }
}

impl Session for WialonRetranslator {
    fn receive(
        &mut self,
        input: &[u8],
        intake: &mut dyn Intake,
        _out: &mut Vec<u8>,
    ) -> Result<usize, Disconnect> {
        let mut rest = input;
        while !self.is_blocked() {
            let Some((packet, len)) = wire::decode(rest).map_err(|bad| damaged(&bad, intake))?
            else {
                break;
            };
            let (bytes, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            self.packet(&packet, bytes, intake)?;
            rest = behind;
        }
        Ok(input.len().saturating_sub(rest.len()))
    }

    fn on_durable(&mut self, _ack_token: u64, out: &mut Vec<u8>) {
        self.owed.pop_front();
        out.push(wire::ACK);
    }

    fn is_blocked(&self) -> bool {
        self.owed.len() >= OWED_MAX
    }
}

fn damaged(bad: &DecodeError, intake: &mut dyn Intake) -> Disconnect {
    let reason = match bad {
        DecodeError::Size(_) => InputError::Length,
        DecodeError::Uid => InputError::Ident,
        DecodeError::Head | DecodeError::Block(_) => InputError::Syntax,
    };
    intake.malformed(reason, &bad.to_string());
    Disconnect {
        reason: "a packet that is damaged",
    }
}

/// Most packets that wait for their answer on one connection.
const OWED_MAX: usize = 1024;

/// A sender that gives up waiting does so after more than this.
const REPEAT: Duration = Duration::from_secs(1);
