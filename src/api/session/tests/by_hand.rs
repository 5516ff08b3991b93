//! What is done by hand, asked for over a connection.

use super::Fake;
use super::send;
use crate::api::ByHand;
use crate::api::Control;
use crate::api::NotTaken;
use crate::api::Refusal;
use crate::api::Switch;
use crate::api::device::DeviceReport;
use crate::api::device::Devices;
use std::time::Duration;

impl ByHand for Fake {
    fn pause(&self, name: &str, time: Option<Duration>) -> Result<(), Refusal> {
        assert!(time.is_none_or(|time| time == Duration::from_secs(600)));
        self.switch(name, Switch::Off)
    }
    fn resume(&self, name: &str) -> Result<(), Refusal> {
        self.switch(name, Switch::On)
    }
    fn waiting_messages(&self, name: &str, count: usize) -> Result<Vec<String>, NotTaken> {
        match name {
            "cloud" => Ok(vec!["{}".to_owned(); count]),
            _ => Err(NotTaken::Later("the disk fails".to_owned())),
        }
    }
    fn drop_backlog(&self, name: &str) -> Result<u64, Refusal> {
        self.switch(name, Switch::On).map(|()| 7)
    }
    fn devices(&self, asked: &Devices<'_>, show: &mut dyn FnMut(&DeviceReport)) -> u64 {
        for ident in ["a b", "c"] {
            let report = DeviceReport {
                ident: ident.to_owned(),
                ..DeviceReport::default()
            };
            if asked.ident.is_none_or(|asked| asked == ident) {
                show(&report);
            }
        }
        3
    }
    fn put_in(&self, name: &str, text: &[u8]) -> Result<u64, NotTaken> {
        match name {
            "cloud" if text.is_empty() => Err(NotTaken::Malformed("nothing".to_owned())),
            "cloud" => Ok(1),
            "off" => Err(NotTaken::Disabled),
            _ => Err(NotTaken::Unknown),
        }
    }
}

#[test]
fn each_path_answers_as_it_should() {
    for (line, body, wanted) in [
        ("POST /streams/cloud/pause", "{\"for\":\"10m\"}", "200"),
        ("POST /streams/cloud/pause", "", "200"),
        ("POST /streams/stuck/pause", "", "500"),
        ("POST /streams/x/resume", "", "404"),
        ("GET /streams/cloud/messages?count=100", "", "200"),
        ("GET /streams/cloud/messages", "", "200"),
        ("GET /streams/cloud/messages?count=0", "", "400"),
        ("GET /streams/cloud/messages?count=101", "", "400"),
        ("GET /streams/cloud/messages?count=-1", "", "400"),
        ("GET /streams/stuck/messages", "", "503"),
        ("DELETE /streams/cloud/messages", "", "200"),
        ("DELETE /streams/stuck/messages", "", "500"),
        ("POST /streams/cloud/messages", "{}", "200"),
        ("POST /streams/cloud/messages", "", "400"),
        ("POST /streams/off/messages", "{}", "409"),
        ("POST /streams/x/messages", "{}", "404"),
        ("PUT /streams/cloud/messages", "{}", "405"),
        ("GET /devices", "", "200"),
        ("GET /devices?ident=%ff", "", "400"),
        ("GET /devices?count=x", "", "400"),
    ] {
        assert_eq!(send(line, body), wanted, "{line} {body}");
    }
}
