# The project's commands; `make` alone lists them. Each first makes the environment that it needs, with uv,
# in the versions that constraints.txt pins.
#
#   make test PYTHON=python3.12 VENV=.venv312    with another Python, 3.10 to 3.13, beside the usual one

PYTHON ?= python3
VENV := .venv

UV := .venv-uv/bin/uv
PY := $(VENV)/bin/python
# One more than there are cores: a third of the tests' time is waiting for browsers and other processes.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
$(if $(filter $(VERSION),3.10 3.11 3.12 3.13),,$(error VizKit needs Python 3.10 to 3.13: name one, as in PYTHON=python3.12))

# Paddle needs libgomp. On a machine without it, scikit-learn's copy is put there.
export LD_LIBRARY_PATH := $(CURDIR)/.venv-uv/lib$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))

# Images of Python's containers set it: hundreds of tests start interpreters, and each would compile Paddle anew.
unexport PYTHONDONTWRITEBYTECODE

.NOTPARALLEL:
.PHONY: help demo test lint suites oldest notebooks docs catalogues bench lock

help:
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

demo: $(VENV)/.demo-$(VERSION)  ## train LeNet on MNIST, nine runs that are recorded into log/lenet/
	$(PY) -m vizkit.demo

test: lint  ## lint, types and all tests
	@$(PY) hatch_build.py
	$(PY) -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=95 $(if $(RERUNS),--reruns $(RERUNS) -raR)
	@$(MAKE) --no-print-directory suites

lint: $(VENV)/.dev-$(VERSION)  ## lint, format and types alone
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-logo
	@# Each of the next two takes one core.
	$(PY) hatch_build.py check & $(VENV)/bin/mypy; types=$$?; wait $$! && exit $$types

ifneq ($(VERSION),3.13)
suites: $(VENV)-suites/.suites-$(VERSION)  ## the tests with the real PaddleFormers alone, in an environment of their own
	$(VENV)-suites/bin/python -m pytest tests/suites
else
suites:
	@echo "PaddleFormers left out: it needs NumPy 1, and so Python 3.12 or older"
endif

oldest: | $(UV)  ## the tests without a browser, with the oldest versions that pyproject.toml allows
	@mkdir -p .cache && touch .cache/oldest.txt
	$(OLDEST) pip compile pyproject.toml --all-extras --resolution lowest-direct --python-version $(VERSION) --quiet -o .cache/oldest.txt
	$(OLDEST) venv -q --clear --python $(PYTHON) $(VENV)-oldest
	$(OLDEST) pip install -q --python $(VENV)-oldest -r .cache/oldest.txt -e . --group test
	$(VENV)-oldest/bin/python -m pytest -n auto tests/unit tests/integration

OLDEST = UV_CONSTRAINT=.cache/oldest.txt $(UV)

notebooks: $(VENV)/.dev-$(VERSION)  ## run the notebooks anew, in place
	$(PY) -m tests.notebooks

docs: $(VENV)/.dev-$(VERSION)  ## build the documentation in English and Chinese, and check its links
	$(PY) docs/build.py

catalogues: $(VENV)/.dev-$(VERSION)  ## bring the Chinese catalogues up to date; lists what is to be translated
	$(PY) docs/build.py --catalogs
	$(PY) -m tests.messages

bench: $(VENV)-bench/.bench-$(VERSION)  ## measure VizKit beside its peers, in an environment of its own
	$(VENV)-bench/bin/python -m benchmarks.writing
	$(VENV)-bench/bin/python -m benchmarks.reading
	$(VENV)-bench/bin/python -m benchmarks.serving
	$(VENV)-bench/bin/python -m benchmarks.workspace
	$(VENV)-bench/bin/python -m benchmarks.sweeps

lock: $(UV)  ## resolve the pinned versions anew (UPGRADE=--upgrade: to the newest)
	$(COMPILE) $(ALL) --group docs --group lint --group test -o constraints.txt
	$(COMPILE) $(ALL) --group bench -o benchmarks/constraints.txt
	$(COMPILE) --extra paddle --group suites -o tests/suites/constraints.txt

ALL := --extra cli --extra demo --extra paddle --extra plots --extra ray --extra serve --extra sweep
COMPILE = $(UV) pip compile pyproject.toml --universal --python-version 3.10 --quiet --no-annotate \
	--custom-compile-command 'make lock' $(UPGRADE) --group build

# An environment is made anew when its requirements change: uv keeps what it downloaded.
$(VENV)/.demo-$(VERSION): pyproject.toml constraints.txt | $(UV)
	$(call environment,constraints.txt,$(ALL))

$(VENV)/.dev-$(VERSION): pyproject.toml constraints.txt | $(UV)
	$(call environment,constraints.txt,$(ALL) --group docs --group lint --group test)
	@touch $(VENV)/.demo-$(VERSION)

$(VENV)-suites/.suites-$(VERSION): pyproject.toml tests/suites/constraints.txt | $(UV)
	$(call environment,tests/suites/constraints.txt,--extra paddle --group suites)

$(VENV)-bench/.bench-$(VERSION): pyproject.toml benchmarks/constraints.txt | $(UV)
	$(call environment,benchmarks/constraints.txt,$(ALL) --group bench)

# $(call environment,CONSTRAINTS,EXTRAS AND GROUPS) makes the environment that the target's mark lies in.
define environment
@echo "Making $(@D) for Python $(VERSION): some 400 MB to download the first time, seconds later on ..."
@$(UV) venv -q --clear --python $(PYTHON) $(@D)
@UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$(call pip_setting,index-url)}" \
	SSL_CERT_FILE="$${SSL_CERT_FILE:-$(call pip_setting,cert)}" \
	$(UV) pip install -q --python $(@D) -c $(1) --build-constraint $(1) -r pyproject.toml -e . $(2)
@$(@D)/bin/python -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null || \
	cp $(@D)/lib/python3*/site-packages/scikit_learn.libs/libgomp-* .venv-uv/lib/libgomp.so.1
@touch $@
endef

# uv does not read pip's configuration; the package index may be named there alone.
pip_setting = $$(.venv-uv/bin/pip config list | sed -n "s/^[a-z:]*\.$(1)='\(.*\)'$$/\1/p" | head -1)

$(UV):
	@$(PYTHON) -m venv --clear .venv-uv
	@.venv-uv/bin/pip install -q --disable-pip-version-check -c constraints.txt uv
