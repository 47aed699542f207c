"""What `make docs` refuses, and the links of the pages as GitHub shows them."""

import re

import pytest
from pages import DOCS
from scripts import load_script

ROOT = DOCS.parent
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/guides/*.py", "export/**/*.md", "recipes/*.md")
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)

check = load_script(DOCS / "site" / "check.py")


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


def headings(path):
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = (line.strip().lower() for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE))
    return {re.sub(r"[^\w -]", "", line).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere_in_the_repository_too(path):
    text = path.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]*))?\)", text):
        file = path.parent / target if target else path
        assert file.exists(), target
        assert not anchor or anchor in headings(file), f"{target}#{anchor}"
