#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Write files as a C table of struct embedded_file (src/base/embed.h), to be linked into the binary.
#
#   tools/embed.sh TABLE OUTPUT.c FOLDER FILE...
#
# declares `const struct embedded_file TABLE[]` and `const size_t TABLE_count`. Names are relative to FOLDER;
# a FILE that is a folder stands for all files below it, sorted by name.
set -eu
LC_ALL=C
export LC_ALL

[ $# -ge 4 ] || { echo "usage: embed.sh TABLE OUTPUT.c FOLDER FILE..." >&2; exit 2; }
table=$1 output=$2
folder=$(cd "$3" && pwd -P)
shift 3

written=$output.new
rows=$output.rows
trap 'rm -f "$written" "$rows"' EXIT
: >"$rows"
number=0

embed_file() {
	path=$(cd "$(dirname "$1")" && pwd -P)/$(basename "$1") # the build system may name FOLDER and FILE differently
	name=${path#"$folder"/}
	[ "$name" != "$path" ] || { echo "embed.sh: $1 is not below $folder" >&2; exit 1; }
	case $name in *[\"\\]*) echo "embed.sh: $1: quotes and backslashes cannot be in a name" >&2; exit 1 ;; esac
	printf 'static const unsigned char file_%d[] = {\n' "$number" >>"$written"
	od -An -v -tu1 "$1" | sed 's/[0-9][0-9]*/&,/g' >>"$written"
	printf '0};\n' >>"$written"
	printf '\t{"%s", file_%d, sizeof(file_%d) - 1},\n' "$name" "$number" "$number" >>"$rows"
	number=$((number + 1))
}

{
	echo "/* Written by tools/embed.sh. */"
	echo "#include \"base/embed.h\""
	echo "extern const struct embedded_file $table[];"
	echo "extern const size_t ${table}_count;"
} >"$written"
for file; do
	if [ -d "$file" ]; then
		find "$file" -type f | sort >"$output.list"
		while IFS= read -r found; do embed_file "$found"; done <"$output.list"
		rm -f "$output.list"
	else
		[ -r "$file" ] || { echo "embed.sh: $file cannot be read" >&2; exit 1; }
		embed_file "$file"
	fi
done
{
	echo "const struct embedded_file $table[] = {"
	cat "$rows"
	[ "$number" -gt 0 ] || echo "	{\"\", (const unsigned char *)\"\", 0},"
	echo "};"
	echo "const size_t ${table}_count = $number;"
} >>"$written"
mv "$written" "$output"
