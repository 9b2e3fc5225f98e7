# The official Prometheus image where it matters to this stack: `prometheus` and `promtool` on PATH, user 65534, /prometheus of that user.
# Debian's package is much older than the pinned release, and this image has a shell and a whole base system. The build context is empty.
FROM lab/base:bookworm

ARG VERSION
# By number, so that the tag says the truth.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "prometheus=$VERSION*" \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
    && mkdir -p /prometheus \
    && chown 65534:65534 /prometheus

USER 65534
EXPOSE 9090
VOLUME /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
