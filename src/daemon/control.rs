//! The daemon as the API sees it: reports of what there is, and what it does when asked.

mod streams;

use super::Daemon;
use super::changes;
use super::channel::Channel;
use super::journals;
use super::journals::DAEMON;
use super::journals::RING;
use super::peers::Peer;
use super::stream::Stream;
use crate::api;
use crate::api::BY_HAND;
use crate::api::Back;
use crate::api::ChannelReport;
use crate::api::ClockReport;
use crate::api::Control;
use crate::api::LatencyReport;
use crate::api::Line;
use crate::api::LogReport;
use crate::api::Look;
use crate::api::Origin;
use crate::api::PEERS_MAX;
use crate::api::Packet;
use crate::api::PacketLook;
use crate::api::Page;
use crate::api::PeerReport;
use crate::api::Refusal;
use crate::api::Reloaded;
use crate::api::RingReport;
use crate::api::Seen;
use crate::api::Status;
use crate::api::StreamReport;
use crate::api::Switch;
use crate::api::Waiting;
use crate::api::Wake;
use crate::api::Woken;
use crate::api::seconds;
use crate::clock::Wall;
use crate::logging;
use crate::message::timestamp;
use crate::net::Address;
use crate::net::tls::Identity;
use crate::net::tls::expiry;
use crate::ring;
use crate::stream::engine::Latencies;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

impl Control for Daemon {
    fn status(&self) -> Status {
        let now = self.shared.now();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime: seconds(now.mono.saturating_sub(self.shared.clock.started())),
            clock: ClockReport {
                timestamp: seconds(now.wall.since_1970),
                trusted: now.wall.trusted,
                remembered: self.shared.clock.source().remembered().map(seconds),
            },
            ring: self.ring_report(),
            channels: self
                .all_channels()
                .iter()
                .map(|known| self.channel_report(known))
                .collect(),
            streams: self
                .all_streams()
                .iter()
                .map(|known| self.stream_report(known))
                .collect(),
        }
    }

    fn channel(&self, name: &str) -> Option<ChannelReport> {
        let channels = self.all_channels();
        let found = channels.iter().find(|known| known.name() == name)?;
        let mut report = self.channel_report(found);
        report.peers = Some(self.peers(found));
        Some(report)
    }

    fn logs(&self, origin: Origin<'_>, page: Page) -> Option<Vec<Line>> {
        let (streams, channels) = (self.all_streams(), self.all_channels());
        let streams = streams.iter().map(|stream| {
            let name = stream.settings.name.as_str();
            (Origin::Stream(name), name, &stream.shown.journal)
        });
        let channels = channels.iter().map(|channel| {
            (
                Origin::Channel(channel.name()),
                channel.name(),
                &channel.journal,
            )
        });
        let own = &self.shared.journals;
        let own = [
            (Origin::Ring, RING, &own.ring),
            (Origin::Daemon, DAEMON, &own.daemon),
        ];
        let all = streams.chain(channels).chain(own);
        let asked = |found: &Origin<'_>| origin == Origin::All || origin == *found;
        let mut journals = all.filter(|(found, ..)| asked(found)).peekable();
        journals.peek()?;
        let boot = journals::boot(self.shared.now());
        let mut lines: Vec<Line> = journals
            .flat_map(|(_, name, journal)| lines(name, journal, page, boot))
            .collect();
        if origin == Origin::All {
            lines.extend(self.shared.journals.lines_of_gone(page, boot));
        }
        lines.sort_by_key(|line| line.event.id);
        let surplus = lines.len().saturating_sub(page.count);
        lines.drain(..surplus);
        Some(lines)
    }

    fn packets(&self, of: Origin<'_>, look: &PacketLook) -> Option<Vec<Packet>> {
        self.traffic_of(of, look)
    }

    fn messages(&self, look: &Look<'_>) -> Option<Seen> {
        let is_there = |name| self.all_channels().iter().any(|known| known.name() == name);
        if !look.channel.is_none_or(is_there) {
            return None;
        }
        let stream = look.stream.map(|name| self.stream(name)).transpose().ok()?;
        let stream = stream.map(|stream| stream.id.mask());
        Some(self.shared.passing.look(look, stream, self.shared.now()))
    }

    fn wake(&self, whom: Wake) -> Woken {
        let now = self.shared.now().mono;
        let mut woken = Woken::default();
        let waits = |stream: &&Rc<Stream>| stream.shown.next_try.get().is_some_and(|at| at > now);
        let (streams, channels) = (self.all_streams(), self.all_channels());
        for stream in streams.iter().filter(waits) {
            stream.wake(whom);
            match stream.shown.asked_until.get().filter(|at| *at > now) {
                Some(until) if whom == Wake::UnlessAsked => woken.waiting.push(Waiting {
                    name: stream.settings.name.clone(),
                    next_try: (until - now).as_secs_f64(),
                }),
                _ => woken.streams += 1,
            }
        }
        let waits = |channel: &&Rc<Channel>| channel.next_try.get().is_some_and(|at| at > now);
        let waiting = channels.iter().filter(waits);
        woken.streams += waiting.map(|channel| channel.wake()).count();
        woken
    }

    fn switch(&self, stream: &str, to: Switch) -> Result<(), Refusal> {
        let stream = self.stream(stream)?;
        let name = &stream.settings.name;
        let done = match to {
            Switch::On => {
                stream.enable(&self.shared);
                "enabled"
            }
            Switch::Off => {
                stream.disable(&self.shared);
                "disabled"
            }
        };
        log::info!("stream `{name}`: {done} by hand");
        stream.note(&self.shared, BY_HAND, None, Some(done));
        let (folder, enabled) = (self.changes.as_deref(), stream.enabled.get());
        let files = self.main.as_deref().zip(folder);
        let configured = files.and_then(|(main, folder)| changes::configured(main, folder, name));
        let kept = changes::keep_enabled(folder, name, enabled, configured);
        kept.map_err(|error| {
            log::warn!("stream `{name}`: switched until the next start: {error}");
            Refusal::NotKept(error.to_string())
        })
    }

    fn reload(&self) -> Result<Reloaded, Vec<String>> {
        log::info!("reading the configuration again, asked by the API");
        Self::reload(self)
    }

    fn skip(&self, stream: &str, count: u64) -> Result<u64, Refusal> {
        let stream = self.stream(stream)?;
        let wanted = |body: &[u8]| self.wants(&stream, body);
        let work = |ring: &mut ring::Ring, now| ring.skip(stream.id, count, now, &wanted);
        let skipped = self.shared.ring.change(work);
        stream.moved(&self.shared);
        let name = &stream.settings.name;
        log::info!("stream `{name}`: {skipped} skipped by hand");
        let text = format!("{skipped} skipped");
        stream.note(&self.shared, BY_HAND, None, Some(&text));
        Ok(skipped)
    }

    fn rewind(&self, stream: &str, back: Back) -> Result<u64, Refusal> {
        let stream = self.stream(stream)?;
        let back = match back {
            Back::Oldest => ring::RewindTo::Oldest,
            Back::To(date) => ring::RewindTo::Date(date),
        };
        let work = |ring: &mut ring::Ring, now| ring.rewind(stream.id, back, now);
        let result = self.shared.ring.change(work);
        stream.moved(&self.shared);
        let name = &stream.settings.name;
        match &result {
            Ok(count) => {
                log::info!("stream `{name}`: rewound by hand, {count} are sent again");
                let text = format!("rewound, {count} are sent again");
                stream.note(&self.shared, BY_HAND, None, Some(&text));
            }
            Err(error) => log::warn!("stream `{name}`: not rewound: {error}"),
        }
        result.map_err(|error| Refusal::NotKept(error.to_string()))
    }

    fn log(&self) -> LogReport {
        let log = logging::standing();
        let name = |level: log::LevelFilter| level.as_str().to_lowercase();
        LogReport {
            level: name(log.level),
            configured: name(log.configured),
            target: log.target.to_string(),
            lost: log.lost,
        }
    }

    fn set_log_level(&self, level: Option<log::Level>) -> LogReport {
        logging::set_level(level.map(|level| level.to_level_filter()));
        let report = self.log();
        // at a level that is always seen: who reads the log has to know what is left out of it
        log::error!("the log has level `{}` now, set by the API", report.level);
        report
    }
}

impl Daemon {
    pub(super) fn stream(&self, name: &str) -> Result<Rc<Stream>, Refusal> {
        let mut named = self
            .all_streams()
            .into_iter()
            .filter(|known| known.settings.name == name);
        named.next().ok_or(Refusal::Unknown)
    }

    fn stream_report(&self, stream: &Stream) -> StreamReport {
        let counters = self.shared.ring.counters(stream.id);
        let skipped = counters.filtered + counters.expired + counters.by_hand;
        let in_flight = self.shared.ring.unsettled(stream.id);
        let (tally, (sent, received)) = (stream.shown.tally.get(), stream.shown.bytes.get());
        let now = self.shared.now().mono;
        let next_try = stream.shown.next_try.get().filter(|at| *at > now);
        let figures = stream.shown.figures.borrow();
        let sends = stream.is_sending() && next_try.is_none();
        let lately = figures.lately(&tally.latencies);
        StreamReport {
            name: stream.settings.name.clone(),
            kind: stream.settings.type_name().to_owned(),
            enabled: stream.enabled.get(),
            paused: stream.shown.paused.get().is_some(),
            paused_for: stream.paused_for(self.shared.now()).map(seconds),
            connected: stream.shown.connected.get(),
            connects: stream.shown.connects.get(),
            stored: counters.stored,
            read: counters.accepted + skipped + counters.given_up + in_flight,
            accepted: counters.accepted,
            skipped,
            skipped_filter: counters.filtered,
            skipped_age: counters.expired,
            skipped_hand: counters.by_hand,
            given_up: counters.given_up,
            dropped: counters.dropped,
            corrupt: counters.corrupt,
            backlog: counters.backlog,
            thinned: stream.thinned.as_ref().map_or(0, |thinned| thinned.count()),
            behind: self.shared.ring.read(|ring| ring.behind(stream.id)),
            rejected: tally.rejected,
            ack_latency: tally.ack_latency.map(seconds),
            ack_latency_p50: lately.percentile(50).map(seconds),
            ack_latency_p95: lately.percentile(95).map(seconds),
            ack_latencies: latency_report(&tally.latencies),
            rate: figures.rate(counters.accepted, now),
            drain_time: figures.drain_time(counters.backlog, now).filter(|_| sends),
            oldest_age: stream.oldest_age(&self.shared).map(seconds),
            bytes_sent: sent,
            bytes_received: received,
            next_try: next_try.map(|at| seconds(at.saturating_sub(now))),
            last_error: stream.last_error(&self.shared),
            certificate_days: stream
                .settings
                .identity()
                .and_then(|known| self.days(known)),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "two digits are read of it")]
    fn ring_report(&self) -> RingReport {
        let (stats, id) = (
            self.shared.ring.stats(),
            self.shared.ring.read(|ring| ring.id()),
        );
        let found = self.shared.ring.occupancy();
        let date = |wall: Wall| seconds(wall.since_1970);
        let now = self.shared.now();
        let since_1970 = |mono| {
            let ago = now.mono.saturating_sub(mono);
            seconds(now.wall.since_1970.saturating_sub(ago))
        };
        let amplification = stats.bytes_written as f64 / stats.taken_bytes as f64;
        let (waiting, _) = found.waiting;
        let rate = self
            .rate
            .borrow()
            .per_second(stats.taken_bytes, self.shared.now().mono);
        RingReport {
            id: format!("{id:08x}"),
            size: found.size,
            size_wanted: found.size_wanted,
            used: found.used,
            full: found.full,
            dropping: found.dropping.map(since_1970),
            refusing: found.refusing,
            oldest: found.oldest.filter(|wall| wall.trusted).map(date),
            waiting,
            bytes_written: stats.bytes_written,
            bytes_taken: stats.taken_bytes,
            write_amplification: (stats.taken_bytes > 0).then_some(amplification),
            syncs: stats.syncs,
            held: stats.held,
            written: stats.written,
            failures: stats.failures,
            read_failures: stats.read_failures,
            stall_max: seconds(self.shared.ring.stall_max()),
            degraded: found.degraded,
            durable: found.durable,
            hours: rate.map(|rate| found.size as f64 / rate / 3600.0),
        }
    }

    fn channel_report(&self, channel: &Channel) -> ChannelReport {
        let identity = channel.settings.identity();
        let listen_error = channel.listening.error();
        let listens = !channel.settings.listen.is_empty();
        let now = self.shared.now().mono;
        ChannelReport {
            name: channel.name().to_owned(),
            kind: channel.settings.kind.name.to_owned(),
            listen: channel
                .settings
                .listen
                .iter()
                .map(Address::to_string)
                .collect(),
            tls: channel.settings.tls.is_some(),
            listening: listens.then_some(listen_error.is_none()),
            listen_error,
            connections: channel.connections.get() as u64,
            peers: None,
            last_message_age: channel
                .last_message
                .get()
                .map(|at| seconds(now.saturating_sub(at))),
            rate: channel.figures.borrow().rate(channel.received.get(), now),
            received: channel.received.get(),
            refused: channel.refused(),
            unwanted: channel.unwanted.get(),
            thinned: channel.thinned.get(),
            missed: channel.missed.get(),
            certificate_days: identity.and_then(|known| self.days(known)),
        }
    }

    /// Who is connected to a channel.
    fn peers(&self, channel: &Channel) -> Vec<PeerReport> {
        let now = self.shared.now();
        let report = |peer: Rc<Peer>| {
            let ago = now.mono.saturating_sub(peer.since);
            PeerReport {
                peer: peer.name.to_string(),
                since: seconds(now.wall.since_1970.saturating_sub(ago)),
                ident: Some(peer.ident()).filter(|ident| !ident.is_empty()),
                messages: peer.messages.get(),
            }
        };
        let newest = channel.peers.newest(PEERS_MAX);
        newest.into_iter().map(report).collect()
    }

    /// Days until a certificate expires; none where the file or the clock does not say it.
    fn days(&self, identity: &Identity) -> Option<i64> {
        let today = self.shared.clock.source().usable_date().ok()?;
        let expiry = expiry(&identity.certificate)?;
        let seconds = timestamp::from_iso8601(&expiry)? / 1_000_000;
        let left = seconds.checked_signed_diff(today.as_secs())?;
        Some(left.div_euclid(86_400))
    }
}

fn latency_report(latencies: &Latencies) -> LatencyReport {
    LatencyReport {
        bounds: Latencies::bounds().map(seconds).collect(),
        counts: latencies.counts().to_vec(),
        sum: seconds(latencies.sum()),
    }
}

fn lines(
    name: &str,
    journal: &RefCell<api::Journal>,
    page: Page,
    boot: Option<Duration>,
) -> Vec<Line> {
    let journal = journal.borrow();
    let line = |event: &api::Event| Line {
        name: name.to_owned(),
        event: event.clone().dated(boot),
    };
    journal.page(page).map(line).collect()
}
