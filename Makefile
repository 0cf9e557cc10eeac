# SPDX-License-Identifier: Apache-2.0
# The menu of verbs. `make` prints it; each verb installs what it misses, or names it.

LISTEN ?= $(or $(GYRE_LISTEN),127.0.0.1:8080)
DATA ?= var

.PHONY: help run serve trainer build test bench nightly fuzz lint format docs clean

help: ## print this menu
	@printf 'make VERB, one of:\n\n'
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' Makefile | expand -t 12
	@printf '\nmake run, make serve: LISTEN=address:port (or GYRE_LISTEN), DATA=folder; make fuzz: T=target, SECONDS_EACH=n\n'

run: ## install what is missing, build, start the server on ./var and print the login link; an empty folder gets the demo
	@tools/setup.sh build web
	@tools/build.sh release
	@exec tools/run.sh "$(DATA)" "$(LISTEN)"

serve: ## the same without the demo
	@tools/setup.sh build web
	@tools/build.sh release
	@exec tools/run.sh "$(DATA)" "$(LISTEN)" serve

trainer: ## gyre-train, which trains models, and libtorch that it needs (125 MB); make run does it beside the demo
	@tools/setup.sh trainer
	@tools/build.sh trainer

build: ## the server and its pages, optimised, as build/gyre
	@tools/setup.sh build web
	@tools/build.sh release

test: ## everything that a change must pass (8 minutes on 2 cores)
	@tools/test.sh

bench: ## what a prediction costs, against the bare ONNX Runtime loop
	@tools/setup.sh build web bench
	@tools/build.sh release
	@tools/bench.sh

nightly: ## the long runs: 200 kills, 500 swaps, a minute of fuzzing a target, TSan, bench
	@tools/test.sh nightly

fuzz: ## fuzz every parser of hostile bytes (T=one target, SECONDS_EACH=60)
	@tools/setup.sh build test fuzz
	@tools/build.sh sanitized
	@tools/fuzz.sh "$(or $(SECONDS_EACH),60)" $(T)

lint: ## tidy, clang-tidy, shellcheck
	@tools/setup.sh build web test lint
	@tools/lint.sh

format: ## lay all C sources out by .clang-format
	@tools/setup.sh lint
	@tools/format.sh

docs: ## write docs/reference from the tables in the sources
	@tools/docs.sh

clean: ## remove what was built; keep what was fetched (build/deps, build/venv) and the data in ./var
	@rm -rf build/release build/asan build/gcc-asan build/tsan build/gyre build/logs build/screenshots web/dist
