//! Streams that are written as their names say.

use super::Fake;
use crate::api::Denial;
use crate::api::Finding;
use crate::api::Keys;
use crate::api::Run;
use crate::api::StreamSettings;
use crate::api::Streams;

impl Streams for Fake {
    fn create(&self, keys: &Keys, run: Run) -> Result<Vec<Finding>, Denial> {
        match (keys.contains_key("name"), run) {
            (true, _) => Ok(Vec::new()),
            (false, Run::Dry) => Err(Denial::Conflict("later".to_owned())),
            (false, Run::Real) => Err(Denial::Wrong(Vec::new())),
        }
    }
    fn edit(&self, name: &str, _: &Keys, _: Run) -> Result<Vec<Finding>, Denial> {
        match name {
            "cloud" => Ok(Vec::new()),
            "stuck" => Err(Denial::NotKept("no space left".to_owned())),
            _ => Err(Denial::Unknown),
        }
    }
    fn remove(&self, name: &str) -> Result<u64, Denial> {
        self.edit(name, &Keys::new(), Run::Real).map(|_| 3)
    }
    fn settings(&self, _: &str) -> Option<StreamSettings> {
        None
    }
    fn types(&self) -> serde_json::Value {
        serde_json::Value::Array(Vec::new())
    }
}
