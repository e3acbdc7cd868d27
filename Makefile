# SPDX-License-Identifier: Apache-2.0
#
# Short targets. Each does what `make help` says and prints what it runs. Builds lie in
# build/<preset>; see CMakePresets.json.

BUILD ?= build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
SECONDS ?= 60
MINUTES ?= 30
export BUILD JOBS

# Configures a preset when it is new or changed, and builds it; CMake notices new files.
define build
	@test $(BUILD)/$(1)/build.ninja -nt CMakePresets.json || \
		cmake --fresh --preset $(1) -B $(BUILD)/$(1)
	cmake --build $(BUILD)/$(1) -j $(JOBS)
endef

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

# --- to use it ---------------------------------------------------------------------
.PHONY: setup build demo
setup: ## Install the packages that building and testing need, if any is missing
	@scripts/setup.sh build

build: setup ## Build the library, the tool and the tests (build/dev)
	$(call build,dev)

demo: release ## Update a virtual device over a link, cut its power, drop its link
	scripts/demo.sh

# --- to be sure of it --------------------------------------------------------------
.PHONY: test test-dev test-sweeps test-asan test-long
test: test-dev test-sweeps test-asan ## All tests with gcc, then with clang's sanitizers

test-dev: build
	ctest --test-dir $(BUILD)/dev --output-on-failure -j $(JOBS) -LE long

test-sweeps: release # the power-cut sweeps, in the fastest build
	ctest --test-dir $(BUILD)/release --output-on-failure -j $(JOBS) -L sweep

test-asan: setup
	$(call build,asan)
	ctest --test-dir $(BUILD)/asan --output-on-failure -j $(JOBS) -LE long

test-long: release ## The long sweeps: see powercut-long
	ctest --test-dir $(BUILD)/release --output-on-failure -j $(JOBS) -L long

.PHONY: board board-test board-test-long microbit-test bench-board
board: release ## The device programs for an emulated Cortex-M4 board (build/ast1030)
	@scripts/setup.sh board
	scripts/fetch_bearssl_source.sh
	$(call build,ast1030)

board-test: board ## Run them under QEMU: update, refuse, roll back, kill, cut
	scripts/board_test.sh

board-test-long: board ## The same with 3,000 kills and a cut at every flash operation
	scripts/board_test.sh --kills 3000 --cut-step 1

microbit-test: release ## The same on an emulated Cortex-M0: an update in 12 KiB of RAM
	@scripts/setup.sh board
	scripts/fetch_bearssl_source.sh
	$(call build,microbit)
	scripts/microbit_test.sh

bench-board: board ## Sizes, stack, instructions and speed on the emulated board
	$(call build,ast1030-bench)
	scripts/board_bench.sh

.PHONY: powercut powercut-long
powercut: release ## Cut the power everywhere; REPLAY=id shows one run
ifdef REPLAY
	$(BUILD)/release/tests/powercut --replay $(REPLAY)
else
	$(BUILD)/release/tests/powercut
endif

powercut-long: release ## The same on the real maps, and every closure on every twin (long)
	$(BUILD)/release/tests/powercut --long

.PHONY: fuzz fuzz-long interop coverage docs-check
fuzz-long: setup ## Fuzz every target for MINUTES=30 of processor time each
	$(call build,fuzz)
	scripts/fuzz_long.sh $(MINUTES)

fuzz: setup ## Fuzz every parser, SECONDS=60 in all; fails on any crash
	$(call build,fuzz)
	scripts/fuzz.sh $(SECONDS)

interop: release ## Exchange packages and messages with foreign tools (needs network)
	scripts/interop.sh

coverage: setup ## Lines and branches of the device library that the tests reach
	@scripts/setup.sh coverage
	$(call build,coverage)
	scripts/coverage.sh $(BUILD)/coverage

docs-check: release ## Run the documents' commands, compare their lists with the code
	@scripts/setup.sh docs
	scripts/docs_check.sh

# --- to keep it clean --------------------------------------------------------------
.PHONY: lint format freestanding
lint: build ## Layout, clang-tidy, cppcheck, layers, freestanding, words
	@scripts/setup.sh lint device
	scripts/check_format.sh
	scripts/check_words.sh
	scripts/check_layers.sh
	scripts/check_codes.sh
	scripts/check_cppcheck.sh
	scripts/check_tidy.sh
	scripts/check_freestanding.sh

format: ## Lay out all C files with clang-format
	@scripts/setup.sh lint
	scripts/check_format.sh --write

freestanding: ## Build the library for Cortex-M0+ and M4 and check what it needs
	@scripts/setup.sh build device
	scripts/check_freestanding.sh

# --- to measure it -----------------------------------------------------------------
.PHONY: bench size
bench: release ## Bytes written, sectors erased, bytes sent again, per profile
	$(BUILD)/release/tests/bench

size: freestanding ## Code, RAM and stack on Cortex-M0+ and M4
	@scripts/setup.sh size
	scripts/size.sh

# --- used by the others --------------------------------------------------------------
.PHONY: release clean
release: setup
	$(call build,release)

clean: ## Remove everything that was built
	rm -rf $(BUILD)
