# The official cloudflared image where it matters to this stack: the connector in /usr/local/bin, user 65532, and no
# other program at all, so that whatever needs a shell fails here too. The connector is the lab's stand-in, which is
# Python. The build context holds nothing but it.
FROM lab/base:bookworm

COPY cloudflared.py /usr/local/bin/cloudflared
RUN chmod 755 /usr/local/bin/cloudflared \
    && cloudflared tunnel --help \
    && find /usr/bin /usr/sbin ! -type d ! -name 'python*' -delete

USER 65532:65532
ENTRYPOINT ["cloudflared", "--no-autoupdate"]
