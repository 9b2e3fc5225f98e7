/**
 * What the program relies on in each image, with the first version that has it. `docs/images.md` shows it, and the oldest
 * supported version is the newest of these.
 */

/** One feature that an image must have. */
export interface Reliance {
  readonly what: string;
  /** First version with it, from the project's own history. */
  readonly since: string;
  /** What needs it. */
  readonly where: string;
  /** What happens on an older version. Such a row requires no version. */
  readonly without?: string;
}

export const reliedOn = {
  phoenix: [
    { what: 'no shell, and `python3` on `PATH` with its standard library', since: '3.18.0', where: 'health check, start, owner of the volumes, keys' },
    { what: '`python3 -m phoenix.server.main serve` starts the server', since: '4.0.0', where: 'server' },
    { what: 'unpacks requests with `gzip.decompress` and `zlib.decompress`, and makes an answer of the `HTTPException` of starlette', since: '4.0.0', where: 'server: a request that is too large unpacked is refused' },
    { what: 'stores a span by `insert_span(session, span, project)` of `phoenix.db.bulk_inserter`, `models.Project`, SQLAlchemy and `prometheus_client`', since: '4.0.0', where: '`phoenix:projects`', without: 'projects have no limit, which the log reports' },
    { what: 'runs as any user with a read-only root and a writable `/tmp`', since: '4.1.3', where: 'server, as 65532:65532' },
    { what: '`PHOENIX_WORKING_DIR`, `PHOENIX_PORT`, `PHOENIX_GRPC_PORT`, `PHOENIX_ENABLE_PROMETHEUS`', since: '4.0.0', where: 'server' },
    { what: 'ports 6006 (page, REST, OTLP over HTTP), 4317 (OTLP over gRPC), 9090 (metrics)', since: '4.0.0', where: 'server' },
    { what: 'its log says `Running migrations on the database` and what they do', since: '4.0.0', where: 'the wait for its start, and what keeps a deployment from cutting a migration off' },
    { what: 'alembic\'s scripts in `phoenix/db/migrations/versions`, SQLite in `phoenix.db` of the working directory', since: '4.0.0', where: 'a version that cannot open the database is refused' },
    { what: '`PHOENIX_SQL_DATABASE_URL` with `sslmode` and `sslrootcert`, and the package `asyncpg`; a transaction that PostgreSQL breaks off is tried again', since: '20.21.4', where: '`phoenix:database`', without: 'such a transaction may be lost' },
    { what: '`PHOENIX_HOST_ROOT_PATH`', since: '4.1.0', where: '`phoenix:rootUrl` with a path' },
    { what: '`PHOENIX_ENABLE_AUTH`, `PHOENIX_SECRET`', since: '4.22.0', where: '`phoenix:auth`' },
    { what: '`POST /auth/login`, `patchUser` over GraphQL', since: '5.0.0', where: 'first password' },
    { what: '`PHOENIX_USE_SECURE_COOKIES`, `PHOENIX_SMTP_…`, `PHOENIX_OAUTH2_…_CLIENT_ID`, `…_OIDC_CONFIG_URL`, `…_DISPLAY_NAME`', since: '5.0.0', where: '`phoenix:rootUrl`, `phoenix:smtp…`, `phoenix:oidc…`' },
    { what: '`PHOENIX_CSRF_TRUSTED_ORIGINS`', since: '5.2.2', where: '`phoenix:rootUrl`' },
    { what: 'its log says `Migrations completed`', since: '6.2.0', where: 'what keeps a deployment from cutting a migration off' },
    { what: '`PHOENIX_DEFAULT_ADMIN_INITIAL_PASSWORD`', since: '5.11.0', where: 'first password' },
    { what: '`PHOENIX_ADMINS`', since: '8.17.0', where: '`phoenix:admins`' },
    { what: '`PHOENIX_ROOT_URL`', since: '8.24.0', where: '`phoenix:rootUrl`' },
    { what: '`PHOENIX_ADMIN_SECRET`, a bearer token with all rights', since: '8.26.0', where: 'keys, checks' },
    { what: '`/readyz` answers 200 when it can store', since: '8.27.0', where: 'health check' },
    { what: '`patchProjectTraceRetentionPolicy` over GraphQL', since: '9.0.0', where: '`phoenix:retentionDays`' },
    { what: '`PHOENIX_DISABLE_BASIC_AUTH`, `PHOENIX_OAUTH2_…_ALLOW_SIGN_UP`, `…_AUTO_LOGIN`', since: '10.0.0', where: '`phoenix:basicAuth`, `phoenix:oidc…`' },
    { what: 'metrics `phoenix_span_queue_size`, `phoenix_bulk_loader_span_insertion_time_seconds`', since: '11.34.0', where: 'a change waits until everything is stored; check of the delivery' },
    { what: '`PHOENIX_OAUTH2_…_SCOPES`, `…_GROUPS_ATTRIBUTE_PATH`, `…_ALLOWED_GROUPS`', since: '12.4.0', where: '`phoenix:oidc…`' },
    { what: '`PHOENIX_OAUTH2_…_ROLE_ATTRIBUTE_PATH`, `…_ROLE_MAPPING`', since: '12.10.0', where: '`phoenix:oidc…`' },
    { what: '`PHOENIX_LDAP_…`', since: '12.20.0', where: '`phoenix:ldap…`' },
    { what: '`GET /v1/projects/…/spans?trace_id=`', since: '13.9.0', where: 'check of the delivery, `npm run verify`' },
    { what: 'API keys over REST (`/v1/system/api_keys`)', since: '18.1.0', where: 'keys of Alloy and of `phoenix:apiKeys`' },
    { what: '`PHOENIX_MAX_SPANS_QUEUE_SIZE`', since: '18.1.0', where: 'server' },
    { what: 'metrics `phoenix_bulk_loader_last_activity_timestamp_seconds`, `phoenix_bulk_loader_span_insertion_time_seconds_count`, `process_start_time_seconds`; 100 spans a transaction, the oldest first', since: '18.1.0', where: '`phoenix:journal`' },
    { what: 'metrics `phoenix_span_ingestion_failed_spans_total`, `phoenix_span_ingestion_unresolved_spans_total`', since: '20.22.0', where: '`phoenix:journal`', without: 'spans whose commit fails are lost' },
    { what: 'the packages `fastapi`, `uvicorn`, `openai`, `openinference-instrumentation-openai`, `opentelemetry-exporter-otlp-proto-http` and `phoenix.otel`', since: '20.26.1', where: '`example:enabled`', without: 'it was not tried' },
    { what: '`PHOENIX_TELEMETRY_ENABLED`, `PHOENIX_ALLOW_EXTERNAL_RESOURCES`, `PHOENIX_DISABLE_AGENT_ASSISTANT`, `PHOENIX_AGENTS_DISABLE_…`, `PHOENIX_ENABLE_MCP_SERVER`, `PHOENIX_ALLOWED_SANDBOX_PROVIDERS`, `PHOENIX_ENABLE_OAUTH2_AUTHORIZATION_SERVER`', since: '19.0.0', where: 'server: off, whatever the default', without: 'it does not have what the variable turns off' },
  ],
  alloy: [
    { what: 'entry point `/bin/alloy`, `bash` with `/dev/tcp`', since: '1.0.0', where: 'server, health check' },
    { what: 'user 473:473, who owns `/var/lib/alloy`', since: '1.0.0', where: 'server, the volume of the queue' },
    { what: '`--storage.path`, `--server.http.listen-addr`, `--stability.level`, `--disable-reporting`, `--server.http.enable-pprof`', since: '1.0.0', where: 'server' },
    { what: '`/-/ready` answers 200 when every component runs', since: '1.0.0', where: 'health check' },
    { what: '`local.file` with `is_secret`, `otelcol.auth.headers`, `otelcol.receiver.otlp`, `otelcol.exporter.otlphttp`, `…prometheus` and `…loki`', since: '1.0.0', where: 'configuration' },
    { what: 'exporters try 429, 502, 503, 504 and broken connections again, and `max_elapsed_time = "0s"` means forever', since: '1.0.0', where: 'configuration, gate' },
    { what: 'metric `otelcol_exporter_queue_size`, and the lines of its log about what was not delivered', since: '1.0.0', where: 'check of the delivery, `npm run verify`' },
    { what: 'metric `http_server_request_duration_seconds_count` with `http_request_method` and `http_response_status_code`', since: '1.11.0', where: '`npm run verify`', without: 'requests that Alloy refuses are not named' },
    { what: '`otelcol.processor.memory_limiter`', since: '1.0.0', where: 'what does not fit into memory is sent again' },
    { what: '`include_metadata` and `cors` in `otelcol.receiver.otlp`, `otelcol.processor.attributes` with `from_context`, `otelcol.processor.transform`', since: '1.0.0', where: 'the header `x-project-name`, `alloy:cors`' },
    { what: '`tls` with `cert_file`, `key_file` and `reload_interval` in `otelcol.receiver.otlp`; `chown`', since: '1.0.0', where: '`tls:certificate`' },
    { what: '`--server.http.disable-support-bundle`', since: '1.6.0', where: 'server' },
    { what: '`auth` in `otelcol.receiver.otlp` with `otelcol.auth.bearer`', since: '1.6.0', where: '`alloy:auth`' },
    { what: '`auth` with `basic` and `filter` in `http`, with a password from `local.file`', since: '1.9.0', where: 'login of its page' },
    { what: '`otelcol.connector.spanmetrics` with `aggregation_cardinality_limit`', since: '1.9.0', where: '`alloy:llmMetrics`' },
    { what: '`otelcol.storage.file` with `compaction` at `--stability.level=public-preview`, `sending_queue` with `storage` and `block_on_overflow`', since: '1.9.0', where: 'what waits on disk' },
    { what: '`sending_queue` with `storage` and a `sizer` of `bytes`', since: '1.11.0', where: 'limit of what waits on disk' },
    { what: '`batch` in `sending_queue`, in bytes, all four arguments given', since: '1.11.0', where: 'requests through a tunnel' },
    { what: 'the file of the queue is called `exporter_otlp_http_…`', since: '1.15.0', where: 'what waits on disk', without: 'it is `exporter_otlphttp_…`, which a newer one does not find' },
    { what: '`write_timeout` in `http` of `otelcol.receiver.otlp`', since: '1.18.0', where: 'senders that take long', without: 'there is no limit, and the configuration must leave it out' },
  ],
  gate: [
    { what: '`error_page` for 300 to 599 but 499, `access_log … if=`, `resolver … ipv6=off`, `proxy_request_buffering off`, `geo`', since: '1.7.11', where: 'configuration' },
    { what: '`grpc_pass`, HTTP/2, `set_real_ip_from`, `limit_conn`, in the build of the image', since: '1.13.10', where: 'what is published of Phoenix' },
    { what: '`auth_request`, `limit_req` with `limit_req_status`, `client_body_in_file_only`, `autoindex_format json`, in the build of the image', since: '1.7.9', where: 'gate of a stack at the edge: what is put aside' },
    { what: '`bash` with `/dev/tcp`, `/etc/ssl/certs/ca-certificates.crt`: in the images on Debian, not in those on Alpine', since: '1.9.11', where: 'health check, gate of a stack at the edge' },
    { what: '`ssl` and `http2` in one `listen`, TLS 1.3, `proxy_cookie_path` with variables; `chown`', since: '1.13.0', where: '`tls:certificate`' },
    { what: 'user 101:101, `nginx` on `PATH`', since: '1.17.0', where: 'server' },
    { what: 'the whole configuration was run', since: '1.18.0', where: 'gate' },
    { what: 'SIGQUIT as stop signal, which lets requests end', since: '1.19.5', where: 'a replaced gate', without: 'requests under way are cut, and Alloy sends them again' },
  ],
  tunnel: [
    { what: 'no shell, `cloudflared` on `PATH` and as entry point, user 65532:65532', since: '2019.12.0', where: 'connectors' },
    { what: '`TUNNEL_METRICS`, `TUNNEL_GRACE_PERIOD`, `NO_AUTOUPDATE`', since: '2019.8.4', where: 'connectors' },
    { what: '`cloudflared tunnel ready`', since: '2024.11.1', where: 'health check' },
    { what: '`TUNNEL_TOKEN_FILE`: the token is in no argument and no variable', since: '2025.4.0', where: 'connectors' },
  ],
  prometheus: [
    { what: '`prometheus` and `promtool` on `PATH`, `chown`; runs as 65534:65534 with a read-only root', since: '2.0.0', where: 'server' },
    { what: '`--storage.tsdb.retention.time`, `--storage.tsdb.retention.size`, `--web.cors.origin`', since: '2.7.0', where: 'bounds of what it stores' },
    { what: '`--web.enable-remote-write-receiver`', since: '2.33.0', where: 'Alloy writes to it' },
    { what: '`promtool check config`, `promtool query instant`', since: '2.0.0', where: 'check of the rules, health check' },
  ],
  grafana: [
    { what: '`sh`, `wget` and `chown`, and `/run.sh` as entry point: in the images on Alpine', since: '7.3.0', where: 'server, health check' },
    { what: 'user 472:0, who owns `/var/lib/grafana`; runs with a read-only root and a writable `/tmp`', since: '7.3.0', where: 'server, the volume of its database' },
    { what: '`GF_…` for every option, and `GF_SECURITY_ADMIN_PASSWORD__FILE` for a password in a file', since: '5.2.0', where: 'server' },
    { what: '`datasources` and `dashboards` in `/etc/grafana/provisioning`, `exemplarTraceIdDestinations` with a `url`', since: '7.4.0', where: 'data source, dashboards' },
    { what: '`prune` in the file of data sources', since: '11.1.0', where: 'data source' },
    { what: '`grafana cli admin reset-admin-password --password-from-stdin`', since: '11.1.0', where: 'password of the administrator' },
    { what: '`GF_PLUGINS_PREINSTALL_DISABLED`', since: '11.6.0', where: 'the plugin of the data source stays the one of the image', without: 'it does not have what the variable turns off' },
  ],
  victorialogs: [
    { what: 'one program as entry point, which runs as 65532:65532 with a read-only root', since: '1.0.0', where: 'server' },
    { what: '`-retention.maxDiskSpaceUsageBytes`, `-storage.minFreeDiskSpaceBytes`', since: '0.24.0', where: 'bounds of what it stores' },
    { what: '`trace_id` and `span_id` of log records that arrive by OTLP', since: '1.17.0', where: 'from a log record to its trace' },
    { what: 'the whole command line was run', since: '1.52.1', where: 'server' },
  ],
} as const satisfies Readonly<Record<string, readonly Reliance[]>>;
