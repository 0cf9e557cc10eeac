#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Install what a part of the work needs and this machine lacks. Quick when nothing is missing.
#
#   tools/setup.sh [build|web|test|fuzz|bench|lint|trainer] …      (nothing given: build web)
#
# Debian packages are installed with apt-get (as root, or through sudo). What Debian 12 has only in its newer suite
# (yyjson, the ONNX Runtime header) is unpacked into build/deps, without changing the system; the ONNX Runtime library
# comes from the npm package onnxruntime-node, pinned by hash in tools/onnxruntime/package-lock.json. Python
# packages for the tests live in build/venv.
#
# DEPS and VENV name other folders than build/deps and build/venv.
set -euo pipefail
cd "$(dirname "$0")/.."

DEPS=${DEPS:-build/deps}
VENV=${VENV:-build/venv}
DEPS_STAMP="yyjson onnxruntime-header onnxruntime-library-1.30.0 layout-1"

build_packages=(gcc libc6-dev make meson ninja-build pkg-config ca-certificates
	libmicrohttpd-dev libjpeg62-turbo-dev libspng-dev libwebp-dev libsqlite3-dev libsodium-dev libssl-dev
	"libcurl4-openssl-dev|libcurl4-gnutls-dev" zlib1g-dev
	libexpat1-dev libyaml-dev libzip-dev)
test_packages=(libcmocka-dev clang libclang-rt-14-dev llvm clang-format chromium strace python3-venv fonts-dejavu-core)
fuzz_packages=(clang libclang-rt-14-dev llvm)
lint_packages=(clang-tidy clang-format shellcheck)
trainer_packages=(g++ libtorch-dev libopenblas0-pthread)

say() { printf 'setup: %s\n' "$*"; }
die() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

# Run a command; show its output only when it fails. Twice, since a mirror may hiccup.
quietly() {
	local log
	log=$(mktemp)
	if "$@" >"$log" 2>&1 || { sleep 2 && "$@" >"$log" 2>&1; }; then
		rm -f "$log"
		return 0
	fi
	if [ "$(wc -l <"$log")" -le 60 ]; then cat "$log" >&2; else { head -n 20 "$log" && echo … && tail -n 40 "$log"; } >&2; fi
	rm -f "$log"
	return 1
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

can_install() { [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }

# ---- Debian packages -----------------------------------------------------------------------------------------------

# Prints those of the names given that are not installed; "a|b" is there when one of the two is, and named a otherwise.
missing_packages() {
	local installed name alternative found
	installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^ii //p')
	installed=$'\n'$installed$'\n'
	for name in "$@"; do
		found=
		for alternative in ${name//|/ }; do
			[[ $installed == *$'\n'"$alternative"$'\n'* ]] && found=1
		done
		[ -n "$found" ] || printf '%s\n' "${name%%|*}"
	done
}

node_is_there() {
	command -v node >/dev/null && command -v npm >/dev/null &&
		[ "$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge 18 ]
}

apt_updated=
apt_update() {
	[ -z "$apt_updated" ] || return 0
	say "reading Debian's package lists"
	quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get update || die "apt-get update failed (see above)."
	apt_updated=1
}

# " (125 MB to download, 512 MB on the disk)" of packages with all that they need; nothing where apt does not say.
size_of() {
	LC_ALL=C apt-get install --no-install-recommends --assume-no "$@" 2>/dev/null | sed -n '
		s|^Need to get \(.*\) of archives.*| (\1 to download,|p
		s|^After this operation, \(.*\) of additional disk space.*| \1 on the disk)|p' | tr -d '\n' || true
}

# What apt reports of its way becomes a line at each tenth.
say_progress() {
	local kind percent what last=
	while IFS=: read -r kind _ percent _; do
		case $kind in dlstatus) what=downloading ;; pmstatus) what=installing ;; *) continue ;; esac
		percent=${percent%.*}
		[ "$what $((percent / 10))" = "$last" ] || say "$what, $percent %"
		last="$what $((percent / 10))"
	done
}

# As quietly, but apt's way is told. sudo would close the descriptor.
with_progress() {
	if [ "$(id -u)" = 0 ]; then quietly "$@" -o APT::Status-Fd=3 3> >(say_progress); else quietly "$@"; fi
}

install_packages() {
	local missing
	mapfile -t missing < <(missing_packages "$@")
	if ! node_is_there && [[ " ${parts[*]} " =~ \ (build|web|test)\  ]]; then missing+=(nodejs npm); fi
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		die "this is no Debian system; please install what these packages hold: ${missing[*]}"
	can_install || die "these packages are missing: ${missing[*]}
setup: this user may not install them. As root, run:
setup:   apt-get update && apt-get install --no-install-recommends ${missing[*]}"
	apt_update
	say "installing ${#missing[@]} packages: ${missing[*]}$(size_of "${missing[@]}")"
	with_progress as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		-o Dpkg::Use-Pty=0 "${missing[@]}" || die "apt-get could not install all of: ${missing[*]}"
	node_is_there || die "Node.js 18 or newer is needed; found $(node --version 2>/dev/null || echo none)."
}

# ---- build/deps ----------------------------------------------------------------------------------------------------

# The address of the mirror this system uses, from apt itself.
# shellcheck disable=SC2016  # $(SITE) is apt's
mirror() {
	local site
	site=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 2>/dev/null | head -n 1)
	[ -n "$site" ] || site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | head -n 1)
	printf '%s' "$site"
}

# Fetch packages of the newer suite into folder $1, with lists and caches of our own.
fetch_from_newer_suite() {
	local folder=$1 site
	shift
	mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
	site=$(mirror)
	if [ -z "$site" ] && can_install; then
		apt_update
		site=$(mirror)
	fi
	[ -n "$site" ] || die "apt knows no Debian mirror here: check the system's sources (/etc/apt)."
	printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$site" \
		>"$folder/sources.list"
	local options=(-o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache"
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
		-o APT::Get::List-Cleanup=0 -o APT::Sandbox::User=root -o Acquire::Languages=none
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
		-o Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled=false
		-o Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled=false)
	quietly apt-get "${options[@]}" update || die "the package lists of the newer Debian suite could not be read."
	(cd "$folder" && quietly apt-get "${options[@]}" download "$@") || die "could not download: $*"
}

unpack_debian_deps() {
	local work=$1 deb
	say "fetching yyjson and the ONNX Runtime header (Debian's newer suite) into $DEPS"
	mkdir -p "$work/debs" "$work/root"
	fetch_from_newer_suite "$work/debs" libyyjson-dev libyyjson0 libonnxruntime-dev
	for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$work/root"; done
	mkdir -p "$work/deps/include" "$work/deps/lib" "$work/deps/licences"
	cp "$work/root/usr/include/yyjson.h" "$work/deps/include/"
	cp -r "$work/root/usr/include/onnxruntime" "$work/deps/include/"
	cp -P "$work/root/usr/lib"/*/libyyjson.so* "$work/deps/lib/"
	for deb in libyyjson0 libonnxruntime-dev; do
		cp "$work/root/usr/share/doc/$deb/copyright" "$work/deps/licences/$deb"
	done
}

unpack_onnxruntime() {
	local work=$1 arch library
	arch=$(node -p process.arch)
	say "fetching the ONNX Runtime library (npm package onnxruntime-node) into $DEPS"
	mkdir -p "$work/npm"
	cp tools/onnxruntime/package.json tools/onnxruntime/package-lock.json tools/onnxruntime/.npmrc "$work/npm/"
	(cd "$work/npm" && quietly npm ci --ignore-scripts --no-audit --no-fund --no-progress) ||
		die "npm could not fetch the pinned onnxruntime-node package."
	library=$(find "$work/npm/node_modules/onnxruntime-node/bin" -path "*/linux/$arch/libonnxruntime.so.1" | head -n 1)
	[ -n "$library" ] || die "onnxruntime-node has no library for linux/$arch."
	mv "$library" "$work/deps/lib/libonnxruntime.so.1"
	cp "$work/npm/node_modules/onnxruntime-node/package.json" "$work/deps/licences/onnxruntime-node.package.json"
}

fill_deps() {
	if [ "$(cat "$DEPS/.stamp" 2>/dev/null || true)" = "$DEPS_STAMP" ]; then return 0; fi
	local parent work
	parent=$(dirname "$DEPS")
	mkdir -p "$parent"
	work=$(mktemp -d "$(cd "$parent" && pwd)/deps.new.XXXXXX")
	# shellcheck disable=SC2064  # the name is wanted as it is now
	trap "rm -rf '$work'" EXIT
	unpack_debian_deps "$work"
	unpack_onnxruntime "$work"
	printf '%s\n' "$DEPS_STAMP" >"$work/deps/.stamp"
	rm -rf "$DEPS"
	mv "$work/deps" "$DEPS"
	rm -rf "$work"
	trap - EXIT
}

# ---- Node and Python packages --------------------------------------------------------------------------------------

fill_web() {
	[ -f web/package-lock.json ] || return 0
	local stamp
	stamp="$(sha256sum <web/package-lock.json) $(node --version)"
	if [ "$(cat web/node_modules/.stamp 2>/dev/null || true)" = "$stamp" ]; then return 0; fi
	say "installing the web part's packages (npm ci)"
	# Newer npm takes a lock file for stale when it lacks optional packages of other systems, which not every
	# registry has; npm install then does the same from the same lock file.
	(cd web && { npm ci --no-audit --no-fund --no-progress >/dev/null 2>&1 ||
		quietly npm install --no-save --no-audit --no-fund --no-progress; }) ||
		die "npm could not install the packages of web/ (see above)."
	printf '%s\n' "$stamp" >web/node_modules/.stamp
}

fill_venv() {
	local stamp python=/usr/bin/python3
	stamp=$(sha256sum <test/requirements.txt)
	if [ "$(cat "$VENV/.stamp" 2>/dev/null || true)" = "$stamp" ]; then return 0; fi
	[ -x "$python" ] || python=python3
	say "installing the Python packages of the tests into $VENV"
	[ -x "$VENV/bin/pip" ] || "$python" -m venv "$VENV" || die "$python cannot make a virtual environment."
	quietly "$VENV/bin/pip" install --disable-pip-version-check --progress-bar off -r test/requirements.txt ||
		die "pip could not install test/requirements.txt (see above)."
	printf '%s\n' "$stamp" >"$VENV/.stamp"
}

# ---- main ----------------------------------------------------------------------------------------------------------

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(build web)
packages=()
for part in "${parts[@]}"; do
	case $part in
	build) packages+=("${build_packages[@]}") ;;
	web) ;;
	test | bench) packages+=("${test_packages[@]}") ;;
	fuzz) packages+=("${fuzz_packages[@]}") ;;
	lint) packages+=("${lint_packages[@]}") ;;
	trainer) packages+=("${trainer_packages[@]}") ;;
	*) die "unknown part \"$part\"; known are build, web, test, fuzz, bench, lint, trainer." ;;
	esac
done
install_packages "${packages[@]}"
for part in "${parts[@]}"; do
	case $part in
	build) fill_deps ;;
	web) fill_web ;;
	test | bench) fill_venv ;;
	esac
done
