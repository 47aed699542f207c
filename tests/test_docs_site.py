"""What `make docs` refuses. The site itself is built by `make docs`."""

import importlib.util

from pages import DOCS

spec = importlib.util.spec_from_file_location("check", DOCS / "site" / "check.py")
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)


def test_broken_links_and_what_is_loaded_from_elsewhere_are_found(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text(
        '<h2 id="here">x</h2><a href="sub/a%20b.html#there">x</a><a href="#here">x</a>'
        '<a href="https://example.org/">x</a><a href="sub/">x</a><img src="data:image/png;base64,">'
    )
    (tmp_path / "sub" / "index.html").write_text('<a href="../index.html">x</a>')
    (tmp_path / "sub" / "a b.html").write_text('<a name="there"></a><a href="..#here">x</a>')
    assert list(check.broken(tmp_path)) == []
    check.page.cache_clear()
    (tmp_path / "index.html").write_text(
        '<a href="gone.html">x</a><a href="#gone">x</a><a href="sub/index.html#gone">x</a>'
        '<script src="https://example.org/x.js"></script>'
    )
    assert list(check.broken(tmp_path)) == [
        "index.html: #gone is no heading there",
        "index.html: gone.html does not exist",
        "index.html: loads https://example.org/x.js from elsewhere",
        "index.html: sub/index.html#gone is no heading there",
        "sub/a b.html: ..#here is no heading there",
    ]


def test_a_public_function_without_an_entry_is_found(tmp_path):
    (tmp_path / "api").mkdir()
    for name in ("inference", "models", "presets"):
        (tmp_path / "api" / f"{name}.html").write_text(
            '<h2 id="tfsr.inference.upscale">x</h2><h2 id="tfsr.presets.from_preset">x</h2>'
        )
    lines = list(check.missing(tmp_path))
    assert "tfsr.upscale is not in the API" not in lines
    assert "tfsr.load_upscaler is not in the API" in lines
    assert "tfsr.geometry.grid_plan is not in the API" in lines
    assert "tfsr.presets.from_preset is not in the API" not in lines
