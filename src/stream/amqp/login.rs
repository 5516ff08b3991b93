//! The way from a connection to the first message: who we are, what both sides agree to, which
//! virtual host, a channel on which each publish is answered, and whether the exchange is there.

use super::AmqpLink;
use super::frame::FRAME_MAX;
use super::frame::FRAME_MIN;
use super::frame::PROTOCOL;
use super::frame::malformed;
use super::keys::Login;
use super::method;
use super::method::ChannelOpen;
use super::method::ConfirmSelect;
use super::method::ExchangeDeclare;
use super::method::Incoming;
use super::method::Long;
use super::method::Open;
use super::method::PASSIVE;
use super::method::Short;
use super::method::Start;
use super::method::StartOk;
use super::method::Tune;
use super::refusal::ACCESS_REFUSED;
use super::stage::Stage;
use crate::stream::DeliveryError;
use crate::stream::Disconnect;
use crate::stream::LinkContext;
use amqp_serde::types::FieldTable;
use amqp_serde::types::FieldValue;
use amqp_serde::types::ShortStr;
use std::time::Duration;

impl AmqpLink<'_> {
    /// What is spoken.
    pub(super) fn greet(&mut self, context: &mut LinkContext<'_>) {
        context.out.extend_from_slice(&PROTOCOL);
        self.reach(Stage::ProtocolSent, context);
    }

    /// The broker has answered a step of the login: the next one.
    pub(super) fn log_in(
        &mut self,
        incoming: &Incoming<'_>,
        context: &mut LinkContext<'_>,
    ) -> Result<(), Disconnect> {
        let next = match (self.stage, incoming) {
            (Stage::ProtocolSent, Incoming::Start(start)) => {
                self.say_who(start, context.out)?;
                Stage::LoginSent
            }
            (Stage::LoginSent, Incoming::Tune(tune)) => {
                method::write(0, &self.agree(*tune)?, context.out)?;
                let vhost = short(&self.amqp.vhost)?;
                let open = Open {
                    vhost,
                    reserved_1: Short::default(),
                    reserved_2: 0,
                };
                method::write(0, &open, context.out)?;
                Stage::OpenSent
            }
            (Stage::OpenSent, Incoming::Opened) => {
                method::write(CHANNEL, &ChannelOpen::default(), context.out)?;
                Stage::ChannelSent
            }
            (Stage::ChannelSent, Incoming::ChannelOpened) => {
                method::write(CHANNEL, &ConfirmSelect::default(), context.out)?;
                Stage::SelectSent
            }
            // The one without a name is always there, and none may ask for it.
            (Stage::SelectSent, Incoming::Selected) if self.amqp.exchange.is_empty() => {
                Stage::Ready
            }
            (Stage::SelectSent, Incoming::Selected) => {
                self.ask_for_exchange(context.out)?;
                Stage::ExchangeSent
            }
            (Stage::ExchangeSent, Incoming::Declared) => Stage::Ready,
            (_, Incoming::Nothing) => return Ok(()),
            _ => return Err(malformed("an answer out of turn").into()),
        };
        self.reach(next, context);
        Ok(())
    }

    fn reach(&mut self, stage: Stage, context: &LinkContext<'_>) {
        self.stage = stage;
        self.asked_at = context.now.mono;
        self.heartbeat.sent(context.now);
    }

    fn say_who(&self, start: &Start<'_>, out: &mut Vec<u8>) -> Result<(), Disconnect> {
        let (mechanism, response) = match &self.amqp.login {
            Login::Plain { user, password } => ("PLAIN", format!("\0{user}\0{password}")),
            Login::Certificate => ("EXTERNAL", String::new()),
        };
        let mut offered = start.mechanisms.bytes().split(|byte| *byte == b' ');
        if !offered.any(|offered| offered == mechanism.as_bytes()) {
            let reason = format!("the broker offers no login by {mechanism}; {}", self.hint());
            return Err(Disconnect::new(ACCESS_REFUSED.into(), reason));
        }
        let start_ok = StartOk {
            properties: properties()?,
            mechanism: short(mechanism)?,
            response: Long::new(response.as_bytes()).ok_or_else(too_long)?,
            locale: short("en_US")?,
        };
        Ok(method::write(0, &start_ok, out)?)
    }

    /// What the broker proposes, at most as this side wants it; where that sets no limit, ours.
    fn agree(&mut self, tune: Tune) -> Result<Tune, DeliveryError> {
        let frame_max = limited(tune.frame_max, FRAME_MAX);
        if frame_max < FRAME_MIN {
            return Err(malformed(&format!(
                "frames of at most {frame_max} bytes are wanted, {FRAME_MIN} must be allowed"
            )));
        }
        let wanted = u16::try_from(self.amqp.heartbeat.as_secs()).unwrap_or(u16::MAX);
        let heartbeat = limited(tune.heartbeat, wanted);
        self.frame_max = usize::try_from(frame_max).unwrap_or(usize::MAX);
        self.heartbeat.every = Duration::from_secs(heartbeat.into());
        Ok(Tune {
            channel_max: 1,
            frame_max,
            heartbeat,
        })
    }

    /// Declares nothing: exchange and queues are the operator's.
    fn ask_for_exchange(&self, out: &mut Vec<u8>) -> Result<(), DeliveryError> {
        let declare = ExchangeDeclare {
            ticket: 0,
            exchange: short(&self.amqp.exchange)?,
            // not looked at where it is only asked for
            kind: Short::default(),
            bits: PASSIVE,
            arguments: FieldTable::new(),
        };
        method::write(CHANNEL, &declare, out)
    }

    /// The keys that a login is made of.
    pub(super) fn hint(&self) -> &'static str {
        match self.amqp.login {
            Login::Plain { .. } => "look at user and password in `url`",
            Login::Certificate => {
                "look at `tls.certificate`, and whether the broker takes certificates for a login"
            }
        }
    }
}

/// What a broker has to know of us before it says how things stand.
fn properties() -> Result<FieldTable, DeliveryError> {
    let mut capabilities = FieldTable::new();
    for name in CAPABILITIES {
        capabilities.insert(table_key(name)?, true.into());
    }
    let mut properties = FieldTable::new();
    for (name, value) in [("product", "weir"), ("version", env!("CARGO_PKG_VERSION"))] {
        properties.insert(table_key(name)?, value.into());
    }
    properties.insert(table_key("capabilities")?, FieldValue::F(capabilities));
    Ok(properties)
}

/// A name in a table.
pub(super) fn table_key(name: &str) -> Result<ShortStr, DeliveryError> {
    name.try_into().map_err(|_| too_long())
}

pub(super) fn short(text: &str) -> Result<Short<'_>, DeliveryError> {
    Short::new(text).ok_or_else(too_long)
}

fn too_long() -> DeliveryError {
    malformed("a text is too long")
}

/// The smaller of both, where zero is no limit.
fn limited<T: Ord + Default>(theirs: T, ours: T) -> T {
    match theirs == T::default() {
        true => ours,
        false => ours.min(theirs),
    }
}

/// The only one: messages go on it.
pub(super) const CHANNEL: u16 = 1;

/// Without these RabbitMQ closes where a login is refused, and says nothing of an alarm.
const CAPABILITIES: [&str; 4] = [
    "authentication_failure_close",
    "basic.nack",
    "connection.blocked",
    "publisher_confirms",
];
