//! Help: what each command does, with an example of each.

use super::Exit;

/// Prints the overview, or the page of a command.
pub(super) fn print(topic: Option<&str>) -> Exit {
    let Some(topic) = topic else {
        say!("{}", overview());
        return Exit::Done;
    };
    if let Some(page) = page(topic) {
        say!("{page}");
        Exit::Done
    } else {
        eprintln!("error: no help on `{topic}`\nhint: `weir --help` lists the commands");
        Exit::Usage
    }
}

/// The page of a command, whatever follows it.
pub(super) fn page(topic: &str) -> Option<&'static str> {
    let name = topic.split(' ').next();
    let mut pages = pages().filter(|(known, _)| name == Some(known));
    pages.next().map(|(_, page)| page)
}

/// All pages, with the names of their commands.
pub(super) fn pages() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGES.iter().copied()
}

/// The overview, with what this program has.
pub(super) fn overview() -> String {
    let lines = OVERVIEW.lines();
    let lines = lines.filter(|line| cfg!(feature = "demo") || !line.contains(" demo "));
    lines.collect::<Vec<_>>().join("\n")
}

const OVERVIEW: &str = "\
weir takes messages from local trackers and programs, keeps them in a ring on
disk that survives a power cut, and forwards them upstream, in order.

Usage: weir [-c FILE] COMMAND

Commands:
  run               the daemon, in the foreground
  check             say all that is wrong with the configuration
  demo              the whole job on loopback: vehicles, daemon, receiver
  status            the running daemon at a glance
  logs [-f] [NAME]  what happened lately to a stream or channel
  devices [IDENT]   who was heard of: when, where, what was refused
  tail [NAME] [IDENT]  messages as they pass
  wake              streams that wait for their next try go now
  reload            have the daemon read its configuration again
  stream ACTION     list, add, remove, enable, disable, pause, resume, skip,
                    rewind, test
  send CHANNEL      put JSON lines from standard input into a running daemon
  ring info FILE    what a ring holds, and how far each stream came
  ring dump FILE    every message of a ring, one JSON object a line
  ring verify FILE  read all of a ring, say what is damaged
  ring repair FILE NEW  copy what waits and is sound into a new ring

Options:
  -c, --config FILE  another main file than /etc/weir/weir.toml; its drop-ins
                     lie in the folder of the same name with .d for .toml
  --api ADDRESS      ask this daemon: unix:/run/weir/api or 127.0.0.1:8480
  -h, --help         this, or the page of a command: weir run --help
  -V, --version      the version
  --completions SHELL  what bash, zsh or fish reads to complete these words
  --manual           this and the page of each command, for man

Start here:
  weir demo          see it work, nothing to set up
  weir check         after each change of the configuration
  weir run           what systemd starts

Exit: 0 done, 1 failed, 2 wrong usage or configuration.";

const PAGES: &[(&str, &str)] = &[
    (
        "run",
        "\
Usage: weir run [-c FILE]

Runs the daemon in the foreground. It logs to standard error and says
`weir is ready` once every channel listens or has said why not. SIGTERM and
SIGINT stop it cleanly: what waits is written, and each stream's place.

A mistake in the configuration does not stop it: the channel or stream with
the mistake is left out, loudly, and the rest runs. Only a ring that cannot be
used, or nothing left to run, ends it with exit 2.

SIGHUP has the configuration read again. Then a mistake changes nothing: the
one that runs goes on, and so do the connections of all that stays as it was.

Example:
  weir run -c /etc/weir/weir.toml",
    ),
    (
        "check",
        "\
Usage: weir check [-c FILE] [--as USER] [--show] [--connect] [--send]

Reads the configuration with all its drop-ins and says everything that is
wrong with it, each mistake with its place:

  /etc/weir/weir.toml:12:8: error: unknown `type` `teltonica`
      type = \"teltonica\"
             ^^^^^^^^^^^
  hint: did you mean `teltonika`?

Certificates and keys are looked at, too: whether they are there, fit each
other, are in date and can be read by the user `weir` (where root asks), and
whether there is room for the ring.

  --as USER  what this user may do, by its groups and by modes: read all that is
             named, write where the ring is, listen; whoever asks
  --show     prints the configuration in effect instead: all files laid over
             each other, each key with its file and line, secrets as ***; what
             is wrong goes to standard error
  --connect  where nothing is wrong, also dials every stream, up to the end of
             TLS and login; one line for each
  --send     and delivers one test message, ident `weir-check`, `test` true

A daemon that runs is not disturbed: brokers are told another client id, and
its ring is left alone.

Exit 0 when nothing is wrong, 1 when a destination does not answer or takes
nothing, 2 when the configuration is wrong; warnings are not mistakes.",
    ),
    #[cfg(feature = "demo")]
    (
        "demo",
        "\
Usage: weir demo [--for DURATION]

Simulated vehicles drive a real route and speak Teltonika over TCP and JSON
lines to a real daemon, which forwards to a built-in receiver that goes away
and comes back. Everything is on loopback; the ring is a file in the folder
for temporary files and is removed at the end.

Shows the flow live, or as plain lines where there is no terminal, and ends
with the balance: sent, stored, delivered, lost, duplicated. Exit 1 when
anything was lost or came out of order.

  --for DURATION  how long the vehicles drive, such as 30s or 5m; without it
                  until Ctrl-C. What is under way then is waited for, at most
                  15 s; a second Ctrl-C counts at once

Example:
  weir demo --for 30s",
    ),
    (
        "status",
        "\
Usage: weir status [-c FILE | --api ADDRESS] [--json] [--watch | --check]

Shows a running daemon: first what needs attention, in capitals, the worst
above; then each stream with what waits, how fast it goes, how long half and
95 % of the acknowledgements took, when a backlog will be gone, and what became
of every message that it wanted; then channels, and how full the ring is.

  --json   one JSON object, as GET /status of the API
  --watch  each second, until Ctrl-C; rates are those of the last seconds
  --check  one line with figures after | for monitoring (Nagios, monit,
           Zabbix). Exit 0 well; 1 something needs attention; 2 nobody
           answers, messages are or may soon be lost, a channel does not
           listen, or a stream's oldest message waits for an hour

The daemon is found by its configuration, or by --api with the token, if it
has one, in the variable WEIR_API_TOKEN.

Examples:
  weir status --watch
  weir status --json | jq '.streams[] | {name, backlog, oldest_age}'",
    ),
    (
        "logs",
        "\
Usage: weir logs [-c FILE | --api ADDRESS] [-f] [--json] [NAME]
       weir logs [-c FILE | --api ADDRESS] --level LEVEL

Prints what happened to a stream or channel, to the `ring`, to `weir` itself,
or to all, in the order in which it did. What was sent is told by the minute,
and by the hour after an hour; what fails again and again is one line, which
says how often and for how long.

  -f, --follow   also what comes, until Ctrl-C
  --json         one object a line, as the API has it
  --level LEVEL  instead: how much the daemon writes to its own log, until its
                 next start: error, warn, info, debug or trace; `configured`
                 goes back to what `[log] level` says

Examples:
  weir logs -f cloud
  weir logs --level debug",
    ),
    (
        "devices",
        "\
Usage: weir devices [-c FILE | --api ADDRESS] [IDENT] [--json]

Each ident that was heard of since the start, the last one first: by which
channel, how many messages, how long ago, where it was, and what of it was
refused and why. At most 1,024; who was silent for longest is forgotten first.

  IDENT   only this one, or those that fit the pattern, with its track in JSON
  --json  one JSON array, as GET /devices of the API

Examples:
  weir devices
  weir devices '3520*' --json",
    ),
    (
        "tail",
        "\
Usage: weir tail [-c FILE | --api ADDRESS] [NAME] [IDENT] [--json] [--raw]

Shows messages as they pass, also those that are delivered from memory and
never written, until it is stopped: of all channels, or of the channel or
stream NAME. Of a stream that is what it wants, before its filter. IDENT may
be a pattern.

One line a message: when it was received (UTC), its channel, its ident, then
its parameters. On a terminal their names are coloured, unless NO_COLOR is set.
Where more passes than can be shown, a line says how many were missed; nothing
waits for who looks.

  --json  each message as a destination is shown it, one JSON object a line;
          with --raw each packet as the API has it
  --raw   the bytes of the channel or stream NAME as they come and go, before
          TLS, as hex and as text: when, the number of the connection, its
          far end, and its ident once it has named one. `← in` was sent by
          the far end, `→ out` by weir. Passwords, tokens and other secrets
          are stars. With IDENT only connections that have named it

Examples:
  weir tail
  weir tail trackers 3520*
  weir tail cloud --json | jq .ident
  weir tail --raw trackers",
    ),
    (
        "wake",
        "\
Usage: weir wake [-c FILE | --api ADDRESS] [--now]

Streams that wait for their next try go now. For scripts that bring the
uplink up. One whose destination asked for the wait (`Retry-After`, at most
1 h) is named and waits on.

  --now         it goes as well

Example:
  weir wake",
    ),
    (
        "reload",
        "\
Usage: weir reload [-c FILE | --api ADDRESS]

The daemon reads its configuration again, as at SIGHUP. What has not changed
keeps its connections; what has changed is named, with its keys. A
configuration with an error changes nothing: all that is wrong with it is said
as `weir check` says it, and the one that runs goes on.

Where systemd calls it ($MAINPID) and the API cannot be asked, the files are
looked at here, and the daemon gets SIGHUP.

Exit 0 when it is used now, 1 when the daemon is not reached, 2 when the
configuration is wrong.",
    ),
    (
        "stream",
        "\
Usage: weir stream [-c FILE | --api ADDRESS] ACTION

  list                each stream, what waits for it, and how it stands
  add FILE            the `[[stream]]` tables of a file of TOML are made; what is
                      wrong with them is said with its line, and then none is.
                      Kept over restarts, with their secrets, for weir alone
  remove NAME         one that was added is taken away, and what waits for it;
                      also what the ring still holds for one that no file has
  disable NAME        it sends nothing and takes no new messages; what waits
                      stays. Kept over restarts
  enable NAME         it goes on where it stood
  pause NAME [TIME]   it only sends nothing: what comes is kept for it. For a
                      time such as 10m, or until it is resumed. Kept over
                      restarts
  resume NAME         it sends again
  skip NAME [N]       the oldest N messages that wait, 1 without N, are passed
                      over and counted as skipped by hand
  rewind NAME oldest  what was written to the ring for it is sent again
  rewind NAME TIME    the same from this date on: 2026-11-23T12:00:00Z, or
                      seconds since 1970
  test NAME           one test message through a connection of its own, beside
                      the daemon, which need not run

What was delivered before it had to be written is not in the ring and cannot
be sent again. Sent again it is counted again, in stored and accepted.

Examples:
  weir stream skip cloud
  weir stream rewind cloud 2026-11-23T06:00:00Z",
    ),
    (
        "send",
        "\
Usage: weir send [-c FILE | --api ADDRESS] CHANNEL

Reads JSON lines from standard input and puts them into the running daemon
through its channel CHANNEL, which has `type = \"json\"`. Ends with 0 when all
of them are safe, with 1 when one was refused: which, and why, is said.

Example:
  echo '{\"ident\":\"gw-1\",\"door\":true}' | weir send programs",
    ),
    (
        "ring",
        "\
Usage: weir ring info FILE
       weir ring dump FILE
       weir ring verify FILE
       weir ring repair FILE NEW

Looks into a ring, of a running daemon or a copy, and never changes it.

  info    size, age and number of messages; for each stream its place, what
          became of what it wanted, and what waits
  dump    every message as one JSON object a line, oldest first, with its
          number as `record.seq`; one that is damaged has only that
  verify  reads everything; exit 1 when something in it is damaged
  repair  copies what waits for streams, all of it that is sound, into a new ring,
          with each stream's place and counters

Example:
  weir ring dump /var/lib/weir/ring | tail -1",
    ),
];
