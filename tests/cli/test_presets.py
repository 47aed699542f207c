import json
import shutil

import pytest

from tfsr.presets import DEFAULT, names, read_metadata


@pytest.fixture(autouse=True)
def _width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


def test_presets_are_listed(tfsr):
    code, out, err = tfsr("presets")
    assert (code, err) == (0, "")
    header, *rows = out.partition("\n\n")[0].splitlines()
    assert header.split() == ["preset", "for", "parameters", "size", "licence", "gain"]
    assert [row.split()[0] for row in rows] == names()
    (line,) = [row for row in rows if row.startswith(f"{DEFAULT} ")]
    for part in ("faces in real photographs", "865,857", "3.6 MB", "Apache-2.0", " to +3.5 dB"):
        assert part in line
    assert "With --strength 0..1: faces, photos" in out


def test_a_preset_is_shown(tfsr):
    code, out, err = tfsr("presets", "show", DEFAULT)
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    metadata = read_metadata(DEFAULT)
    for part in (
        *("Face Research Lab London Set", "do not identify people", "Apache-2.0"),
        f"steps {metadata['steps']:,}",
        *("50 images", "64-real-medium 23.81 ", "strength 0..1; 0 is faces-clean"),
        f"config.json matches {metadata['sha256']['config.json']}",
    ):
        assert part in text


def test_programs_get_the_same_as_json(tfsr):
    (listed,) = [p for p in json.loads(tfsr("presets", "--json")[1]) if p["name"] == DEFAULT]
    shown = json.loads(tfsr("presets", "show", DEFAULT, "--json")[1])
    assert listed == shown
    assert shown["quality"]["from"]["64"]["gain"] > 2.9


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
    code, out, err = tfsr("presets", "show", "photo-clean")
    assert (code, out) == (1, "")
    assert err.startswith("tfsr: unknown preset") and "Did you mean 'photos-clean'?" in err
