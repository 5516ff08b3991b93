//! Who was heard of, for those who ask whether a truck is alive: the last message of each ident,
//! how many came, its position, what of it was refused.
//!
//! It is bounded in idents, in bytes of each and in those that have a track: about 150 bytes an
//! ident with what finds it, 400 more for a track, 200 KiB when all of it is full. A message costs
//! one look-up, and memory only when its ident is new. Who was not heard of for longest is
//! forgotten first, and counted.

mod sighting;
mod track;

pub(super) use sighting::Sighting;

use crate::api::device::DeviceReport;
use crate::api::device::Devices as Asked;
use crate::api::device::PositionReport;
use crate::channel::Refusal;
use crate::clock::Now;
use crate::pattern;
use crate::recent::RecentIdents;
use crate::route::Routes;
use std::rc::Rc;
use track::Track;
use track::Tracks;

/// All who were heard of.
pub(super) struct Devices {
    /// Who has which place in the next one.
    idents: RecentIdents,
    known: Vec<Device>,
    origins: Vec<Rc<Origin>>,
    tracks: Tracks,
    forgotten: u64,
}

/// One ident.
struct Device {
    origin: Rc<Origin>,
    count: u64,
    refused: u32,
    /// When it was heard of, in seconds of the clock that never goes back.
    last: u32,
    last_refusal: Option<Refusal>,
    sighting: Sighting,
}

/// Where a message comes from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) channel: &'a str,
    pub(super) protocol: &'static str,
}

/// The same, kept: shared by all that come from there.
#[derive(PartialEq, Eq)]
struct Origin {
    channel: Box<str>,
    protocol: &'static str,
}

impl Default for Devices {
    fn default() -> Self {
        Self {
            idents: RecentIdents::new(IDENTS_MAX),
            known: Vec::new(),
            origins: Vec::new(),
            tracks: Tracks::default(),
            forgotten: 0,
        }
    }
}

impl Devices {
    /// A message was taken.
    pub(super) fn heard(&mut self, ident: &str, from: Source<'_>, sighting: Sighting, now: Now) {
        let Some(place) = self.place(ident, from, Newcomer::Welcome) else {
            return;
        };
        let Some(device) = self.known.get_mut(usize::from(place)) else {
            return;
        };
        device.last = seconds(now);
        device.count += 1;
        if sighting.is_later_than(&device.sighting, now) {
            device.sighting = sighting;
            self.tracks.note(place, sighting, now);
        }
    }

    /// A message or a login was refused. Who sends nothing else pushes out nobody who does.
    pub(super) fn refused(&mut self, ident: &str, from: Source<'_>, reason: Refusal, now: Now) {
        let place = self.place(ident, from, Newcomer::Suspect);
        let device = place.and_then(|place| self.known.get_mut(usize::from(place)));
        if let Some(device) = device {
            device.last = seconds(now);
            device.refused = device.refused.saturating_add(1);
            device.last_refusal = Some(reason);
        }
    }

    /// Shows those that are asked for, who was heard of last first; how many were forgotten.
    pub(super) fn show(
        &self,
        asked: &Asked<'_>,
        routes: &Routes,
        now: Now,
        show: &mut dyn FnMut(&DeviceReport),
    ) -> u64 {
        let fits = |place: &u16| {
            let wanted = |ident: &str| pattern::fits(ident, self.idents.ident(*place));
            asked.ident.is_none_or(wanted)
        };
        let places: Vec<u16> = self.idents.newest_first().filter(fits).collect();
        let single = places.len() == 1 && asked.ident.is_some();
        for place in places.into_iter().take(asked.count) {
            let Some(device) = self.known.get(usize::from(place)) else {
                continue;
            };
            let mut report = device.report(self.idents.ident(place), routes, now);
            if single {
                let track = self.tracks.of(place.into());
                report.track = track.map(Track::points).unwrap_or_default();
            }
            show(&report);
        }
        self.forgotten
    }

    /// The place of an ident, which is heard of now; none where a newcomer gets none.
    fn place(&mut self, ident: &str, from: Source<'_>, newcomer: Newcomer) -> Option<u16> {
        let Some(place) = self.idents.place(ident) else {
            return self.welcome(ident, from, newcomer);
        };
        self.idents.touch(place);
        let device = self.known.get(usize::from(place))?;
        if !device.origin.is(from) {
            let origin = self.origin(from);
            self.known.get_mut(usize::from(place))?.origin = origin;
        }
        Some(place)
    }

    #[cold]
    fn welcome(&mut self, ident: &str, from: Source<'_>, newcomer: Newcomer) -> Option<u16> {
        let device = Device {
            origin: self.origin(from),
            count: 0,
            refused: 0,
            last: 0,
            last_refusal: None,
            sighting: Sighting::default(),
        };
        let (mut place, is_taken) = self.idents.next_place();
        if is_taken {
            self.forgotten += 1;
            place = self.oldest(newcomer)?;
            *self.known.get_mut(usize::from(place))? = device;
            self.tracks.forget(place);
        } else {
            self.known.push(device);
        }
        self.idents.admit(ident, place);
        Some(place)
    }

    /// Who makes room for a newcomer.
    fn oldest(&self, newcomer: Newcomer) -> Option<u16> {
        let gives_way = |place: &u16| match newcomer {
            Newcomer::Welcome => true,
            Newcomer::Suspect => {
                let device = self.known.get(usize::from(*place));
                device.is_some_and(|it| it.count == 0)
            }
        };
        self.idents.oldest_first().find(gives_way)
    }

    fn origin(&mut self, from: Source<'_>) -> Rc<Origin> {
        if let Some(known) = self.origins.iter().find(|known| known.is(from)) {
            return Rc::clone(known);
        }
        // channels may come and go for ever
        self.origins.retain(|known| Rc::strong_count(known) > 1);
        let origin = Rc::new(Origin {
            channel: from.channel.into(),
            protocol: from.protocol,
        });
        self.origins.push(Rc::clone(&origin));
        origin
    }
}

impl Device {
    fn report(&self, ident: &str, routes: &Routes, now: Now) -> DeviceReport {
        let age = seconds(now).saturating_sub(self.last);
        let date = now.wall.since_1970.as_secs_f64() - f64::from(age);
        DeviceReport {
            ident: ident.to_owned(),
            device: routes.device(ident).map(|device| device.name.clone()),
            channel: self.origin.channel.to_string(),
            protocol: self.origin.protocol.to_owned(),
            last_message: now.wall.trusted.then_some(date.floor()),
            age: f64::from(age),
            count: self.count,
            position: self.position(),
            refused: self.refused.into(),
            last_refusal: self.last_refusal.map(|reason| reason.name().to_owned()),
            track: Vec::new(),
        }
    }

    fn position(&self) -> Option<PositionReport> {
        let sighting = &self.sighting;
        let (latitude, longitude) = sighting.degrees()?;
        Some(PositionReport {
            latitude,
            longitude,
            altitude: sighting.altitude(),
            speed: sighting.speed(),
            direction: sighting.direction(),
            timestamp: Some(sighting.time).filter(|time| *time > 0),
        })
    }
}

impl Origin {
    fn is(&self, from: Source<'_>) -> bool {
        *self.channel == *from.channel && self.protocol == from.protocol
    }
}

/// What is known of somebody new.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Newcomer {
    /// It sent what was taken.
    Welcome,
    /// It was refused, and may be anybody.
    Suspect,
}

fn seconds(now: Now) -> u32 {
    u32::try_from(now.mono.as_secs()).unwrap_or(u32::MAX)
}

/// Idents that are remembered.
pub(super) const IDENTS_MAX: u16 = 1024;
