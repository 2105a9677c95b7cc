# Each target starts from a fresh clone with nothing but git, make and Python 3.11 or newer.
#
#   make demo    write programs with their classes, fill a gap; judge right, wrong and hostile ones
#   make test    the test suite
#   make check   format, lint, types, layers and the test suite
#   make bench   side by side with the graders that people use today
#   make bench-selection   how good the choice among many programs is (half an hour)
#   make clean   remove what the other targets made

PYTHON ?= python3
# Test files at once.
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
DEV := $(VENV)/.installed-dev
BENCH := $(VENV)/.installed-bench

# The benchmark data, where it lies beside the checkout and nobody said otherwise.
ifndef CODEWRIGHT_DATA
ifneq ($(wildcard ../shared/data/.),)
export CODEWRIGHT_DATA := $(abspath ../shared/data)
endif
endif

.PHONY: demo test check static bench bench-selection clean

demo: $(DEV)
	@$(BIN)/codewright demo

test: $(DEV)
	@$(BIN)/pytest -n $(JOBS) --dist loadfile

check: static test

static: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_layers.py

bench: $(BENCH)
	$(BIN)/python bench/judge.py

bench-selection: $(BENCH)
	$(BIN)/python bench/selection.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEV): pyproject.toml constraints.txt hatch_build.py $(wildcard src/codewright/engine/kernels/*.[ch])
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is missing or older than Python 3.11" >&2; \
	  echo "hint: make PYTHON=/path/to/python3.11 …" >&2; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "error: $(PYTHON) cannot make a virtual environment" >&2; \
	  echo "hint: install its venv module (Debian and Ubuntu: apt install python3-venv)" >&2; \
	  rm -rf $(VENV); exit 2; }
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[dev]'
	@touch $@

$(BENCH): $(DEV)
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[bench]'
	@touch $@
