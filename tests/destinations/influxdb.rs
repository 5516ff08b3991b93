//! `influxdb`: InfluxDB 1.6.7. It refuses a field that was of another type before.

use crate::influxd::BODY_MAX;
use crate::influxd::Influxd;
use crate::row::Counterpart;
use crate::row::Has;
use crate::row::Limit;
use crate::row::Login;
use crate::row::MARK;
use crate::row::Refusal;
use crate::row::Row;
use crate::servers::Cable;

pub(crate) const ROW: Row = Row {
    name: "influxdb",
    start: || Box::new(Behind::start()),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "look at `auth`",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal {
        said: "field type conflict",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(BODY_MAX)),
        said: "413 ",
    }),
    login_seen: Has::Yes("\r\nauthorization: Basic ************************\r\n"),
};

struct Behind {
    influxd: Influxd,
    cable: Cable,
}

impl Behind {
    fn start() -> Self {
        let influxd = Influxd::start();
        influxd.ask("CREATE USER weir WITH PASSWORD 'right-secret' WITH ALL PRIVILEGES");
        // where a message is marked its number was once a text
        influxd.write(&format!("{MARK},ident=1 seq=\"no number\""));
        let cable = Cable::new(influxd.port);
        cable.plug();
        Self { influxd, cable }
    }
}

impl Counterpart for Behind {
    fn keys(&self) -> String {
        format!(
            "url = \"http://127.0.0.1:{}\"\ndatabase = \"weir\"\nmeasurement = \"{{mark:--}}\"\n\
             auth = {{ user = \"weir\", password = \"right-secret\" }}",
            self.cable.port
        )
    }

    fn leave(&mut self) {
        self.cable.pull();
    }

    fn come_back(&mut self) {
        self.cable.plug();
    }

    /// By the time at which they were measured: the database knows no other order.
    fn taken(&self) -> Vec<u64> {
        let rows = self.influxd.rows("-").into_iter();
        rows.map(|row| row["seq"].as_u64().unwrap()).collect()
    }
}
