//! `gpsgate` by TCP: a server of ours that checks each sentence.

use crate::contract::Contract;
use crate::gpsgate_server::Broken;
use crate::gpsgate_server::UNKNOWN;
use crate::gpsgate_server::tcp;
use crate::row::Counterpart;
use crate::row::Has;
use crate::row::Limit;
use crate::row::Login;
use crate::row::REFUSED;
use crate::row::Refusal;
use crate::row::Row;

pub(crate) const ROW: Row = Row {
    name: "gpsgate",
    start: || Box::new(GpsGate(tcp(Broken::No))),
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
};

struct GpsGate(Contract);

impl Counterpart for GpsGate {
    fn keys(&self) -> String {
        assert_eq!(REFUSED, UNKNOWN);
        format!(
            "address = \"127.0.0.1:{}\"\nusername = \"weir\"\npassword = \"right-secret\"\n\
             inputs = {{ text = \"Text\", seq = \"Seq\" }}",
            self.0.port()
        )
    }

    fn leave(&mut self) {
        self.0.leave();
    }

    fn come_back(&mut self) {
        self.0.come_back();
    }

    fn taken(&self) -> Vec<u64> {
        self.0.taken()
    }
}
