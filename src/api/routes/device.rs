//! Routes of what is known of devices.

use super::Answer;
use super::Request;
use super::decoded;
use super::number;
use crate::api::Control;
use crate::api::device::DeviceReport;
use crate::api::device::Devices;

/// Each is written as it comes: all at once would be a thousand objects beside their text.
pub(super) fn devices(control: &dyn Control, request: &Request<'_>, _: &str) -> Answer {
    let Ok(count) = number(request, "count") else {
        return Answer::error(400, "`count` is a number");
    };
    let mut pairs = request.query.split('&').filter_map(|p| p.split_once('='));
    let ident = pairs.find(|(key, _)| *key == "ident");
    let ident = ident.map(|(_, ident)| decoded(ident));
    if ident == Some(None) {
        return Answer::error(400, "`ident` is no text");
    }
    let ident = ident.flatten();
    let count = count.and_then(|count| usize::try_from(count).ok());
    let asked = Devices {
        ident: ident.as_deref(),
        count: count.unwrap_or(usize::MAX),
    };
    let mut answer = Answer::json(200, &serde_json::Value::Null);
    answer.body = b"{\"result\":[".to_vec();
    let empty = answer.body.len();
    let forgotten = control.devices(&asked, &mut |device: &DeviceReport| {
        if answer.body.len() > empty {
            answer.body.push(b',');
        }
        let written = serde_json::to_writer(&mut answer.body, device);
        debug_assert!(written.is_ok(), "written to memory");
    });
    let end = format!("],\"forgotten\":{forgotten}}}\n");
    answer.body.extend_from_slice(end.as_bytes());
    answer
}
