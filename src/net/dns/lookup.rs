//! One lookup as a state machine: which datagram goes to which server when, and what comes of it.
//! Opens no socket and reads no clock: `resolve` does both for it.
//!
//! ```text
//!  for each name (search domains, then the name itself)
//!    for each try: both questions ─▶ server; the next try when
//!      no answer for Config::timeout · or this server can answer neither
//!    ends when both questions are answered, or GRACE after the first that says something
//! ```
//! A question goes out with EDNS; without, where a server says that it does not know it or said
//! nothing the last time; over TCP, where the answer did not fit. A try begins anew then, which is
//! at most twice for each question at a server.
//!
//! A server that failed a question is not asked it again, and late answers count as well as others:
//! so a lookup ends after at most `tries` times `timeout`, for each name that a server denied, and
//! for each time that a try began anew.

#![deny(clippy::arithmetic_side_effects)]

use super::Config;
use super::Failure;
use super::Kind;
use super::Name;
use super::Query;
use super::Reply;
use super::files::SERVERS_MAX;
use super::in_order;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::Duration;

/// The addresses of one host, being asked for.
#[derive(Debug)]
pub struct Lookup {
    host: String,
    servers: Vec<SocketAddr>,
    timeout: Duration,
    tries: usize,
    /// The names still to be tried, the next one last.
    names: Vec<Name>,
    questions: [Question; 2],
    /// The server of the current try.
    server: usize,
    tries_left: usize,
    /// When the current try ends; none before the first.
    try_ends: Option<Duration>,
    /// When one answer has to do; none before it came.
    grace_ends: Option<Duration>,
    /// What a name before this one failed with: it may be the right one.
    failed: Option<Error>,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, then ask again.
    Send {
        /// Which of [`Config::servers`].
        server: usize,
        /// How.
        over: Over,
        /// At most 282 bytes.
        message: Vec<u8>,
    },
    /// Nothing before this time, unless a datagram comes.
    Wait(Duration),
    /// At least one address, [`in_order`], or why there is none.
    Done(Result<Vec<IpAddr>, Error>),
}

/// How a message gets to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// As a datagram.
    Udp,
    /// Over a connection of its own, behind its length.
    Tcp,
}

/// Why a host has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It cannot be the name of a host.
    Name(String),
    /// The servers say that there is no such name.
    Absent(String),
    /// The name exists, but has no address.
    Empty(String),
    /// No server answered in time.
    Silent(String, Vec<SocketAddr>),
    /// The last server that was asked was of no use.
    Failed(String, SocketAddr, Failure),
}

#[derive(Debug)]
struct Question {
    query: Query,
    reply: Option<Reply>,
    /// Which servers were of no use for it.
    failures: [Option<Failure>; SERVERS_MAX],
    /// How each server is asked.
    forms: [Form; SERVERS_MAX],
    is_sent: bool,
}

/// How a question is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Edns,
    Plain,
    Tcp,
}

impl Lookup {
    /// A lookup of `host`; `ids` are random and not to be foreseen by others.
    ///
    /// # Errors
    /// [`Error::Name`] where `host` cannot be a name.
    pub fn new(host: &str, config: &Config, ids: [u16; 2]) -> Result<Self, Error> {
        let name = Name::parse(host).ok_or_else(|| Error::Name(host.to_string()))?;
        let mut names = vec![name.clone()];
        if !host.contains('.') {
            let whole = |domain: &String| Name::parse(&format!("{host}.{domain}"));
            names.extend(config.search.iter().rev().filter_map(whole));
        }
        let [id_v6, id_v4] = ids;
        let question = |id, kind| Question {
            query: Query {
                id,
                name: name.clone(),
                kind,
            },
            reply: None,
            failures: [None; SERVERS_MAX],
            forms: [Form::Edns; SERVERS_MAX],
            is_sent: false,
        };
        let mut lookup = Self {
            host: host.to_string(),
            servers: config.servers.iter().take(SERVERS_MAX).copied().collect(),
            timeout: config.timeout,
            tries: config.tries,
            questions: [question(id_v6, Kind::Aaaa), question(id_v4, Kind::A)],
            names,
            server: 0,
            tries_left: 0,
            try_ends: None,
            grace_ends: None,
            failed: None,
        };
        lookup.next_name();
        Ok(lookup)
    }

    /// What to do at `now`. To be asked again after each [`Step::Send`], after each datagram and
    /// at the time of [`Step::Wait`].
    #[must_use]
    pub fn next(&mut self, now: Duration) -> Step {
        loop {
            if !self.is_settled(now) {
                if !self.is_try_over(now) {
                    return self.send().unwrap_or_else(|| self.wait(now));
                }
                if self.next_try(now) {
                    continue;
                }
            }
            let result = self.result();
            match result {
                Err(error) if error.leaves_other_names() && self.next_name() => {
                    self.failed = self.failed.take().or(Some(error).filter(Error::is_outage));
                }
                Err(error) => return Step::Done(Err(self.failed.clone().unwrap_or(error))),
                found => return Step::Done(found),
            }
        }
    }

    /// Takes a message that came from a server; whatever is no answer to what was asked changes
    /// nothing.
    pub fn receive(&mut self, server: usize, over: Over, message: &[u8], now: Duration) {
        let replies = self
            .questions
            .iter_mut()
            .filter(|question| question.reply.is_none());
        for question in replies {
            match question.query.read(message) {
                None => {}
                // it was sent before the connection was made
                Some(Reply::Failed(_)) if question.is_over_tcp(server) && over == Over::Udp => {}
                Some(Reply::Failed(failure)) => {
                    if !question.asks_otherwise(server, failure) {
                        question.fail(server, failure);
                    } else if server == self.server {
                        question.is_sent = false;
                        self.try_ends = Some(now.saturating_add(self.timeout));
                    }
                }
                Some(reply) => {
                    let says_something = reply != Reply::Addresses(Vec::new());
                    let ends = says_something.then(|| now.saturating_add(GRACE));
                    self.grace_ends = self.grace_ends.or(ends);
                    question.reply = Some(reply);
                }
            }
        }
    }

    /// Takes that a connection to a server brought no answer.
    pub fn broken(&mut self, server: usize) {
        for question in &mut self.questions {
            if question.is_over_tcp(server) {
                question.fail(server, Failure::Truncated);
            }
        }
    }

    /// Takes that nothing gets to a server: the system said so.
    pub fn unreachable(&mut self, server: usize) {
        for question in &mut self.questions {
            question.fail(server, Failure::Unreachable);
        }
    }

    fn is_settled(&self, now: Duration) -> bool {
        self.grace_ends.is_some_and(|ends| ends <= now)
            || self
                .questions
                .iter()
                .all(|question| question.reply.is_some())
    }

    fn is_try_over(&self, now: Duration) -> bool {
        self.try_ends.is_none_or(|ends| ends <= now) || !self.is_useful(self.server)
    }

    /// Whether there is a question that this server may answer.
    fn is_useful(&self, server: usize) -> bool {
        self.questions
            .iter()
            .any(|question| question.is_open(server))
    }

    /// Begins with the next name, if there is one.
    fn next_name(&mut self) -> bool {
        let Some(name) = self.names.pop() else {
            return false;
        };
        for question in &mut self.questions {
            question.query.name = name.clone();
            question.reply = None;
            question.failures = [None; SERVERS_MAX];
            question.forget_tcp();
        }
        self.tries_left = self.tries;
        self.try_ends = None;
        self.grace_ends = None;
        true
    }

    /// Goes on to the next useful server, if there is one and a try left. The first try of a name
    /// goes to the server of the last one: it answers.
    fn next_try(&mut self, now: Duration) -> bool {
        if self.try_ends.is_some_and(|ends| ends <= now) {
            let (server, silent) = (self.server, self.questions.iter_mut());
            silent.for_each(|question| question.unheard(server));
        }
        let first = usize::from(self.try_ends.is_some()).saturating_add(self.server);
        let next = (0..self.servers.len())
            .filter_map(|step| first.saturating_add(step).checked_rem(self.servers.len()))
            .find(|server| self.is_useful(*server));
        let (Some(server), Some(left)) = (next, self.tries_left.checked_sub(1)) else {
            return false;
        };
        self.server = server;
        self.tries_left = left;
        self.try_ends = Some(now.saturating_add(self.timeout));
        for question in &mut self.questions {
            question.is_sent = false;
        }
        true
    }

    fn send(&mut self) -> Option<Step> {
        let server = self.server;
        let mut unsent = self
            .questions
            .iter_mut()
            .filter(|question| !question.is_sent);
        let question = unsent.find(|question| question.is_open(server))?;
        question.is_sent = true;
        let (over, message) = match question.form(server) {
            Form::Edns => (Over::Udp, question.query.to_bytes_with_edns()),
            Form::Plain => (Over::Udp, question.query.to_bytes()),
            Form::Tcp => (Over::Tcp, question.query.to_bytes()),
        };
        Some(Step::Send {
            server,
            over,
            message,
        })
    }

    fn wait(&self, now: Duration) -> Step {
        let ends = self.try_ends.into_iter().chain(self.grace_ends).min();
        Step::Wait(ends.unwrap_or(now))
    }

    /// What is known so far, taken as all that can be known.
    fn result(&self) -> Result<Vec<IpAddr>, Error> {
        let replies: Vec<_> = self
            .questions
            .iter()
            .filter_map(|question| question.reply.as_ref())
            .collect();
        let addresses: Vec<IpAddr> = replies.iter().flat_map(|reply| reply.addresses()).collect();
        let addresses = in_order(&addresses);
        let host = self.host.clone();
        match self.failure() {
            _ if !addresses.is_empty() => Ok(addresses),
            _ if replies.contains(&&Reply::Absent) => Err(Error::Absent(host)),
            _ if replies.len() == self.questions.len() => Err(Error::Empty(host)),
            Some((server, failure)) => Err(Error::Failed(host, server, failure)),
            None => Err(Error::Silent(host, self.servers.clone())),
        }
    }

    /// The failure of the last server that failed.
    fn failure(&self) -> Option<(SocketAddr, Failure)> {
        let open = self
            .questions
            .iter()
            .filter(|question| question.reply.is_none());
        open.flat_map(|question| self.servers.iter().zip(question.failures))
            .filter_map(|(server, failure)| Some((*server, failure?)))
            .next_back()
    }
}

impl Question {
    fn is_open(&self, server: usize) -> bool {
        self.reply.is_none() && matches!(self.failures.get(server), Some(None))
    }

    fn form(&self, server: usize) -> Form {
        self.forms.get(server).copied().unwrap_or_default()
    }

    fn is_over_tcp(&self, server: usize) -> bool {
        self.form(server) == Form::Tcp
    }

    /// Whether a server that failed so is asked once more in another form.
    fn asks_otherwise(&mut self, server: usize, failure: Failure) -> bool {
        let form = match (self.form(server), failure) {
            (Form::Edns, Failure::Code(FORMAT_ERROR | NOT_IMPLEMENTED)) => Form::Plain,
            (Form::Edns | Form::Plain, Failure::Truncated) => Form::Tcp,
            _ => return false,
        };
        self.set_form(server, form);
        true
    }

    /// A server said nothing: there are networks in which EDNS gets lost.
    fn unheard(&mut self, server: usize) {
        if self.reply.is_none() && self.form(server) == Form::Edns {
            self.set_form(server, Form::Plain);
        }
    }

    /// Another name may fit into a datagram.
    fn forget_tcp(&mut self) {
        for form in self.forms.iter_mut().filter(|form| **form == Form::Tcp) {
            *form = Form::Edns;
        }
    }

    fn set_form(&mut self, server: usize, form: Form) {
        if let Some(slot) = self.forms.get_mut(server) {
            *slot = form;
        }
    }

    fn fail(&mut self, server: usize, failure: Failure) {
        if let Some(slot) = self.failures.get_mut(server) {
            *slot = Some(failure);
        }
    }
}

impl Reply {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let addresses = match self {
            Self::Addresses(addresses) => addresses.as_slice(),
            Self::Absent | Self::Failed(_) => &[],
        };
        addresses.iter().copied()
    }
}

impl Error {
    /// Whether this says something about the servers, nothing about the name: what was known of
    /// the name before may still be so.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Silent(..) | Self::Failed(..))
    }

    /// Whether a server answered, so that asking it for another name makes sense.
    fn leaves_other_names(&self) -> bool {
        match self {
            Self::Absent(_) | Self::Empty(_) => true,
            Self::Failed(_, _, failure) => *failure != Failure::Unreachable,
            Self::Name(_) | Self::Silent(..) => false,
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Name(_) => io::ErrorKind::InvalidInput,
            Error::Absent(_) | Error::Empty(_) => io::ErrorKind::NotFound,
            Error::Silent(..) => io::ErrorKind::TimedOut,
            Error::Failed(..) => io::ErrorKind::HostUnreachable,
        };
        Self::new(kind, error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(host) => write!(f, "not a host name: `{}`", host.escape_debug()),
            Self::Absent(host) => write!(f, "no such name: `{host}`"),
            Self::Empty(host) => write!(f, "this name has no address: `{host}`"),
            Self::Silent(host, servers) => {
                let servers: Vec<_> = servers.iter().map(|at| format!("`{at}`")).collect();
                let (all, servers) = (servers.len(), servers.join(", "));
                match all {
                    1 => write!(f, "the name server does not answer: {servers}")?,
                    _ => write!(f, "the name servers do not answer: {servers}")?,
                }
                write!(f, "; asked for `{host}`")
            }
            Self::Failed(host, server, failure) => {
                write!(
                    f,
                    "the name server `{server}` {failure}; asked for `{host}`"
                )
            }
        }
    }
}

/// What a server says that knows no EDNS, or less of DNS than that.
const FORMAT_ERROR: u8 = 1;
/// As before.
const NOT_IMPLEMENTED: u8 = 4;

/// How long the other family's answer is waited for after the first. RFC 8305 has 50 ms, because
/// it can use what comes later; here nothing comes later, and cellular links are slow.
const GRACE: Duration = Duration::from_millis(500);
