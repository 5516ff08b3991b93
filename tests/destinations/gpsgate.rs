//! `gpsgate` by TCP: a server of ours that checks each sentence.

use crate::gpsgate_server::Broken;
use crate::gpsgate_server::UNKNOWN;
use crate::gpsgate_server::tcp;
use crate::row::Has;
use crate::row::Limit;
use crate::row::Login;
use crate::row::REFUSED;
use crate::row::Refusal;
use crate::row::Row;

pub(crate) const ROW: Row = Row {
    name: "gpsgate",
    start: || tcp(Broken::No).with_keys(keys),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "look at `username` and `password`",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal {
        said: "$FRERR,AuthError,Unknown device*00; register the IMEI",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(1_000)),
        said: "at most 1024 are sent",
    }),
    login_seen: Has::Yes("$FRLIN,,********************\r\n"),
};

fn keys(port: u16) -> String {
    assert_eq!(REFUSED, UNKNOWN);
    format!(
        "address = \"127.0.0.1:{}\"\nusername = \"weir\"\npassword = \"right-secret\"\n\
         inputs = {{ text = \"Text\", seq = \"Seq\" }}",
        port
    )
}
