#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tell gyre what a model said of an image: monitor.sh IMAGE WIDTH HEIGHT.
set -eu
image=$1 width=$2 height=$3

# Your model: classes (keys of the version's labels), scores, boxes as [top, left, bottom, right] in pixels.
predictions='{"detection_classes": [0], "detection_scores": [0.87], "detection_boxes": [[8, 6, 40, 30]]}'
latency=0.012

# The body goes through a pipe: an image is too long for a command line. A key of its own makes each retry the same prediction.
{
	printf '{"filename": "%s", "content_type": "IMAGE/JPEG", "width": %s, "height": %s, "latency": %s, ' \
		"$(basename "$image")" "$width" "$height" "$latency"
	printf '"raw_predictions": %s, "source": "example", "image": "' "$predictions"
	base64 "$image" | tr -d '\n'
	printf '"}'
} | curl --silent --show-error --fail-with-body --max-time 30 --retry 5 --data-binary @- \
	--header "Authorization: Bearer $GYRE_TOKEN" --header "Content-Type: application/json" \
	--header "Idempotency-Key: $(basename "$image")-1" \
	"$GYRE_HOST/api/deployment/$GYRE_DEPLOYMENT/predictions"
