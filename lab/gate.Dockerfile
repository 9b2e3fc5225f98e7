# The official nginx image where it matters to this stack: nginx on Debian with bash and all that comes with nginx, its logs on the container's
# output, user 101, SIGQUIT to stop. The build context is empty.
FROM lab/base:bookworm

ARG VERSION
# By number, so that the tag says the truth.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "nginx=$VERSION-*" "libnginx-mod-stream=$VERSION-*" \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
    && ln -sf /dev/stdout /var/log/nginx/access.log \
    && ln -sf /dev/stderr /var/log/nginx/error.log \
    && groupadd --system --gid 101 nginx \
    && useradd --system --uid 101 --gid 101 --home-dir /nonexistent --no-create-home --shell /bin/false nginx

EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
