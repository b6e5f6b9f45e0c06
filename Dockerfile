# syntax=docker/dockerfile:1

# Build and run on the same Debian: librdkafka links the system's OpenSSL and zlib.
FROM rust:1-bookworm AS build
# g++, make, pkg-config and zlib's headers are part of the rust image; libssl-dev too, named because the build needs it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ libssl-dev make pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# .dockerignore lists what this takes.
COPY . .
# The caches hold the registry and the compiled dependencies from one build to the next. They are not part of the image,
# so the binary is copied out in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin structured-prompt \
    && install -D target/release/structured-prompt /out/structured-prompt

FROM debian:bookworm-slim
# ca-certificates: the providers are reached over TLS and their certificates checked against the system's roots.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 structured-prompt \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin structured-prompt \
    && install --directory --owner 10001 --group 10001 /var/lib/structured-prompt
COPY --from=build /out/structured-prompt /usr/local/bin/structured-prompt
COPY config/structured-prompt.yaml /etc/structured-prompt/structured-prompt.yaml
COPY connectors /etc/structured-prompt/connectors
# By number, so that Kubernetes' runAsNonRoot can tell that it is not root.
USER 10001:10001
# The default, 127.0.0.1, would not be reached from outside the container.
ENV STRUCTURED_PROMPT_HTTP__LISTEN=0.0.0.0:8080
# The one directory that is written to. Without a volume the journal ends with the container.
ENV STRUCTURED_PROMPT_STORE__URL=sqlite:///var/lib/structured-prompt/structured-prompt.db
# Its place among those on the machine, and how it ended, are what a process leaves there for the next one.
ENV TMPDIR=/var/lib/structured-prompt
VOLUME /var/lib/structured-prompt
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["structured-prompt", "healthcheck"]
ENTRYPOINT ["structured-prompt"]
CMD ["run", "--config", "/etc/structured-prompt/structured-prompt.yaml", "--connectors", "/etc/structured-prompt/connectors"]
