# Grafana uses the password file only when it creates its database, and the database may be older than the password.
if [ -f "/var/lib/grafana/grafana.db" ]; then
  grafana cli --homepath "$GF_PATHS_HOME" --config "$GF_PATHS_CONFIG" admin reset-admin-password --password-from-stdin < "/etc/grafana-secrets/admin-password" ||
    echo 'The password of the administrator is an older one.' >&2
fi
exec /run.sh
