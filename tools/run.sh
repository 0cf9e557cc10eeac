#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Start the server; into a new data folder bring the sample model and a few predictions, so that there is something to see.
#
#   tools/run.sh DATA ADDRESS:PORT
set -eu
data=$1 listen=$2
gyre=build/gyre
fresh=yes
[ ! -e "$data/gyre.db" ] || fresh=no

"$gyre" serve --data "$data" --listen "$listen" &
server=$!
trap 'kill -TERM "$server" 2>/dev/null || true' INT TERM

GYRE_HOST=http://$listen
export GYRE_HOST

# It answers within a second; a minute is for a machine that is busy with something else.
answers() {
	tries=0
	while [ "$tries" -lt 300 ]; do
		kill -0 "$server" 2>/dev/null || return 1
		if [ -r "$data/admin-token" ]; then
			GYRE_TOKEN=$(cat "$data/admin-token")
			export GYRE_TOKEN
			"$gyre" model list >/dev/null 2>&1 && return 0
		fi
		tries=$((tries + 1))
		sleep 0.2
	done
	return 1
}

bring_sample() {
	"$gyre" sample "$data/sample" >/dev/null
	"$gyre" model push "$data/sample/model.onnx" --name sample --type detection \
		--labels "$data/sample/labels.txt" >/dev/null
	"$gyre" model recipe confirm sample >/dev/null
	"$gyre" deploy sample --name first-light --threshold 0.3 >/dev/null
	"$gyre" predict first-light "$data/sample/scenes" >/dev/null
	echo "The sample model is deployed as \"first-light\" and has answered about 12 drawn scenes. Ctrl-C stops the server."
}

if [ "$fresh" = yes ] && answers; then
	bring_sample || echo "The sample could not be brought; the server runs all the same." >&2
fi
status=0
wait "$server" || status=$?
# A signal ends the first wait early: the server is then finishing what it accepted.
if kill -0 "$server" 2>/dev/null; then
	status=0
	wait "$server" || status=$?
fi
exit "$status"
