# Every target sets up what it needs: Debian packages, a virtual environment in .venv, the extensions.
.DEFAULT_GOAL := help
.PHONY: help dev run test test-all test-dahdi test-sanitize check fix fuzz bench perf perf-link soak clean

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
BIN := .venv/bin
SECONDS ?=
SOURCES := $(shell find drivers firmware emulators -name '*.pyx' -o -name '*.c' -o -name '*.h' -o -name '*.pxd')

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/' | expand -t 12

# Debian packages: what runs needs, and the third-party peers that the tests compare with
DEBIAN_RUN := gcc libc6-dev libudev1 libusb-1.0-0 python3-dev python3-venv
DEBIAN_TEST := erlang-asn1 erlang-base ffmpeg libosmocore19 libpri1.4 libspandsp2 multimon-ng sox tshark umockdev
DEBIAN_DAHDI := busybox-static cpio dahdi-dkms kmod linux-headers-amd64 linux-image-amd64 make qemu-system-x86
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo)
define debian
	@missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing Debian packages:" $$missing; \
	  { $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; } > /tmp/osrec-apt.log 2>&1 \
	    || { cat /tmp/osrec-apt.log; echo "could not install them; install by hand: apt-get install" $$missing; exit 1; }; \
	fi
	@mkdir -p .venv && touch $@
endef

.venv/debian-run:
	$(call debian,$(DEBIAN_RUN))

.venv/debian-test:
	$(call debian,$(DEBIAN_TEST))

.venv/debian-dahdi:
	$(call debian,$(DEBIAN_DAHDI))

.venv/installed: pyproject.toml | .venv/debian-run
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; say make PYTHON=python3.11"; exit 1; }
	@[ -x $(BIN)/pip ] || { echo "making the virtual environment .venv ..."; $(PYTHON) -m venv .venv; }
	@echo "installing Python packages (a minute or two the first time):"
	@$(BIN)/pip install --quiet --disable-pip-version-check 'pip>=25.1' 2> .venv/pip.log || { cat .venv/pip.log; exit 1; }
	@$(BIN)/pip install --disable-pip-version-check --group dev $$($(BIN)/python -c "$$REQUIREMENTS") 2> .venv/pip.log \
	  | sed -un 's/^Collecting \([^ ]*\).*/  \1/p' || { cat .venv/pip.log; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2> .venv/pip.log \
	  || { cat .venv/pip.log; exit 1; }
	@touch $@

# what the product itself needs, from pyproject.toml
define REQUIREMENTS
import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"])
endef
export REQUIREMENTS

.venv/built: .venv/installed setup.py $(SOURCES)
	@echo "building the Cython extensions:"
	@$(BIN)/python setup.py build_ext --inplace --parallel 2 2>&1 | tee .venv/build.log | sed -un 's/^\(\[[0-9/]*\]\) Cythonizing/  \1/p' \
	  || { cat .venv/build.log; exit 1; }
	@touch $@

dev: .venv/built ## virtual environment with everything built

run: .venv/built ## emulated PBX and recorder; SECONDS=60 stops after a minute and compares all audio; SIGNALLING=dss1|qsig|cas
	@$(BIN)/osrec-emulate demo $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SIGNALLING),--signalling $(SIGNALLING)) --directory run

test: .venv/built .venv/debian-test ## all tests
	@$(BIN)/pytest -n 2 --dist worksteal

test-all: .venv/installed .venv/debian-test ## all tests with bounds checks in the extensions
	@OSREC_CHECKED=1 $(BIN)/python setup.py --quiet build_ext --inplace --force --parallel 2
	@$(BIN)/pytest -n 2 --dist worksteal; status=$$?; rm -rf .venv/built build; find drivers -name '*.so' -delete; exit $$status

test-dahdi: .venv/built .venv/debian-dahdi ## the DAHDI line on the real kernel driver, in a virtual machine: minutes
	@OSREC_DAHDI=1 $(BIN)/pytest tests/dahdi -p no:xdist

ROUNDS ?= 300
test-sanitize: .venv/debian-run ## the C kernels under ASan and UBSan; ROUNDS
	@tests/sanitize/run.sh $(ROUNDS)

check: .venv/built ## format, lint, types, import rules
	@$(BIN)/ruff format --check --quiet . || { echo "make fix formats"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

fix: .venv/built ## format, and mend what can be mended by rule
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

.venv/fuzz: pyproject.toml | .venv/installed
	@$(BIN)/pip install --quiet --disable-pip-version-check --group fuzz
	@touch $@

TARGETS ?=
fuzz: .venv/built .venv/fuzz ## decoders under octets chosen by the code they reach; SECONDS of each, TARGETS="q921 access"
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(TARGETS)

bench: .venv/built ## speed, each against a peer in the same run
	@$(BIN)/pytest tests/bench --benchmark-only --benchmark-columns=min,median,rounds -p no:xdist
	@$(BIN)/python -m tests.bench.cost_of_lines docs/e1-cost.svg

perf: .venv/built ## 30 calls for 10 minutes: CPU and memory of the recorder over time
	@$(BIN)/osrec-emulate demo --seconds 600 --calls 30 --steady --directory run-perf --measure

perf-link: .venv/built ## CSTA link: 1,000 events a second for a minute, 5,000 devices monitored
	@$(BIN)/osrec-emulate measure-link --directory run-link --events 1000 --seconds 60 --devices 5000 $(if $(ENCODING),--encoding $(ENCODING))

MINUTES ?= 30
STEPS ?= 200000
SEED ?= 1
soak: .venv/built ## half an hour of PBX time in each encoding with everything going wrong, other sites, random call flows; MINUTES, STEPS, SEED
	@OSREC_SOAK_MINUTES=$(MINUTES) OSREC_SOAK_STEPS=$(STEPS) OSREC_SOAK_SEED=$(SEED) $(BIN)/pytest -n 2 -v -rP --timeout 0 \
	  tests/scenario/test_soak.py tests/scenario/test_soak_link.py tests/property/test_tracker_model.py

clean: ## remove everything that was built or recorded here
	@rm -rf .venv build run run-perf run-link *.egg-info; find drivers -name '*.so' -delete
