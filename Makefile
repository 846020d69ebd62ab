# Two commands are enough on a fresh Debian or Ubuntu machine:
#   make lab    set everything up and run the default lab
#   make test   set everything up and pass the tests
# and when there is more time:
#   make test-long      the tests that take long
#   make test-vagrant   the tests on machines that Vagrant makes; installs Vagrant and libvirt
#   make bench-peers    the same work with other tools, measured side by side
#   make docs           the documentation as a site, in build/site
#   make pictures       the pictures in docs/pictures, from the recorded runs beside them
#   make dist           wheel and sdist, in dist
#   make test-versions  unit tests with the lowest allowed versions of the dependencies, and with newer Pythons of Debian

VENV := .venv
BIN := $(VENV)/bin
LAB_OPTIONS ?=

.PHONY: lab test bench-peers docs dist setup setup-test system system-test system-test-vagrant lint unit engine lab-tests vagrant-tests test-long test-vagrant test-versions pictures down

lab: setup
	$(BIN)/clusterlab run $(LAB_OPTIONS)

test: setup-test lint unit engine lab-tests vagrant-tests

setup: system $(VENV)/installed

setup-test: system-test $(VENV)/installed-dev

system:
	sh setup/system.sh

system-test:
	sh setup/system.sh --test

system-test-vagrant:
	sh setup/system.sh --test --vagrant

$(VENV)/installed: pyproject.toml setup/python.sh
	sh setup/python.sh $(VENV) .
	touch $@

$(VENV)/installed-dev: pyproject.toml setup/python.sh
	sh setup/python.sh $(VENV) '.[dev]'
	touch $@ $(VENV)/installed

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit:
	$(BIN)/pytest tests/unit --numprocesses 2 -m "not long"

# More processes than processors, as a test also waits; with many more, engines answer so late that tests time out.
engine:
	sh setup/as_root.sh sh setup/tests.sh "not long" $(BIN)/pytest tests/engine --numprocesses 5

# The machines' logs are where a person looks first when a lab test fails, also in CI.
lab-tests:
	sh setup/tests.sh "not long" $(BIN)/pytest tests/lab || { sh setup/show_logs.sh test-logs; exit 1; }

# One machine, made by `vagrant up`; `make test-vagrant` has the rest.
vagrant-tests:
	sh setup/vagrant_tests.sh $(BIN)/pytest || { sh setup/show_logs.sh test-logs; exit 1; }

test-long: setup-test
	$(BIN)/pytest tests/unit -m long
	sh setup/as_root.sh $(BIN)/pytest tests/engine -m long --numprocesses 4
	$(BIN)/pytest tests/lab -m long || { sh setup/show_logs.sh test-logs; exit 1; }

test-vagrant: system-test-vagrant $(VENV)/installed-dev
	sh setup/as_root.sh $(BIN)/pytest tests/vagrant || { sh setup/show_logs.sh test-logs; exit 1; }

# clusterlab beside Ansible, pyinfra, Fabric and asyncssh, which are installed into build/peers; writes the table of docs/performance.md.
bench-peers: setup-test
	sh setup/as_root.sh $(BIN)/python -m tests.bench.peers --write

# The site of docs/ in build/site; it needs no network.
docs: setup-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

pictures: setup-test
	$(BIN)/python -m docs.pictures

test-versions: setup-test
	$(BIN)/python setup/lowest.py build/lowest
	sh setup/as_root.sh sh setup/other_python.sh trixie build/python
	sh setup/as_root.sh sh setup/other_python.sh forky build/python

# Wheel and sdist of the last commit in dist/: the same files, byte by byte, wherever they are built.
dist: setup-test
	$(BIN)/python setup/dist.py dist

down:
	$(BIN)/clusterlab down
