import json
import shutil

import pytest

from tfsr.presets import DEFAULT, names


@pytest.fixture(autouse=True)
def _width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


def test_presets_are_listed(tfsr):
    code, out, err = tfsr("presets")
    assert (code, err) == (0, "")
    header, *rows = out.splitlines()
    assert header.split() == ["preset", "for", "parameters", "size", "licence", "gain"]
    assert [row.split()[0] for row in rows] == names()
    (line,) = [row for row in rows if row.startswith(DEFAULT)]
    for part in ("aligned crops of faces", "561,779", "2.4 MB", "Apache-2.0", "+3.2 to +3.6 dB"):
        assert part in line


def test_a_preset_is_shown(tfsr):
    code, out, err = tfsr("presets", "show", DEFAULT)
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    for part in (
        *("Face Research Lab London Set", "do not identify people", "Apache-2.0", "steps 21,000"),
        *("50 images", "64 27.70 30.89 +3.19", "config.json matches 04d79bc136c763f9"),
    ):
        assert part in text


def test_programs_get_the_same_as_json(tfsr):
    (listed,) = [p for p in json.loads(tfsr("presets", "--json")[1]) if p["name"] == DEFAULT]
    shown = json.loads(tfsr("presets", "show", DEFAULT, "--json")[1])
    assert listed == shown
    assert shown["quality"]["from"]["64"]["gain"] == 3.19


def test_a_preset_without_provenance_is_shown(tfsr, preset):
    code, out, _ = tfsr("presets", "show", preset)
    assert code == 0
    assert "tiny" in out and "matches" in out


def test_a_damaged_preset_is_one_line_and_code_1(tfsr, preset, tmp_path):
    copy = shutil.copytree(preset, tmp_path / "copy")
    (copy / "model.weights.h5").write_bytes(b"other")
    code, out, err = tfsr("presets", "show", copy)
    assert code == 1
    assert "DIFFERS" in out
    assert err == f"tfsr: {copy}: damaged: model.weights.h5; copy the preset again\n"


def test_what_others_wrote_does_not_command_the_terminal(tfsr, preset, tmp_path):
    copy = shutil.copytree(preset, tmp_path / "copy")
    metadata = json.loads((copy / "metadata.json").read_text())
    metadata["provenance"] = {"licence": "\x1b[31mred\x07 [bold]loud[/bold] :smile:"}
    (copy / "metadata.json").write_text(json.dumps(metadata))
    out = tfsr("presets", "show", copy)[1]
    assert "\x1b" not in out and "\x07" not in out
    assert "[bold]loud[/bold] :smile:" in out


def test_an_unknown_preset_is_reported_with_the_nearest(tfsr):
    code, out, err = tfsr("presets", "show", DEFAULT[:-1])
    assert (code, out) == (1, "")
    assert err.startswith("tfsr: unknown preset") and f"Did you mean '{DEFAULT}'?" in err
