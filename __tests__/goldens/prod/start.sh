#!/bin/bash
# Written by Pulumi from templates/alloy/start.sh.mustache; a change by hand is gone with the next deployment.
#
# Starts Alloy on the queue that it has. A file of the queue that it cannot read is put aside: Alloy would end, or panic at
# every request, for ever. SIGTERM and SIGINT are passed on to Alloy, and its status is the one of this program.
set -u

alloy=
stopping=
failed=

stop() {
	stopping=yes
	[[ -z $alloy ]] || kill -TERM "$alloy" 2>/dev/null
}

# Before anything else: the first process of a container is ended by no signal that it does not take.
trap stop TERM INT
trap 'failed=yes; kill -TERM "$alloy" 2>/dev/null' USR1

queue=/var/lib/alloy/queue
damaged=/var/lib/alloy/damaged
unreadable=/tmp/unreadable

say() {
	TZ=UTC printf 'ts=%(%FT%TZ)T level=warn msg="%s"\n' -1 "$1" >&2
}

# What was put aside for nothing is back, and an empty folder would say the opposite.
rmdir -- "$damaged" 2>/dev/null

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
	local line trace=yes
	while IFS= read -r line; do
		printf '%s\n' "$line" >&2
		case $line in
		'fatal error: fault') ;;
		# What follows shows every goroutine, whatever it was at.
		'fatal error: '*) trace= ;;
		go.etcd.io/bbolt*) [[ -z $trace ]] || : >"$unreadable" ;;
		*'failed to start scheduled component'*'component_id=otelcol.exporter.'*)
			case $line in
			*'invalid database'* | *'checksum error'* | *'version mismatch'* | *'file size too small'*) : >"$unreadable" ;;
			esac
			kill -USR1 $$
			;;
		esac
	done
}

declare -A tried=()
suspect=
all=

# Which file it is, Alloy does not say. Each is put aside alone, the smallest first, and put back where that did not help;
# then all of them are.
put_aside() {
	local file
	mkdir -p -- "$damaged" || return 1
	if [[ -n $suspect ]]; then
		file=${suspect#*-}
		mv -f -- "$damaged/$suspect" "$queue/$file" || return 1
		say "$queue/$file is put back: Alloy does not start without it either"
		suspect=
	fi
	while IFS= read -r file; do
		[[ -z ${tried[$file]-} ]] || continue
		tried[$file]=yes
		aside "$file" || return 1
		suspect=$name
		return 0
	done < <(ls -rS -- "$queue" | grep '^exporter_')
	# Without any of them it has failed before.
	[[ -z $all ]] || return 1
	all=yes
	for file in "$queue"/exporter_*; do
		aside "${file##*/}" || return 1
	done
}

aside() {
	TZ=UTC printf -v name '%(%Y%m%dT%H%M%SZ)T-%s' -1 "$1"
	mv -- "$queue/$1" "$damaged/$name" || return 1
	say "a file of the queue cannot be read: $queue/$1 is put aside as $damaged/$name"
}

crashes=0
while [[ -z $stopping ]]; do
	rm -f -- "$unreadable"
	failed=
	started=$SECONDS
	exec {log}> >(trap '' TERM INT; read_log)
	reader=$!
	/bin/alloy "$@" 2>&"$log" {log}>&- &
	alloy=$!
	exec {log}>&-
	# A signal may have come before there was an Alloy to pass it to.
	[[ -z $stopping ]] || kill -TERM "$alloy" 2>/dev/null
	# A signal ends `wait`, not Alloy. The last one gives the status of Alloy itself.
	while wait "$alloy"; kill -0 "$alloy" 2>/dev/null; do :; done
	wait "$alloy"
	status=$?
	alloy=
	wait "$reader"

	[[ -z $stopping ]] || exit "$status"
	if [[ ! -e $unreadable ]]; then
		# An exporter that did not start, on a full disk for one, may start the next time.
		[[ -z $failed ]] || exit 1
		exit "$status"
	fi
	if ((SECONDS - started > 60)); then
		crashes=0 suspect= all=
		tried=()
	fi
	# Once may be chance: a disk that did not answer. What is damaged shows at the start.
	crashes=$((crashes + 1))
	if ((crashes > 1)); then
		put_aside || exit 1
	fi
done
