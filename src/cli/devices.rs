//! `weir devices`: who was heard of, and when.

use super::Exit;
use super::client::Client;
use super::client::Target;
use super::client::encoded;
use super::color::Color;
use super::figures_text::time;
use super::status::Form;
use super::table::Table;
use crate::api::device::DeviceReport;
use crate::api::device::PositionReport;
use std::io;
use std::io::Write;

/// Prints those that are called so, or fit the pattern; all without it.
pub(super) fn devices(target: Target, ident: Option<&str>, form: Form) -> Exit {
    let client = match Client::find(target) {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    let path = match ident {
        Some(ident) => format!("/devices?ident={}", encoded(ident)),
        None => "/devices".to_owned(),
    };
    let devices: Vec<DeviceReport> = match client.ask("GET", &path, None) {
        Ok(devices) => devices,
        Err(trouble) => return client.explain(&trouble),
    };
    let text = match form {
        Form::Text => text(&devices),
        Form::Json => serde_json::to_string(&devices).unwrap_or_default() + "\n",
    };
    // nobody may be reading any more
    drop(io::stdout().write_all(text.as_bytes()));
    Exit::Done
}

/// One line each, in columns that are as wide as they have to be.
fn text(devices: &[DeviceReport]) -> String {
    if devices.is_empty() {
        return "nobody was heard of since the start\n".to_owned();
    }
    let mut table = Table::default();
    table.row(HEADS.map(|head| (head.to_owned(), None)));
    for device in devices {
        table.row(cells(device).map(|cell| (cell, None)));
    }
    table.text("<<<<<<<", Color::Off)
}

fn cells(device: &DeviceReport) -> [String; HEADS.len()] {
    let refused = match &device.last_refusal {
        Some(reason) => format!("{}, {reason}", device.refused),
        None => String::new(),
    };
    [
        device.ident.clone(),
        device.device.clone().unwrap_or_default(),
        format!("{} ({})", device.channel, device.protocol),
        device.count.to_string(),
        format!("{} ago", time(device.age)),
        device.position.as_ref().map(place).unwrap_or_default(),
        refused,
    ]
}

fn place(position: &PositionReport) -> String {
    let (latitude, longitude) = (position.latitude, position.longitude);
    match position.speed {
        Some(speed) => format!("{latitude:.5} {longitude:.5}, {speed:.0} km/h"),
        None => format!("{latitude:.5} {longitude:.5}"),
    }
}

const HEADS: [&str; 7] = [
    "IDENT", "DEVICE", "CHANNEL", "MESSAGES", "LAST", "POSITION", "REFUSED",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let device = DeviceReport {
            ident: "352093081452251".to_owned(),
            device: Some("Lkw 7 ä".to_owned()),
            channel: "trackers".to_owned(),
            protocol: "json".to_owned(),
            age: 7.0,
            count: 12,
            position: Some(PositionReport {
                latitude: 54.687,
                longitude: -25.28,
                speed: Some(87.4),
                ..PositionReport::default()
            }),
            ..DeviceReport::default()
        };
        let tablet = DeviceReport {
            ident: "b".to_owned(),
            refused: 3,
            last_refusal: Some("unwanted".to_owned()),
            ..device.clone()
        };
        let page = text(&[device, tablet]);
        let wanted = "\
IDENT            DEVICE   CHANNEL          MESSAGES  LAST     POSITION                     REFUSED
352093081452251  Lkw 7 ä  trackers (json)  12        7 s ago  54.68700 -25.28000, 87 km/h
b                Lkw 7 ä  trackers (json)  12        7 s ago  54.68700 -25.28000, 87 km/h  \
            3, unwanted
";
        assert_eq!(page, wanted);
        assert!(text(&[]).contains("nobody"));
    }
}
