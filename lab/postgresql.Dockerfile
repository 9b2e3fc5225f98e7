# A PostgreSQL server for tests. The official image differs: it creates its database by variables, and here the test does.
# TLS, users and databases are of whoever starts it. The build context is empty.
FROM lab/base:bookworm

ARG VERSION
# By number, so that the tag says the truth.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "postgresql-15=$VERSION*" \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin

ENV PATH=/usr/lib/postgresql/15/bin:$PATH
USER postgres
EXPOSE 5432
