# Two commands matter to a user: `make demo` and `make test`. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
APT := DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends
TEST_PACKAGES := busybox-static docker.io containerd runc docker-registry skopeo umoci podman crun \
	mmdebstrap zsh fish openssh-client iproute2 nftables libnftables1 procps tini python3-venv
PEER_PACKAGES := gcc libc6-dev libseccomp-dev pkg-config
VM_PACKAGES := qemu-system-x86 mmdebstrap cpio e2fsprogs
install = dpkg -s $(1) >/dev/null 2>&1 || { apt-get update -q && $(APT) $(1); }

.PHONY: demo test test-long check bench clean packages vm vm-packages conformance \
	conformance-ci conformance-clients conformance-peers

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --require-hashes -r requirements.lock
	$(BIN)/pip install -q --no-deps -e . --config-settings editable_mode=compat
	$(BIN)/python -m compileall -q wherry  # the command line starts in half the time
	touch $@

$(VENV)/dev: $(VENV)/installed requirements-dev.lock
	$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	touch $@

demo: $(VENV)/installed  ## run the main job on a private root, and clean up
	@$(BIN)/python demo/demo.py

packages:  ## Debian packages that the tests drive
	@$(call install,$(TEST_PACKAGES))

test: packages $(VENV)/dev  ## every test but the long ones; ARGS for pytest
	$(BIN)/python -m pytest tests $(ARGS)

vm-packages:  ## Debian packages that make and run the virtual machine
	@$(call install,$(VM_PACKAGES))

vm: vm-packages $(VENV)/dev  ## a small Debian with systemd and cgroup version 2; ARGS for tests/vm/run.py
	$(BIN)/python tests/vm/run.py $(ARGS)

test-long: packages $(VENV)/dev  ## what takes minutes: Debian with its servers, installed by apt; ARGS for pytest
	$(BIN)/python -m pytest -m long tests $(ARGS)

conformance-clients: packages $(VENV)/dev  ## other people's clients, into a cache: needs go and npm
	$(BIN)/python -m tests.conformance.clients

conformance-peers: packages $(VENV)/dev  ## the newest dockerd, into the same cache: minutes of go
	@$(call install,$(PEER_PACKAGES))
	nice $(BIN)/python -m tests.conformance.clients peers

conformance-ci: conformance-clients  ## the engine under clients in other languages: Compose, crane, ...
	$(BIN)/python -m pytest -m clients tests/conformance

conformance: conformance-clients conformance-peers  ## that, and the engine beside the newest dockerd
	$(BIN)/python -m pytest -m "clients or peers" tests/conformance

check: $(VENV)/dev  ## format, lint, types, the house rules and unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/house tests/unit

bench: packages $(VENV)/dev  ## side by side with peers, in one run; ARGS=--quick for a short one
	$(BIN)/python -m bench.compare $(ARGS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
