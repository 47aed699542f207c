import csv
import io
import json
import sys

import numpy as np
import pytest
import tiny
from PIL import Image

from tfsr.errors import InvalidArgument
from tfsr.evaluation import (
    FORMATS,
    PROTOCOLS,
    Comparison,
    Reduction,
    Strip,
    cells,
    check_plot,
    draw_plot,
    load,
    means_as_markdown,
    measure,
)
from tfsr.images import DecodedImage

FILES, PAIRS = PROTOCOLS["files"], PROTOCOLS["celebahq"]


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return tiny.folder(tmp_path_factory.mktemp("data") / "faces", count=2, side=32)


@pytest.fixture(scope="module")
def drawn(made, faces):
    """A table of which one cell is empty, and its strip."""
    strip = Strip()
    columns = cells(faces, FILES, [Reduction(16), Reduction(12)])
    systems = load([str(made / "preset"), str(made / "float.tflite")])
    table = measure(FILES, "faces", columns, systems, look=strip.look)
    return table, strip.draw(table)


@pytest.fixture(scope="module")
def table(drawn):
    return drawn[0]


def test_markdown_has_means_gains_and_the_protocol(table):
    text = means_as_markdown(table)
    head, *blocks = text.split("\n\n")
    assert head.startswith(f"{FILES.how}. 2 images of faces; LR made by Pillow's bicubic; ")
    assert "originals of 32x32" in head
    rows = text.splitlines()
    start = rows.index("**PSNR of RGB in dB, no border (files)**")
    assert rows[start + 2 : start + 4] == ["|  | 16 | 12 |", "| --- | --- | --- |"]
    psnr = [[row[c].mean(0) for c in (0, 1)] for row in table.scores]
    bicubic, preset, exported = rows[start + 4 : start + 7]
    assert bicubic == f"| Bicubic | {psnr[0][0]:.3f} | {psnr[0][1]:.3f} |"
    gains = [f"{psnr[1][c]:.3f} ({psnr[1][c] - psnr[0][c]:+.3f})" for c in (0, 1)]
    assert preset == f"| preset | {gains[0]} | {gains[1]} |"
    assert exported.endswith(") |  |")
    assert "- float.tflite, 12: takes 16x16 and answers 24x24, 32x32." in rows
    assert "**SSIM of Y, Gaussian 11x11 window, no border (files)**" in rows


def test_the_markdown_file_has_every_image_too(table):
    text = FORMATS[".md"](table)
    assert text.startswith(means_as_markdown(table))
    value = [row[1].values[0][1] if row[1].values else None for row in table.scores]
    assert f"| 12 | 1 | {value[0]:.3f} | {value[1]:.3f} |  |" in text.splitlines()
    assert text.count("<details>") == text.count("</details>") == 3


def test_csv_has_a_line_for_each_figure_and_its_protocol(table):
    rows = list(csv.DictReader(io.StringIO(FORMATS[".csv"](table))))
    # Systems, measures and images with their mean; and the empty cell's three.
    assert len(rows) == 2 * 3 * 3 * 3 - 3 * 2
    assert {row["protocol"] for row in rows} == {"files"}
    assert all(FILES.how in row["how"] and "LR made" in row["how"] for row in rows)
    for row in rows:
        r = [system.name for system in table.systems].index(row["system"])
        c = [cell.label for cell in table.cells].index(row["cell"])
        m = [figure.name for figure in FILES.measures].index(row["measure"])
        score = table.scores[r][c]
        if score.note is not None:
            assert (row["image"], row["value"], row["note"]) == ("mean", "", score.note)
            continue
        mean = row["image"] == "mean"
        expected = score.mean(m) if mean else score.values[m][int(row["image"])]
        assert float(row["value"]) == pytest.approx(expected, abs=1e-6)
        assert float(row["scale"]) == pytest.approx(32 / int(row["cell"]), rel=1e-5)


def test_json_has_everything(table):
    whole = json.loads(FORMATS[".json"](table))
    assert (whole["protocol"], whole["how"]) == ("files", FILES.how)
    assert (whole["data"], whole["images"]) == ("faces", ["0", "1"])
    assert [system["name"] for system in whole["systems"]] == ["Bicubic", "preset", "float.tflite"]
    for c, cell in enumerate(whole["cells"]):
        assert (cell["cell"], cell["scale"]) == (table.cells[c].label, table.cells[c].scale)
        results = iter(cell["results"])
        for row in table.scores:
            for m, figure in enumerate(FILES.measures):
                result = next(results)
                assert result["measure"] == figure.name
                assert result["how"].startswith(figure.label)
                assert (result["mean"], result["note"]) == (row[c].mean(m), row[c].note)
                assert result["values"] == (list(row[c].values[m]) if row[c].values else None)


def test_equal_images_are_no_obstacle(faces):
    protocol = PROTOCOLS["x1-x30"]
    columns = cells(faces, protocol, [Reduction(scale=1), Reduction(scale=2)])
    table = measure(protocol, "faces", columns, load([]))
    assert "| Bicubic | inf | " in means_as_markdown(table)
    assert json.loads(FORMATS[".json"](table))["cells"][0]["results"][0]["mean"] == "inf"
    assert ",mean,inf," in FORMATS[".csv"](table)
    assert draw_plot(table, ".png").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("suffix", "head"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_plots_are_drawn_and_the_same_each_time(suffix, head, table):
    content = draw_plot(table, suffix)
    assert content.startswith(head)
    assert draw_plot(table, suffix) == content


def test_a_plot_names_its_systems_and_its_protocol(table):
    # Matplotlib keeps the texts of an SVG as comments.
    text = draw_plot(table, ".svg").decode()
    for words in ("Bicubic", "preset", "float.tflite", "x2.67", FILES.measures[0].label):
        assert f"<!-- {words} -->" in text
    assert "files: originals reduced" in text


def test_pairs_of_one_lr_size_are_a_line(made, faces):
    reductions = [Reduction(lr, hr_size=hr) for lr in (8, 16) for hr in (24, 32)]
    table = measure(PAIRS, "faces", cells(faces, PAIRS, reductions), load([]))
    text = draw_plot(table, ".svg").decode()
    assert text.count("stroke: #1f77b4; stroke-width: 1.5") == 3  # Two lines, one in the legend.
    assert "<!-- from 8 -->" in text and "<!-- from 16 -->" in text


@pytest.mark.parametrize("suffix", ["", ".gif", ".svgz"])
def test_other_suffixes_are_refused(suffix):
    with pytest.raises(InvalidArgument, match=".png, .svg, .pdf"):
        check_plot(f"plot{suffix}")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # As if it were not installed.
    with pytest.raises(InvalidArgument, match=r"pip install 'tfsr\[plot\]'"):
        check_plot("plot.png")


def test_a_strip_shows_lr_every_output_and_hr(drawn, faces):
    table, image = drawn
    side, gap = 256, 8  # Panels are that far apart; these images are smaller.
    assert image.shape[1] == gap + 5 * (side + gap)
    hr = np.array(Image.open(faces / "0.png"))
    lefts = [gap + i * (side + gap) for i in range(5)]
    top = next(
        y
        for y in range(image.shape[0] - 32)
        if np.array_equal(image[y : y + 32, lefts[4] : lefts[4] + 32], hr)
    )
    row = [image[top : top + 32, left : left + 32] for left in lefts]
    lr = np.array(Image.fromarray(hr).resize((16, 16), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(row[0], lr.repeat(2, axis=0).repeat(2, axis=1))
    bicubic = Image.fromarray(lr).resize((32, 32), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(row[1], np.array(bicubic))
    np.testing.assert_array_equal(row[2], row[3])  # The preset, and its export.
    below = image[top + 33 :]
    assert (below[:, lefts[3] : lefts[3] + 32] == 224).all(axis=-1).sum() >= 32 * 32  # No answer.


def test_large_images_show_their_middle(tmp_path):
    faces = tiny.folder(tmp_path, count=1, side=300)
    strip = Strip()
    columns = cells(faces, FILES, [Reduction(150)])
    image = strip.draw(measure(FILES, "faces", columns, load([]), look=strip.look))
    middle = np.array(Image.open(faces / "0.png"))[22:278, 22:278]
    left = 8 + 2 * 264
    assert any(
        np.array_equal(image[y : y + 256, left : left + 256], middle)
        for y in range(image.shape[0] - 255)
    )


def test_a_sheet_needs_an_output_of_every_file(made):
    lr, systems = DecodedImage(tiny.image(16, 16)), load([str(made / "float.tflite")])
    assert Comparison("face.png", lr, (24, 24), systems).draw().shape[1] == 8 + 3 * 264
    with pytest.raises(InvalidArgument, match="float.tflite: .* takes 16x16 and answers 24x24"):
        Comparison("face.png", lr, (40, 40), systems)
