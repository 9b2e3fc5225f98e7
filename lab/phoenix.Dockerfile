# The official Phoenix image where it matters to this stack: the system's Python with the packages on PYTHONPATH,
# user 65532, and no other program at all, so that whatever needs a shell fails here too.

FROM lab/base:bookworm AS packages
LABEL llm-observability.lab.stage=phoenix
ARG REQUIREMENT
ARG PIP_INDEX_URL
# The machine's own certificates: a private authority may sit between it and the package index. They end here.
COPY ca-certificates.crt /build/ca-certificates.crt
COPY phoenix-constraints.txt /build/constraints.txt
RUN python3 -m venv /phoenix/.venv
# Compiles what it installs, too: a read-only root cannot at run time, and starting without takes twice the CPU.
RUN if [ -s /build/ca-certificates.crt ]; then export PIP_CERT=/build/ca-certificates.crt; fi \
    && /phoenix/.venv/bin/pip install --no-cache-dir --disable-pip-version-check \
      --progress-bar off --constraint /build/constraints.txt "$REQUIREMENT" \
    && /phoenix/.venv/bin/pip freeze \
    && /phoenix/.venv/bin/pip uninstall --yes --quiet setuptools pip

FROM lab/base:bookworm AS system
LABEL llm-observability.lab.stage=phoenix
RUN echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >> /etc/passwd \
    && echo 'nonroot:x:65532:' >> /etc/group \
    && mkdir -p /phoenix /home/nonroot \
    && chown 65532:65532 /home/nonroot \
    && chmod 700 /home/nonroot \
    && ln -s python3 /usr/bin/python \
    && rm -rf /usr/share/doc /usr/share/man /usr/share/locale /usr/share/perl* /usr/lib/*/perl-base \
      /usr/lib/python3.11/ensurepip /var/lib/apt /var/lib/dpkg /var/cache /var/log/* \
    && find /usr/bin /usr/sbin ! -type d ! -name 'python*' -delete

FROM scratch
COPY --from=system / /
COPY --from=packages /phoenix/.venv /phoenix/.venv
ENV PATH=/usr/local/bin:/usr/bin:/bin:/phoenix/.venv/bin \
    PYTHONPATH=/phoenix/.venv/lib/python3.11/site-packages \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532
WORKDIR /phoenix
EXPOSE 6006 4317 9090
ENTRYPOINT ["/usr/bin/python3"]
CMD ["-m", "phoenix.server.main", "serve"]
