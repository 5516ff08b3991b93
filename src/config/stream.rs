//! `[[stream]]`: the keys of every stream. Those of a type are read by its row in [`KINDS`], which
//! also says what is assumed where some of these are left out.

use super::secrets;
use super::stream_connection;
use super::stream_message;
use crate::keys::context::Context;
use crate::keys::context::Text;
use crate::keys::reader::Reader;
use crate::keys::source::Place;
use crate::keys::thinning;
use crate::keys::tree::Table;
use crate::ring::From;
use crate::stream::Defaults;
use crate::stream::Destination;
use crate::stream::KINDS;
use crate::stream::LEFT_OUT;
use crate::stream::settings::Delivery;
use crate::stream::settings::OnReject;
use crate::stream::settings::Settings;
use crate::stream::settings::Subscription;
use crate::traffic::Secrets;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A stream, and where it names what it wants.
#[derive(Debug)]
pub(super) struct Draft {
    /// Its subscription is still empty; none if there is a mistake in it.
    pub(super) settings: Option<Settings>,
    /// `channels`, with their places.
    pub(super) channels: Vec<Text>,
    /// `devices`, with their places.
    pub(super) devices: Vec<Text>,
    /// `groups`, with their places.
    pub(super) groups: Vec<Text>,
    /// Where its name stands.
    pub(super) name: Place,
    /// The parameters in its templates, and where they stand.
    pub(super) parameters: Vec<(String, Place)>,
}

/// `[[stream]]`. What it wants is read in any case.
pub(super) fn read(context: &Context<'_>, table: &Table) -> Draft {
    let mut reader = Reader::new(context, table, "stream");
    let name_place = reader.value_place("name");
    let mut names = |key| reader.texts(key).unwrap_or_default();
    let (channels, devices, groups) = (names("channels"), names("devices"), names("groups"));
    let settings = settings(reader, secrets::of(context, table));
    let destination = settings.as_ref().map(|settings| &*settings.destination);
    Draft {
        parameters: destination.map_or_else(Vec::new, |it| parameters(context, table, it)),
        settings,
        channels,
        devices,
        groups,
        name: name_place,
    }
}

/// All else; none if there is a mistake in it.
fn settings(mut reader: Reader<'_>, mut secrets: Vec<String>) -> Option<Settings> {
    let name = reader.name(NAME_MAX);
    let kinds: Vec<_> = KINDS.iter().map(|kind| (kind.name, *kind)).collect();
    let kind = match is_toll_bg(&mut reader) {
        true => None,
        false => reader.kind_of(&kinds, LEFT_OUT),
    };
    let defaults = kind.map_or(Defaults::COMMON, |kind| kind.defaults);
    let destination = kind.and_then(|kind| (kind.read)(&mut reader));
    let enabled = reader.flag("enabled").unwrap_or(true);
    let from = reader.choice("from", &[("new", From::New), ("oldest", From::Oldest)]);
    let filter = stream_message::filter(&mut reader);
    let ttl = age(&mut reader, "ttl");
    let max_age = match reader.has("max_age") {
        true => age(&mut reader, "max_age"),
        false => {
            reader.take("max_age");
            defaults.max_age
        }
    };
    let thinning = thinning::read(&mut reader);
    let interval = stream_message::interval(&mut reader, &defaults);
    let transform = stream_message::transform(&mut reader);
    let rejects = stream_message::rejects(&mut reader);
    let delivery = delivery(&mut reader, &defaults);
    let bind = stream_connection::bind(&mut reader, destination.as_deref());
    let tls = stream_connection::tls(&mut reader, destination.as_deref());
    // without its type nobody can say which keys are unknown
    kind?;
    let clean = reader.finish();
    let destination = destination?;
    secrets.extend(destination.secrets_of_path());
    let settings = Settings {
        name: name?,
        enabled,
        subscription: Subscription::default(),
        from: from.unwrap_or(From::New),
        filter,
        ttl,
        max_age,
        thinning,
        interval,
        transform,
        rejects,
        delivery,
        bind,
        tls,
        secrets: Secrets::new(secrets),
        destination,
    };
    clean.then_some(settings)
}

/// Whether the type is one that nobody can build; notes what its operator writes instead.
fn is_toll_bg(reader: &mut Reader<'_>) -> bool {
    let kind = reader.peek("type");
    let is_it = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("tollbg"));
    if is_it {
        reader.take("type");
        let message = "the format of tollBG was never public, and flespi gave it up in 2022";
        reader.error(reader.value_place("type"), message, TOLL_BG);
    }
    is_it
}

/// The parameters in the templates of a destination, and where they stand.
fn parameters(
    context: &Context<'_>,
    table: &Table,
    destination: &dyn Destination,
) -> Vec<(String, Place)> {
    let mut found = Vec::new();
    for (key, template) in destination.templates() {
        let Some(entry) = table.entry(key) else {
            continue;
        };
        let place = entry.node.place;
        for name in template.parameters() {
            let written = context.sources.text(place).find(&format!("{{{name}"));
            let at = written.map_or(place, |at| Place {
                start: place.start + at + 1,
                end: place.start + at + 1 + name.len(),
                ..place
            });
            found.push((name.to_owned(), at));
        }
    }
    found
}

/// An age after which messages are skipped; none: never.
fn age(reader: &mut Reader<'_>, key: &'static str) -> Option<Duration> {
    reader.period(key, AGE).filter(|age| !age.is_zero())
}

/// How batches are cut and tried again.
fn delivery(reader: &mut Reader<'_>, defaults: &Defaults) -> Delivery {
    let max_bytes = reader.size("max_bytes", BATCH_BYTES).unwrap_or(256 << 10);
    let (retry_min, retry_max) = retry(reader, defaults);
    let on_reject = [("skip", OnReject::Skip), ("retry", OnReject::Retry)];
    Delivery {
        max_messages: reader
            .integer("max_messages", BATCH_MESSAGES)
            .unwrap_or(defaults.max_messages),
        max_bytes: usize::try_from(max_bytes).unwrap_or(usize::MAX),
        linger: reader.period("linger", LINGER).unwrap_or(Duration::ZERO),
        timeout: reader
            .period("timeout", TIMEOUT)
            .unwrap_or(Duration::from_secs(30)),
        retry_min,
        retry_max,
        on_reject: reader
            .choice("on_reject", &on_reject)
            .unwrap_or(OnReject::Skip),
    }
}

/// The shortest and the longest wait of `retry`.
fn retry(reader: &mut Reader<'_>, defaults: &Defaults) -> (Duration, Duration) {
    let (mut min, mut max) = (defaults.retry_min, Duration::from_secs(300));
    if let Some(mut retry) = reader.table("retry") {
        min = retry.period("min", RETRY).unwrap_or(min);
        max = retry.period("max", RETRY).unwrap_or(max);
        if min > max {
            let place = retry.value_place(if retry.has("max") { "max" } else { "min" });
            retry.error(
                place,
                "`max` is shorter than `min`",
                "`max` is `5m` if it is not given",
            );
        }
        retry.finish();
    }
    (min, max)
}

/// What who has the document of tollBG writes; the names in `body` are made up.
const TOLL_BG: &str = "with its document at hand write `type = \"http\"`, \
    `url = \"https://HOST/PATH\"` and `body = '{{\"plate\":\"{device.data.plate}\",\
    \"time\":{timestamp},\"lat\":{position.latitude},\"lon\":{position.longitude}}}'`";

/// The ring keeps the names of streams; this is the room for one.
const NAME_MAX: usize = 32;

/// Zero: for ever.
const AGE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3_650 * 86_400);

/// Two batches are in memory at most.
const BATCH_MESSAGES: RangeInclusive<usize> = 1..=10_000;

/// Memory of one batch.
const BATCH_BYTES: RangeInclusive<u64> = 1 << 10..=4 << 20;

/// Zero: at once.
const LINGER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3_600);

/// Satellite links answer after seconds.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3_600);

/// Both `min` and `max`.
const RETRY: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(86_400);
