//! Arguments: words to a command. Does nothing.

use super::check::Shown;
use super::log_level;
use super::logs::Asked;
use super::logs::Mode;
use super::manual::Shell;
use super::status::Form;
use super::status::Times;
use super::stream::Action;
use super::stream::pause_time;
use super::stream::place;
use super::tail::Subject;
use super::tail::View;
use crate::api::Wake;
use crate::daemon::Probe;
use lexopt::ValueExt;
use lexopt::prelude::Long;
use lexopt::prelude::Short;
use lexopt::prelude::Value;
use std::ffi::OsString;
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    /// `-c FILE`.
    pub(super) config: Option<PathBuf>,
    /// `--api ADDRESS`.
    pub(super) api: Option<String>,
    pub(super) command: Command,
}

/// One command with what it needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help(Option<String>),
    Version,
    Run,
    Check {
        probe: Option<Probe>,
        shown: Shown,
        user: Option<String>,
    },
    StreamTest {
        name: String,
    },
    Demo {
        length: Option<String>,
    },
    Status {
        form: Form,
        times: Times,
    },
    LogLevel {
        level: String,
    },
    Tail(Subject),
    Logs(Asked),
    Stream(Action),
    Reload,
    Send {
        channel: String,
    },
    Completions {
        shell: Shell,
    },
    Devices {
        ident: Option<String>,
        form: Form,
    },
    Manual,
    RingInfo {
        file: PathBuf,
    },
    RingDump {
        file: PathBuf,
    },
    RingVerify {
        file: PathBuf,
    },
    RingRepair {
        file: PathBuf,
        fresh: PathBuf,
    },
}

/// Options that only some commands have, as they came.
#[derive(Debug, Default)]
struct Options {
    api: Option<String>,
    length: Option<String>,
    form: Option<Form>,
    times: Option<Times>,
    mode: Option<Mode>,
    level: Option<String>,
    connect: Option<Probe>,
    send: Option<Probe>,
    wake: Option<Wake>,
    shown: Option<Shown>,
    view: Option<View>,
    user: Option<String>,
}

impl Arguments {
    /// Reads the words that follow the program's name.
    ///
    /// # Errors
    /// In words, when they are no command.
    pub(super) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_args(words);
        let (mut config, mut topic, mut options) = (None, None, Options::default());
        let mut plain: Vec<String> = Vec::new();
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => topic = Some(plain.join(" ")),
                Short('V') | Long("version") => return Ok(Self::of(Command::Version)),
                Long("manual") => return Ok(Self::of(Command::Manual)),
                Long("completions") => {
                    let name = parser.value()?.string()?;
                    let shell = Shell::named(&name)
                        .ok_or_else(|| format!("no completions for `{name}`: bash, zsh or fish"))?;
                    return Ok(Self::of(Command::Completions { shell }));
                }
                Short('c') | Long("config") => config = Some(parser.value()?.into()),
                Short('f') | Long("follow") => options.mode = Some(Mode::Follow),
                Long("api") => options.api = Some(parser.value()?.string()?),
                Long("for") => options.length = Some(parser.value()?.string()?),
                Long("level") => options.level = Some(parser.value()?.string()?),
                Long("as") => options.user = Some(parser.value()?.string()?),
                Long("check") => options.times = Some(Times::Check),
                Long("json") => options.form = Some(Form::Json),
                Long("watch") => options.times = Some(Times::Watch),
                Long("connect") => options.connect = Some(Probe::Connect),
                Long("send") => options.send = Some(Probe::Deliver),
                Long("show") => options.shown = Some(Shown::Configuration),
                Long("raw") => options.view = Some(View::Raw),
                Long("now") => options.wake = Some(Wake::All),
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
        options.check(words.first().copied().unwrap_or_default())?;
        let api = options.api.take();
        let command = command(&words, options)?;
        Ok(Self {
            config,
            api,
            command,
        })
    }

    fn of(command: Command) -> Self {
        Self {
            config: None,
            api: None,
            command,
        }
    }
}

impl Options {
    /// Refuses those that the command does not have.
    fn check(&self, command: &str) -> Result<(), lexopt::Error> {
        let given: &[(bool, &str, &[&str])] = &[
            (
                self.api.is_some(),
                "--api",
                &[
                    "status", "devices", "logs", "tail", "wake", "reload", "stream", "send",
                ],
            ),
            (self.length.is_some(), "--for", &["demo"]),
            (
                self.form.is_some(),
                "--json",
                &["status", "devices", "logs", "tail"],
            ),
            (self.times == Some(Times::Watch), "--watch", &["status"]),
            (self.times == Some(Times::Check), "--check", &["status"]),
            (self.mode.is_some(), "--follow", &["logs"]),
            (self.level.is_some(), "--level", &["logs"]),
            (self.connect.is_some(), "--connect", &["check"]),
            (self.send.is_some(), "--send", &["check"]),
            (self.wake.is_some(), "--now", &["wake"]),
            (self.user.is_some(), "--as", &["check"]),
            (self.shown.is_some(), "--show", &["check"]),
            (self.view.is_some(), "--raw", &["tail"]),
        ];
        for (_, option, with) in given.iter().filter(|(given, ..)| *given) {
            if !with.contains(&command) {
                let with = with.join("`, `weir ");
                return Err(format!("`{option}` goes with `weir {with}`").into());
            }
        }
        Ok(())
    }
}

fn command(words: &[&str], options: Options) -> Result<Command, lexopt::Error> {
    Ok(match words {
        [] => Command::Help(None),
        ["help", topic @ ..] => Command::Help(Some(topic.join(" ")).filter(|t| !t.is_empty())),
        ["run"] => Command::Run,
        ["check"] => Command::Check {
            probe: options.send.or(options.connect),
            shown: options.shown.unwrap_or(Shown::Mistakes),
            user: options.user,
        },
        ["demo"] => Command::Demo {
            length: options.length,
        },
        ["status"] => Command::Status {
            form: options.form.unwrap_or(Form::Text),
            times: options.times.unwrap_or(Times::Once),
        },
        ["logs"] if options.level.is_some() => Command::LogLevel {
            level: log_level::checked(options.level.unwrap_or_default())?,
        },
        ["devices", ident @ ..] if ident.len() <= 1 => Command::Devices {
            ident: ident.first().map(|ident| (*ident).to_owned()),
            form: options.form.unwrap_or(Form::Text),
        },
        ["logs", name @ ..] if name.len() <= 1 => Command::Logs(Asked {
            name: name.first().map(|name| (*name).to_owned()),
            mode: options.mode.unwrap_or(Mode::Once),
            form: options.form.unwrap_or(Form::Text),
        }),
        ["tail"] if options.view.is_some() => {
            return Err("`weir tail --raw` needs the name of a channel or stream".into());
        }
        ["tail", names @ ..] if names.len() <= 2 => Command::Tail(Subject {
            name: names.first().map(|name| (*name).to_owned()),
            ident: names.get(1).map(|ident| (*ident).to_owned()),
            form: options.form.unwrap_or(Form::Text),
            view: options.view.unwrap_or(View::Messages),
        }),
        ["wake"] => Command::Stream(Action::Wake {
            whom: options.wake.unwrap_or(Wake::UnlessAsked),
        }),
        ["reload"] => Command::Reload,
        ["stream", "test", name] => Command::StreamTest {
            name: (*name).to_owned(),
        },
        ["stream", words @ ..] => Command::Stream(action(words)?),
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

/// What follows `weir stream`.
fn action(words: &[&str]) -> Result<Action, lexopt::Error> {
    let owned = |word: &str| word.to_owned();
    Ok(match words {
        ["list"] => Action::List,
        ["add", file] => Action::Add { file: file.into() },
        ["remove", name] => Action::Remove { name: owned(name) },
        ["enable", name] => Action::Enable { name: owned(name) },
        ["disable", name] => Action::Disable { name: owned(name) },
        ["pause", name, time @ ..] if time.len() <= 1 => Action::Pause {
            name: owned(name),
            time: time.first().map(|time| pause_time(time)).transpose()?,
        },
        ["resume", name] => Action::Resume { name: owned(name) },
        ["skip", name] => Action::Skip {
            name: owned(name),
            count: 1,
        },
        ["skip", name, count] => Action::Skip {
            name: owned(name),
            count: count
                .parse()
                .map_err(|_| format!("`{count}` is not a number of messages"))?,
        },
        ["rewind", name, to] => Action::Rewind {
            name: owned(name),
            to: place(to)?,
        },
        _ => {
            let actions = "`list`, `add FILE`, `remove NAME`, `enable NAME`, `disable NAME`, \
                           `pause NAME [DURATION]`, `resume NAME`, `skip NAME [N]`, \
                           `rewind NAME oldest`, `rewind NAME TIME` or `test NAME`";
            return Err(format!("`weir stream` needs one of {actions}").into());
        }
    })
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
            api: None,
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
        assert!(parse("run --json").unwrap_err().contains("weir status"));
        let said = parse("run --check").unwrap_err();
        assert!(
            said.contains("`--check`") && said.contains("weir status"),
            "{said}"
        );
        assert!(
            parse("stream skip cloud many")
                .unwrap_err()
                .contains("many")
        );
        assert!(parse("stream rewind cloud").unwrap_err().contains("TIME"));
        assert!(parse("send").unwrap_err().contains("channel"));
    }

    #[test]
    fn what_passes_is_of_a_name_and_an_ident() {
        let wanted = |name: Option<&str>, ident: Option<&str>, form| {
            Command::Tail(Subject {
                name: name.map(str::to_owned),
                ident: ident.map(str::to_owned),
                form,
                view: View::Messages,
            })
        };
        assert!(parse("tail --raw").unwrap_err().contains("needs the name"));
        assert!(parse("logs --raw").unwrap_err().contains("weir tail"));
        let parse = |line| parse(line).unwrap().command;
        let raw = |command| matches!(command, Command::Tail(it) if it.view == View::Raw);
        assert!(raw(parse("tail --raw in")) && !raw(parse("tail in")));
        assert_eq!(parse("tail"), wanted(None, None, Form::Text));
        let both = wanted(Some("in"), Some("352*"), Form::Json);
        assert_eq!(parse("tail in 352* --json"), both);
        assert!(Arguments::parse(["tail", "a", "b", "c"].map(OsString::from)).is_err());
    }

    #[test]
    fn destinations_are_tried_where_that_is_asked_for() {
        let probe = |line| match parse(line).unwrap().command {
            Command::Check { probe, .. } => probe,
            other => panic!("{other:?}"),
        };
        assert_eq!(probe("check"), None);
        assert_eq!(probe("check --connect"), Some(Probe::Connect));
        assert_eq!(probe("check --send"), Some(Probe::Deliver));
        assert_eq!(probe("check --send --connect"), Some(Probe::Deliver));
        assert!(parse("run --send").unwrap_err().contains("weir check"));
    }

    #[test]
    fn who_was_asked_to_wait_is_woken_only_where_that_is_said() {
        let whom = |line| match parse(line).unwrap().command {
            Command::Stream(Action::Wake { whom }) => whom,
            other => panic!("{other:?}"),
        };
        assert_eq!(whom("wake"), Wake::UnlessAsked);
        assert_eq!(whom("wake --now"), Wake::All);
        assert!(parse("run --now").unwrap_err().contains("weir wake"));
    }

    #[test]
    fn streams_are_moved_by_hand() {
        let wanted = Action::Skip {
            name: "cloud".to_owned(),
            count: 12,
        };
        let parsed = parse("stream --api 127.0.0.1:1 skip cloud 12").unwrap();
        assert_eq!(parsed.command, Command::Stream(wanted));
        assert_eq!(parsed.api.as_deref(), Some("127.0.0.1:1"));
        let pause = |line| match parse(line).unwrap().command {
            Command::Stream(Action::Pause { name, time }) => (name, time),
            other => panic!("{other:?}"),
        };
        let name = "cloud".to_owned();
        assert_eq!(pause("stream pause cloud"), (name.clone(), None));
        let minutes = Some("10m".to_owned());
        assert_eq!(pause("stream pause cloud 10m"), (name, minutes));
        assert!(parse("stream pause").unwrap_err().contains("DURATION"));
        let follow = Command::Logs(Asked {
            name: None,
            mode: Mode::Follow,
            form: Form::Json,
        });
        assert_eq!(parse("logs -f --json").unwrap().command, follow);
    }
}
