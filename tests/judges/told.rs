//! A judge that runs beside the test: what it has said so far.

use crate::weir_run::eventually;
use serde_json::Value;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;

/// A program that says a line of JSON for each thing that it hears, `port` first.
pub(crate) struct Judge {
    program: Child,
    said: Arc<Mutex<Vec<Value>>>,
}

impl Judge {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut program = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap();
                heard.lock().unwrap().push(line);
            }
        });
        Self { program, said }
    }

    /// All that it has said of something.
    pub(crate) fn said(&self, what: &str) -> Vec<Value> {
        let said = self.said.lock().unwrap();
        let of_it = said.iter().filter_map(|line| line.get(what));
        of_it.cloned().collect()
    }

    pub(crate) fn port(&self) -> u64 {
        eventually("the judge listens", || !self.said("port").is_empty());
        self.said("port")[0].as_u64().unwrap()
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
        if std::thread::panicking() {
            eprintln!("--- the judge: {:#?}", self.said.lock().unwrap());
        }
    }
}
