//! The streams of the table: every type that weir speaks over a network, with as few keys as it
//! needs.

use crate::far_end::Speaks;

/// A row: what it is called, its keys, and what its far end speaks.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) keys: &'static str,
    pub(crate) speaks: Speaks,
}

/// The types, the usual forms of each.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "mqtt, 3.1.1",
        keys: "type = \"mqtt\"\nurl = \"mqtts://cloud.example.com\"\ntopic = \"weir/{ident}\"\n\
               version = \"3.1.1\"",
        speaks: Speaks::Mqtt,
    },
    Kind {
        name: "mqtt, 5",
        keys: "type = \"mqtt\"\nurl = \"mqtts://cloud.example.com\"\ntopic = \"weir/{ident}\"\n\
               version = \"5\"",
        speaks: Speaks::Mqtt,
    },
    Kind {
        name: "mqtt without TLS",
        keys: "type = \"mqtt\"\nurl = \"mqtt://cloud.example.com\"\ntopic = \"weir/{ident}\"\n\
               version = \"3.1.1\"",
        speaks: Speaks::Mqtt,
    },
    Kind {
        name: "http",
        keys: "type = \"http\"\nurl = \"https://cloud.example.com/in\"",
        speaks: Speaks::Http(200, ""),
    },
    Kind {
        name: "http, gzip",
        keys: "type = \"http\"\nurl = \"https://cloud.example.com/in\"\ngzip = true",
        speaks: Speaks::Http(200, ""),
    },
    Kind {
        name: "http, one message each",
        keys: "type = \"http\"\nurl = \"https://cloud.example.com/in\"\n\
               body = '{{\"id\":\"{ident}\",\"lat\":{position.latitude},\
               \"lon\":{position.longitude},\"t\":{timestamp}}}'",
        speaks: Speaks::Http(200, ""),
    },
    Kind {
        name: "wialon-retranslator",
        keys: "type = \"wialon-retranslator\"\naddress = \"cloud.example.com:20163\"",
        speaks: Speaks::Retranslator,
    },
    Kind {
        name: "wialon-ips",
        keys: "type = \"wialon-ips\"\naddress = \"cloud.example.com:20332\"",
        speaks: Speaks::Ips,
    },
    Kind {
        name: "aws-iot",
        keys: "type = \"aws-iot\"\n\
               endpoint = \"a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com\"\n\
               thing = \"gateway-7\"\ntls = { certificate = \"/c.pem\", key = \"/k.pem\" }",
        speaks: Speaks::Mqtt,
    },
    Kind {
        name: "azure-iot-hub",
        keys: "type = \"azure-iot-hub\"\n\
               host = \"NAME.azure-devices.net\"\ndevice = \"gateway-7\"\n\
               key = \"cmlnaHQ=\"\nproperties = { ident = \"{ident}\" }",
        speaks: Speaks::Mqtt,
    },
    Kind {
        name: "azure-event-hubs",
        keys: "type = \"azure-event-hubs\"\nnamespace = \"NAME\"\nhub = \"positions\"\n\
               policy = \"send\"\nkey = \"cmlnaHQ=\"\npartition_key = \"{ident}\"",
        speaks: Speaks::Http(201, ""),
    },
    Kind {
        name: "google-pubsub",
        keys: "type = \"google-pubsub\"\ntopic = \"projects/p-1/topics/t-1\"\n\
               credentials = \"/account.json\"",
        speaks: Speaks::PubSub,
    },
    Kind {
        name: "flespi, channel",
        keys: "type = \"flespi\"\nurl = \"https://ch12345.flespi.gw:30001/\"",
        speaks: Speaks::Http(200, "{}"),
    },
    Kind {
        name: "thingsboard, gateway",
        keys: "type = \"thingsboard\"\nurl = \"mqtts://cloud.example.com\"\n\
               token = \"A1B2C3D4E5F6G7H8I9J0\"",
        speaks: Speaks::Mqtt,
    },
    Kind {
        name: "thingsboard, HTTP",
        keys: "type = \"thingsboard\"\nurl = \"https://cloud.example.com\"\n\
               token = \"A1B2C3D4E5F6G7H8I9J0\"",
        speaks: Speaks::Http(200, ""),
    },
    Kind {
        name: "influxdb",
        keys: "type = \"influxdb\"\nurl = \"https://cloud.example.com\"\nbucket = \"fleet\"\n\
               org = \"example\"\ntoken = \"A1B2C3D4E5F6G7H8I9J0\"",
        speaks: Speaks::Http(204, ""),
    },
    Kind {
        name: "influxdb, gzip",
        keys: "type = \"influxdb\"\nurl = \"https://cloud.example.com\"\nbucket = \"fleet\"\n\
               org = \"example\"\ntoken = \"A1B2C3D4E5F6G7H8I9J0\"\ngzip = true",
        speaks: Speaks::Http(204, ""),
    },
    Kind {
        name: "gpsgate, TCP",
        keys: "type = \"gpsgate\"\naddress = \"cloud.example.com:30175\"\nusername = \"weir\"\n\
               password = \"secret\"\ninputs = { \"engine.ignition.status\" = \"Ignition\" }",
        speaks: Speaks::GpsGate,
    },
    Kind {
        name: "e-toll",
        keys: "type = \"e-toll\"\nurl = \"https://cloud.example.com/\"\n\
               fields = { serialNumber = \"{ident}\", fixTime = \"{timestamp}\", \
               latitude = \"{position.latitude}\", longitude = \"{position.longitude}\", \
               speed = \"{position.speed:-0}\" }\n\
               tls = { certificate = \"/c.pem\", key = \"/k.pem\" }",
        speaks: Speaks::Http(200, ""),
    },
    Kind {
        name: "osmand",
        keys: "type = \"osmand\"\nurl = \"http://cloud.example.com:5055\"",
        speaks: Speaks::Http(200, ""),
    },
    Kind {
        name: "amqp",
        keys: "type = \"amqp\"\nurl = \"amqps://weir:secret@cloud.example.com\"",
        speaks: Speaks::Amqp,
    },
];
