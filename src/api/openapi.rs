//! The API told in OpenAPI 3.0, for programs and people who come to it anew: made from a table
//! that a test holds against the routes.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// What one method does on one path.
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// `{}` is one name.
    pub(super) path: &'static str,
    about: &'static str,
    /// Numbers and texts behind the `?`.
    query: &'static [(&'static str, Kind)],
    /// A body that is right; empty where none is read.
    body: &'static str,
    gives: Gives,
}

#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
}

/// What comes where all is well.
#[derive(Clone, Copy)]
enum Gives {
    /// `{"result":[…]}`.
    Results,
    /// Something else, of this type.
    Type(&'static str),
}

const fn row(
    method: &'static str,
    path: &'static str,
    about: &'static str,
    query: &'static [(&'static str, Kind)],
    body: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        about,
        query,
        body,
        gives: Gives::Results,
    }
}

const fn other(path: &'static str, about: &'static str, media_type: &'static str) -> Operation {
    Operation {
        gives: Gives::Type(media_type),
        ..row("GET", path, about, &[], "")
    }
}

const CHECK: &[(&str, Kind)] = &[("dry_run", Kind::Text)];

const EXAMPLE: &str =
    r#"{"name":"cloud","type":"http","url":"http://127.0.0.1:9/","channels":["*"]}"#;

const PASSING: &[(&str, Kind)] = &[
    ("count", Kind::Number),
    ("after", Kind::Number),
    ("channel", Kind::Text),
    ("ident", Kind::Text),
];

const WAITING: &[(&str, Kind)] = &[("count", Kind::Number)];
const DEVICES: &[(&str, Kind)] = &[("ident", Kind::Text), ("count", Kind::Number)];
const PACKETS: &[(&str, Kind)] = &[
    ("count", Kind::Number),
    ("after", Kind::Number),
    ("conn", Kind::Number),
    ("ident", Kind::Text),
];

const PAGE: &[(&str, Kind)] = &[("count", Kind::Number), ("after", Kind::Number)];

/// Also what is answered before there are routes: the page and what pushes.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[Operation] = &[
    row("GET",   "/status",           "All of it as of one moment", &[], ""),
    row("GET",   "/streams",          "How each stream does", &[], ""),
    row("GET",   "/streams/{}",       "How a stream does", &[], ""),
    row("PATCH", "/streams/{}",       "Changes keys of a stream", CHECK, r#"{"enabled":true}"#),
    row("POST",  "/streams",          "Makes a stream", CHECK, EXAMPLE),
    row("DELETE", "/streams/{}",      "Removes a stream that was made here", &[], ""),
    row("GET",   "/streams/{}/settings", "The keys of a stream in effect", &[], ""),
    row("GET",   "/types",            "Types of streams, with their keys", &[], ""),
    row("GET",   "/streams/{}/logs",  "What happened to a stream lately", PAGE, ""),
    row("POST",  "/streams/{}/pause", "Sends nothing for a time", &[], r#"{"for":"10m"}"#),
    row("POST",  "/streams/{}/resume", "Sends again", &[], ""),
    row("GET",   "/streams/{}/messages", "What waits for a stream", WAITING, ""),
    row("POST",  "/streams/{}/messages", "Puts in for one stream", &[], r#"{"ident":"gw-1"}"#),
    row("DELETE", "/streams/{}/messages", "Drops the backlog of a stream", &[], ""),
    row("GET",   "/streams/{}/packets", "Raw traffic of a stream", PACKETS, ""),
    row("POST",  "/streams/{}/skip",  "Passes over the oldest", &[], r#"{"count":1}"#),
    row("POST",  "/streams/{}/rewind", "Sends again what was sent", &[], r#"{"to":"oldest"}"#),
    row("GET",   "/channels",         "How each channel does", &[], ""),
    row("GET",   "/channels/{}",      "How a channel does", &[], ""),
    row("GET",   "/channels/{}/logs", "What happened to a channel lately", PAGE, ""),
    row("GET",   "/channels/{}/packets", "Raw traffic of a channel", PACKETS, ""),
    row("GET",   "/devices",          "Who was heard of", DEVICES, ""),
    row("GET",   "/log",              "The daemon's own log", &[], ""),
    row("PATCH", "/log",              "From which level on it logs", &[], r#"{"level":"info"}"#),
    row("GET",   "/logs",             "What happened lately", PAGE, ""),
    row("GET",   "/messages",         "Messages as they pass", PASSING, ""),
    row("GET",   "/weir/logs",        "What happened to the daemon lately", PAGE, ""),
    row("GET",   "/ring",             "How the ring does", &[], ""),
    row("GET",   "/ring/logs",        "What happened to the ring lately", PAGE, ""),
    other("/metrics", "All figures, for Prometheus", "text/plain"),
    other("/", "The page", "text/html"),
    other("/live", "Pushes status and events for as long as it is read", "text/event-stream"),
    other("/openapi.json", "This document", "application/json"),
    row("POST",  "/wake",             "Who waits for a next try goes now", &[], r#"{"now":false}"#),
    row("POST",  "/reload",           "Reads the configuration again", &[], ""),
];

/// `GET /openapi.json`.
pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = operation.path.replace("{}", "{name}");
        let known = paths.entry(path).or_insert_with(|| json!({}));
        if let Value::Object(known) = known {
            known.insert(operation.method.to_lowercase(), described(operation));
        }
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "weir",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A running daemon: what can be seen of it and done to it",
        },
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Results": results(), "Errors": errors() },
        },
    })
}

fn described(operation: &Operation) -> Value {
    let (media_type, schema) = match operation.gives {
        Gives::Results => ("application/json", reference("Results")),
        Gives::Type(media_type @ "application/json") => (media_type, json!({ "type": "object" })),
        Gives::Type(media_type) => (media_type, json!({ "type": "string" })),
    };
    let mut described = json!({
        "summary": operation.about,
        "parameters": parameters(operation),
        "responses": {
            "200": {
                "description": "done",
                "content": { media_type: { "schema": schema } },
            },
            "default": {
                "description": "not done, and why",
                "content": { "application/json": { "schema": reference("Errors") } },
            },
        },
    });
    if let Ok(example) = serde_json::from_str::<Value>(operation.body) {
        let mut schema = schema_of(&example);
        if operation.method == "PATCH" {
            allow_null(&mut schema);
        }
        let body = json!({
            "content": { "application/json": { "schema": schema, "example": example } },
        });
        if let Value::Object(described) = &mut described {
            described.insert("requestBody".to_owned(), body);
        }
    }
    described
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let name = operation.path.contains("{}").then(|| {
        json!({
            "name": "name", "in": "path", "required": true,
            "schema": { "type": "string", "minLength": 1 },
        })
    });
    let query = operation.query.iter().map(|(name, kind)| {
        let schema = match kind {
            Kind::Number => json!({ "type": "integer", "minimum": 0 }),
            Kind::Text => json!({ "type": "string" }),
        };
        json!({ "name": name, "in": "query", "schema": schema })
    });
    name.into_iter().chain(query).collect()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn results() -> Value {
    json!({
        "type": "object",
        "required": ["result"],
        "properties": { "result": { "type": "array", "items": { "type": "object" } } },
    })
}

fn errors() -> Value {
    json!({
        "type": "object",
        "required": ["errors"],
        "properties": { "errors": { "type": "array", "minItems": 1, "items": {
            "type": "object",
            "required": ["code", "reason"],
            "properties": { "code": { "type": "integer" }, "reason": { "type": "string" } },
        } } },
    })
}

/// Null takes a key back to what the files say.
fn allow_null(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        if let Value::Object(property) = property {
            property.insert("nullable".to_owned(), true.into());
        }
    }
}

/// As narrow as an example tells.
fn schema_of(example: &Value) -> Value {
    match example {
        Value::Object(fields) => {
            let properties = fields
                .iter()
                .map(|(name, value)| (name.clone(), schema_of(value)));
            json!({ "type": "object", "properties": properties.collect::<Map<_, _>>() })
        }
        Value::Array(items) => {
            let first = items.first().map(schema_of);
            json!({ "type": "array", "items": first.unwrap_or_else(|| json!({})) })
        }
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(number) if number.is_u64() => json!({ "type": "integer" }),
        Value::Number(_) => json!({ "type": "number" }),
        // where a text may stand there is often another way to say it
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::routes::ROUTES;

    #[test]
    fn each_route_is_told_of_and_nothing_else() {
        let mut told: Vec<_> = OPERATIONS.iter().map(|it| (it.method, it.path)).collect();
        told.retain(|(_, path)| !["/", "/live"].contains(path));
        let routes = ROUTES.iter().map(|(method, path, _)| (*method, *path));
        let mut routes: Vec<_> = routes.collect();
        told.sort_unstable();
        routes.sort_unstable();
        assert_eq!(told, routes);
    }

    #[test]
    fn bodies_are_json() {
        for operation in OPERATIONS.iter().filter(|it| !it.body.is_empty()) {
            let body = serde_json::from_str::<Value>(operation.body);
            assert!(body.is_ok(), "{} {}", operation.method, operation.path);
        }
    }
}
