#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a prediction costs: the arguments are those of test/bench/bench.py. Or, `drift [ORDERS]`: what drift and outliers say of
# real pictures that change (test/bench/bench_drift.c).
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = drift ]; then
	shift
	ninja -C build/release test/bench/bench_drift
	exec build/release/test/bench/bench_drift "$@"
fi
exec build/venv/bin/python test/bench/bench.py "$@"
