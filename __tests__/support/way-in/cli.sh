#!/bin/sh
# Stands in for the Pulumi CLI of the archive, in what the way in asks of it: its version, and the installation of a plugin,
# written after pkg/v3 3.259.0 (cmd/pulumi/plugin/plugin_install.go, pluginstorage/download.go) and sdk/v3 (workspace/plugins.go).
case "$1" in
  version) echo v@VERSION@; exit 0 ;;
  plugin) ;;
  *) echo "error: not in this stand-in: $*" >&2; exit 255 ;;
esac

name=$4 version=$5
label="$name-$version"
# The home is the one of the list of users, whatever HOME says.
folder="${PULUMI_HOME:-$(eval echo "~$(id -un)")/.pulumi}/plugins/resource-$name-v$version"
file="pulumi-resource-$name-v$version-linux-amd64.tar.gz"

# The CLI does not give up on a site that says nothing.
ask() { curl --disable --silent --show-error --location --dump-header "$1.head" --output "$1" --write-out '%{http_code}' "$2" 2>"$1.err"; }

echo "[resource plugin $label] installing" >&2
archive=$(mktemp "${TMPDIR:-/tmp}/pulumi-plugin-tarXXXXXXXXXX")
for attempt in 1 2 3 4 5; do
  for url in "https://github.com/pulumi/pulumi-$name/releases/download/v$version/$file" "https://get.pulumi.com/releases/plugins/$file"; do
    status=$(ask "$archive" "$url") || { [ "$status" = 200 ] && status=half; }
    [ "$status" = 200 ] && break
  done
  case "$status" in
    200)
      # The CLI counts, and what has no length has the length -1.
      grep -qi '^content-length: [1-9]' "$archive.head" && break
      echo "error: [resource plugin $label] downloading from : failed to download plugin: $label: expected -1 bytes but copied $(wc -c < "$archive" | tr -d ' ') when downloading plugin $label" >&2
      exit 255 ;;
    half) why='unexpected EOF' ;;
    000)
      why="Get \"$url\": $(cat "$archive.err")"
      grep -q 'SSL certificate' "$archive.err" && why="Get \"$url\": tls: failed to verify certificate: x509: certificate signed by unknown authority" ;;
    *) why="$status HTTP error fetching plugin from $url" ;;
  esac
  case "$status" in 403 | 404) echo "error: [resource plugin $label] downloading from : failed to download plugin: $label: $why" >&2; exit 255 ;; esac
  echo "warning: Error downloading plugin: $why" >&2
  echo "Will retry in 80ms [$attempt/5]" >&2
done
if [ "$status" != 200 ]; then
  echo "error: [resource plugin $label] downloading from : failed to download plugin: $label: failed all 5 attempts" >&2
  exit 255
fi
echo "Downloading plugin $label" >&2
root=${folder%/*}
if [ -e "$root" ] && [ ! -d "$root" ]; then why='not a directory'; elif ! mkdir -p "$root" 2> /dev/null; then why='permission denied'; else why=; fi
[ -z "$why" ] || { echo "error: installing [resource plugin $label] from : creating plugin root: mkdir $root: $why" >&2; exit 255; }
echo "Unpacking plugin $label" >&2
: > "$folder.lock"
: > "$folder.partial"
mkdir -p "$folder"
tar xzf "$archive" -C "$folder" || { echo "error: installing [resource plugin $label] from : unexpected EOF" >&2; exit 255; }
rm -f "$folder.partial" "$archive" "$archive.err" "$archive.head"
