# Every target sets itself up, and those that operate the platform are one line each around ./vet (docs/commands.md). Written for any make (GNU 3.81 of macOS included) and any POSIX shell.
RUN = sh scripts/run
REPORTS = .cache/tests
YES = $(if $(AUTO_APPROVE),--yes)

# What may be given on the command line. Recipes take a value from their environment ("$${ENV-}"), where no shell looks into
# it; make itself would run what is in $(shell ...), so a value that was given stands for itself. $(if ...) is for switches.
VARIABLES = ADOPT ASSUME AUTO_APPROVE BACK BACKUP CHANGED DAYS DETAILS DISK DRY_RUN EMAIL ENV EVERYWHERE FILL FORCE FROM GIVE_UP IMAGE LOSE N NAMESPACE ONCE PLATFORMS PROGRAMS ROLE SEED \
  SHORT SNAPSHOT STEP TAKE TO TUNNEL VERSION
$(foreach name,$(VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),\
  $(eval override $(name) := $$(value $(name)))$(eval export $(name))))

.DEFAULT_GOAL := help
.PHONY: help synth test test-unit test-boot test-schedules test-apply test-platform lint format bench state deploy destroy kubeconfig snapshots restore
.PHONY: roll-servers schema lock app test-app load-app clean push clinic-admin

help: ## list these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

synth: ## Terraform JSON of every stack in cdktf.out/
	@$(RUN) python -m operations synth

test: $(if $(CHANGED),test-changed,test-all) ## lint and tests of everything; ends with what it did not run [CHANGED=yes: what your change touches]

.PHONY: test-changed
test-changed:
	@$(RUN) python -m tests.changed

.PHONY: test-all
test-all:
	@echo "lint, the unit tests, then the application's tests: seven minutes on two quiet cores"
	@$(MAKE) lint test-unit
	@rm -f $(REPORTS)/application.txt
	@VET_SKIPPED="$(CURDIR)/$(REPORTS)/application.txt" $(MAKE) -C vet_app test HALF=first
	@$(RUN) python -m tests.skipped $(REPORTS)

test-unit: ## tests of settings, stacks, nodes and tools
	@$(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools
	@$(RUN) python -m operations charts --if-reachable
	@$(RUN) python -m pytest -n 2 --dist worksteal --junitxml=$(REPORTS)/unit.xml tests/unit packages/quick_bindings/tests/test_optimizations.py

test-boot: ## the nodes' programs in a sandbox, every scenario by name
	@if [ -d tests/boot ]; then $(RUN) python -m pytest -q -n 4 --dist worksteal tests/boot; fi

test-schedules: ## twenty random schedules of faults on servers that run etcd itself; none begins after four minutes [SEED=...]
	@VET_SCHEDULES=20 VET_MINUTES=4 VET_SEED="$${SEED:-$$(git rev-parse HEAD)}" $(RUN) python -m pytest -q -n 8 --dist worksteal tests/boot/test_schedules.py

test-apply: ## the real Terraform against an AWS emulator
	@if [ -d tests/apply ]; then $(RUN) python -m pytest tests/apply; fi

.PHONY: test-pipeline
test-pipeline: ## the workflows' own lines on an emulated account: review, image, deploy, drift [VET_TEST_KUBECONFIG=... releases as well]
	@$(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools
	@$(RUN) python -m operations charts --if-reachable
	@$(RUN) python -m pytest -v -rs tests/pipeline

.PHONY: test-changes
test-changes: ## every setting changed by itself on an applied environment, and 30 batches of five: about an hour [SEED=...]
	@VET_TEST_CHANGES=1 VET_CHANGES_SEED="$${SEED:-$$(git rev-parse HEAD)}" $(RUN) python -m pytest tests/apply/test_changes.py

.PHONY: test-contributing
test-contributing: ## the walk through CONTRIBUTING.md, in a clean clone of the last commit: some minutes
	@$(RUN) python -m pytest -s tests/contributing

.PHONY: test-year
test-year: ## a year of one environment on the AWS emulator, and each step's time: about an hour [FROM="a host is renamed"]
	@VET_TEST_YEAR=1 VET_YEAR_FROM="$${FROM:-}" $(RUN) python -m pytest -v tests/apply/test_year.py

test-platform: ## the Helm stacks on a cluster: VET_TEST_KUBECONFIG=..., after make charts
	@$(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools
	@$(RUN) python -m pytest -v -rs tests/platform

.PHONY: test-upgrade
test-upgrade: ## make upgrade from one release set to the other on API servers of each minor: VET_TEST_API=..., about half an hour
	@$(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools
	@$(RUN) python -m operations charts --way --if-reachable
	@$(RUN) python -m pytest -v -s -rs tests/upgrade

.PHONY: rights-cluster
rights-cluster: ## ask a cluster again who may do what in it: VET_TEST_KUBECONFIG=...; tests/platform/rights.yaml, and the table in docs/runbooks/access.md
	@$(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools
	@$(RUN) python -m tests.platform

.PHONY: charts
charts: ## the Helm charts of the release sets, checked by digest, for the tests that render them [FROM=folder of archives]
	@$(RUN) python -m operations charts $${FROM:+--source "$$FROM"}

.PHONY: test-engines
test-engines: ## the same JSON by CDK for Terraform and CDK Terrain, on each Python, and a move between them; makes their environments, minutes each
	@$(RUN) python -m pytest -v -rs tests/engines

.PHONY: test-optimizations test-levers
test-levers: test-optimizations
test-optimizations: ## what loads the bindings quickly, each part of it broken on purpose: two minutes
	@$(RUN) python -m pytest -q packages/quick_bindings/tests/test_falling_back.py

.PHONY: sbom
sbom: ## CycloneDX of the application's image and of the nodes' programs, in cdktf.out/sbom/
	@$(RUN) python -B scripts/install.py tests/policy/Pipfile.lock .tools/checkov
	@$(RUN) python -m operations sbom

.PHONY: pins
pins: ## what is fetched without a checksum to compare it with [FILL=yes writes down what is missing]
	@$(RUN) python -m operations pins $(if $(FILL),--fill)

.PHONY: test-pods
test-pods: ## the platform where pods run: recovery, drain, roll, policies, with times [SHORT=yes]; VET_TEST_KUBECONFIG=...
	@$(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools
	@$(RUN) python -m pytest -v -rs $(if $(SHORT),-m "not long") tests/pods

lint: ## ruff, mypy, shellcheck, yamllint, zizmor, no secret in a file, and the JSON by checkov and by AWS's own models
	@$(RUN) python -B scripts/install.py tests/policy/Pipfile.lock .tools/checkov
	@$(MAKE) -j2 lint-code lint-json

.PHONY: lint-code
lint-code:
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) shellcheck -x -o quote-safe-variables -P nodes/bin nodes/fetch-programs.sh nodes/volumes/mount-extra-volumes nodes/bin/* scripts/find-python scripts/run .ci/run vet
	@$(RUN) yamllint -s environments tests/architecture.yaml tests/policy/accepted.yaml tests/policy/secrets.yaml tests/policy/aws_attributes.yaml settings/aws_constraints.yaml
	@.tools/checkov/bin/zizmor --offline --quiet .github/workflows .github/actions

.PHONY: lint-json
lint-json:
	@$(RUN) python -m tests.policy.secrets
	@$(RUN) python -m tests.policy.check
	@$(RUN) python -m tests.policy.aws_check

.PHONY: lint-switches
lint-switches: ## every switch of README alone, by the same two judges: minutes
	@$(RUN) python -B scripts/install.py tests/policy/Pipfile.lock .tools/checkov
	@$(RUN) python -m tests.policy.switches

format: ## format the code
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

.PHONY: local clinic drill recover-state
clinic: ## the whole clinic on this machine: both stacks, its pages and a demo clinic, until Ctrl-C: VET_TEST_KUBECONFIG=... [ONCE=yes]
	@$(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools
	@$(RUN) python -m operations charts --if-reachable
	@$(RUN) python -m operations clinic $(if $(ONCE),--once)

local: ## the infrastructure on this machine: real Terraform, emulated AWS, until Ctrl-C
	@$(RUN) python -m operations local $(if $(ONCE),--once)

drill: ## prove the recovery plan: lose state, region, etcd, platform and database, and get them back [STEP=state]
	@if [ -n "$$VET_TEST_KUBECONFIG" ]; then $(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools; fi
	@$(RUN) python -m operations drill -- $${STEP:+"$$STEP"}

recover-state: ## bring a stack's state back from the bucket's versions: make recover-state ENV=dev [VERSION=id] [DRY_RUN=yes]
	@$(RUN) python -m operations state recover $(if $(DRY_RUN),--dry-run) $(YES) -- "vet-$${ENV-}" $${VERSION:+"$$VERSION"}

bench: ## speed and memory of synth, plain imports beside the fast bindings
	@$(RUN) python -m operations benchmark

.PHONY: fuzz
fuzz: ## settings with people's mistakes, refused or such that AWS takes them: make fuzz [N=10000]
	@$(RUN) python -m tests.fuzz -- $${N:+"$$N"}

.PHONY: commands
commands: ## regenerate the reference of vet's commands (docs/commands.md)
	@$(RUN) python -m operations.cli.reference

.PHONY: snapshot
snapshot: ## regenerate the checked-in JSON of the shipped environments (tests/snapshot)
	@$(RUN) python -m tests.snapshot

.PHONY: library
library: ## regenerate the list of what others may use of the constructs (docs/library.txt), after its entry in CHANGELOG
	@$(RUN) python -m tests.surface

.PHONY: wheel
wheel: ## the constructs as a wheel for other projects, in cdktf.out/wheel/
	@$(RUN) python -m pip wheel --quiet --no-deps --wheel-dir cdktf.out/wheel .

.PHONY: rights
rights: ## compute who can do what in AWS: tests/rights/matrix.yaml, and the table in docs/runbooks/access.md
	@$(RUN) python -m tests.rights

.PHONY: mutate
mutate: ## what no unit test notices of damage to the JSON: make mutate [N=300] [EVERYWHERE=yes]; hours, goes on where it stopped
	@$(RUN) python -m tests.mutation $(if $(EVERYWHERE),--everywhere) -- $${N:+"$$N"}

.PHONY: bench-model
bench-model: ## every state that servers, volumes, AWS and a person can reach, with the shipped decisions
	@$(RUN) python -m tests.boot.model

.PHONY: bench-schedules
bench-schedules: ## random schedules of faults, N of them (500), from the commit's hash [SEED=...]; goes on where it stopped
	@VET_SCHEDULES="$${N:-500}" VET_SEED="$${SEED:-$$(git rev-parse HEAD)}" $(RUN) python -m pytest -v -n 8 --dist worksteal tests/boot/test_schedules.py

.PHONY: bench-mutation
bench-mutation: ## change the nodes' programs in one place at a time, and list what no test notices [N=150] [PROGRAMS="decide marker"]; hours, goes on where it stopped
	@$(RUN) python -m tests.boot.mutation $${N:+--sample="$$N"} -- $${PROGRAMS:+"$$PROGRAMS"}

.PHONY: cost
cost: ## what it costs a month: make cost [ENV=dev] [ASSUME="nat_gb=500"] [DETAILS=yes]
	@$(RUN) python -m operations cost $(if $(DETAILS),--details) $${ASSUME:+--assume="$$ASSUME"} -- $${ENV:+"$$ENV"}

.PHONY: rightsize
rightsize: ## machines that would do for what was measured, and what that saves: make rightsize ENV=prod [DAYS=14]
	@$(RUN) python -m operations env rightsize $${DAYS:+--days="$$DAYS"} -- "$${ENV-}"

.PHONY: report
report: ## a page that explains the platform, and the pictures in docs/pictures
	@$(RUN) python -m operations report

.PHONY: aws-models
aws-models: ## read again what AWS's published models say of each attribute
	@$(RUN) python -B scripts/install.py tests/policy/Pipfile.lock .tools/checkov
	@.tools/checkov/bin/python -m tests.policy.aws_models

schema: ## regenerate the JSON Schemas for editors
	@$(RUN) python -m settings.schema

lock: ## choose the newest versions of the packages (Pipfile, tests/policy/Pipfile)
	@$(RUN) python scripts/lock.py Pipfile tests/policy/Pipfile

state: ## once per account: the state bucket and the DNS zones [ADOPT=yes takes over what exists; LOSE="ADDRESS ..."]
	@VET_LOSE="$${LOSE-}" $(RUN) python -m operations state bootstrap $(YES) $(if $(ADOPT),--adopt)

.PHONY: review
review: ## what this checkout would change in every stack: infrastructure, cluster, cost, pictures; risks first
	@$(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools
	@$(RUN) python -m operations charts --if-reachable
	@$(RUN) python -m operations review

.PHONY: drift
drift: ## whether what is deployed is what this checkout says; drift.md tells what is not
	@$(RUN) python scripts/fetch_helm.py tests/tools/helm.txt .tools
	@$(RUN) python -m operations charts --if-reachable
	@$(RUN) python -m operations drift

.PHONY: workflows
workflows: ## write the pipeline for GitHub and GitLab from its description (operations/pipeline)
	@$(RUN) python -m operations workflows

.PHONY: plan
plan: ## what a deploy would change, in AWS and of the cluster's settings: make plan ENV=dev
	@$(RUN) python -m operations env plan -- "$${ENV-}"

deploy: ## both stacks of an environment: make deploy ENV=dev [LOSE="ADDRESS ..." accepts losses by name]
	@VET_LOSE="$${LOSE-}" $(RUN) python -m operations env deploy $(YES) -- "$${ENV-}"

destroy: ## the same in the opposite order: make destroy ENV=dev [DRY_RUN=yes]
	@$(RUN) python -m operations env destroy $(if $(DRY_RUN),--dry-run) $(YES) -- "$${ENV-}"

.PHONY: doctor
doctor: ## diagnose an environment: make doctor ENV=dev
	@$(RUN) python -m operations doctor -- "$${ENV-}"

kubeconfig: ## write a kubeconfig without keys: make kubeconfig ENV=dev ROLE=read [TUNNEL=yes]
	@$(RUN) python -m operations cluster kubeconfig $(if $(TUNNEL),--tunnel) $${ROLE:+--role="$$ROLE"} -- "$${ENV-}"

push: ## the application's image to the environment's registry: make push ENV=dev [DRY_RUN=yes]
	@$(RUN) python -m operations app push $(if $(DRY_RUN),--dry-run) -- "$${ENV-}"

.PHONY: publish
publish: ## the application's image, built once, to every environment's registry [PLATFORMS=linux/amd64,linux/arm64]
	@$(RUN) python -m operations app publish $${PLATFORMS:+--platforms="$$PLATFORMS"}

.PHONY: release
release: ## deploy an image and try it; the former one comes back if it fails: make release ENV=dev [IMAGE=sha256:... or former]
	@$(RUN) python -m operations app release -- "$${ENV-}" $${IMAGE:+"$$IMAGE"}

.PHONY: pin
pin: ## name an image in the environment's file by a commit: make pin ENV=dev IMAGE=sha256:...
	@$(RUN) python -m operations app pin -- "$${ENV-}" "$${IMAGE-}"

.PHONY: smoke
smoke: ## log in and read a record by the clinic's address: make smoke ENV=dev
	@$(RUN) python -m operations app smoke -- "$${ENV-}"

.PHONY: recover-database
recover-database: ## let the clinic's database go, for a deploy that makes it from its archive: make recover-database ENV=prod
	@$(RUN) python -m operations app recover-database $(YES) -- "$${ENV-}"

.PHONY: upgrade-database
upgrade-database: ## another major of PostgreSQL, before and after a deploy (docs/runbooks/upgrading.md): make upgrade-database ENV=prod
	@$(RUN) python -m operations app upgrade-database $(YES) -- "$${ENV-}"

clinic-admin: ## the clinic's first user, or a lost password: make clinic-admin ENV=dev EMAIL=anna@clinic.example
	@$(RUN) python -m operations app admin -- "$${ENV-}" "$${EMAIL-}"

snapshots: ## etcd snapshots, newest first: make snapshots ENV=dev [TAKE=name]
	@$(RUN) python -m operations cluster snapshots $(if $(TAKE),take,list) -- "$${ENV-}" $${TAKE:+"$$TAKE"}

.PHONY: object-backups restore-objects
object-backups: ## Velero's backups of objects, newest first: make object-backups ENV=dev [TAKE=name]
	@$(RUN) python -m operations cluster objects $(if $(TAKE),take,list) -- "$${ENV-}" $${TAKE:+"$$TAKE"}

restore-objects: ## bring a namespace back: make restore-objects ENV=dev NAMESPACE=team [BACKUP=name] [TO=other-namespace]
	@$(RUN) python -m operations cluster objects restore $${BACKUP:+--backup="$$BACKUP"} $${TO:+--into="$$TO"} $(YES) \
	  -- "$${ENV-}" "$${NAMESPACE-}"

restore: ## a snapshot or a disk: make restore ENV=dev [SNAPSHOT=name | DISK=slot] [DRY_RUN=yes] [FORCE=yes]; GIVE_UP=yes ends one that was begun
	@$(RUN) python -m operations cluster restore $${DISK:+--disk="$$DISK"} $(if $(DRY_RUN),--dry-run) $(if $(FORCE),--force) $(if $(GIVE_UP),--give-up) $(YES) \
	  -- "$${ENV-}" $${SNAPSHOT:+"$$SNAPSHOT"}

roll-servers: ## new images, types and configuration to the servers, one by one: make roll-servers ENV=prod [DRY_RUN=yes]
	@$(RUN) python -m operations cluster servers roll $(if $(DRY_RUN),--dry-run) $(YES) -- "$${ENV-}"

.PHONY: defragment
defragment: ## make room in etcd, one server at a time, and clear its alarm: make defragment ENV=prod [DRY_RUN=yes]
	@$(RUN) python -m operations cluster defragment $(if $(DRY_RUN),--dry-run) $(YES) -- "$${ENV-}"

.PHONY: roll-agents
roll-agents: ## new images, types and configuration to the agents, zone by zone: make roll-agents ENV=prod [DRY_RUN=yes]
	@$(RUN) python -m operations cluster agents roll $(if $(DRY_RUN),--dry-run) $(YES) -- "$${ENV-}"

.PHONY: grow-volumes
grow-volumes: ## the pools' further volumes as large as the settings say, while they are used: make grow-volumes ENV=prod [DRY_RUN=yes]
	@$(RUN) python -m operations cluster agents grow-volumes $(if $(DRY_RUN),--dry-run) $(YES) -- "$${ENV-}"

.PHONY: upgrade
upgrade: ## to the versions of a release set, one step at a time: make upgrade ENV=dev [TO=current | BACK=yes] [DRY_RUN=yes]
	@$(RUN) python -m operations env upgrade $(YES) $(if $(BACK),--back) $(if $(DRY_RUN),--dry-run) $${TO:+--to="$$TO"} -- "$${ENV-}"

app: ## the clinic's application on this machine, with a demo clinic
	@$(MAKE) -C vet_app app

test-app: ## the application's own tests
	@$(MAKE) -C vet_app test

load-app: ## the application under its pod's limits
	@$(MAKE) -C vet_app load

clean: ## remove what the tools made
	rm -rf cdktf.out .venv .tools .pytest_cache .mypy_cache .ruff_cache
