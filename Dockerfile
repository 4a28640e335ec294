# syntax=docker/dockerfile:1

# The binary. A C compiler is all that the build needs besides Rust, and the image of Rust has one.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY compat compat
COPY benches benches
COPY src src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --bin evenkeel \
    && cp target/release/evenkeel /usr/local/bin/evenkeel

# The state directory, which the last stage cannot make: it has no shell.
RUN mkdir --mode=0700 /state

# glibc, libgcc and the authorities' certificates; no shell and no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Evenkeel" \
      org.opencontainers.image.description="A load balancer for AI APIs" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /usr/local/bin/evenkeel /usr/local/bin/evenkeel
COPY --from=build --chown=65532:65532 /state /var/lib/evenkeel
COPY LICENSE /usr/share/doc/evenkeel/LICENSE

USER 65532:65532
# Keys are kept here: mount a volume, or they go with the container.
VOLUME /var/lib/evenkeel
EXPOSE 8080

# The admin address is loopback by default; the check runs inside of the container. A container that drains is unhealthy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/evenkeel", "health", "-c", "/etc/evenkeel/evenkeel.yaml"]

# Lets what is in flight finish, for `graceful_shutdown_timeout_seconds` (120) at most. Docker itself kills after 10 s:
# docker run --stop-timeout 150, stop_grace_period in compose, terminationGracePeriodSeconds in Kubernetes.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/evenkeel"]
CMD ["run", "-c", "/etc/evenkeel/evenkeel.yaml"]
