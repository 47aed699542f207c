# Everything is made from Python and pip alone, in an environment of the project's own.
PYTHON ?= python3
VENV ?= .venv

# make demo IN=photo.jpg SCALE=3.7
IN ?= docs/images/group.png
SCALE ?= 4
OUT ?= out/$(basename $(notdir $(IN)))-x$(SCALE).png

# make web PORT=8137
PORT ?= 8137
WEB_PRESET = faces-mobile
WEB_MODEL = export/web/models/$(WEB_PRESET)-64x64-x4.tflite
# A size that Chromium's software draws by WebGPU in seconds.
WEB_SMALL_MODEL = export/web/test/out/preset/16x16-x4.tflite
MODEL_PACKAGES = geometry layers encoders decoders rendering models presets exporters

# Another Chromium for test-web.
CHROMIUM ?= chromium

.PHONY: demo test test-slow soak lint test-release web test-web export-table test-serving
.PHONY: test-ray test-jax test-arm docs clean

demo: $(VENV)/.installed
	$(VENV)/bin/tfsr upscale "$(IN)" -o "$(OUT)" --scale $(SCALE) \
	    --faces auto --overwrite

# Without bytecode on disk, every process that a test starts would compile the package anew.
test test-slow test-jax: export PYTHONDONTWRITEBYTECODE =
PYTEST = $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.installed-dev
	$(PYTEST) -m "not slow"

# What `make test` leaves out because it takes seconds: most decoders in each export format, trainings
# that are killed or run on two workers, what compiles for long.
test-slow: $(VENV)/.installed-dev
	$(PYTEST) -m slow

# What the suite is too short for: kills at random moments, files damaged in 10,000 ways. Damaged
# files that were not refused in one line are kept in out/fuzz.
soak: $(VENV)/.installed-dev
	PYTHONPATH=tests $(VENV)/bin/python -m soak

# What pip installs: built, looked into, and tried in an empty environment.
test-release: $(VENV)/.installed-dev
	$(VENV)/bin/python tests/release/check.py

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# The phone page.
web: needs-web export/web/dist/index.html
	cd export/web && npm run --silent serve -- --port $(PORT)

# Both pages: the phone's, and that of `tfsr demo`.
test-web: needs-test-web $(VENV)/.installed-dev export/web/dist/index.html $(WEB_SMALL_MODEL)
	cd export/web && PYTHON="$(abspath $(VENV)/bin/python)" \
	    CHROMIUM="$$(command -v $(CHROMIUM))" npm test

.PHONY: export/web/dist/index.html
export/web/dist/index.html: $(WEB_MODEL) export/web/node_modules/.installed
	cd export/web && npm run --silent build

# Rebuilt when the packages that compute them have changed.
$(WEB_MODEL): LR = 64x64
$(WEB_SMALL_MODEL): LR = 16x16
$(WEB_MODEL) $(WEB_SMALL_MODEL): $(VENV)/.installed \
    $(wildcard $(MODEL_PACKAGES:%=tfsr/%/*.py) tfsr/presets/*/*)
	mkdir -p $(@D)
	$(VENV)/bin/tfsr export tflite --preset $(WEB_PRESET) --lr-size $(LR) --scales 4 --overwrite -o $@

export/web/node_modules/.installed: export/web/package.json export/web/package-lock.json
	cd export/web && npm ci
	touch $@

# What each kind of exported file costs. FACES and CALIBRATION are folders of aligned faces.
export-table: $(VENV)/.installed-dev
	$(VENV)/bin/python export/table.py --faces "$(FACES)" --calibration "$(CALIBRATION)"

# Exports, taken by programs that know nothing of tfsr.
test-serving: needs-test-serving $(VENV)/.installed-serving
	$(VENV)/bin/python -m pytest tests/serving

# Batches on a Ray cluster of this machine, whose workers are killed; and on one of three nodes, of
# which a worker, and a node, are killed: KILLS times each.
KILLS ?= 1

test-ray: $(VENV)/.installed-dev
	$(VENV)/bin/python -m pytest tests/ray_nodes --kills $(KILLS)

# Where there is JAX and no TensorFlow, in an environment that stays: training, use, recipes/gpu.
JAX_PACKAGES = jax "keras>=3.15" numpy pillow scipy tifffile h5py lazy-loader pydantic pyyaml rich typer

test-jax: $(VENV)/.installed-dev $(VENV)-jax/.installed
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile tests/without_tensorflow \
	    --jax-python $(VENV)-jax/bin/python

$(VENV)-jax/.installed: Makefile
	$(PYTHON) -m venv --clear $(VENV)-jax
	$(VENV)-jax/bin/pip install --quiet $(JAX_PACKAGES)
	touch $@

# tensorflow-serving-api asks for a TensorFlow of its own version.
$(VENV)/.installed-serving: $(VENV)/.installed-dev
	$(VENV)/bin/pip install --quiet "openvino>=2026.4.1" "grpcio>=1.85" "kserve>=0.21" \
	    "tritonclient>=2.73"
	$(VENV)/bin/pip install --quiet --no-deps "tensorflow-serving-api>=2.21"
	touch $@

# The same TFLite files here and on an emulated Arm processor. The first time it needs root.
test-arm: needs-test-arm $(VENV)/.installed-dev
	$(VENV)/bin/python export/arm/check.py

# What documents show is run; then the site in out/docs: docs/, the API, and the guides, which are
# executed.
GUIDES = $(patsubst docs/guides/%.py,out/guides/%.md,$(wildcard docs/guides/*.py))

docs: $(VENV)/.installed-docs
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile tests/documents
	$(MAKE) --silent -j2 $(GUIDES)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --config-file docs/site/mkdocs.yml
	$(VENV)/bin/python docs/site/check.py out/docs $$(command -v $(CHROMIUM))

out/guides/%.md: docs/guides/%.py docs/site/guide.py $(wildcard tfsr/*.py tfsr/*/*.py)
	$(VENV)/bin/python docs/site/guide.py $< $(@D)

$(VENV)/.installed-docs: $(VENV)/.installed-dev
	$(VENV)/bin/pip install --quiet --editable ".[docs]"
	touch $@

# System packages, told by their commands: one line names those that are missing.
.PHONY: needs-web needs-test-web needs-test-serving needs-test-arm
needs = @missing=$$(.ci/missing $(1)); test -z "$$missing" || \
    { echo "make $(@:needs-%=%): missing system packages:$$missing" >&2; exit 1; }
needs_node_20 = @node -e 'if (parseInt(process.version.slice(1)) < 20) throw 0' 2>/dev/null || \
    { echo "make $(@:needs-%=%): nodejs must be 20 or newer; this is $$(node -v)" >&2; exit 1; }

needs-web:
	$(call needs,node:nodejs npm)
	$(needs_node_20)

needs-test-web:
	$(call needs,node:nodejs npm $(CHROMIUM))
	$(needs_node_20)

needs-test-serving:
	$(call needs,gcc)

needs-test-arm:
	$(call needs,qemu-aarch64-static:qemu-user-static debootstrap dpkg-deb:dpkg)

clean:
	rm -rf $(VENV) $(VENV)-jax out

$(VENV)/.installed: pyproject.toml requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable ".[faces]"
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --editable ".[dev]"
	touch $@
