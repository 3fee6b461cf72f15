# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Needs git, make and Python 3.11 or newer with venv: apt-get install -y git make python3 python3-venv
# Everything else is set up in build/ by the targets themselves.

# Which Python; empty for the best found of python3.12, python3.11, python3.
PYTHON ?=
# Which release of ansible-core, for example 2.20; empty for the one in requirements/core.txt.
CORE ?=
# Which gates `make test` runs; empty for all.
GATES ?=
# What `make test` installs for them: pytest leaves out the linters.
LEVEL ?= test
# Which Pythons ansible-test imports the plugins with: own for the running one alone, empty for every one that it supports.
SANITY ?=
# Passed on to the demo, the lab and the benchmarks.
ARGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lab bench clean

VENV := PYTHON='$(PYTHON)' CORE='$(CORE)' sh tests/gates/venv.sh

# Ansible refuses to start without a UTF-8 locale. Its own settings and temporary files stay in build/.
RUN := LC_ALL=C.UTF-8 \
	PATH="$$venv/bin:$$PATH" \
	PYTHONPATH='$(CURDIR)/build/collections:$(CURDIR)/tests' \
	ANSIBLE_COLLECTIONS_PATH='$(CURDIR)/build/collections' \
	CORE='$(CORE)' \
	SANITY='$(SANITY)' \
	ANSIBLE_HOME='$(CURDIR)/build/ansible-home' \
	"$$venv/bin/python" -m

help: ## List the targets
	@sed -n 's/^\([a-z]*\): ## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14
	@echo 'PYTHON=python3.12 chooses another Python; CORE=2.20 another ansible-core; GATES="ruff unit" chooses gates of make test.'

demo: ## Run the main job from start to end on a simulated forest: no Windows, no root
	@venv=$$($(VENV) runtime) && $(RUN) lab.demo $(ARGS)

test: ## Run all tests and gates
	@venv=$$($(VENV) $(LEVEL)) && $(RUN) gates.run $(GATES)

lab: ## Start the simulated forest and leave it running, with an inventory to try playbooks by hand
	@venv=$$($(VENV) runtime) && $(RUN) lab $(ARGS)

bench: ## Measure what the collection costs on this machine
	@venv=$$($(VENV) test) && $(RUN) benchmarks $(ARGS)

clean: ## Remove all that the other targets made, the virtual environments too
	rm -rf build dist .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache collections tests/output
