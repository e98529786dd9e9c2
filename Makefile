# Two commands on a fresh machine (Rust, Python 3.11, Node, make): `make demo` and `make test`. The work is done by tests/setup/*.sh.

.DEFAULT_GOAL := help
.PHONY: help demo test lint proof soak bench fmt setup lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 15

demo: ## Airflow tasks fetch connections and variables through Valet, and read blobs without the account key; no cloud needed
	@tests/demo/demo.sh

test: ## all tests and lints (STEPS="faces canary" for some of them)
	@tests/setup/test.sh

lint: ## the lints alone
	@STEPS="fmt tools shellcheck ruff deny clippy environments mypy" tests/setup/test.sh

proof: ## longer proofs: fuzzing, other values beside AzureKeyVaultBackend, a crowd of tasks before a slow vault, advisories
	@tests/setup/run.sh machine rust environments fuzz differential-long crowd advisories canary

soak: ## Valet under load amid rotations and faults, MINUTES=30: no wrong answer, nothing grows
	@tests/setup/run.sh machine environments
	@cargo build --quiet --locked --workspace --all-targets
	@MINUTES=$${MINUTES:-30} tests/setup/steps/soak.sh

bench: ## latency and memory, release build
	@tests/setup/run.sh machine bench

fmt: ## format the sources
	@tests/setup/fmt.sh

setup: ## install the tools and the Python environments into target/tools
	@tests/setup/run.sh machine tools environments

lock: ## freeze the Python requirements as of today
	@tests/setup/lock.sh
