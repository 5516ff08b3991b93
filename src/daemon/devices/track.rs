//! The last positions of some devices: of those that were there first, and of others when one of
//! these has not been heard of for a time.

use super::sighting::AHEAD;
use super::sighting::Place;
use super::sighting::Sighting;
use super::sighting::date;
use crate::clock::Now;

/// All tracks.
#[derive(Default)]
pub(super) struct Tracks {
    /// By whose place, and when it was noted last, in seconds of the clock that never goes back.
    tracks: Vec<(u16, u32, Track)>,
}

/// Where a device was lately.
#[derive(Default)]
pub(super) struct Track {
    /// Oldest first; never more than `POINTS_MAX`.
    points: Vec<(Place, u32)>,
}

impl Tracks {
    /// Notes where the device at a place is.
    pub(super) fn note(&mut self, place: u16, sighting: Sighting, now: Now) {
        let Some(at) = sighting.place() else {
            return;
        };
        let mono = super::seconds(now);
        if let Some((_, noted, track)) = self.tracks.iter_mut().find(|(of, ..)| *of == place) {
            *noted = mono;
            track.note(at, sighting.time, now);
        } else if let Some(free) = self.free(mono) {
            let mut track = Track::default();
            track.note(at, sighting.time, now);
            free.push((place, mono, track));
        }
    }

    /// Where there is room for one more track.
    fn free(&mut self, mono: u32) -> Option<&mut Vec<(u16, u32, Track)>> {
        if self.tracks.len() >= TRACKS_MAX {
            let is_idle = |noted: u32| mono.saturating_sub(noted) > IDLE;
            let idle = self.tracks.iter().position(|(_, noted, _)| is_idle(*noted));
            self.tracks.swap_remove(idle?);
        }
        Some(&mut self.tracks)
    }

    /// The place is somebody else's.
    pub(super) fn forget(&mut self, place: u16) {
        self.tracks.retain(|(of, ..)| *of != place);
    }

    /// The track of the device at a place.
    pub(super) fn of(&self, place: usize) -> Option<&Track> {
        let mut found = self
            .tracks
            .iter()
            .filter(|(of, ..)| usize::from(*of) == place);
        found.next().map(|(_, _, track)| track)
    }
}

impl Track {
    fn note(&mut self, place: Place, time: u32, now: Now) {
        let last = self.points.last().map(|(_, time)| *time);
        if last.is_some_and(|last| now.wall.trusted && last > date(now).saturating_add(AHEAD)) {
            // it had the date of some other year
            self.points.clear();
        } else if last.is_some_and(|last| time < last.saturating_add(APART)) {
            return;
        }
        if self.points.len() >= POINTS_MAX {
            self.points.remove(0);
        }
        self.points.push((place, time));
    }

    /// Latitude, longitude and time of each point, oldest first.
    pub(super) fn points(&self) -> Vec<(f64, f64, u32)> {
        let points = self.points.iter().map(|(place, time)| {
            let (latitude, longitude) = place.degrees();
            (latitude, longitude, *time)
        });
        points.collect()
    }
}

/// Devices that have a track: 384 bytes each.
const TRACKS_MAX: usize = 64;

/// Points of a track.
const POINTS_MAX: usize = 32;

/// Seconds between two points at least.
const APART: u32 = 10;

/// Seconds after which somebody else may have the track.
const IDLE: u32 = 3600;
