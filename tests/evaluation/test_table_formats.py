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
    evaluate,
    load_upscalers,
    means_as_markdown,
    plot_scales,
)
from tfsr.evaluation.comparison_grid import ComparisonGrid
from tfsr.evaluation.dataset import make_columns
from tfsr.evaluation.scale_plot import check_plot
from tfsr.evaluation.table import evaluate_columns

FILES = PROTOCOLS["files"]


def evaluated(data, lr, upscalers):
    """A table, and its comparison grid."""
    grid = ComparisonGrid()
    columns = make_columns(data, FILES, FILES.specs(lr))
    table = evaluate_columns(FILES, "faces", columns, upscalers, on_sample=grid.add)
    return table, grid.render(table)


@pytest.fixture(scope="module")
def rendered(upscalers, faces):
    """A table of which one cell is empty, and its comparison grid."""
    return evaluated(faces, ["16", "12"], upscalers)


@pytest.fixture(scope="module")
def table(rendered):
    return rendered[0]


def test_markdown_has_means_gains_and_the_protocol(table):
    text = means_as_markdown(table)
    head, *blocks = text.split("\n\n")
    assert head.startswith(f"{FILES.how}. 3 images of faces; LR made by Pillow's bicubic; ")
    assert "originals of 32x32" in head
    rows = text.splitlines()
    start = rows.index("**PSNR of RGB in dB, no border (files)**")
    assert rows[start + 2 : start + 4] == ["|  | 16 | 12 |", "| --- | --- | --- |"]
    psnr = [[row[c].mean(0) for c in (0, 1)] for row in table.scores]
    bicubic, preset, fixed = rows[start + 4 : start + 7]
    assert bicubic == f"| Bicubic | {psnr[0][0]:.3f} | {psnr[0][1]:.3f} |"
    gains = [f"{psnr[1][c]:.3f} ({psnr[1][c] - psnr[0][c]:+.3f})" for c in (0, 1)]
    assert preset == f"| preset | {gains[0]} | {gains[1]} |"
    assert fixed.endswith(") |  |")
    assert "- fixed, 12: takes 16x16 and returns 24x24 or 32x32." in rows
    assert "- fixed: file of fixed sizes, which rounds to 8 bits." in rows
    assert "**SSIM of Y, Gaussian 11x11 window, no border (files)**" in rows


def test_the_markdown_file_has_every_image_too(table):
    text = FORMATS[".md"](table)
    assert text.startswith(means_as_markdown(table))
    value = [row[1].values[0][1] if row[1].values else None for row in table.scores]
    assert f"| 12 | 1 | {value[0]:.3f} | {value[1]:.3f} |  |" in text.splitlines()
    assert text.count("<details>") == text.count("</details>") == 3


def test_csv_has_a_line_for_each_value_and_its_protocol(table):
    rows = list(csv.DictReader(io.StringIO(FORMATS[".csv"](table))))
    # Columns, upscalers, metrics, and images with their mean; the empty cell has notes alone.
    assert len(rows) == 2 * 3 * 3 * 4 - 3 * 3
    assert {row["protocol"] for row in rows} == {"files"}
    assert all(FILES.how in row["how"] and "LR made" in row["how"] for row in rows)
    for row in rows:
        r = list(table.upscalers).index(row["system"])
        c = [column.label for column in table.columns].index(row["cell"])
        m = [metric.name for metric in FILES.metrics].index(row["measure"])
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
    assert (whole["data"], whole["images"]) == ("faces", ["0", "1", "2"])
    assert [system["name"] for system in whole["systems"]] == ["Bicubic", "preset", "fixed"]
    for c, cell in enumerate(whole["cells"]):
        assert (cell["cell"], cell["scale"]) == (table.columns[c].label, table.columns[c].scale)
        results = iter(cell["results"])
        for row in table.scores:
            for m, metric in enumerate(FILES.metrics):
                result = next(results)
                assert result["measure"] == metric.name
                assert result["how"].startswith(metric.label)
                assert (result["mean"], result["note"]) == (row[c].mean(m), row[c].note)
                assert result["values"] == (list(row[c].values[m]) if row[c].values else None)


def test_equal_images_are_no_obstacle(faces):
    table = evaluate(faces, [], "x1-x30", scales=[1, 2])
    assert "| Bicubic | inf | " in means_as_markdown(table)
    assert json.loads(FORMATS[".json"](table))["cells"][0]["results"][0]["mean"] == "inf"
    assert ",mean,inf," in FORMATS[".csv"](table)
    assert plot_scales(table, ".png").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("suffix", "head"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_plots_are_the_same_each_time(suffix, head, table):
    content = plot_scales(table, suffix)
    assert content.startswith(head)
    assert plot_scales(table, suffix) == content


def test_a_plot_names_its_upscalers_and_its_protocol(table):
    # Matplotlib keeps the texts of an SVG as comments.
    text = plot_scales(table, ".svg").decode()
    for words in ("Bicubic", "preset", "fixed", "x2.67", FILES.metrics[0].label):
        assert f"<!-- {words} -->" in text
    assert "files: originals reduced" in text


def test_pairs_of_one_lr_size_are_a_line(faces):
    table = evaluate(faces, [], "celebahq", lr_sides=["8-24", "8-32", "16-24", "16-32"])
    text = plot_scales(table, ".svg").decode()
    assert text.count("stroke: #1f77b4; stroke-width: 1.5") == 3  # Two lines, one in the legend.
    assert "<!-- from 8 -->" in text and "<!-- from 16 -->" in text


@pytest.mark.parametrize("suffix", ["", ".gif", ".svgz"])
def test_other_suffixes_are_rejected(suffix):
    with pytest.raises(InvalidArgument, match=".png, .svg, .pdf"):
        check_plot(f"plot{suffix}")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # As if it were not installed.
    with pytest.raises(InvalidArgument, match=r"pip install 'tfsr\[plot\]'"):
        check_plot("plot.png")


def test_a_grid_shows_lr_every_output_and_hr(rendered, faces):
    table, image = rendered
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
    np.testing.assert_array_equal(row[3], row[1])
    below = image[top + 33 :]
    assert (below[:, lefts[3] : lefts[3] + 32] == 224).all(axis=-1).sum() >= 32 * 32  # No output.


def test_large_images_show_their_middle(tmp_path):
    faces = tiny.folder(tmp_path, count=1, side=300)
    _, image = evaluated(faces, ["150"], load_upscalers([]))
    middle = np.array(Image.open(faces / "0.png"))[22:278, 22:278]
    left = 8 + 2 * 264
    assert any(
        np.array_equal(image[y : y + 256, left : left + 256], middle)
        for y in range(image.shape[0] - 255)
    )
