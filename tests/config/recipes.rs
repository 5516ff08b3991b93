//! The recipes for platforms: each block is a whole configuration of which nothing is to be said.

use crate::told::Told;
use std::fs;
use std::path::Path;
use weir::message::ValueRef;
use weir::stream::http::Http;
use weir::template::Escape;
use weir::template::Substitute;

/// Files that the recipes name, with what may stand in them.
pub(crate) const FILES: [&str; 6] = [
    "/run/credentials/weir.service/cloud.password",
    "/etc/weir/tago.token",
    "/etc/weir/datacake.id",
    "/etc/weir/losant.webhook",
    "/etc/weir/mqtt.password",
    "/etc/weir/ubidots.token",
];

/// Platforms that a reader looks for.
const PLATFORMS: [&str; 14] = [
    "Wialon Hosting",
    "GPS-Trace",
    "Navixy",
    "Traccar by Retranslator",
    "Traccar by its port for flespi",
    "TagoIO",
    "Datacake",
    "Losant",
    "Mosquitto",
    "EMQX",
    "HiveMQ",
    "NATS",
    "Azure Event Grid",
    "Ubidots",
];

#[test]
fn each_recipe_is_whole_and_without_a_warning() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes.md");
    let text = fs::read_to_string(page).unwrap();
    let recipes: Vec<&str> = text.split("\n### ").skip(1).collect();
    let names = recipes.iter().map(|recipe| recipe.lines().next().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), PLATFORMS);
    for recipe in recipes {
        let (_, block) = recipe.split_once("```toml\n").unwrap();
        let (block, _) = block.split_once("```").unwrap();
        let told = FILES.iter().fold(Told::new(block), |told, file| {
            told.file(file, "A1b2C3d4E5f6")
        });
        let config = told.right();
        assert_eq!(
            (config.channels.len(), config.streams.len()),
            (1, 1),
            "{block}"
        );
        let http = config.streams[0].destination.downcast_ref::<Http>();
        if let Some(body) = http.and_then(|http| http.body.as_ref()) {
            let mut text = String::new();
            let one = |name: &str| match name {
                "ident" => Some(Substitute::from("a \"b\"")),
                _ => Some(Substitute::Value(ValueRef::U64(1))),
            };
            body.render(Escape::Json, one, &mut text).unwrap();
            serde_json::from_str::<serde_json::Value>(&text).expect(&text);
        }
    }
}
