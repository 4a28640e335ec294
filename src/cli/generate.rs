//! `evenkeel generate man|completions DIR`: what a package carries beside the binary.
//!
//! Both are made from the definition of the command line itself, so that they cannot say anything else than `--help`.
//! The command is for those who build packages, and hidden from everyone else.

mod manual;

use super::{Cli, Failure};
use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to write.
    #[arg(value_enum)]
    what: What,
    /// The directory to write into; it is made if it is not there.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// A manual page for each command.
    Man,
    /// The completions of bash, zsh and fish.
    Completions,
}

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

pub fn call(args: &Args) -> Result<(), Failure> {
    let directory = &args.directory;
    let write = || {
        fs::create_dir_all(directory)?;
        match args.what {
            What::Man => manual::write_all(Cli::command(), directory),
            What::Completions => write_completions(directory),
        }
    };
    write().map_err(|error| Failure::Other(format!("cannot write into {}: {error}", directory.display())))
}

fn write_completions(directory: &Path) -> io::Result<()> {
    let mut command = Cli::command();
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut command, "evenkeel", directory)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Command;

    fn generated(what: What) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        call(&Args { what, directory: directory.path().join("made") }).unwrap();
        directory
    }

    fn read(directory: &tempfile::TempDir, name: &str) -> String {
        fs::read_to_string(directory.path().join("made").join(name)).expect(name)
    }

    /// The names of all commands that people are shown, such as `keys create`.
    fn commands(command: &Command, before: &str) -> Vec<String> {
        let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        shown
            .flat_map(|sub| {
                let name = format!("{before}{}", sub.get_name());
                let below = commands(sub, &format!("{name} "));
                std::iter::once(name).chain(below)
            })
            .collect()
    }

    #[test]
    fn every_command_has_a_page_and_stands_in_the_main_one() {
        let pages = generated(What::Man);
        let main = read(&pages, "evenkeel.1");
        let all = commands(&Cli::command(), "");
        assert!(all.contains(&"keys create".to_owned()), "{all:?}");
        for name in &all {
            let page = format!("evenkeel-{}", name.replace(' ', "-"));
            assert!(read(&pages, &format!("{page}.1")).contains(".SH SYNOPSIS"), "{page}");
            if !name.contains(' ') {
                assert!(main.contains(&page.replace('-', "\\-")), "{name} is not in evenkeel.1");
            }
        }
        let written = fs::read_dir(pages.path().join("made")).unwrap().count();
        assert_eq!(written, all.len() + 1, "a page that is no command's");
    }

    #[test]
    fn the_main_page_says_what_an_operator_asks() {
        let main = read(&generated(What::Man), "evenkeel.1");
        for section in ["FILES", "SIGNALS", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"] {
            assert!(
                main.contains(&format!("\n.SH \"{section}\"")) || main.contains(&format!("\n.SH {section}"))
            );
        }
        for said in ["SIGHUP", "SIGTERM", "SIGQUIT", "SIGINT", "78", "EVENKEEL_LOG", "keys.yaml"] {
            assert!(main.contains(said), "{said} is not in evenkeel.1");
        }
    }

    #[test]
    fn every_shell_is_told_of_every_command() {
        let completions = generated(What::Completions);
        // How each writes that a command can follow: bash `evenkeel__subcmd__keys,create)`, and so on.
        let written =
            [("evenkeel.bash", ",", ")"), ("_evenkeel", "\n'", ":"), ("evenkeel.fish", " -a \"", "\"")];
        for (file, before, after) in written {
            let text = read(&completions, file);
            for name in commands(&Cli::command(), "") {
                let last = name.rsplit(' ').next().unwrap();
                assert!(text.contains(&format!("{before}{last}{after}")), "{name} is not in {file}");
            }
        }
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let blocked = tempfile::NamedTempFile::new().unwrap();
        let directory = blocked.path().join("below");
        let failure = call(&Args { what: What::Man, directory: directory.clone() }).unwrap_err();
        assert!(failure.to_string().contains(directory.to_str().unwrap()), "{failure}");
    }
}
