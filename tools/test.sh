#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Build and run all tests, stage by stage, with a headline and the seconds of each.
#
#   tools/test.sh              what a change must pass (`make test`)
#   tools/test.sh ci           the same with longer runs, and trainer, format, docs, TSan, black-box tests under ASan (.ci/run)
#   tools/test.sh nightly      the long runs
#   tools/test.sh … STAGE      only the stages named (see the list at the end of this file)
#
# Output of each stage is kept in build/logs. A stage that fails does not stop the others, but a build that fails does.
# shellcheck disable=SC2317  # the stages are called through stage()
set -uo pipefail
cd "$(dirname "$0")/.." || exit

mode=quick
case ${1:-} in quick | ci | nightly)
	mode=$1
	shift
	;;
esac
only=("$@")
logs=build/logs
rm -rf "$logs"
mkdir -p "$logs"
failed=()
began=$SECONDS

# How long the long runs are: at once, for a change, over night.
pick() { case $mode in quick) echo "$1" ;; ci) echo "$2" ;; nightly) echo "$3" ;; esac }
export GYRE_KILLS=${GYRE_KILLS:-$(pick 8 20 250)}
export GYRE_SWAPS=${GYRE_SWAPS:-$(pick 10 20 500)}
export GYRE_CORRECTIONS=${GYRE_CORRECTIONS:-$(pick 16 30 30)}
export GYRE_REPLAYS=${GYRE_REPLAYS:-$(pick 40 100 2000)}
export GYRE_SCHEDULES=${GYRE_SCHEDULES:-$(pick 40 60 10000)}
export GYRE_ROUNDTRIPS=${GYRE_ROUNDTRIPS:-$(pick 3 10 200)}
export GYRE_CLEAN_IMAGES=${GYRE_CLEAN_IMAGES:-$(pick 100000 100000 2000000)}
export GYRE_REVIEWS=${GYRE_REVIEWS:-$(pick 200 500 2000)}
fuzz_seconds=${FUZZ_SECONDS:-$(pick 2 3 60)}
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:detect_stack_use_after_return=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}

# stage NAME COMMAND…: run it, keep its output, print how it went.
stage() {
	local name=$1 start=$SECONDS rc=0
	shift
	if [ ${#only[@]} -gt 0 ] && [[ " ${only[*]} " != *" $name "* ]]; then return 0; fi
	printf '\n== %s\n' "$name"
	"$@" 2>&1 | tee "$logs/$name.log" || rc=1
	if [ $rc -eq 0 ]; then
		printf '== %s: ok, %s s\n' "$name" "$((SECONDS - start))"
	else
		printf '== %s: FAILED, %s s (%s)\n' "$name" "$((SECONDS - start))" "$logs/$name.log"
		failed+=("$name")
	fi
	return $rc
}

finish() {
	printf '\n'
	[ ${#failed[@]} -eq 0 ] || printf 'failed stages: %s\n' "${failed[*]}"
	printf 'all stages: %s s\n' "$((SECONDS - began))"
	python3 test/totals.py "$logs" "${failed[@]}"
	exit $((${#failed[@]} > 0))
}

unit() {
	meson test -C "$1" --print-errorlogs --num-processes 2 --timeout-multiplier 3
	local rc=$?
	cp "$1/meson-logs/testlog.txt" "$logs/unit-$(basename "$1").testlog"
	return "$rc"
}

pages() {
	(cd web && npm run --silent check &&
		npm test --silent -- --reporter=dot --reporter=junit --outputFile.junit="../$logs/pages.xml")
}

# Two files at a time: half of what these tests do is wait.
black_box() {
	local name=$1
	shift
	pytest_run "$name" --numprocesses 2 --dist loadfile "$@"
}

pytest_run() {
	local name=$1
	shift
	build/venv/bin/python -m pytest -c test/pytest.ini --rootdir test --junitxml "$logs/$name.xml" "$@"
}

house_rules() {
	build/venv/bin/python test/tidy.py && pytest_run tidy test/test_tidy.py
}

# The same tests on the sanitized binary: all of them, or those that send the most hostile bytes.
asan_black_box() {
	local files=(test/http/test_images.py test/http/test_http.py test/http/test_registry.py test/http/test_sdk.py)
	if [ "$mode" != quick ]; then
		files=(test/http --ignore-glob "test/http/test_browser*")
		files+=(--ignore test/http/test_check.py --ignore test/http/test_swap.py)
	fi
	GYRE_BIN=build/asan/gyre GYRE_SWAPS=10 black_box black-box-asan "${files[@]}"
}

parts=(build web test)
[ "$mode" = quick ] || parts+=(lint trainer)
stage set-up tools/setup.sh "${parts[@]}" || finish
[ "$mode" != nightly ] || export GYRE_TRAIN_LONG=1
stage house-rules house_rules
stage release tools/build.sh release || finish
stage sanitized tools/build.sh sanitized || finish
[ "$mode" = quick ] || { stage trainer tools/build.sh trainer && stage trainer-test black_box trainer test/trainer; }
stage unit unit build/asan
[ ! -f web/package.json ] || stage pages pages
stage fuzz tools/fuzz.sh "$fuzz_seconds"
stage black-box black_box black-box test/http
stage black-box-asan asan_black_box
stage crash pytest_run crash test/crash
if [ "$mode" != quick ]; then
	stage format tools/format.sh --check
	stage docs tools/docs.sh --check
	stage tsan tools/build.sh tsan && stage unit-tsan unit build/tsan
fi
if [ "$mode" = nightly ]; then
	stage gcc tools/build.sh gcc && stage unit-gcc unit build/gcc-asan
	stage bench tools/bench.sh
	stage bench-drift tools/bench.sh drift
	stage bench-watch build/venv/bin/python test/bench/bench_watch.py
	stage bench-watch-cost build/venv/bin/python test/bench/bench_watch_cost.py
	stage bench-loop build/venv/bin/python test/bench/bench_loop.py
fi
finish
