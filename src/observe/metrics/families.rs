//! Every metric that is served: its name, its labels, what it means.

/// A metric: one name, one series for each combination of its labels' values.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means, in a line.
    pub help: &'static str,
}

/// What a metric's number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It is many: counts by size, a sum and a count.
    Histogram,
}

impl Kind {
    /// Its name in Prometheus' text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

const SERVED: &[&str] = &["api", "environment"];
const PAIR: &[&str] = &["api", "environment", "model", "endpoint"];

macro_rules! families {
    ($($constant:ident $kind:ident $name:literal $labels:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Family =
                Family { name: $name, kind: Kind::$kind, labels: $labels, help: $help };
        )*
        /// All of them.
        pub const FAMILIES: &[Family] = &[$($constant),*];
    };
}

families! {
    REQUESTS Counter "evenkeel_requests_total" &["api", "environment", "code"],
        "Requests by the status that the client got; 499: the client went before it got one.";
    ATTEMPTS Counter "evenkeel_attempts_total" &["api", "environment", "model", "endpoint", "outcome"],
        "Tries of requests at vendors, by what came of them: a status, connect, timeout, stream or abandoned.";
    PAIR_STATE Gauge "evenkeel_pair_state" &["api", "environment", "model", "endpoint", "state"],
        "1 for the state that the pair is in, 0 for the others: active, suspended, probing.";
    SUSPENSIONS Counter "evenkeel_suspensions_total" &["api", "environment", "model", "endpoint", "reason"],
        "Suspensions of the pair, by what came of the try that it was suspended for.";
    SHARE_EXPECTED Gauge "evenkeel_pair_share_expected" PAIR,
        "The share of choices that the configured weights give to the pair, 0 to 1.";
    SHARE_ACTUAL Gauge "evenkeel_pair_share_actual" PAIR,
        "The share of all choices so far that fell on the pair, 0 to 1.";
    RETRIES Counter "evenkeel_retries_total" SERVED,
        "Further tries of requests, after the first.";
    IN_FLIGHT Gauge "evenkeel_in_flight" &[],
        "Requests that have begun and are not over.";
    OVERHEAD Histogram "evenkeel_overhead_seconds" SERVED,
        "What the gateway itself added to requests that went to a vendor: waiting for vendors and clients is taken out.";
    FIRST_BYTE Histogram "evenkeel_time_to_first_byte_seconds" SERVED,
        "From the beginning of a request to the header of the vendor's response.";
    DURATION Histogram "evenkeel_request_duration_seconds" SERVED,
        "From the beginning of a request to the end of its answer.";
    TOKENS Counter "evenkeel_tokens_total" &["api", "environment", "model", "endpoint", "type"],
        "Tokens by the vendors' own count: prompt, completion, and cached, which are some of those of the prompt.";
    USAGE_UNREAD Counter "evenkeel_usage_unread_total" SERVED,
        "Good responses that should tell of their tokens and could not be read.";
    CONFIG_GENERATION Gauge "evenkeel_config_generation" &[],
        "The number of the configuration that is served; each reload that changes it adds one.";
    CONFIG_RELOADED Gauge "evenkeel_config_last_reload_success" &[],
        "1 if the latest reload succeeded or there was none, 0 if it failed and an older configuration is served.";
    BUILD_INFO Gauge "evenkeel_build_info" &["version", "os", "arch"],
        "Always 1; the labels tell of the binary.";
    ALLOCATOR_COMMITTED Gauge "evenkeel_allocator_committed_bytes" &[],
        "Memory that the allocator has committed.";
    ALLOCATOR_RESERVED Gauge "evenkeel_allocator_reserved_bytes" &[],
        "Address space that the allocator has reserved.";
    ALLOCATOR_PAGES Gauge "evenkeel_allocator_pages" &[],
        "The allocator's own pages in use.";
    PROCESS_CPU Counter "process_cpu_seconds_total" &[],
        "Time on processors, of the process and of the system for it.";
    PROCESS_OPEN_FDS Gauge "process_open_fds" &[],
        "Open file descriptors.";
    PROCESS_MAX_FDS Gauge "process_max_fds" &[],
        "How many file descriptors may be open.";
    PROCESS_VIRTUAL Gauge "process_virtual_memory_bytes" &[],
        "Virtual memory.";
    PROCESS_RESIDENT Gauge "process_resident_memory_bytes" &[],
        "Resident memory.";
    PROCESS_STARTED Gauge "process_start_time_seconds" &[],
        "When the process started, in seconds since 1970.";
    PROCESS_THREADS Gauge "process_threads" &[],
        "Threads.";
    GEN_AI_TOKENS Histogram "gen_ai_client_token_usage" &[
            "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "server_address", "server_port",
            "gen_ai_token_type",
        ],
        "Number of input and output tokens used.";
    GEN_AI_DURATION Histogram "gen_ai_client_operation_duration_seconds" &[
            "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "server_address", "server_port",
            "error_type",
        ],
        "GenAI operation duration.";
    GEN_AI_FIRST_CHUNK Histogram "gen_ai_client_operation_time_to_first_chunk_seconds" &[
            "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "server_address", "server_port",
        ],
        "Time to receive the first chunk of a stream, from when the request was begun.";
}
