//! Arguments: words to a command. Does nothing.

use lexopt::ValueExt;
use lexopt::prelude::{Long, Short, Value};
use std::ffi::OsString;
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    /// `-c FILE`.
    pub(super) config: Option<PathBuf>,
    pub(super) command: Command,
}

/// One command with what it needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help(Option<String>),
    Version,
    Run,
    Check,
    Demo { length: Option<String> },
    Send { channel: String },
    RingInfo { file: PathBuf },
    RingDump { file: PathBuf },
    RingVerify { file: PathBuf },
    RingRepair { file: PathBuf, fresh: PathBuf },
}

impl Arguments {
    /// Reads the words that follow the program's name.
    ///
    /// # Errors
    /// In words, when they are no command.
    pub(super) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_args(words);
        let (mut config, mut length, mut topic) = (None, None, None);
        let mut plain: Vec<String> = Vec::new();
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => topic = Some(plain.join(" ")),
                Short('V') | Long("version") => return Ok(Self::of(Command::Version)),
                Short('c') | Long("config") => config = Some(parser.value()?.into()),
                Long("for") => length = Some(parser.value()?.string()?),
                Value(word) => plain.push(word.string()?),
                other => return Err(other.unexpected()),
            }
        }
        if let Some(topic) = topic {
            return Ok(Self::of(Command::Help(
                Some(topic).filter(|topic| !topic.is_empty()),
            )));
        }
        let words: Vec<&str> = plain.iter().map(String::as_str).collect();
        let command = Self::command(&words, length)?;
        Ok(Self { config, command })
    }

    fn command(words: &[&str], length: Option<String>) -> Result<Command, lexopt::Error> {
        if length.is_some() && words != ["demo"] {
            return Err("`--for` goes with `weir demo`".into());
        }
        Ok(match words {
            [] => Command::Help(None),
            ["help", topic @ ..] => Command::Help(Some(topic.join(" ")).filter(|t| !t.is_empty())),
            ["run"] => Command::Run,
            ["check"] => Command::Check,
            ["demo"] => Command::Demo { length },
            ["send", channel] => Command::Send {
                channel: (*channel).to_owned(),
            },
            ["send"] => return Err("`weir send` needs the name of a channel".into()),
            ["ring", "info", file] => Command::RingInfo { file: file.into() },
            ["ring", "dump", file] => Command::RingDump { file: file.into() },
            ["ring", "verify", file] => Command::RingVerify { file: file.into() },
            ["ring", "repair", file, fresh] => Command::RingRepair {
                file: file.into(),
                fresh: fresh.into(),
            },
            ["ring", ..] => {
                return Err(
                    "`weir ring` needs `info`, `dump`, `verify` or `repair`, and a file".into(),
                );
            }
            _ => return Err(format!("unknown command: `weir {}`", words.join(" ")).into()),
        })
    }

    fn of(command: Command) -> Self {
        Self {
            config: None,
            command,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(OsString::from))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn options_may_stand_before_and_after_the_command() {
        let wanted = Arguments {
            config: Some("x.toml".into()),
            command: Command::Run,
        };
        assert_eq!(parse("-c x.toml run"), Ok(wanted));
        assert_eq!(
            parse("run -c x.toml").unwrap().config,
            Some("x.toml".into())
        );
    }

    #[test]
    fn nothing_at_all_asks_for_help() {
        assert_eq!(parse("").unwrap().command, Command::Help(None));
        assert_eq!(
            parse("ring info --help").unwrap().command,
            Command::Help(Some("ring info".into()))
        );
    }

    #[test]
    fn what_is_no_command_is_said() {
        assert!(parse("runn").unwrap_err().contains("weir runn"));
        assert!(parse("run --fast").unwrap_err().contains("--fast"));
        assert!(parse("run --for 3s").is_err());
        assert!(parse("send").unwrap_err().contains("channel"));
    }
}
