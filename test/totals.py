# SPDX-License-Identifier: Apache-2.0
"""Add up what the stages of tools/test.sh counted, and print one closing line.

usage: totals.py FOLDER [FAILED STAGE …]

Read are pytest's and vitest's JUnit files (*.xml), cmocka's lines in meson's logs (*.testlog) and the closing line of
tools/fuzz.sh (fuzz.log). A failed stage in which no test failed (a build, say) counts as one failure.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def junit(path):
    """(passed, failed, skipped) of one JUnit file."""
    total = failed = skipped = 0
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return total - failed - skipped, failed, skipped


def cmocka(text):
    passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", text))
    failed = sum(int(n) for n in re.findall(r"\[  FAILED  \] (\d+) test", text))
    skipped = sum(int(n) for n in re.findall(r"\[  SKIPPED \] (\d+) test", text))
    return passed, failed, skipped


def closing(text):
    found = re.search(r"(\d+) passed, (\d+) failed", text)
    return (int(found[1]), int(found[2]), 0) if found else (0, 0, 0)


def main(folder, failed_stages):
    counts = []
    for path in sorted(pathlib.Path(folder).iterdir()):
        if path.suffix == ".xml":
            counts.append(junit(path))
        elif path.suffix == ".testlog":
            counts.append(cmocka(path.read_text(errors="replace")))
        elif path.name == "fuzz.log":
            counts.append(closing(path.read_text(errors="replace")))
    passed, failed, skipped = (sum(column) for column in zip(*counts)) if counts else (0, 0, 0)
    failed = max(failed, len(failed_stages))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
