#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a prediction costs: the arguments are those of test/bench/bench.py.
set -euo pipefail
cd "$(dirname "$0")/.."
exec build/venv/bin/python test/bench/bench.py "$@"
