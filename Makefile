# The whole daily vocabulary. `make` alone explains it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
AUDITS := control-plane/tests/http/audits
.PHONY: help run test check generate bench bench-media fuzz

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

run: ## Start everything on this machine, with a demo brand (ARGS="--workers 4 --no-demo" …)
	@deploy/local/packages
	cargo build --workspace --bins
	@exec target/debug/reelmill up $(ARGS)

test: $(AUDITS)/node_modules ## Run every test against a private Postgres and RabbitMQ (ARGS="name of a test")
	@deploy/local/packages
	cargo build --workspace --bins
	target/debug/reelmill dev-services -- cargo test --workspace $(ARGS) | deploy/local/totals

$(AUDITS)/node_modules: $(AUDITS)/package-lock.json
	@command -v npm >/dev/null || { echo "Node.js is missing: the tests audit GraphQL over HTTP with it. Install Node 18 or newer (https://nodejs.org), then try again." >&2; exit 1; }
	npm ci --prefix $(AUDITS) --no-audit --no-fund --loglevel error
	@touch $@

check: ## Formatting, lints, and whether the generated files fit the code
	@deploy/local/packages
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	cargo clippy --manifest-path fuzz/Cargo.toml --target-dir target --locked -- --deny warnings
	deploy/local/generate --check

generate: ## Rewrite .sqlx and schema.graphql from the code
	@deploy/local/packages
	deploy/local/generate

bench: ## Measure, and print the figures as JSON lines (ARGS="publish_job recovery" …)
	@deploy/local/packages
	cargo build --workspace --bins --release
	target/release/reelmill dev-services --measured -- cargo bench --workspace --bench figures -- $(ARGS)

bench-media: ## Measure the media engine beside ffmpeg, libvips and ImageMagick (ARGS="reel clip photos" …)
	@deploy/local/packages libvips-tools imagemagick
	cargo bench --package media --bench peers -- $(ARGS)

fuzz: ## Run thousands of damaged files through the jailed engine (ARGS="--mutations 5000 --seed 7", "--seed 7 --only 12" …)
	@deploy/local/packages
	FUZZ_ARGS="$(or $(ARGS),--mutations 2000 --seed 1)" cargo test --package media --test engine -- --exact --nocapture \
		fuzz::damaged_and_lying_files_cost_nothing_but_their_own_job
