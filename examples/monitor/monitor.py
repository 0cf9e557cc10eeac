#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tell gyre what a model said of an image: monitor.py IMAGE WIDTH HEIGHT."""

import base64
import json
import mimetypes
import os
import pathlib
import sys
import time
import urllib.error
import urllib.request

TRIES = 5


def your_model(path):
    """What it found: classes (keys of the version's labels), scores, boxes as [top, left, bottom, right] in pixels."""
    return {"detection_classes": [0], "detection_scores": [0.87], "detection_boxes": [[8, 6, 40, 30]]}


def report(host, token, deployment, path, width, height, predictions, latency_s, key, source="example"):
    """Send it, again if need be, and return the answer."""
    body = {
        "filename": path.name,
        "content_type": "IMAGE/PNG" if mimetypes.guess_type(path.name)[0] == "image/png" else "IMAGE/JPEG",
        "width": width,
        "height": height,
        "latency": latency_s,
        "raw_predictions": predictions,
        "image": base64.b64encode(path.read_bytes()).decode(),
        "source": source,
        "timestamp": time.time(),
    }
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
    request = urllib.request.Request(
        f"{host}/api/deployment/{deployment}/predictions", json.dumps(body).encode(), headers, method="POST"
    )
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as refused:
            if refused.code not in (429, 503) or not left:
                raise SystemExit(f"{refused.code}: {json.load(refused)['message']}") from None
            time.sleep(float(refused.headers.get("Retry-After", 1)))
        except urllib.error.URLError as gone:  # no answer: the key makes sending it again safe
            if not left:
                raise SystemExit(f"{host}: {gone.reason}") from None
            time.sleep(1)


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    path = pathlib.Path(sys.argv[1])
    before = time.perf_counter()
    predictions = your_model(path)
    latency_s = time.perf_counter() - before
    settings = [os.environ[name] for name in ("GYRE_HOST", "GYRE_TOKEN", "GYRE_DEPLOYMENT")]
    answer = report(*settings, path, int(sys.argv[2]), int(sys.argv[3]), predictions, latency_s, f"{path.name}-1")
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
