#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that need more than a second: tidy, shellcheck, clang-tidy on the C sources.
set -euo pipefail
cd "$(dirname "$0")/.."

build/venv/bin/python test/tidy.py
shellcheck --severity=warning --exclude=SC1087 tools/*.sh .ci/run # SC1087: "$table[]" is C, not a shell array
tools/build.sh sanitized
mapfile -t files < <(find src -name '*.c' | sort)
checks='-*,bugprone-*,clang-analyzer-*,misc-redundant-expression,performance-*'
checks+=',-bugprone-easily-swappable-parameters,-bugprone-assignment-in-if-condition'
checks+=',-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'
clang-tidy --quiet -p build/asan --warnings-as-errors='*' --checks="$checks" "${files[@]}"
