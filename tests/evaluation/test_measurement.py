import numpy as np
import pytest
import tiny
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tfsr.errors import ExportError, PresetError
from tfsr.evaluation import PROTOCOLS, Reduction, cells, load, measure
from tfsr.images import read, to_float
from tfsr.presets import DEFAULT

LUMA = np.array([65.481, 128.553, 24.966])
FILES, RGB, CELEBAHQ = (PROTOCOLS[name] for name in ("files", "x1-x30", "celebahq"))


@pytest.fixture
def faces(tmp_path):
    return tiny.folder(tmp_path / "faces", count=3, side=32)


def measured(protocol, data, reductions, specs):
    return measure(protocol, "faces", cells(data, protocol, reductions), load(specs))


def luma(levels):
    return 16 + levels / 255 @ LUMA


def pillow(path, side):
    """(HR, Pillow's way there and back) as levels in float64."""
    image = Image.open(path)
    small = image.resize((side, side), Image.Resampling.BICUBIC)
    return np.float64(image), np.float64(small.resize(image.size, Image.Resampling.BICUBIC))


def expected_files(hr, sr):
    y_hr, y_sr = luma(hr), luma(sr)
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return [
        peak_signal_noise_ratio(hr, sr, data_range=255),
        peak_signal_noise_ratio(y_hr, y_sr, data_range=255),
        structural_similarity(y_hr, y_sr, data_range=255, **gaussian),
    ]


def test_bicubic_is_pillows_in_every_measure_of_files(faces):
    table = measured(FILES, faces, [Reduction(16), Reduction(11)], ["bicubic"])
    for score, side in zip(table.scores[0], (16, 11), strict=True):
        expected = [expected_files(*pillow(faces / f"{name}.png", side)) for name in "012"]
        np.testing.assert_allclose(score.values, np.transpose(expected), atol=1e-9)
        for i in range(3):
            assert score.mean(i) == pytest.approx(np.mean([row[i] for row in expected]))


def test_the_benchmark_measures_inside_its_border(faces):
    table = measured(PROTOCOLS["benchmark"], faces, [Reduction(scale=2)], [])
    inner = [luma(x)[2:-2, 2:-2] for x in pillow(faces / "0.png", 16)]
    # LIIF's weights are 65.738 / 256 and so on: equal to five digits.
    expected = peak_signal_noise_ratio(*inner, data_range=255)
    assert table.scores[0][0].values[0][0] == pytest.approx(expected, abs=1e-4)
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    similarity = structural_similarity(*inner, data_range=255, **gaussian)
    assert table.scores[0][0].values[1][0] == pytest.approx(similarity, abs=1e-5)


def test_the_baseline_comes_first_and_once(made):
    specs = ["bicubic", str(made / "preset"), "Bicubic", str(made / "preset")]
    assert [system.name for system in load(specs)] == ["Bicubic", "preset"]


def test_rows_of_one_name_are_told_apart(made):
    specs = [str(made / "preset"), str(made / "run" / "best"), str(made / "run"), DEFAULT]
    assert [system.name for system in load(specs)][1:] == ["preset", "best", "run", DEFAULT]
    twins = [str(made / "preset"), str(made / "." / ".." / made.name / "preset")]
    assert [system.name for system in load(twins)][1:] == twins


def test_a_plus_after_a_preset_is_its_self_ensemble(made, rng):
    image = rng.integers(256, size=(9, 12, 3), dtype=np.uint8)
    for spec in (made / "preset", made / "run"):
        _, plain, both = load([str(spec), f"{spec}+"])
        assert both.name == f"{plain.name}+" and "self-ensemble" in both.kind
        mirrored = plain.upscale(image[:, ::-1].copy(), (20, 31))[:, ::-1]
        mean = (plain.upscale(image, (20, 31)) + mirrored) / 2
        np.testing.assert_allclose(both.upscale(image, (20, 31)), mean, atol=1e-5)
    with pytest.raises(PresetError, match="unknown preset 'nothing'"):
        load(["nothing+"])


KINDS = ("preset", "run", "float.tflite", "uint8.tflite", "served")


def outputs(model, faces, side=16):
    """(HR, the model's outputs), clipped to [0, 1] but not rounded."""
    for name in "012":
        hr = read(faces / f"{name}.png")
        lr = np.array(Image.fromarray(hr).resize((side, side), Image.Resampling.BICUBIC))
        yield hr, np.clip(model.upscale(to_float(lr)[None], hr.shape[:2])[0], 0, 1)


def check_close(found, expected):
    """Closer than what rounding changes. A number between two levels may be rounded either way."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-5)


def test_no_output_is_rounded_where_the_paper_rounds_none(made, model, faces):
    table = measured(RGB, faces, [Reduction(scale=2)], [str(made / kind) for kind in KINDS])
    exact, rounded = [], []
    for hr, sr in outputs(model, faces):
        exact.append(peak_signal_noise_ratio(hr / 255, np.float64(sr), data_range=1))
        rounded.append(peak_signal_noise_ratio(hr, np.uint8(np.floor(sr * 255 + 0.5))))
    assert np.abs(np.subtract(exact, rounded)).min() > 1e-4
    for kind, row in zip(KINDS, table.scores[1:], strict=True):
        if kind == "uint8.tflite":  # It rounds by itself, and says so.
            np.testing.assert_allclose(row[0].values[0], rounded, atol=0.05)
            assert np.abs(np.subtract(row[0].values[0], exact)).min() > 1e-5
        else:
            check_close(row[0].values[0], exact)
    kinds = [system.kind for system in table.systems]
    assert [("8 bits" in kind) for kind in kinds] == [True, False, False, False, True, False]


def test_outputs_are_rounded_where_files_are_measured(made, model, faces):
    table = measured(FILES, faces, [Reduction(16)], [str(made / "preset")])
    for i, (hr, sr) in enumerate(outputs(model, faces)):
        expected = expected_files(np.float64(hr), np.floor(sr * 255 + 0.5))
        check_close([v[i] for v in table.scores[1][0].values], expected)


def test_outputs_are_truncated_where_the_authors_truncate(made, model, faces):
    table = measured(CELEBAHQ, faces, [Reduction(16, hr_size=32)], [str(made / "preset")])
    for i, (hr, sr) in enumerate(outputs(model, faces)):
        y_hr, y_sr = (np.floor(luma(np.float64(x))) for x in (hr, np.floor(sr * np.float32(255))))
        expected = [
            peak_signal_noise_ratio(y_hr, y_sr, data_range=255),
            structural_similarity(y_hr, y_sr, data_range=255),
        ]
        check_close([v[i] for v in table.scores[1][0].values], expected)


def test_a_file_of_fixed_size_is_measured_where_it_fits(made, faces):
    reductions = [Reduction(16), Reduction(12), Reduction(16, hr_size=24)]
    table = measured(FILES, faces, reductions, [str(made / "float.tflite")])
    fits, too_small, smaller = table.scores[1]
    assert fits.note is smaller.note is None
    assert fits.mean(0) > 0 and smaller.mean(0) > 0
    assert (too_small.mean(0), too_small.values) == (None, ())
    assert too_small.note == "takes 16x16 and answers 24x24, 32x32"
    assert table.gain(1, 1, 0) is None and table.gain(0, 0, 0) is None
    assert table.gain(1, 0, 0) == fits.mean(0) - table.scores[0][0].mean(0)


def test_a_file_that_fits_some_images_has_no_figure(made, faces):
    tiny.save(faces / "wide.png", tiny.image(32, 40))
    table = measured(RGB, faces, [Reduction(scale=2)], [str(made / "float.tflite")])
    assert table.scores[1][0].note is not None
    assert len(table.scores[0][0].values[0]) == 4


def test_at_x1_bicubic_is_equal(made, faces):
    table = measured(RGB, faces, [Reduction(scale=1)], [str(made / "preset")])
    assert table.scores[0][0].mean(0) == np.inf
    assert np.isfinite(table.scores[1][0].mean(0))
    assert table.gain(1, 0, 0) is None


def test_the_first_image_of_each_column_can_be_looked_at(made, faces):
    seen, steps = [], []
    measure(
        *(FILES, "faces", cells(faces, FILES, [Reduction(16), Reduction(12)])),
        load([str(made / "float.tflite")]),
        advance=lambda: steps.append(1),
        look=seen.append,
    )
    assert len(steps) == 6
    assert [(s.cell.label, s.name, s.lr.shape[0]) for s in seen] == [
        ("16", "0", 16),
        ("12", "0", 12),
    ]
    assert [output is None for output in seen[1].outputs] == [False, True]
    assert seen[1].values[1] is None and seen[0].values[1] > 0


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("nowhere", PresetError, "unknown preset"),
        (DEFAULT[:-1], PresetError, f"Did you mean '{DEFAULT}'"),
        ("empty", PresetError, "is no preset, no run"),
        ("file.txt", PresetError, "is no preset; of files"),
        ("file.tflite", ExportError, "file.tflite: holds no tfsr.json"),
        ("nowhere.tflite", ExportError, "nowhere.tflite: cannot be read"),
    ],
)
def test_what_is_no_system_is_told_in_one_line(name, kind, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("text")
    (tmp_path / "file.tflite").write_text("text")
    with pytest.raises(kind, match=words) as caught:
        load([name])
    assert "\n" not in str(caught.value)
