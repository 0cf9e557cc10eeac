#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Build one kind of the program:
#
#   tools/build.sh release     gcc, optimised, in build/release; build/gyre points to it
#   tools/build.sh sanitized   clang, ASan + UBSan, tests and fuzz targets, in build/asan
#   tools/build.sh gcc         gcc, ASan + UBSan, tests, in build/gcc-asan
#   tools/build.sh tsan        clang, TSan, tests, in build/tsan
#   tools/build.sh trainer     gyre-train, which needs libtorch, in build/trainer
#
# The pages (web/) are built first when one of their sources is newer than the result.
set -euo pipefail
cd "$(dirname "$0")/.."

# `meson setup` once; afterwards ninja notices by itself when a build file changed.
configured() {
	local folder=$1
	shift
	[ -f "$folder/build.ninja" ] || meson setup "$folder" "$@" >/dev/null || {
		tail -n 30 "$folder/meson-logs/meson-log.txt" >&2
		exit 1
	}
}

newer_than() {
	find web api -path web/node_modules -prune -o -path web/dist -prune -o -type f -newer "$1" -print -quit
}

build_pages() {
	[ -f web/package.json ] || return 0
	if [ -f web/dist/index.html ] && [ -z "$(newer_than web/dist/index.html)" ]; then return 0; fi
	echo "build: the pages (web/)"
	(cd web && npm run --silent build)
	touch web/dist/index.html
}

kind=${1:?which: release, sanitized, gcc, tsan or trainer}
[ "$kind" = trainer ] || build_pages
case $kind in
release)
	folder=build/release
	CC=${CC:-gcc} configured $folder --buildtype=release -Ddebug=true -Dtests=false
	;;
sanitized)
	folder=build/asan
	CC=clang configured $folder -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true -Doptimization=1 \
		-Dc_args=-fsanitize=fuzzer-no-link
	;;
gcc)
	folder=build/gcc-asan
	CC=gcc configured $folder -Db_sanitize=address,undefined -Doptimization=1
	;;
tsan)
	folder=build/tsan
	CC=clang configured $folder -Db_sanitize=thread -Db_lundef=false -Doptimization=1
	;;
trainer)
	folder=build/trainer
	configured $folder trainer
	;;
*)
	echo "build: unknown kind \"$kind\"; known are release, sanitized, gcc, tsan, trainer" >&2
	exit 1
	;;
esac
echo "build: $kind, in $folder"
# Ninja's chatter is worth reading only when it fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! ninja -C "$folder" >"$log" 2>&1; then
	tail -n 60 "$log" >&2
	exit 1
fi
if [ "$kind" = release ]; then ln -sfn release/gyre build/gyre; fi
