//! By TCP: one message is on its way at a time, since nothing says that answers keep an order.

use super::Inputs;
use super::sentence;
use super::sentence::Said;
use crate::net::Target;
use crate::ring::Seq;
use crate::stream::DeliveryError;
use crate::stream::Destination;
use crate::stream::Disconnect;
use crate::stream::Endpoint;
use crate::stream::IN_MAX;
use crate::stream::Kind;
use crate::stream::Link;
use crate::stream::LinkContext;
use crate::stream::NetworkEndpoint;
use crate::stream::Open;
use crate::stream::TlsUse;
use crate::stream::engine::Engine;
use crate::stream::engine::Fit;
use crate::stream::engine::Outgoing;
use crate::stream::render::MessageView;
use crate::stream::settings::Delivery;
use std::time::Duration;

/// A server that is spoken to by TCP.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GpsGateTcp {
    /// `address`.
    pub(super) target: Target,
    /// `username` and `password`; none: nobody logs in.
    pub(super) login: Option<(String, String)>,
    pub(super) inputs: Inputs,
}

impl Destination for GpsGateTcp {
    fn kind(&self) -> &'static Kind {
        &super::KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::WhereConfigured;
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(GpsGateLink {
            destination: self,
            view: open.view,
            delivery: open.delivery,
            epoch: open.epoch,
            stage: Stage::Opened,
        })
    }
}

/// One connection.
struct GpsGateLink<'a> {
    destination: &'a GpsGateTcp,
    view: MessageView<'a>,
    delivery: &'a Delivery,
    epoch: u32,
    stage: Stage,
}

/// Where a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was said yet.
    Opened,
    /// The login was sent.
    Login { since: Duration },
    /// The next message may go.
    Ready,
    /// A message has no answer yet.
    Asked {
        seq: Seq,
        imei: String,
        since: Duration,
    },
}

impl GpsGateLink<'_> {
    /// Sends the next message, if one may go.
    fn ask(&mut self, context: &mut LinkContext<'_>) {
        let (view, inputs, now) = (&mut self.view, &self.destination.inputs, context.now);
        let (mut asked, out) = (None, &mut *context.out);
        let batch = context.engine.next_batch(now, |message| match asked {
            Some(_) => Fit::Full,
            None => match pack(view, message, inputs, out) {
                Ok(imei) => {
                    asked = Some((message.seq, imei));
                    Fit::Taken
                }
                Err(fit) => fit,
            },
        });
        if let (Some(_), Some((seq, imei))) = (batch, asked) {
            let since = now.mono;
            self.stage = Stage::Asked { seq, imei, since };
        }
    }

    /// One line of the server.
    fn hear(&mut self, line: &str, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        let (said, epoch, now) = (Said::read(line), self.epoch, context.now);
        match (&self.stage, said) {
            (Stage::Login { .. }, Said::Session) => self.stage = Stage::Ready,
            (Stage::Login { .. }, Said::Error(..)) => {
                let reason = format!("{}; look at `username` and `password`", shown(line));
                return Err(Disconnect::new(0, reason));
            }
            (Stage::Asked { seq, imei, .. }, Said::Taken(of)) if imei == of => {
                context.engine.accepted(epoch, &[*seq], now);
                self.stage = Stage::Ready;
            }
            (Stage::Asked { seq, .. }, Said::Error(code, _)) => {
                let error = DeliveryError::new(0, format!("{}; {}", shown(line), hint(code)));
                let (engine, random) = (&mut *context.engine, context.random);
                match code {
                    "NotSupported" => engine.later(epoch, &[*seq], (error, None), now, random),
                    _ => engine.doubted(epoch, &[*seq], &error, now, random),
                }
                self.stage = Stage::Ready;
            }
            // commands to a tracker, versions, a late answer
            _ => {}
        }
        Ok(())
    }
}

impl Link for GpsGateLink<'_> {
    fn receive(
        &mut self,
        input: &[u8],
        context: &mut LinkContext<'_>,
    ) -> Result<usize, Disconnect> {
        let mut used = 0;
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                break;
            }
            self.hear(&String::from_utf8_lossy(line), context)?;
            used += line.len();
        }
        match used {
            0 if input.len() >= IN_MAX => Err(Disconnect::new(0, "the server sends no lines")),
            used => Ok(used),
        }
    }

    fn send(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        context.check_epoch(self.epoch)?;
        if self.stage == Stage::Opened {
            self.stage = Stage::Ready;
            if let Some((username, password)) = &self.destination.login {
                sentence::put(&sentence::login(username, password), context.out);
                let since = context.now.mono;
                self.stage = Stage::Login { since };
            }
        }
        if self.stage == Stage::Ready {
            self.ask(context);
        }
        Ok(())
    }

    fn wake_at(&self, _engine: &Engine) -> Option<Duration> {
        match self.stage {
            Stage::Opened | Stage::Ready => None,
            Stage::Login { since } | Stage::Asked { since, .. } => {
                Some(since + self.delivery.timeout)
            }
        }
    }

    fn wake(&mut self, context: &mut LinkContext<'_>) -> Result<(), Disconnect> {
        if self
            .wake_at(context.engine)
            .is_none_or(|due| due > context.now.mono)
        {
            return Ok(());
        }
        if let Stage::Login { .. } = self.stage {
            return Err(DeliveryError::no_answer(self.delivery.timeout, "the login").into());
        }
        let mut error = DeliveryError::no_answer(self.delivery.timeout, "a message");
        error.reason += "; a server that acknowledges nothing, as Traccar, is served by `osmand`";
        let (now, random) = (context.now, context.random);
        let engine = &mut *context.engine;
        engine.silent(self.epoch, ATTEMPTS, &error, now, random);
        Err(error.into())
    }

    /// The specification lets a server end the connection where it does not like something.
    fn closed(&mut self, lost: Disconnect, context: &mut LinkContext<'_>) -> Disconnect {
        match self.stage {
            Stage::Ready => Disconnect::ended(lost.error.reason),
            Stage::Opened => lost.error.into(),
            Stage::Login { .. } => {
                let mut error = lost.error;
                error.reason += " at the login; look at `username` and `password`";
                error.into()
            }
            Stage::Asked { .. } => {
                let (now, random) = (context.now, context.random);
                let engine = &mut *context.engine;
                engine.silent(self.epoch, ATTEMPTS, &lost.error, now, random);
                lost.error.into()
            }
        }
    }

    fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready | Stage::Asked { .. })
    }

    fn stays(&self) -> bool {
        false
    }
}

/// Appends the sentence of a message; of whom it is.
fn pack(
    view: &mut MessageView<'_>,
    message: &Outgoing<'_>,
    inputs: &Inputs,
    out: &mut Vec<u8>,
) -> Result<String, Fit> {
    let imei = sentence::imei(message).map(str::to_owned);
    let text = sentence::message(view, message, inputs).map_err(Fit::Unfit)?;
    sentence::put(&text, out);
    Ok(imei.unwrap_or_default())
}

/// A line of the server in a message for people.
pub(super) fn shown(line: &str) -> String {
    let line = line.trim().chars().take(SHOWN_MAX);
    line.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What to do about an error that a message got.
pub(super) fn hint(code: &str) -> &'static str {
    match code {
        "AuthError" => "register the IMEI in GpsGate",
        "NotSupported" => "this server takes no `_SendMessage`",
        _ => "the server cannot do it with this message",
    }
}

/// Connections that end over the same message before others decide.
const ATTEMPTS: u32 = 5;

/// Characters of a line that are shown.
const SHOWN_MAX: usize = 200;
