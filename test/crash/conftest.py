# SPDX-License-Identifier: Apache-2.0
"""The crash tests use the fixtures and the harness of test/http."""

import os
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))
import harness  # noqa: E402


@pytest.fixture
def fresh(tmp_path):
    """A server of the test's own. Not started."""
    made = harness.Server(tmp_path / "server")
    yield made
    made.kill()


@pytest.fixture
def chance():
    """Randomness with a printed seed; GYRE_SEED repeats a run."""
    seed = int(os.environ.get("GYRE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"GYRE_SEED={seed}")
    return random.Random(seed)
