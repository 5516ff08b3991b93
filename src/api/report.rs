//! What is reported: the shapes that leave as JSON, and that the commands read. Counts nothing.

use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;

/// All of a daemon, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Of the program.
    pub version: String,
    /// Seconds since it started.
    pub uptime: f64,
    /// Its clock.
    pub clock: ClockReport,
    /// Its ring.
    pub ring: RingReport,
    /// As configured.
    pub channels: Vec<ChannelReport>,
    /// As configured.
    pub streams: Vec<StreamReport>,
}

/// The date, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClockReport {
    /// Seconds since 1970.
    pub timestamp: f64,
    /// Whether it can be believed.
    pub trusted: bool,
    /// The last date that was believed, in seconds since 1970: an earlier one is doubted.
    #[serde(default)]
    pub remembered: Option<f64>,
}

/// A stream: `stored = accepted + skipped + given_up + dropped + corrupt + backlog`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamReport {
    /// As configured.
    pub name: String,
    /// As configured.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it takes and sends.
    pub enabled: bool,
    /// It sends nothing until it is resumed; what comes waits for it.
    #[serde(default)]
    pub paused: bool,
    /// Seconds until the pause ends by itself; none where it has no end.
    #[serde(default)]
    pub paused_for: Option<f64>,
    /// Whether its destination would take something now.
    pub connected: bool,
    /// How often it was, since the start.
    pub connects: u64,
    /// Messages that it wants.
    pub stored: u64,
    /// Taken up so far: accepted, skipped, given up and in flight.
    pub read: u64,
    /// The destination took them.
    pub accepted: u64,
    /// By filter, age and hand together.
    pub skipped: u64,
    /// By filter or conversion.
    pub skipped_filter: u64,
    /// Too old.
    pub skipped_age: u64,
    /// By hand.
    pub skipped_hand: u64,
    /// Refused for good.
    pub given_up: u64,
    /// Overwritten before they were sent.
    pub dropped: u64,
    /// Damaged on disk.
    pub corrupt: u64,
    /// Waiting now, those in flight included.
    pub backlog: u64,
    /// Left out by `every` when they came, since the start: in no sum.
    #[serde(default)]
    pub thinned: u64,
    /// Bytes of the ring from its place there to the newest message.
    #[serde(default)]
    pub behind: u64,
    /// Attempts refused or timed out since the start, one for each message in them.
    pub rejected: u64,
    /// Seconds to the acknowledgement of the last batch.
    pub ack_latency: Option<f64>,
    /// Half of the messages of the last minutes took no longer.
    #[serde(default)]
    pub ack_latency_p50: Option<f64>,
    /// 95 of 100 took no longer.
    #[serde(default)]
    pub ack_latency_p95: Option<f64>,
    /// All since the start.
    #[serde(default)]
    pub ack_latencies: LatencyReport,
    /// Messages that the destination took, a second, over the last 5 minutes.
    #[serde(default)]
    pub rate: f64,
    /// Seconds until nothing waits, at the present pace; none where the backlog does not shrink.
    #[serde(default)]
    pub drain_time: Option<f64>,
    /// Seconds since the oldest of the backlog was received.
    pub oldest_age: Option<f64>,
    /// Over the network since the start.
    pub bytes_sent: u64,
    /// Over the network since the start.
    pub bytes_received: u64,
    /// Seconds until the next try, while it waits for one.
    pub next_try: Option<f64>,
    /// What went wrong and still holds.
    pub last_error: Option<String>,
    /// Whole days until the certificate expires that it shows; less than 0 afterwards.
    pub certificate_days: Option<i64>,
}

/// How many messages were acknowledged after how long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyReport {
    /// Seconds that the messages of a bucket took at most; the last bucket has no bound.
    pub bounds: Vec<f64>,
    /// Messages in each bucket: one number more than there are bounds.
    pub counts: Vec<u64>,
    /// Seconds of all together.
    pub sum: f64,
}

/// A channel, since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChannelReport {
    /// As configured.
    pub name: String,
    /// As configured.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it listens, as configured.
    #[serde(default)]
    pub listen: Vec<String>,
    /// Whether it speaks TLS there.
    #[serde(default)]
    pub tls: bool,
    /// Whether all its addresses are bound; none where it connects, or needs none.
    pub listening: Option<bool>,
    /// Which is not, and why.
    pub listen_error: Option<String>,
    /// Connections now.
    pub connections: u64,
    /// Who they are, the newest first, [`PEERS_MAX`] at most; only where one channel is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<Vec<PeerReport>>,
    /// Seconds since the last message was taken.
    #[serde(default)]
    pub last_message_age: Option<f64>,
    /// Messages a second, over the last 5 minutes.
    #[serde(default)]
    pub rate: f64,
    /// Messages taken.
    pub received: u64,
    /// What was not taken, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Messages that no stream wanted.
    pub unwanted: u64,
    /// Of those received, left out by its `every`.
    #[serde(default)]
    pub thinned: u64,
    /// Messages that passed while who subscribes here read too slowly.
    #[serde(default)]
    pub missed: u64,
    /// Whole days until the certificate expires that it shows; less than 0 afterwards.
    pub certificate_days: Option<i64>,
}

/// A connection, or a sender of datagrams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeerReport {
    /// Its address; `unix` of a local program.
    pub peer: String,
    /// When it came, in seconds since 1970.
    pub since: f64,
    /// Of its last message.
    pub ident: Option<String>,
    /// Messages that were taken of it.
    pub messages: u64,
}

/// The ring; what it did, since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RingReport {
    /// As its file's owner names it.
    pub id: String,
    /// Bytes that it may have.
    pub size: u64,
    /// Bytes that the configuration asks for: more than `size` where there was no space for them.
    pub size_wanted: u64,
    /// Bytes of those that hold messages.
    pub used: u64,
    /// There is no room but that of messages which some stream has not settled.
    pub full: bool,
    /// Since when messages are dropped that some stream has not read, in seconds since 1970.
    pub dropping: Option<f64>,
    /// Nothing more is acknowledged until the streams have made room.
    pub refusing: bool,
    /// When the oldest message on disk was received, in seconds since 1970.
    pub oldest: Option<f64>,
    /// Messages in memory.
    pub waiting: u64,
    /// Bytes given to the disk.
    pub bytes_written: u64,
    /// Bytes of all messages that were taken.
    pub bytes_taken: u64,
    /// `bytes_written` over `bytes_taken`: below 1 where messages were settled before they had to
    /// be written.
    pub write_amplification: Option<f64>,
    /// Successful syncs.
    pub syncs: u64,
    /// Messages that were settled by all before they were written.
    pub held: u64,
    /// Messages that were written.
    pub written: u64,
    /// Commits that failed.
    pub failures: u64,
    /// Reads that failed, those that succeeded when they were tried again included.
    pub read_failures: u64,
    /// Seconds of the longest commit.
    pub stall_max: f64,
    /// Senders wait for destinations: the ring is in memory, in a file system that is, or on a
    /// disk that fails.
    pub degraded: bool,
    /// What is acknowledged outlives the power.
    pub durable: bool,
    /// How long it lasts, if nothing is delivered and messages come as in the last minutes.
    pub hours: Option<f64>,
}

/// Connections that one answer lists.
pub const PEERS_MAX: usize = 100;

impl StreamReport {
    /// What became of all that it wanted; equals `stored`.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.accepted + self.skipped + self.given_up + self.dropped + self.corrupt + self.backlog
    }
}
