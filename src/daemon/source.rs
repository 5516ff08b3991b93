//! Sources: what a channel connects to. One task for each; a connection that is lost is made again.

use super::channel::Channel;
use super::connector::CLOCK_POLL;
use super::connector::Connector;
use super::connector::ConnectorSettings;
use super::open_connection::OpenConnection;
use super::session_end::SessionEnd;
use super::session_task::Start;
use super::session_task::run_session;
use super::shared::SharedState;
use super::waits::Executor;
use super::waits::Waits;
use crate::api::NOT_DELIVERED;
use crate::net::Target;
use crate::stream::backoff::Backoff;
use smol::Task;
use std::rc::Rc;
use std::time::Duration;

/// Connects where the channel says so, for ever.
pub(super) fn connect(
    executor: &Executor,
    shared: &Rc<SharedState>,
    channel: &Rc<Channel>,
) -> Option<Task<()>> {
    let connect = channel.settings.connect.as_ref()?;
    let settings = ConnectorSettings {
        who: format!("channel `{}`", channel.name()),
        bind: None,
        tls: connect.tls.clone(),
        dated_login: false,
        timeout: TIMEOUT,
        silence: Duration::ZERO,
    };
    let source = Source {
        shared: Rc::clone(shared),
        channel: Rc::clone(channel),
        target: connect.target.clone(),
        connector: Connector::new(settings, shared.clock.source()),
        backoff: Backoff::new(RETRY_MIN, RETRY_MAX),
    };
    Some(executor.spawn(source.keep_connected()))
}

/// One source.
struct Source {
    shared: Rc<SharedState>,
    channel: Rc<Channel>,
    target: Target,
    connector: Connector,
    backoff: Backoff,
}

impl Source {
    /// Waits on: the pause after a failure, a call, name servers, the connection.
    async fn keep_connected(mut self) {
        loop {
            let command = self.channel.command_event();
            if self.channel.take_woken() {
                self.backoff.wake();
            }
            let now = self.shared.now();
            let paused = self.backoff.paused_until(now.mono);
            self.channel.next_try.set(paused);
            if let Some(until) = paused {
                let pause = Some(until.saturating_sub(now.mono));
                Waits::on([command]).at_most(pause).end().await;
            } else if let Some(no_date) = self.connector.lacks_date() {
                if no_date.is_new {
                    let text = format!("{}: {}", self.target, no_date.reason);
                    self.channel.note(&self.shared, NOT_DELIVERED, &text);
                }
                Waits::on([command]).at_most(Some(CLOCK_POLL)).end().await;
            } else {
                let why = self.once().await;
                self.pause(&why);
            }
        }
    }

    /// One connection from its first byte to its end, and why it ended.
    async fn once(&mut self) -> String {
        let since = self.shared.now().mono;
        let before = self.channel.understood();
        let socket = match self.connector.connect(&self.target).await {
            Ok(socket) => socket,
            Err(error) => {
                self.connector.failed();
                let text = format!("{}: {error}", self.target);
                self.channel.note(&self.shared, NOT_DELIVERED, &text);
                return error.to_string();
            }
        };
        let counted = OpenConnection::count(&self.channel);
        let name = self.target.to_string();
        log::info!("channel `{}`: connected to {name}", self.channel.name());
        let end = run_session(&self.shared, &self.channel, &name, socket, Start::Said).await;
        drop(counted);
        let lasted = self.shared.now().mono.saturating_sub(since);
        if self.channel.understood() > before || lasted >= LASTED {
            self.backoff.succeeded(self.shared.now().mono);
        } else {
            self.connector.failed();
        }
        match end {
            SessionEnd::Idle => "nothing came for `idle_timeout`".to_owned(),
            end => end.to_string(),
        }
    }

    fn pause(&mut self, why: &str) {
        let now = self.shared.now();
        self.backoff.pause_lost(now.mono, fastrand::u32(..));
        let until = self.backoff.paused_until(now.mono).unwrap_or(now.mono);
        let wait = until.saturating_sub(now.mono).as_secs_f64();
        let prefix = format!("{}: ", self.target);
        let why = why.strip_prefix(&prefix).unwrap_or(why);
        let text = format!("{prefix}{why}; next try in {wait:.1} s");
        self.channel.warn("not connected", &text, &self.shared);
    }
}

/// For a connection to be made, for the handshake, and for what is written to be confirmed.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The shortest wait between two tries.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// The longest.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// A connection that lasted so long was one, though nothing came.
const LASTED: Duration = Duration::from_secs(60);
