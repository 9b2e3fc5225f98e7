#!/bin/bash
# Written by Pulumi from templates/alloy/start.sh.mustache; a change by hand is gone with the next deployment.
#
# Starts Alloy on the queue that it has. A file of the queue that it cannot read is put aside: Alloy would end, or panic at
# every request, for ever. Signals and the end of Alloy are passed on.
set -u

queue=/var/lib/alloy/queue
damaged=/var/lib/alloy/damaged
unreadable=/tmp/unreadable

say() {
	TZ=UTC printf 'ts=%(%FT%TZ)T level=warn msg="%s"\n' -1 "$1" >&2
}

# The name of a file has the exporter's type in it, which Alloy 1.15 changed. What waits under the other name waits on under this one.
for other in "$queue"/exporter_otlphttp_otelcol.*; do
	[[ -e $other ]] || continue
	file=$queue/exporter_otlp_http_${other#"$queue"/exporter_otlphttp_}
	if [[ -e $file ]]; then
		say "$other is of another version of Alloy and stays: $file is there too"
	else
		mv -- "$other" "$file" && say "the queue goes on from $other"
	fi
done

# Passes the log of Alloy on, and notes what it says of a file that it cannot read. Some damage ends Alloy with a trace of
# bbolt, the queue's database; some is one line, after which Alloy runs on without the exporter.
read_log() {
	local line
	while IFS= read -r line; do
		printf '%s\n' "$line" >&2
		case $line in
		go.etcd.io/bbolt*) : >"$unreadable" ;;
		*'failed to start scheduled component'*'otelcol.exporter.'*'invalid database'*)
			: >"$unreadable"
			kill -USR1 $$
			;;
		esac
	done
}

# Which file it is, Alloy does not say. The largest holds what waits; the others are nearly always empty.
put_aside() {
	local file
	file=$(ls -S -- "$queue" | grep -m 1 '^exporter_') || return 1
	mkdir -p -- "$damaged" || return 1
	TZ=UTC printf -v aside '%(%Y%m%dT%H%M%SZ)T' -1
	mv -- "$queue/$file" "$damaged/$aside-$file" || return 1
	say "Alloy cannot read $queue/$file: it is put aside as $damaged/$aside-$file, and the queue begins anew"
}

stop() {
	stopping=yes
	kill -TERM "$alloy" 2>/dev/null
}

alloy=
stopping=
trap stop TERM INT
trap 'kill -TERM "$alloy" 2>/dev/null' USR1

crashes=0
while :; do
	rm -f -- "$unreadable"
	started=$SECONDS
	exec {log}> >(trap '' TERM INT; read_log)
	reader=$!
	/bin/alloy "$@" 2>&"$log" {log}>&- &
	alloy=$!
	exec {log}>&-
	# A signal ends `wait`, not Alloy. The last one gives the status of Alloy itself.
	while wait "$alloy"; kill -0 "$alloy" 2>/dev/null; do :; done
	wait "$alloy"
	status=$?
	wait "$reader"

	[[ -z $stopping && -e $unreadable ]] || exit "$status"
	# Once may be chance: a disk that did not answer. What is damaged shows at the start.
	((SECONDS - started > 60)) && crashes=0
	crashes=$((crashes + 1))
	if ((crashes > 1)); then
		put_aside || exit "$status"
	fi
done
