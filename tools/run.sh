#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Start the server. Into a new data folder plays the demo, and goes on with one that was begun; beside it, the trainer
# is set up and built, while the pages are already live.
#
#   tools/run.sh DATA ADDRESS:PORT [serve]      serve: no demo, no set-up of the trainer
set -eu
data=$1 listen=$2 how=${3:-run}
gyre=build/gyre
demo=no playing='' setting_up=''
if [ "$how" = run ]; then
	if [ ! -e "$data/gyre.db" ] || [ -e "$data/demo/demo.json" ]; then demo=yes; fi
fi

GYRE_HOST=http://$listen
export GYRE_HOST
unset GYRE_TOKEN

start_server() {
	"$gyre" serve --data "$data" --listen "$listen" &
	server=$!
	[ "$demo" = no ] || echo "$server" >"$data/demo/server.pid"
}

# The last line of setup.log is shown by the demo; setup.log.failed says that there will be no trainer.
set_up_trainer() {
	rm -f "$data/demo/setup.log.failed"
	if tools/setup.sh trainer >"$data/demo/setup.log" 2>&1 && tools/build.sh trainer >>"$data/demo/setup.log" 2>&1; then
		return 0
	fi
	: >"$data/demo/setup.log.failed"
}

# shellcheck disable=SC2317  # called by the trap
stop_all() {
	[ -z "$playing" ] || kill -TERM "$playing" 2>/dev/null || true
	[ -z "$setting_up" ] || kill -TERM "$setting_up" 2>/dev/null || true
	kill -TERM "$server" 2>/dev/null || true
}
trap stop_all INT TERM

[ "$demo" = no ] || mkdir -p "$data/demo"
start_server
if [ "$demo" = yes ]; then
	set_up_trainer &
	setting_up=$!
	# It keeps our standard input, a terminal perhaps, for the key that kills the server.
	exec 3<&0
	"$gyre" demo --data "$data" --server "$data/demo/server.pid" --setup "$data/demo/setup.log" <&3 &
	playing=$!
fi

# A signal ends a wait early: the server is then finishing what it accepted. One that was killed (137), by the demo or
# by anybody else while it plays, is started again.
while :; do
	status=0
	wait "$server" || status=$?
	if kill -0 "$server" 2>/dev/null; then continue; fi
	if [ "$status" != 137 ] || [ -z "$playing" ] || ! kill -0 "$playing" 2>/dev/null; then break; fi
	start_server
done
exit "$status"
