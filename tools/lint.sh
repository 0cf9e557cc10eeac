#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that need more than a second: tidy, shellcheck, clang-tidy on the C sources.
set -euo pipefail
cd "$(dirname "$0")/.."

build/venv/bin/python test/tidy.py
mapfile -t scripts < <(git ls-files -co --exclude-standard -- 'tools/*.sh' .ci/run 'test/*.sh')
shellcheck --severity=warning "${scripts[@]}"
tools/build.sh sanitized
mapfile -t files < <(git ls-files -- 'src/*.c')
checks='-*,bugprone-*,clang-analyzer-*,misc-redundant-expression,performance-*'
checks+=',-bugprone-easily-swappable-parameters,-bugprone-assignment-in-if-condition'
checks+=',-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'
clang-tidy --quiet -p build/asan --warnings-as-errors='*' --checks="$checks" "${files[@]}"
