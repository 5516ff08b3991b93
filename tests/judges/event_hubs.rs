//! Azure Event Hubs: the signature of a stream beside that of azure-eventhub.

use crate::library::clock::Now;
use crate::library::clock::Wall;
use crate::library::net::Target;
use crate::library::stream::azure_event_hubs::AzureEventHubs;
use crate::library::stream::http::profile::Profile;
use crate::python;
use std::time::Duration;

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn a_stream_shows_the_signature_that_azure_eventhub_makes() {
    let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let host = "testns.servicebus.windows.net";
    let hub = AzureEventHubs {
        target: Target {
            host: host.into(),
            port: 443,
        },
        hub: "Hub.1".into(),
        policy: "Send_1".into(),
        key: key.into(),
        partition_key: None,
    };
    let since_1970 = Duration::from_secs(1_790_000_000);
    let wall = Wall {
        since_1970,
        trusted: true,
    };
    let login = hub.authorize(Now {
        mono: Duration::ZERO,
        wall,
        ages: true,
    });
    let uri = format!("https://{host}/Hub.1");
    let said = python(
        "azure_sas.py",
        &["1790000000", "h/devices/d", key, &uri, key, "Send_1"],
    );
    assert_eq!(login.authorization.as_deref(), said.lines().nth(1));
    assert_eq!(login.until, Some(since_1970 + Duration::from_hours(1)));
}
