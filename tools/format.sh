#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lay the C sources out by .clang-format; with --check only say which are not, and exit 1 then.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(find src test examples -name '*.[ch]' | sort)
[ ${#files[@]} -gt 0 ] && command -v clang-format >/dev/null || {
	echo "format: clang-format or the sources are missing" >&2
	exit 1
}
if [ "${1:-}" != --check ]; then
	clang-format -i "${files[@]}"
	exit
fi
bad=0
for file in "${files[@]}"; do
	if ! clang-format "$file" | cmp -s - "$file"; then
		echo "format: $file is not laid out by .clang-format"
		bad=$((bad + 1))
	fi
done
[ "$bad" -eq 0 ] || echo "format: $bad of ${#files[@]} files; \`make format\` lays them out" >&2
[ "$bad" -eq 0 ]
