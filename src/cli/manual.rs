//! The manual page, and what shells complete: made from the texts of `--help`, so that none of
//! them knows a command or an option that the others do not.
//!
//! The texts keep to a form, which the tests of this module hold them to: a command, an action or
//! an option begins its line behind two spaces, and two spaces or the next line part it from its
//! words.

use super::Exit;
use super::help;
use std::fmt::Write as _;

/// Whose completions are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            _ => None,
        }
    }
}

/// Prints what a shell reads to complete the words of weir.
pub(super) fn completions(shell: Shell) -> Exit {
    let commands = commands();
    print!(
        "{}",
        match shell {
            Shell::Bash => bash(&commands),
            Shell::Zsh => zsh(&commands),
            Shell::Fish => fish(&commands),
        }
    );
    Exit::Done
}

/// Prints the manual page, for `man`.
pub(super) fn page() -> Exit {
    print!("{}", roff());
    Exit::Done
}

/// A word that can be written, and what it does.
struct Word {
    name: String,
    about: String,
}

/// A command with all that may follow it.
struct Command {
    name: String,
    about: String,
    actions: Vec<Word>,
    options: Vec<Word>,
    /// What else follows is the name of a stream.
    takes_stream: bool,
}

fn commands() -> Vec<Command> {
    let overview = help::overview();
    let mut found: Vec<Command> = Vec::new();
    for (words, about) in rows(section(&overview, "Commands:")) {
        let mut words = words.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        if found.last().is_some_and(|last| last.name == name) {
            continue;
        }
        let page = help::page(&name).unwrap_or_default();
        let is_action = |(word, _): &(&str, String)| word.starts_with(|c: char| c.is_lowercase());
        let word = |(words, about): (&str, String)| Word {
            name: words.split_whitespace().next().unwrap_or_default().into(),
            about,
        };
        let mut actions: Vec<Word> = rows(page).filter(is_action).map(word).collect();
        if !HAVE_ACTIONS.contains(&name.as_str()) {
            actions.clear();
        }
        actions.dedup_by(|next, last| next.name == last.name);
        found.push(Command {
            takes_stream: name == "stream",
            options: options(page),
            about,
            actions,
            name,
        });
    }
    found
}

/// The options of a page, those with a short form by both.
fn options(page: &str) -> Vec<Word> {
    let named = rows(page).filter(|(words, _)| words.starts_with('-'));
    let each = named.flat_map(|(words, about)| {
        let names = words.split([',', ' ']).filter(|word| word.starts_with('-'));
        let names: Vec<String> = names.map(str::to_owned).collect();
        names.into_iter().map(move |name| Word {
            name,
            about: about.clone(),
        })
    });
    each.collect()
}

/// What stands below a heading.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let behind = text.split_once(heading).map_or("", |(_, behind)| behind);
    behind.split("\n\n").next().unwrap_or_default()
}

/// Lines that begin something, and the first words about it.
fn rows(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.lines().filter_map(|line| {
        let row = line.strip_prefix("  ")?;
        let (words, about) = row.split_once("  ")?;
        let begins = words.starts_with(|c: char| c == '-' || c.is_alphanumeric());
        begins.then(|| (words, about.trim().replace('`', "")))
    })
}

fn bash(commands: &[Command]) -> String {
    let mut cases = String::new();
    for command in commands {
        let actions = command.actions.iter();
        let words = actions.chain(&command.options);
        let words: Vec<&str> = words.map(|word| word.name.as_str()).collect();
        let names = match command.takes_stream {
            true => " $(weir stream list 2>/dev/null | cut -d' ' -f1)",
            false => "",
        };
        let (name, words) = (&command.name, words.join(" "));
        add(
            &mut cases,
            format_args!("    {name}) words=\"{words}{names}\" ;;\n"),
        );
    }
    let names: Vec<&str> = commands
        .iter()
        .map(|command| command.name.as_str())
        .collect();
    format!(
        "# bash completion of weir\n\
         _weir() {{\n  \
           local cur=${{COMP_WORDS[COMP_CWORD]}} words i command=\n  \
           local prev=${{COMP_WORDS[COMP_CWORD-1]}}\n  \
           case $prev in -c|--config) COMPREPLY=($(compgen -f -- \"$cur\")); return ;; esac\n  \
           for ((i = 1; i < COMP_CWORD; i++)); do\n    \
             case ${{COMP_WORDS[i]}} in\n      \
               -c|--config|--api) i=$((i + 1)) ;;\n      \
               -*) ;;\n      \
               *) command=${{COMP_WORDS[i]}}; break ;;\n    \
             esac\n  \
           done\n  \
           case $command in\n    \
             '') words=\"{} --config --help --version\" ;;\n{cases}    \
             *) words= ;;\n  \
           esac\n  \
           COMPREPLY=($(compgen -W \"$words --help\" -- \"$cur\"))\n  \
           case $command in ring|stream) COMPREPLY+=($(compgen -f -- \"$cur\")) ;; esac\n\
         }}\n\
         complete -o default -F _weir weir\n",
        names.join(" ")
    )
}

fn zsh(commands: &[Command]) -> String {
    let list = |words: &[Word]| {
        let words = words.iter().map(|word| described(&word.name, &word.about));
        words.collect::<Vec<_>>().join(" ")
    };
    let mut cases = String::new();
    for command in commands {
        let (actions, options) = (list(&command.actions), list(&command.options));
        let name = &command.name;
        add(
            &mut cases,
            format_args!("    {name}) words=({actions} {options}) ;;\n"),
        );
    }
    let names = commands.iter();
    let names = names.map(|command| described(&command.name, &command.about));
    let names = names.collect::<Vec<_>>().join(" ");
    format!(
        "#compdef weir\n\
         local -a words_of_weir words\n\
         words_of_weir=({names})\n\
         if (( CURRENT == 2 )); then\n  \
           _describe command words_of_weir\n\
         else\n  \
           case ${{(Q)${{(z)BUFFER}}[2]}} in\n{cases}  \
           esac\n  \
           _describe word words || _files\n\
         fi\n"
    )
}

fn fish(commands: &[Command]) -> String {
    let mut text = "# fish completion of weir\ncomplete -c weir -f\n\
         complete -c weir -s c -l config -r -F -d 'another main file'\n"
        .to_owned();
    for command in commands {
        let (name, about) = (&command.name, single(&command.about));
        add(
            &mut text,
            format_args!("complete -c weir -n __fish_use_subcommand -a {name} -d {about}\n"),
        );
        let seen = format!("-n '__fish_seen_subcommand_from {name}'");
        for action in &command.actions {
            let (word, about) = (&action.name, single(&action.about));
            add(
                &mut text,
                format_args!("complete -c weir {seen} -a {word} -d {about}\n"),
            );
        }
        for option in &command.options {
            let about = single(&option.about);
            let word = match option.name.strip_prefix("--") {
                Some(long) => format!("-l {long}"),
                None => format!("-s {}", option.name.trim_start_matches('-')),
            };
            add(
                &mut text,
                format_args!("complete -c weir {seen} {word} -d {about}\n"),
            );
        }
    }
    text
}

/// `word:what it does`, quoted, as zsh wants it.
fn described(name: &str, about: &str) -> String {
    single(&format!("{name}:{about}"))
}

/// In single quotes, as all three shells read it.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', ""))
}

fn roff() -> String {
    let mut text = format!(
        ".TH WEIR 8 \"\" \"weir {}\" \"weir\"\n.SH NAME\nweir \\- store and forward for vehicles\n",
        env!("CARGO_PKG_VERSION")
    );
    let overview = help::overview();
    let (usage, rest) = overview.split_once("\n\nUsage: ").unwrap_or_default();
    let (synopsis, rest) = rest.split_once("\n\n").unwrap_or_default();
    add(
        &mut text,
        format_args!(".SH SYNOPSIS\n.B {}\n.SH DESCRIPTION\n", escaped(synopsis)),
    );
    blocks(&mut text, usage);
    text.push_str(".SH OVERVIEW\n");
    blocks(&mut text, rest);
    text.push_str(".SH COMMANDS\n");
    for (name, page) in help::pages() {
        add(&mut text, format_args!(".SS weir {name}\n"));
        blocks(&mut text, page);
    }
    text.push_str(ENDING);
    text
}

/// Paragraphs as they are; lines that are set in, as they stand.
fn blocks(text: &mut String, from: &str) {
    for block in from.split("\n\n") {
        let is_set_in = block.lines().any(|line| line.starts_with("  "));
        text.push_str(if is_set_in { ".PP\n.nf\n" } else { ".PP\n" });
        for line in block.lines() {
            text.push_str(&escaped(line));
            text.push('\n');
        }
        text.push_str(if is_set_in { ".fi\n" } else { "" });
    }
}

/// Without what roff takes for a command or for typography.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    let line = line.replace('←', "\\(<-").replace('→', "\\(->");
    match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line,
    }
}

fn add(text: &mut String, what: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(what);
    debug_assert!(written.is_ok(), "written to memory");
}

/// Commands whose pages list what may follow at once.
const HAVE_ACTIONS: [&str; 2] = ["stream", "ring"];

const ENDING: &str = "\
.SH FILES
.TP
.I /etc/weir/weir.toml
the configuration
.TP
.I /etc/weir/weir.d/*.toml
laid over it, in the order of their names
.TP
.I /var/lib/weir/weir.d/*.toml
what commands and the API created, over both
.TP
.I /var/lib/weir/ring
the messages that wait
.TP
.I /run/weir/api
where commands ask the daemon
.SH ENVIRONMENT
.TP
.B WEIR_API_TOKEN
opens the daemon that \\-\\-api names
.TP
.B NO_COLOR
nothing is coloured where it is set
.SH SEE ALSO
.BR systemd (1),
.BR mosquitto (8)
";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_command_has_a_page_and_words_about_it() {
        let commands = commands();
        let names: BTreeSet<_> = commands.iter().map(|it| it.name.as_str()).collect();
        let pages: BTreeSet<_> = help::pages().map(|(name, _)| name).collect();
        assert_eq!(names, pages);
        for command in &commands {
            assert!(!command.about.is_empty(), "{}", command.name);
        }
    }

    #[test]
    fn actions_and_options_are_found_in_the_pages() {
        let commands = commands();
        let of = |name: &str| {
            let command = commands.iter().find(|it| it.name == name).unwrap();
            let words = command.actions.iter().chain(&command.options);
            words.map(|word| word.name.as_str()).collect::<Vec<_>>()
        };
        for word in ["list", "disable", "skip", "rewind", "test"] {
            assert!(of("stream").contains(&word), "{word}");
        }
        assert_eq!(of("ring"), ["info", "dump", "verify", "repair"]);
        assert!(of("logs").contains(&"-f") && of("logs").contains(&"--follow"));
        assert!(of("check").contains(&"--show"));
        assert!(!of("run").contains(&"SIGHUP"));
    }
}
