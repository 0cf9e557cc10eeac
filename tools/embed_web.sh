#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Gzip the built web pages and write them as a C table (see embed.sh). Without a folder the table is empty.
#
#   tools/embed_web.sh OUTPUT.c FOLDER
set -eu
output=$1 folder=$2
packed=$output.packed
trap 'rm -rf "$packed"' EXIT
rm -rf "$packed"
mkdir "$packed"
if [ -d "$folder" ]; then
	(cd "$folder" && find . -type f) | sort | while IFS= read -r name; do
		mkdir -p "$packed/$(dirname "$name")"
		gzip -9 -n -c "$folder/$name" >"$packed/${name#./}"
	done
fi
sh "$(dirname "$0")/embed.sh" web_files "$output" "$packed" "$packed"
