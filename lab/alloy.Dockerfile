# The official Alloy image where it matters to this stack: Debian with bash, Alloy in /bin, a user 473 who owns the
# data directory but is not the default. The build context holds nothing but the binary.
FROM lab/base:bookworm

COPY alloy /bin/alloy
RUN groupadd --gid 473 alloy \
    && useradd --create-home --uid 473 --gid 473 alloy \
    && mkdir -p /etc/alloy /var/lib/alloy/data \
    && touch /etc/alloy/config.alloy \
    && chown -R alloy:alloy /etc/alloy /var/lib/alloy \
    && chmod -R 770 /var/lib/alloy
# An archive that is cut short fails here and not when a stack starts it.
RUN ["/bin/alloy", "--version"]

ENV ALLOY_DEPLOY_MODE=docker
ENTRYPOINT ["/bin/alloy"]
CMD ["run", "/etc/alloy/config.alloy", "--storage.path=/var/lib/alloy/data"]
