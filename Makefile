# Everything is made from Python and pip alone, in an environment of the project's own.
PYTHON ?= python3
VENV ?= .venv

# make demo IN=photo.jpg SCALE=3.7
IN ?= docs/pictures/astronaut-46.png
SCALE ?= 4
OUT ?= out/$(basename $(notdir $(IN)))-x$(SCALE).png

.PHONY: demo test lint clean

demo: $(VENV)/.installed
	$(VENV)/bin/tfsr upscale "$(IN)" -o "$(OUT)" --scale $(SCALE)

test: $(VENV)/.installed-dev
	$(VENV)/bin/python -m pytest

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

clean:
	rm -rf $(VENV) out

$(VENV)/.installed: pyproject.toml requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --editable ".[dev]"
	touch $@
