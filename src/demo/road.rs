//! The road: Berlin's east-west axis with its traffic lights, and how one drives on it. Knows no
//! message and reads no clock.

use std::time::Duration;

/// The road from its eastern to its western end.
#[derive(Debug)]
pub(super) struct Road {
    /// Each place with its distance from the eastern end in metres, rising.
    stops: Vec<Stop>,
}

/// A vehicle's place and speed on the road.
#[derive(Clone, Debug)]
pub(super) struct Drive {
    /// From the eastern end.
    metres: f64,
    /// In metres a second.
    speed: f64,
    direction: Direction,
}

/// What a receiver of satellites would say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fix {
    /// Degrees north.
    pub(super) latitude: f64,
    /// Degrees east.
    pub(super) longitude: f64,
    /// Degrees from north, clockwise, 0 to 359.
    pub(super) heading: u16,
    /// In km/h.
    pub(super) speed: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    West,
    East,
}

#[derive(Clone, Copy, Debug)]
struct Stop {
    metres: f64,
    latitude: f64,
    longitude: f64,
}

impl Road {
    /// The road with its lengths measured.
    pub(super) fn new() -> Self {
        let mut stops: Vec<Stop> = Vec::with_capacity(PLACES.len());
        for (latitude, longitude) in PLACES {
            let from = stops.last().copied();
            let metres = from.map_or(0.0, |from| from.metres + from.distance(latitude, longitude));
            stops.push(Stop {
                metres,
                latitude,
                longitude,
            });
        }
        Self { stops }
    }

    /// In metres.
    pub(super) fn length(&self) -> f64 {
        self.stops.last().map_or(0.0, |last| last.metres)
    }

    /// How far the next stop is that has to be respected at `time`: a red light, or the end.
    fn free(&self, drive: &Drive, time: Duration) -> f64 {
        let distance = |stop: &Stop| match drive.direction {
            Direction::West => stop.metres - drive.metres,
            Direction::East => drive.metres - stop.metres,
        };
        let end = match drive.direction {
            Direction::West => self.stops.len().saturating_sub(1),
            Direction::East => 0,
        };
        let stops = |(index, stop): (usize, &Stop)| {
            let is_end = index == end;
            let ahead = distance(stop);
            let can_stop = ahead + 2.0 * AT_STOP >= drive.speed * drive.speed / (2.0 * BRAKES_HARD);
            (ahead >= 0.0 && (is_end || can_stop && is_red(index, time))).then_some(ahead)
        };
        self.stops
            .iter()
            .enumerate()
            .filter_map(stops)
            .fold(f64::INFINITY, f64::min)
    }

    /// The stretch on which a distance from the eastern end lies.
    fn stretch(&self, metres: f64) -> Option<(&Stop, &Stop)> {
        let mut pairs = self.stops.iter().zip(self.stops.iter().skip(1));
        let found = pairs.clone().find(|(_, west)| metres <= west.metres);
        found.or_else(|| pairs.next_back())
    }
}

impl Stop {
    /// Metres to a place at most some kilometres away.
    fn distance(&self, latitude: f64, longitude: f64) -> f64 {
        let (north, east) = self.offset(latitude, longitude);
        north.hypot(east)
    }

    /// Metres to the north and to the east.
    fn offset(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let shrink = self.latitude.to_radians().cos();
        let north = (latitude - self.latitude) * METRES_PER_DEGREE;
        (
            north,
            (longitude - self.longitude) * METRES_PER_DEGREE * shrink,
        )
    }
}

impl Drive {
    /// Stands at a share of the road, 0 its eastern end and 1 its western, about to go west.
    pub(super) fn start(road: &Road, share: f64) -> Self {
        Self {
            metres: road.length() * share,
            speed: 0.0,
            direction: Direction::West,
        }
    }

    /// Drives on until `time`, which is `step` later than the last time.
    pub(super) fn advance(&mut self, road: &Road, time: Duration, step: Duration) {
        let (free, seconds) = (road.free(self, time), step.as_secs_f64());
        let allowed = if free < AT_STOP {
            0.0
        } else {
            (2.0 * BRAKES * free).sqrt()
        };
        self.speed = (self.speed + ACCELERATES * seconds)
            .min(SPEED_MAX)
            .min(allowed);
        let moved = (self.speed * seconds).min(free);
        match self.direction {
            Direction::West => self.metres += moved,
            Direction::East => self.metres -= moved,
        }
        self.turn_at_the_end(road);
    }

    fn turn_at_the_end(&mut self, road: &Road) {
        if self.metres > road.length() - AT_STOP {
            self.direction = Direction::East;
        } else if self.metres < AT_STOP {
            self.direction = Direction::West;
        }
    }

    /// Where it is, where to and how fast.
    pub(super) fn fix(&self, road: &Road) -> Fix {
        let Some((east, west)) = road.stretch(self.metres) else {
            return Fix {
                latitude: 0.0,
                longitude: 0.0,
                heading: 0,
                speed: 0,
            };
        };
        let share = (self.metres - east.metres) / (west.metres - east.metres);
        let (to_north, to_east) = east.offset(west.latitude, west.longitude);
        let heading = match self.direction {
            Direction::West => to_east.atan2(to_north),
            Direction::East => (-to_east).atan2(-to_north),
        };
        Fix {
            latitude: east.latitude + (west.latitude - east.latitude) * share,
            longitude: east.longitude + (west.longitude - east.longitude) * share,
            heading: whole(heading.to_degrees().rem_euclid(360.0)) % 360,
            speed: whole(self.speed * 3.6),
        }
    }
}

/// The nearest whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a speed or an angle; the cast saturates"
)]
fn whole(number: f64) -> u16 {
    number.round() as u16
}

/// Whether the light at a place is red; each has its own beat.
fn is_red(index: usize, time: Duration) -> bool {
    let offset = LIGHT_OFFSET * u32::try_from(index).unwrap_or(0);
    (time + offset).as_millis() % LIGHT_PERIOD.as_millis() < LIGHT_RED.as_millis()
}

/// Brandenburger Tor, Großer Stern, Tiergarten station, Ernst-Reuter-Platz, Deutsche Oper,
/// Bismarckstraße, Sophie-Charlotte-Platz, Kaiserdamm, Theodor-Heuss-Platz: degrees north, east.
const PLACES: [(f64, f64); 9] = [
    (52.5163, 13.3777),
    (52.5145, 13.3501),
    (52.5139, 13.3364),
    (52.5128, 13.3219),
    (52.5119, 13.3103),
    (52.5114, 13.3047),
    (52.5108, 13.2972),
    (52.5100, 13.2819),
    (52.5097, 13.2728),
];

/// Along a meridian.
const METRES_PER_DEGREE: f64 = 111_200.0;

/// 50 km/h in metres a second.
const SPEED_MAX: f64 = 50.0 / 3.6;

/// In metres a second squared, as the two below.
const ACCELERATES: f64 = 1.8;
const BRAKES: f64 = 2.0;
/// Who would have to brake harder than this drives on over yellow.
const BRAKES_HARD: f64 = 2.5;

/// So near, in metres, is there.
const AT_STOP: f64 = 0.5;

const LIGHT_PERIOD: Duration = Duration::from_secs(40);
const LIGHT_RED: Duration = Duration::from_secs(16);
const LIGHT_OFFSET: Duration = Duration::from_secs(13);

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    /// What one vehicle does in some seconds, in steps.
    fn drive(road: &Road, share: f64, seconds: u32) -> Vec<Fix> {
        let mut drive = Drive::start(road, share);
        let step = |number| {
            drive.advance(road, STEP * number, STEP);
            drive.fix(road)
        };
        (1..=seconds * 10).map(step).collect()
    }

    #[test]
    fn the_road_is_as_long_as_on_the_map() {
        let length = Road::new().length();
        assert!((7_000.0..7_300.0).contains(&length), "{length}");
    }

    #[test]
    fn a_vehicle_drives_there_and_back_and_never_leaves_the_road() {
        let fixes = drive(&Road::new(), 0.0, 3_600);
        let east = |fix: &Fix| fix.longitude;
        let longitudes: Vec<f64> = fixes.iter().map(east).collect();
        assert!(
            longitudes
                .iter()
                .all(|east| (13.2728..=13.3777).contains(east))
        );
        assert!(longitudes.iter().any(|east| *east < 13.273));
        assert!(longitudes[18_000..].iter().any(|east| *east > 13.377));
        assert!(
            fixes
                .iter()
                .all(|fix| (52.5097..=52.5163).contains(&fix.latitude))
        );
    }

    #[test]
    fn speed_is_kept_and_lights_are_waited_for() {
        let fixes = drive(&Road::new(), 0.0, 900);
        assert!(fixes.iter().all(|fix| fix.speed <= 50));
        assert!(fixes.iter().any(|fix| fix.speed == 50));
        let halts = fixes
            .windows(2)
            .filter(|pair| pair[0].speed > 0 && pair[1].speed == 0);
        let halts = halts.count();
        assert!((2..=12).contains(&halts), "{halts}");
    }

    #[test]
    fn no_step_is_longer_than_the_speed_allows() {
        let road = Road::new();
        for pair in drive(&road, 0.3, 900).windows(2) {
            let from = Stop {
                metres: 0.0,
                latitude: pair[0].latitude,
                longitude: pair[0].longitude,
            };
            assert!(from.distance(pair[1].latitude, pair[1].longitude) < 1.5);
        }
    }

    #[test]
    fn the_heading_is_west_on_the_way_out_and_east_on_the_way_back() {
        let fixes = drive(&Road::new(), 0.9, 600);
        assert!(
            (260..=272).contains(&fixes[0].heading),
            "{}",
            fixes[0].heading
        );
        assert!(fixes.iter().any(|fix| (80..=92).contains(&fix.heading)));
    }
}
