# What a person would type, under short names.

VENV := .venv
CLOUD := .venv-cloud
SAM := $(VENV)/bin/sam
DENY := target/tools/bin/cargo-deny
MUTANTS := target/tools/bin/cargo-mutants
export SAM_CLI_TELEMETRY := 0
# SAM hands the credentials that it finds on to the function that it runs.
NOBODY := AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_SESSION_TOKEN=local AWS_REGION=us-east-1

.PHONY: run help test test-server test-client cloud-test cloud-build lint client wire version build release deploy invoke model soak states fuzz bench bench-attack bench-groups bench-start bench-cold bench-peers import deny audit mutants prove clean screenshot

run: ## everything on this machine
	cargo run

help: ## what there is
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

test: test-server test-client ## all tests

test-server: $(VENV)/ready ## the server and the laptop twin
	$(NOBODY) $(VENV)/bin/python -W ignore tests/template/test_invoke.py
	cargo build --workspace --bins
	AWS_LAMBDA_RIE="$$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64)" \
		cargo test --workspace --lib --test hongyan --test numbers -- --include-ignored

test-client: client/node_modules/ready ## the client and its demos, against the laptop twin and in Chromium
	cargo build --workspace --bin hongyan
	@command -v chromium >/dev/null || test -n "$$CHROMIUM" || $(MAKE) chromium
	cd client && npm run --silent check && npm test --silent

cloud-test: cloud-build $(CLOUD)/ready client/node_modules/ready ## deployed into an emulator of AWS: plain, and with IAM enforced; the API for business servers on the twin as well
	cargo build --workspace --bin hongyan
	SAM=$(CURDIR)/$(SAM) $(CLOUD)/bin/pytest tests/cloud $(CLOUD_TESTS)

cloud-build: $(VENV)/ready ## the functions as cloud-test deploys them, which is not optimized
	SAM_BUILD_MODE=debug CARGO_PROFILE_DEV_STRIP=true PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(SAM) build --build-dir target/cloud

lint: $(VENV)/ready ## format, clippy, docs, template, the figures of docs/cost.md
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint --template cloudfront.yaml
	$(VENV)/bin/cfn-lint template.yaml cloudfront.yaml tables.yaml
	cd docs && python3 cost.py --check && python3 -m unittest --quiet test_cost

client: client/node_modules/ready ## the client's one file, which is committed
	cd client && npm run --silent build

wire: ## what follows from the code and docs/protocol.md: the client's types, the table of codes, events of new actions
	UPDATE=1 cargo test --package hongyan-shared --lib -- the_client_has_these_types the_protocol_explains_these_codes
	UPDATE=1 cargo test --package hongyan-tests --test hongyan every_route_and_function_has_an_event

version: ## the version of Cargo.toml, wherever else it stands
	UPDATE=1 cargo test --package hongyan-tests --test hongyan there_is_one_version
	$(MAKE) client

screenshot: client/node_modules/ready ## the picture in the README
	cd client && SCREENSHOT=1 node --import tsx --test test/web.test.ts

build: $(VENV)/ready ## the Lambda functions, as they are deployed
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(SAM) build

# The folder that `sam deploy` takes, and the package that `npm install` takes. docs/release.md says how each is checked.
ARTEFACTS := target/artefacts
release: build client/node_modules/ready ## what a release consists of, in target/artefacts
	rm -rf $(ARTEFACTS) && mkdir -p $(ARTEFACTS)
	cd client && npm pack --silent --pack-destination $(CURDIR)/$(ARTEFACTS)
	@set -e; version=$$(sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml); folder=$(ARTEFACTS)/hongyan-$$version; \
		cp -R .aws-sam/build $$folder && cp samconfig.toml cloudfront.yaml tables.yaml CHANGELOG.md LICENSE $$folder; \
		tar -czf $$folder.tar.gz -C $(ARTEFACTS) hongyan-$$version && rm -rf $$folder
	cd $(ARTEFACTS) && sha256sum *.tgz *.tar.gz | tee SHA256SUMS

deploy: build ## into the account of your AWS credentials
	$(SAM) deploy --guided

invoke: ## one built function with its event, in Docker, on the tables of a twin that runs: make invoke F=SendMessage E=send-message
	$(NOBODY) $(SAM) local invoke $(F) --event events/$(E).json

model: ## 1 000 sequences of actions, others each time, against the model of them
	HONGYAN_CASES=$(or $(CASES),1000) cargo test --package hongyan-tests --test hongyan the_server_does_what_the_model_says -- --nocapture

soak: ## 10 000 sends into a database that fails
	HONGYAN_SENDS=10000 cargo test --package hongyan-tests --test hongyan a_database_that_fails

states: ## the model of numbers, further than in the tests; figures are in docs/proofs.md
	HONGYAN_STATES=1 cargo test --package hongyan-numbers -- --nocapture --test-threads 1

FUZZ := 1000000

fuzz: ## bent signatures, frames and cursors, as many of each of five kinds as FUZZ says; figures are in docs/proofs.md
	HONGYAN_FUZZ=$(FUZZ) cargo test --profile bench --package hongyan-shared --lib hostile

bench: ## UserSig and twin; figures are in docs/benchmarks.md
	cargo bench --package hongyan-tests --bench usersig --bench chat

bench-attack: ## what ten users notice of one who attacks from 16 devices; figures are in docs/benchmarks.md
	cargo bench --package hongyan-tests --bench attack

bench-groups: ## what a message costs and takes in groups, and where many write; figures are in docs/benchmarks.md
	cargo bench --package hongyan-tests --bench groups -- $(ONLY)

bench-start: ## how long a client takes from login to ready, and what it moves; figures are in docs/benchmarks.md
	cargo build --profile bench --workspace --bin hongyan
	cd client && npm ci && npm run build && HONGYAN=$(CURDIR)/target/release/hongyan node --import tsx bench/start.ts

import: ## a million messages into the twin by an import that is killed twice, while users chat; figures are in docs/benchmarks.md
	cargo build --profile bench --package hongyan-local --bin hongyan
	HONGYAN_IMPORT=$(or $(MESSAGES),1000000) cargo test --profile bench --package hongyan-tests --test hongyan \
		messages_are_there_once -- --include-ignored --nocapture

# What Debian calls the servers, and their way to SQLite. Nothing else here needs them, and no test does.
PEERS := prosody lua-dbi-sqlite3 ejabberd erlang-p1-sqlite3

bench-peers: ## the twin beside Prosody and ejabberd with archives, by one load; figures are in docs/benchmarks.md
	@dpkg-query --show $(PEERS) || { echo "Install them: apt-get install $(PEERS). Their services need not run."; exit 1; }
	ulimit -n $$(ulimit -Hn) && cargo bench --package hongyan-tests --bench peers -- $(ONLY)

bench-cold: build ## size and start of each release binary
	cargo build --workspace --bins
	mkdir -p target/release-binaries
	for function in .aws-sam/build/*/bootstrap; do \
		name=$$(basename $$(dirname $$function) | sed 's/\(.\)\([A-Z]\)/\1-\2/g' | tr A-Z a-z); \
		cp $$function target/release-binaries/$$name; \
	done
	HONGYAN_BINARIES=$(CURDIR)/target/release-binaries \
		AWS_LAMBDA_RIE="$$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64)" \
		cargo test --package hongyan-tests lambda -- --include-ignored --nocapture

deny: $(DENY) ## licences and origins of what we depend on
	$(DENY) --locked check --hide-inclusion-graph licenses bans sources

audit: $(DENY) client/node_modules/ready ## its known weaknesses as well; needs the advisories' databases, which are in the network
	$(DENY) --locked check --hide-inclusion-graph
	cd client && npm audit

# Shorter episodes where ten of a minute have no room.
prove: FOR ?= 3600
prove: ## an hour of users and groups while everything breaks, and a check of what they saw: docs/proofs.md. make prove FOR=60 is a minute
	cargo run --package hongyan-prove -- run --seconds $(FOR) --episode $$(($(FOR) < 600 ? 16 : 60))

# The tests that each mutant of functions has to pass, first without one. What is left out needs other programs, or is slow
# and about what a frame costs.
FUNCTIONS_TESTS := -- --skip cli:: --skip lambda:: --skip gateway:: --skip worst_frames

mutants: $(MUTANTS) ## the code, broken in every small way: all of shared, a tenth of functions; what comes of it is in docs/proofs.md
	mkdir -p target/mutants/shared target/mutants/functions
	$(MUTANTS) mutants --package hongyan-shared --output target/mutants/shared --cargo-arg=--lib
	cargo test --package hongyan-functions --package hongyan-tests --lib --test hongyan $(FUNCTIONS_TESTS)
	$(MUTANTS) mutants --package hongyan-functions --output target/mutants/functions --baseline skip --timeout 1200 \
		--shard 3/10 --sharding round-robin --test-package hongyan-functions,hongyan-tests \
		--cargo-arg=--lib --cargo-arg=--test=hongyan -- $(FUNCTIONS_TESTS)

clean: ## all that was built, and the data of the twin
	rm -rf target .aws-sam $(VENV) $(CLOUD) .hongyan client/node_modules \
		client/dist/types client/dist/plugins client/dist/index.mjs client/dist/basic.js client/dist/standard.js client/dist/professional.js

# SAM, and cargo-lambda with its cross compiler: versions that are known to work together.
$(VENV)/ready: Makefile
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check aws-sam-cli==1.170.0 cargo-lambda==1.9.2
	touch $@

# Not optimized: it looks at one lock file, and is built in half a minute on two cores that way.
$(DENY): Makefile
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --debug --locked --root target/tools cargo-deny@0.20.2
	touch $@

# Not optimized either: what takes time is what it runs.
$(MUTANTS): Makefile
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --debug --locked --root target/tools cargo-mutants@27.1.0
	touch $@

# The emulator of AWS, which needs other versions of the same libraries.
$(CLOUD)/ready: tests/cloud/requirements.txt
	python3 -m venv $(CLOUD)
	$(CLOUD)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

client/node_modules/ready: client/package-lock.json
	cd client && npm ci --no-audit --no-fund
	touch $@

# The browser of the page's tests, with fonts for what users write. Elsewhere set CHROMIUM to one that is there.
.PHONY: chromium
chromium:
	@test "$$(id -u)" = 0 || { echo "Install chromium, or set CHROMIUM to where one is."; exit 1; }
	apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends chromium fonts-noto-cjk fonts-noto-color-emoji
