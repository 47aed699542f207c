"""Presets on hubs: fetched from real servers on loopback by the hubs' own libraries."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import load_script

from tfsr.presets import names

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "tfsr" / "presets" / "faces-mobile"
FILES = {path.name for path in SHIPPED.iterdir()}

hubs = load_script(Path(__file__).with_name("hubs.py"))

HANDLES = {"hf": "hf://someone/faces", "kaggle": "kaggle://someone/faces/keras/x2"}
VERSIONS = {"hf": "hf://someone/faces@v1", "kaggle": "kaggle://someone/faces/keras/x2/3"}
every_hub = pytest.mark.parametrize("hub", HANDLES)


class Place:
    """A hub's server, and where its library keeps its cache."""

    def __init__(self, hub, tmp_path):
        self.folder = shutil.copytree(SHIPPED, tmp_path / "repository")
        # What else may lie in a repository, and is not fetched.
        (self.folder / "train.py").write_text("raise SystemExit")
        kind, port = (hubs.HuggingFace, 0) if hub == "hf" else (hubs.Kaggle, hubs.KAGGLE_PORT)
        self.server = hubs.running(kind, self.folder, port)
        self.hub, self.cache = hub, tmp_path / "cache"

    def environment(self, server=None):
        own = {"HOME": str(self.cache), "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        if self.hub == "kaggle":
            own |= {"KAGGLE_API_ENVIRONMENT": "TEST", "KAGGLEHUB_CACHE": str(self.cache)}
        else:
            url = server.url if server else "http://127.0.0.1:9"  # Nothing listens there.
            own |= {"HF_ENDPOINT": url, "HF_HOME": str(self.cache)}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "KAGGLE"))}
        return {**kept, **own}

    def run(self, handle, server=None, program=None, **environment):
        """The last line of standard output: kagglehub writes more of it in its tests."""
        program = program or (
            "from tfsr.presets import check_files\n"
            "print(*(file.matches for file in check_files(preset)))"
        )
        lines = (
            f"from tfsr.errors import TfsrError\npreset = {handle!r}\n"
            f"try: exec({program!r})\nexcept TfsrError as error: print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", lines],
            env={**self.environment(server), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]


@pytest.fixture
def place(hub, tmp_path):
    return Place(hub, tmp_path)


@pytest.mark.slow
@every_hub
def test_a_preset_is_fetched_once_and_then_found_offline(hub, place):
    program = (
        "import tfsr\n"
        "model = tfsr.from_preset(preset)\n"
        "expected = tfsr.ImplicitSR.from_preset('faces-mobile')\n"
        "pairs = zip(model.get_weights(), expected.get_weights(), strict=True)\n"
        "print(type(model).__name__, all((a == b).all() for a, b in pairs))"
    )
    with place.server as server:
        assert place.run(HANDLES[hub], server, program) == "ImplicitSR True"
        assert not any("train.py" in line for line in server.log)
        fetched = [line for line in server.log if "model.weights.h5" in line]
        assert place.run(HANDLES[hub], server) == "True True"
        assert [line for line in server.log if "model.weights.h5" in line] == fetched
        offline = VERSIONS[hub] if hub == "kaggle" else HANDLES[hub]
        server.log.clear()
        assert place.run(offline, server, HF_HUB_OFFLINE="1") == "True True"
        assert not server.log
    # The server is down.
    assert place.run(HANDLES[hub]) == "True True"
    found = {path.name for path in place.cache.rglob("*") if path.name in {*FILES, "train.py"}}
    assert found == FILES


@pytest.mark.slow
@every_hub
def test_a_changed_byte_is_refused(hub, place):
    weights = place.folder / "model.weights.h5"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    program = "import tfsr\ntfsr.from_preset(preset)"
    with place.server as server:
        line = place.run(VERSIONS[hub], server, program)
    assert "model.weights.h5: is not the file that metadata.json describes (sha256)" in line


@every_hub
def test_what_cannot_be_fetched_is_one_line(hub, place):
    other = HANDLES[hub].replace("/faces", "/other")
    with place.server as server:
        assert place.run(other, server).startswith(f"{other}: there is no such preset, or it is")
        server.sizes = {"model.weights.h5": 2**31}
        line = f"{VERSIONS[hub]}: model.weights.h5 has {2**31} bytes; at most {2**30} are fetched"
        assert place.run(VERSIONS[hub], server) == line
        assert not any("model.weights.h5" in line for line in server.log)
        server.sizes = {}
        (place.folder / "metadata.json").unlink()
        line = f"{VERSIONS[hub]}: is not a preset: it has no metadata.json"
        assert place.run(VERSIONS[hub], server) == line


@every_hub
def test_a_server_that_is_down_is_one_line(hub, place):
    line = place.run(HANDLES[hub])
    assert line.startswith(f"{HANDLES[hub]}: is not in the cache, and the hub cannot be reached: ")


@every_hub
def test_a_library_that_is_missing_names_the_extra(hub, place):
    missing = "import sys\nsys.modules['huggingface_hub'] = sys.modules['kagglehub'] = None\n"
    line = place.run(
        HANDLES[hub], program=f"{missing}from tfsr.presets import check_files\ncheck_files(preset)"
    )
    assert line.endswith(": pip install 'tfsr[hub]'") and line.startswith(HANDLES[hub])


@pytest.mark.parametrize(
    ("handle", "form"),
    [
        ("hf://someone", "hf://USER/NAME[@REVISION]"),
        ("hf://../faces", "hf://USER/NAME[@REVISION]"),
        ("hf://someone/faces/config.json", "hf://USER/NAME[@REVISION]"),
        ("kaggle://someone/faces", "kaggle://USER/MODEL/FRAMEWORK/VARIATION[/VERSION]"),
        ("kaggle://someone/faces/keras/x2/newest", "kaggle://USER/MODEL/FRAMEWORK/VARIATION"),
    ],
)
def test_another_form_of_handle_is_refused(handle, form):
    from tfsr import from_preset
    from tfsr.errors import PresetError

    with pytest.raises(PresetError) as caught:
        from_preset(handle)
    assert str(caught.value).startswith(f"{handle}: must be {form}")


@pytest.mark.slow
def test_the_command_line_takes_handles(tmp_path):
    place = Place("hf", tmp_path)
    image = ROOT / "docs" / "images" / "group.png"
    with place.server as server:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tfsr", "upscale", str(image), "-o", "large.png"),
                *("--scale", "1.1", "--preset", "hf://someone/faces@v1"),
            ],
            cwd=tmp_path,
            env=place.environment(server),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "large.png").stat().st_size > 1000


@pytest.mark.parametrize("name", names())
def test_a_shipped_model_card_is_what_would_be_generated(name):
    import huggingface_hub

    from tfsr.presets.card import model_card
    from tfsr.presets.store import SHIPPED as FOLDER
    from tfsr.presets.store import read_json

    config, metadata = (read_json(FOLDER / name / f"{x}.json") for x in ("config", "metadata"))
    text = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert text == model_card(config, metadata)
    card = huggingface_hub.ModelCard(text).data
    assert (card.license, card.library_name) == ("apache-2.0", "tfsr")
    measured = [figures["psnr"] for figures in metadata["quality"]["from"].values()]
    assert [result.metric_value for result in card.eval_results] == measured
    for part in ("limits", "data"):
        assert metadata["provenance"][part] in text
