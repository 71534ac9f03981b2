# The project's commands; `make` alone lists them. Each installs what it needs, in the versions
# that constraints.txt pins, into a virtual environment of its own.
#
#   PYTHON=python3.12   the interpreter, 3.10 to 3.13
#   VENV=.venv312       where the environment is, to keep several

PYTHON ?= python3
VENV := .venv
CONSTRAINTS := constraints.txt

# Where the machine has no libgomp, which Paddle needs, there is the one that scikit-learn brings along.
export LD_LIBRARY_PATH := $(CURDIR)/$(VENV)/lib$(if $(LD_LIBRARY_PATH),:$(LD_LIBRARY_PATH))

.NOTPARALLEL:
.PHONY: help demo test lint suites suites-here notebooks bench bench-here docs lock same-python

help:
	@echo "make demo        train LeNet on MNIST, nine runs that are recorded into log/lenet/"
	@echo "make test        lint, types and all tests"
	@echo "make lint        lint and types alone"
	@echo "make suites      the tests with the real PaddleFormers alone"
	@echo "make notebooks   run the notebooks anew, in place"
	@echo "make docs        build the documentation in English and Chinese, and check its links"
	@echo "make bench       measure VizKit beside its peers"
	@echo "make lock        resolve the pinned versions anew; needs uv (UPGRADE=--upgrade: the newest ones)"

demo: $(VENV)/.demo-ready
	$(VENV)/bin/python -m vizkit.demo

test: lint
	$(VENV)/bin/python -m pytest -n auto
	@$(MAKE) --no-print-directory suites

lint: $(VENV)/.test-ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/mypy

# Apart from the others, and not on the newest Python: PaddleFormers needs NumPy 1.
suites:
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then \
		$(MAKE) --no-print-directory suites-here VENV=$(VENV)-suites CONSTRAINTS=tests/suites/constraints.txt; \
	else echo "PaddleFormers left out: it needs NumPy 1, and so Python 3.12 or older"; fi

suites-here: $(VENV)/.suites-ready
	$(VENV)/bin/python -m pytest tests/suites

notebooks: $(VENV)/.test-ready
	$(VENV)/bin/python -m tests.notebooks

docs: $(VENV)/.test-ready
	$(VENV)/bin/python docs/build.py

# Apart from the others: the peers need older versions of what VizKit uses.
bench:
	@$(MAKE) --no-print-directory bench-here VENV=$(VENV)-bench CONSTRAINTS=benchmarks/constraints.txt

bench-here: $(VENV)/.bench-ready
	$(VENV)/bin/python -m benchmarks.writing
	$(VENV)/bin/python -m benchmarks.reading
	$(VENV)/bin/python -m benchmarks.serving

for_demo := -e '.[cli,demo,paddle,plots,serve]'
for_test := $(for_demo) --group docs --group lint --group test
for_suites := -e '.[paddle]' --group suites
for_bench := $(for_demo) --group bench

$(VENV)/.demo-ready: pyproject.toml $(CONSTRAINTS) | same-python
	$(call install,$(for_demo))
	@touch $@

$(VENV)/.test-ready: pyproject.toml $(CONSTRAINTS) | same-python
	$(call install,$(for_test))
	@touch $(VENV)/.demo-ready $@

$(VENV)/.suites-ready: pyproject.toml $(CONSTRAINTS) | same-python
	$(call install,$(for_suites))
	@touch $@

$(VENV)/.bench-ready: pyproject.toml $(CONSTRAINTS) | same-python
	$(call install,$(for_bench))
	@touch $@

# A ready mark is there only while what it says is true: installing drops the marks first and sets
# its own last. Where it was interrupted, halves may lie about: the next one starts from nothing.
pip_install := $(VENV)/bin/python -m pip install -q --disable-pip-version-check -c $(CONSTRAINTS)
define install
@echo "Installing VizKit and what it needs into $(VENV):" \
	"1 to 3 minutes and some 400 MB to download the first time, seconds later on ..."
@mkdir -p $(VENV)
@test ! -e $(VENV)/.unfinished || find $(VENV) -mindepth 1 ! -path $(VENV)/.unfinished -delete
@touch $(VENV)/.unfinished; rm -f $(VENV)/.*-ready
@$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || \
	{ $(PYTHON) -c "$$check_python" && $(PYTHON) -m venv $(VENV); }
@$(pip_install) pip
@$(pip_install) --build-constraint $(CONSTRAINTS) $(1)
@$(VENV)/bin/python -c 'import cv2' 2>/dev/null || \
	$(pip_install) --no-deps --force-reinstall opencv-python-headless  # needs no libGL
@$(VENV)/bin/python -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null || \
	{ cd $(VENV)/lib && ln -sf python3*/site-packages/scikit_learn.libs/libgomp-* libgomp.so.1 && \
	echo "Paddle's libgomp is missing: make lends its own commands one; for others, apt-get install libgomp1"; }
@rm $(VENV)/.unfinished
endef

define check_python
import sys
version = sys.version_info[:2]
if not (3, 10) <= version <= (3, 13):
    sys.exit("VizKit needs Python 3.10 to 3.13, and this is %d.%d: name another, as in PYTHON=python3.12" % version)
try:
    import ensurepip, venv
except ImportError:
    sys.exit("This Python cannot make virtual environments: apt-get install python3-venv")
endef
export check_python

# An interpreter that is named must be the one at work.
same-python:
ifneq ($(origin PYTHON),file)
	@test -e $(VENV)/.unfinished || test ! -e $(VENV)/pyvenv.cfg || \
	grep -Eq "^version(_info)? = $$($(PYTHON) -c 'import platform; print(platform.python_version())')" $(VENV)/pyvenv.cfg || \
	{ echo "$(VENV) was made with another Python: remove it, or keep one more, as in VENV=.venv312"; exit 1; }
endif

lock_command := uv pip compile pyproject.toml --universal --python-version 3.10 --quiet --no-annotate \
	--custom-compile-command 'make lock' $(UPGRADE) --extra paddle --group setup
lock_all := $(lock_command) --extra cli --extra demo --extra plots --extra serve

lock:
	$(lock_all) --group docs --group lint --group test -o constraints.txt
	$(lock_all) --group bench -o benchmarks/constraints.txt
	$(lock_command) --group suites -o tests/suites/constraints.txt
