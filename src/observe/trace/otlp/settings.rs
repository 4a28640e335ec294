//! What the environment asks for, as far as the SDK does not see to it.

use std::time::Duration;

/// How long one export may take where nothing says otherwise (the OTLP exporter's specification).
const TIMEOUT: Duration = Duration::from_secs(10);

/// The samplers that the SDK has.
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// What the exporter has no way to do.
const TLS_FILES: [&str; 6] = [
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
];

/// What is wanted of the exporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long one export may take.
    pub timeout: Duration,
}

impl Settings {
    /// Reads the variables; `None` if they ask for no spans. That is so, too, if they name neither an exporter nor an
    /// endpoint: a gateway sends nothing to an address that nobody told it, be it the standard one.
    ///
    /// # Errors
    /// What cannot be done, and what to do about it. The SDK itself would go on with a default.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        // An empty variable is as good as none (the SDK's specification).
        let get = |name: &str| variable(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        if !is_wanted(get)? {
            return Ok(None);
        }
        check_transport(get)?;
        check_sampler(get)?;
        let timeout = match for_traces(get, "TIMEOUT") {
            None => TIMEOUT,
            Some((name, value)) => value
                .parse()
                .map(Duration::from_millis)
                .map_err(|_| format!("{name} is `{value}`, expected a number of milliseconds"))?,
        };
        Ok(Some(Self { timeout }))
    }
}

/// A variable of the exporter with its value: the one for traces, or else the one for all that is exported.
fn for_traces(get: impl Fn(&str) -> Option<String>, name: &str) -> Option<(String, String)> {
    let names = [format!("OTEL_EXPORTER_OTLP_TRACES_{name}"), format!("OTEL_EXPORTER_OTLP_{name}")];
    names.into_iter().find_map(|name| get(&name).map(|value| (name, value)))
}

fn is_wanted(get: impl Fn(&str) -> Option<String>) -> Result<bool, String> {
    if get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    match get("OTEL_TRACES_EXPORTER").as_deref() {
        Some("otlp") => Ok(true),
        Some("none") => Ok(false),
        None => Ok(for_traces(get, "ENDPOINT").is_some()),
        Some(other) => Err(format!("OTEL_TRACES_EXPORTER is `{other}`, expected `otlp` or `none`")),
    }
}

fn check_transport(get: impl Fn(&str) -> Option<String>) -> Result<(), String> {
    if let Some((name, value)) = for_traces(&get, "PROTOCOL").filter(|(_, value)| value != "http/protobuf") {
        return Err(format!(
            "{name} is `{value}`, and only `http/protobuf` is spoken; collectors take that on port 4318"
        ));
    }
    let unknown = |value: &str| !["gzip", "none"].contains(&value);
    if let Some((name, value)) = for_traces(&get, "COMPRESSION").filter(|(_, value)| unknown(value)) {
        return Err(format!("{name} is `{value}`, expected `gzip` or `none`"));
    }
    match TLS_FILES.into_iter().find(|name| get(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(format!(
            "{name} is not supported; whom the system trusts is trusted, or SSL_CERT_FILE names the file of those who are"
        )),
    }
}

fn check_sampler(get: impl Fn(&str) -> Option<String>) -> Result<(), String> {
    let Some(sampler) = get("OTEL_TRACES_SAMPLER") else {
        return Ok(());
    };
    if !SAMPLERS.contains(&sampler.as_str()) {
        return Err(format!(
            "OTEL_TRACES_SAMPLER is `{sampler}`, expected one of `{}`",
            SAMPLERS.join("`, `")
        ));
    }
    let ratio = get("OTEL_TRACES_SAMPLER_ARG");
    let is_ratio = |text: &String| text.parse().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio));
    if sampler.ends_with("traceidratio") && !ratio.as_ref().is_some_and(is_ratio) {
        let found = ratio.map_or("is not set".to_owned(), |ratio| format!("is `{ratio}`"));
        return Err(format!(
            "OTEL_TRACES_SAMPLER_ARG {found}, expected a number from 0 to 1 for the sampler `{sampler}`"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        Settings::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

    #[test]
    fn spans_are_made_where_they_are_asked_for() {
        let of_traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/v1/traces");
        let table: [(&[(&str, &str)], _); 9] = [
            (&[], false),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], false),
            (&[ENDPOINT], true),
            (&[of_traces], true),
            (&[("OTEL_TRACES_EXPORTER", "otlp")], true),
            (&[("OTEL_TRACES_EXPORTER", "none"), ENDPOINT], false),
            (&[("OTEL_TRACES_EXPORTER", ""), ENDPOINT], true),
            (&[("OTEL_SDK_DISABLED", "True"), ENDPOINT], false),
            (&[("OTEL_SDK_DISABLED", "false"), ENDPOINT], true),
        ];
        for (variables, expected) in table {
            assert_eq!(read(variables).map(|settings| settings.is_some()), Ok(expected), "{variables:?}");
        }
    }

    #[test]
    fn what_is_for_traces_goes_before_what_is_for_all() {
        let protocols = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ];
        let one = ("OTEL_EXPORTER_OTLP_TIMEOUT", "250");
        let other = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "300");
        let ratio = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")];
        let table: [(&[(&str, &str)], u64); 5] = [
            (&[ENDPOINT], 10_000),
            (&[ENDPOINT, ratio[0], ratio[1]], 10_000),
            (&[ENDPOINT, protocols[0], protocols[1]], 10_000),
            (&[ENDPOINT, one], 250),
            (&[ENDPOINT, one, other], 300),
        ];
        for (variables, timeout) in table {
            let expected = Settings { timeout: Duration::from_millis(timeout) };
            assert_eq!(read(variables), Ok(Some(expected)), "{variables:?}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_told() {
        let table: [(&[(&str, &str)], &str); 8] = [
            (
                &[("OTEL_TRACES_EXPORTER", "console")],
                "OTEL_TRACES_EXPORTER is `console`, expected `otlp` or `none`",
            ),
            (
                &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
                "OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`, and only `http/protobuf` is spoken; collectors take that on port \
                 4318",
            ),
            (
                &[("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd")],
                "OTEL_EXPORTER_OTLP_COMPRESSION is `zstd`, expected `gzip` or `none`",
            ),
            (
                &[("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem")],
                "OTEL_EXPORTER_OTLP_CERTIFICATE is not supported; whom the system trusts is trusted, or SSL_CERT_FILE \
                 names the file of those who are",
            ),
            (
                &[("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10s")],
                "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT is `10s`, expected a number of milliseconds",
            ),
            (
                &[("OTEL_TRACES_SAMPLER", "sometimes")],
                "OTEL_TRACES_SAMPLER is `sometimes`, expected one of `always_on`, `always_off`, `traceidratio`, \
                 `parentbased_always_on`, `parentbased_always_off`, `parentbased_traceidratio`",
            ),
            (
                &[("OTEL_TRACES_SAMPLER", "traceidratio")],
                "OTEL_TRACES_SAMPLER_ARG is not set, expected a number from 0 to 1 for the sampler `traceidratio`",
            ),
            (
                &[("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "10%")],
                "OTEL_TRACES_SAMPLER_ARG is `10%`, expected a number from 0 to 1 for the sampler \
                 `parentbased_traceidratio`",
            ),
        ];
        for (variables, message) in table {
            let variables: Vec<_> = variables.iter().copied().chain([ENDPOINT]).collect();
            assert_eq!(read(&variables), Err(message.to_owned()));
        }
    }
}
