#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Fuzz the parsers of hostile bytes: tools/fuzz.sh SECONDS_EACH [TARGET…]. Seeds are test/fuzz/corpus/TARGET; what
# libFuzzer finds new stays in build/fuzz/TARGET, an input that broke something in build/fuzz/broken-TARGET-….
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:?seconds for each target}
shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
	for path in build/asan/test/fuzz/fuzz_*; do
		[ -x "$path" ] && [ -f "$path" ] && targets+=("${path##*/fuzz_}")
	done
fi
[ ${#targets[@]} -gt 0 ] || {
	echo "fuzz: no targets are built in build/asan/test/fuzz" >&2
	exit 1
}
failed=0
for target in "${targets[@]}"; do
	mkdir -p "build/fuzz/$target"
	folders=("build/fuzz/$target")
	[ -d "test/fuzz/corpus/$target" ] && folders+=("test/fuzz/corpus/$target")
	log=build/fuzz/$target.log
	start=$SECONDS
	if "build/asan/test/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-artifact_prefix="build/fuzz/broken-$target-" "${folders[@]}" >"$log" 2>&1; then
		printf 'fuzz: %-20s clean, %s runs in %s s\n' "$target" \
			"$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log" | tail -n 1)" "$((SECONDS - start))"
	else
		printf 'fuzz: %-20s BROKEN\n' "$target"
		tail -n 40 "$log"
		failed=$((failed + 1))
	fi
done
echo "fuzz: $((${#targets[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
