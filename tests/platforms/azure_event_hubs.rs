//! `azure-event-hubs`: a hub of ours that can be told to lose what it says it has.

use crate::config;
use crate::event_hub::hub;
use crate::send;
use crate::settled;
use crate::weir::Weir;
use crate::weir::free_port;

/// What of these a hub lacks that keeps the contract, or says it has what it forgets.
fn lost(forgets: bool) -> Vec<u64> {
    let (hub, port) = (hub(forgets), free_port());
    let keys = format!("type = \"azure-event-hubs\"\n{}", hub.keys());
    let weir = Weir::start("event-hub", &config(port, &keys));
    let message = |n: u64| {
        format!(
            "{{\"ident\":\"t{}\",\"seq\":{n},\"text\":\"\\\"\\\\\"}}",
            n % 3
        )
    };
    send(port, &(0..60).map(message).collect::<Vec<_>>());
    assert_eq!(settled(&weir), (60, 0), "{}", weir.log());
    let taken = hub.taken();
    for tracker in 0..3 {
        let of_one = taken.iter().filter(|number| **number % 3 == tracker);
        assert!(of_one.is_sorted(), "{taken:?}");
    }
    let log = weir.log();
    assert!(
        !log.contains("right-secret") && !log.contains("SharedAccess"),
        "{log}"
    );
    (0..60).filter(|number| !taken.contains(number)).collect()
}

#[test]
fn a_hub_has_all_in_the_order_of_each_tracker_and_one_that_forgets_is_noticed() {
    assert_eq!(lost(false), [0; 0]);
    assert_eq!(lost(true), [17]);
}
