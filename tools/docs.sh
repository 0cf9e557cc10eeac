#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Write docs/reference from the tables in the sources; --check only says whether it is stale.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 tools/reference.py "$@"
