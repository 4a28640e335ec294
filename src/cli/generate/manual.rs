//! The manual pages: what clap knows of each command, and on the main page what only an operator asks.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Writes `evenkeel.1` and a page for each command below it.
///
/// # Errors
/// Those of writing into `directory`.
pub fn write_all(command: Command, directory: &Path) -> io::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    for below in shown(&command) {
        write_below(below, directory)?;
    }
    let page = page(&command);
    let mut file = File::create(directory.join(page.get_filename()))?;
    page.render_title(&mut file)?;
    page.render_name_section(&mut file)?;
    page.render_synopsis_section(&mut file)?;
    page.render_description_section(&mut file)?;
    page.render_options_section(&mut file)?;
    page.render_subcommands_section(&mut file)?;
    for section in [files(), signals(), exit_status(), environment(), see_also()] {
        section.to_writer(&mut file)?;
    }
    file.flush()
}

fn write_below(command: &Command, directory: &Path) -> io::Result<()> {
    for below in shown(command) {
        write_below(below, directory)?;
    }
    page(command).generate_to(directory)?;
    Ok(())
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|below| !below.is_hide_set())
}

fn page(command: &Command) -> Man {
    let source = concat!("evenkeel ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(source).manual("Evenkeel")
}

fn section(title: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    roff
}

/// One thing and what there is to say of it.
fn entry(roff: &mut Roff, thing: Inline, said: &str) {
    roff.control("TP", []);
    roff.text([thing]);
    roff.text([roman(said)]);
}

fn files() -> Roff {
    let mut roff = section("FILES");
    for (path, said) in [
        ("/etc/evenkeel/evenkeel.yaml", "The configuration of the service that the package installs."),
        (
            "/etc/evenkeel/credentials/",
            "Vendors' keys, a file each, readable by root alone. The service is given them by systemd as \
             /run/credentials/evenkeel.service/vendor_NAME.",
        ),
        (
            "/var/lib/evenkeel/",
            "The state directory, unless the configuration names another as state_dir. Nobody else can look into it.",
        ),
        ("keys.yaml", "In the state directory: the hashes of clients' keys. Written by evenkeel keys."),
        (
            "upgrade.sock",
            "In the state directory: where a new process asks the running one for its listeners.",
        ),
        ("evenkeel.pid", "In the state directory, with run --daemon: the process's number."),
    ] {
        entry(&mut roff, italic(path), said);
    }
    roff
}

fn signals() -> Roff {
    let mut roff = section("SIGNALS");
    roff.text([roman("Those that evenkeel run heeds:")]);
    for (signal, said) in [
        (
            "SIGHUP",
            "Loads the configuration file again and serves it, in the same process. A file with errors changes \
             nothing; the log says what is wrong with it.",
        ),
        (
            "SIGTERM",
            "Stops accepting, tells clients to connect elsewhere, and ends as soon as nothing is in flight, or after \
             graceful_shutdown_timeout_seconds.",
        ),
        (
            "SIGQUIT",
            "Changes nothing: the process serves until another takes over, which evenkeel upgrade arranges.",
        ),
        ("SIGINT", "Ends at once; what is in flight is cut off."),
    ] {
        entry(&mut roff, bold(signal), said);
    }
    roff
}

fn exit_status() -> Roff {
    let mut roff = section("EXIT STATUS");
    for (code, said) in [
        ("0", "All went well."),
        ("64", "The command line cannot be read, or asks for what makes no sense."),
        ("70", "An error of the program's own."),
        ("78", "The configuration cannot be used; what is wrong with it is on standard error."),
        ("1", "Anything else, such as an address that is taken."),
    ] {
        entry(&mut roff, bold(code), said);
    }
    roff
}

fn environment() -> Roff {
    let mut roff = section("ENVIRONMENT");
    for (variable, said) in [
        (
            "EVENKEEL_LOG",
            "What is logged to standard error: error, warn, info or debug, or a filter such as \
             evenkeel=debug,pingora_core=warn. Below info, Pingora's parts log headers and bodies.",
        ),
        (
            "NOTIFY_SOCKET",
            "Where the service manager is told that the instance serves, drains or has handed over; set by systemd.",
        ),
    ] {
        entry(&mut roff, bold(variable), said);
    }
    entry(
        &mut roff,
        italic("any other"),
        "A text of the configuration file can hold ${NAME}, ${NAME:-default} and ${file:PATH}.",
    );
    roff
}

fn see_also() -> Roff {
    let mut roff = section("SEE ALSO");
    roff.text([
        italic("/usr/share/doc/evenkeel/"),
        roman(": the configuration file key by key, and operating. "),
        bold("systemctl"),
        roman("(1), "),
        bold("systemd.exec"),
        roman("(5) on LoadCredential."),
    ]);
    roff
}
