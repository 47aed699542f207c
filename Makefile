# Everything is made from Python and pip alone, in an environment of the project's own.
PYTHON ?= python3
VENV ?= .venv

# make demo IN=photo.jpg SCALE=3.7
IN ?= docs/pictures/astronaut-46.png
SCALE ?= 4
OUT ?= out/$(basename $(notdir $(IN)))-x$(SCALE).png

# make web PORT=8137
PORT ?= 8137
WEB_MODEL = export/web/models/arasfsr-compact-faces-v1-64x64-x4.tflite

.PHONY: demo test lint web test-web export-table test-serving clean

demo: $(VENV)/.installed
	$(VENV)/bin/tfsr upscale "$(IN)" -o "$(OUT)" --scale $(SCALE)

test: $(VENV)/.installed-dev
	$(VENV)/bin/python -m pytest

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# The phone page. System packages: nodejs (20 or newer) and npm; test-web also chromium.
web: export/web/dist/index.html
	cd export/web && npm run --silent serve -- --port $(PORT)

test-web: export/web/dist/index.html
	cd export/web && PYTHON="$(abspath $(VENV)/bin/python)" npm test

.PHONY: export/web/dist/index.html
export/web/dist/index.html: $(WEB_MODEL) export/web/node_modules/.installed
	cd export/web && npm run --silent build

$(WEB_MODEL): $(VENV)/.installed $(wildcard tfsr/exporters/*.py tfsr/decoders/*.py)
	mkdir -p $(@D)
	$(VENV)/bin/tfsr export tflite --preset arasfsr-compact-faces-v1 --lr 64x64 --scale 4 -o $@

export/web/node_modules/.installed: export/web/package.json export/web/package-lock.json
	cd export/web && npm ci
	touch $@

# What each kind of exported file costs. FACES and CALIBRATION are folders of aligned faces.
export-table: $(VENV)/.installed-dev
	$(VENV)/bin/python export/table.py --faces "$(FACES)" --calibration "$(CALIBRATION)"

# Exports, taken by programs that know nothing of tfsr. System package: gcc.
test-serving: $(VENV)/.installed-serving
	$(VENV)/bin/python -m pytest tests/serving

$(VENV)/.installed-serving: $(VENV)/.installed-dev
	$(VENV)/bin/pip install --quiet openvino grpcio
	$(VENV)/bin/pip install --quiet --no-deps tensorflow-serving-api
	touch $@

clean:
	rm -rf $(VENV) out

$(VENV)/.installed: pyproject.toml requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --editable ".[dev]"
	touch $@
