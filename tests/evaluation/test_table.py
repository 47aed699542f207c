import numpy as np
import pytest
import tiny
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tfsr.errors import ExportError, PresetError
from tfsr.evaluation import PROTOCOLS, evaluate, load_upscalers
from tfsr.evaluation.dataset import make_columns
from tfsr.evaluation.table import evaluate_columns
from tfsr.images import read, to_float

LUMA = np.array([65.481, 128.553, 24.966])
GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def evaluated(name, data, upscalers, **options):
    protocol = PROTOCOLS[name]
    columns = make_columns(data, protocol, protocol.specs(**options))
    return evaluate_columns(protocol, "faces", columns, upscalers)


def luma(levels):
    return 16 + levels / 255 @ LUMA


def pillow(path, side):
    """(HR, Pillow's way there and back) as levels in float64."""
    image = Image.open(path)
    small = image.resize((side, side), Image.Resampling.BICUBIC)
    return np.float64(image), np.float64(small.resize(image.size, Image.Resampling.BICUBIC))


def expected_files(hr, sr):
    y_hr, y_sr = luma(hr), luma(sr)
    return [
        peak_signal_noise_ratio(hr, sr, data_range=255),
        peak_signal_noise_ratio(y_hr, y_sr, data_range=255),
        structural_similarity(y_hr, y_sr, data_range=255, **GAUSSIAN),
    ]


def test_bicubic_is_pillows_in_every_metric_of_files(faces):
    table = evaluate(faces, ["bicubic"], lr_sides=["16", "11"])
    assert (table.data, list(table.upscalers)) == (str(faces), ["Bicubic"])
    for score, side in zip(table.scores[0], (16, 11), strict=True):
        expected = [expected_files(*pillow(faces / f"{name}.png", side)) for name in "012"]
        np.testing.assert_allclose(score.values, np.transpose(expected), atol=1e-9)
        for i in range(3):
            assert score.mean(i) == pytest.approx(np.mean([row[i] for row in expected]))


def test_the_benchmark_is_evaluated_inside_its_border(faces):
    table = evaluate(faces, [], "benchmark", scales=[2])
    inner = [luma(x)[2:-2, 2:-2] for x in pillow(faces / "0.png", 16)]
    psnr, similarity = (values[0] for values in table.scores[0][0].values)
    assert psnr == pytest.approx(peak_signal_noise_ratio(*inner, data_range=255), abs=1e-4)
    expected = structural_similarity(*inner, data_range=255, **GAUSSIAN)
    assert similarity == pytest.approx(expected, abs=1e-5)


def test_the_baseline_comes_first_and_once(made):
    specs = ["bicubic", str(made / "preset"), "Bicubic", str(made / "preset")]
    assert list(load_upscalers(specs)) == ["Bicubic", "preset"]


def test_rows_of_one_name_are_distinguished(made):
    specs = [str(made / "preset"), str(made / "run" / "best"), str(made / "run"), "bicubic"]
    assert list(load_upscalers(specs)) == ["Bicubic", "preset", "best", "run"]
    same = [str(made / "preset"), str(made / "." / ".." / made.name / "preset")]
    assert list(load_upscalers(same))[1:] == same


def test_strengths_have_a_row_each(tmp_path):
    _, robust = tiny.twins(tmp_path)
    found = load_upscalers([str(robust), "bicubic"], [0, 0.5])
    assert list(found) == ["Bicubic", "robust, strength 0", "robust, strength 0.5"]
    assert "clean" in found["robust, strength 0.5"].kind


def test_a_plus_after_a_preset_is_its_self_ensemble(made):
    upscalers = load_upscalers([str(made / "run"), f"{made / 'run'}+"])
    assert list(upscalers)[1:] == ["run", "run+"]
    assert "self-ensemble" in upscalers["run+"].kind
    with pytest.raises(PresetError, match="unknown preset 'nothing'"):
        load_upscalers(["nothing+"])


def outputs(model, faces, side=16):
    """(HR, the model's outputs), clipped to [0, 1] but not rounded."""
    for name in "012":
        hr = read(faces / f"{name}.png")
        lr = np.array(Image.fromarray(hr).resize((side, side), Image.Resampling.BICUBIC))
        yield hr, np.clip(model.upscale(to_float(lr)[None], hr.shape[:2])[0], 0, 1)


def check_close(found, expected):
    """Closer than what rounding changes. A number between two levels may be rounded either way."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-5)


def test_outputs_are_not_rounded_where_the_paper_rounds_none(upscalers, model, faces):
    table = evaluated("x1-x30", faces, upscalers, scales=[2])
    exact = [
        peak_signal_noise_ratio(hr / 255, np.float64(sr), data_range=1)
        for hr, sr in outputs(model, faces)
    ]
    rounded = [
        peak_signal_noise_ratio(hr, np.uint8(np.floor(sr * 255 + 0.5)))
        for hr, sr in outputs(model, faces)
    ]
    assert np.abs(np.subtract(exact, rounded)).min() > 1e-4
    check_close(table.scores[1][0].values[0], exact)
    # One that rounds by itself has the very values of the baseline, which does too.
    assert table.scores[2][0].values == table.scores[0][0].values


def test_outputs_are_rounded_where_files_are_evaluated(upscalers, model, faces):
    table = evaluated("files", faces, upscalers, lr_sides=["16"])
    for i, (hr, sr) in enumerate(outputs(model, faces)):
        expected = expected_files(np.float64(hr), np.floor(sr * 255 + 0.5))
        check_close([v[i] for v in table.scores[1][0].values], expected)


def test_outputs_are_truncated_where_the_authors_truncate(upscalers, model, faces):
    table = evaluated("celebahq", faces, upscalers, lr_sides=["16-32"])
    for i, (hr, sr) in enumerate(outputs(model, faces)):
        y_hr, y_sr = (np.floor(luma(np.float64(x))) for x in (hr, np.floor(sr * np.float32(255))))
        expected = [
            peak_signal_noise_ratio(y_hr, y_sr, data_range=255),
            structural_similarity(y_hr, y_sr, data_range=255),
        ]
        check_close([v[i] for v in table.scores[1][0].values], expected)


def test_an_upscaler_of_fixed_sizes_is_evaluated_where_it_fits(upscalers, faces):
    chosen = {name: upscalers[name] for name in ("Bicubic", "fixed")}
    table = evaluated("files", faces, chosen, lr_sides=["16", "12", "16-24"])
    fits, too_small, smaller = table.scores[1]
    assert fits.note is smaller.note is None
    assert fits.mean(0) > 0 and smaller.mean(0) > 0
    assert (too_small.mean(0), too_small.values) == (None, ())
    assert too_small.note == "takes 16x16 and returns 24x24 or 32x32"
    assert table.gain(1, 1, 0) is None and table.gain(0, 0, 0) is None
    assert table.gain(1, 0, 0) == fits.mean(0) - table.scores[0][0].mean(0)


def test_an_upscaler_that_fits_some_images_has_no_result(upscalers, tmp_path):
    images = tiny.folder(tmp_path, count=1, side=32)
    tiny.save(images / "wide.png", tiny.image(32, 40))
    chosen = {name: upscalers[name] for name in ("Bicubic", "fixed")}
    table = evaluated("x1-x30", images, chosen, scales=[2])
    assert table.scores[1][0].note is not None
    assert len(table.scores[0][0].values[0]) == 2


def test_at_x1_bicubic_is_equal(upscalers, faces):
    table = evaluated("x1-x30", faces, upscalers, scales=[1])
    assert table.scores[0][0].mean(0) == np.inf
    assert np.isfinite(table.scores[1][0].mean(0))
    assert table.gain(1, 0, 0) is None


def test_the_first_image_of_each_column_is_a_sample(upscalers, faces):
    protocol, samples, steps = PROTOCOLS["files"], [], []
    evaluate_columns(
        *(protocol, "faces", make_columns(faces, protocol, protocol.specs(["16", "12"]))),
        {name: upscalers[name] for name in ("Bicubic", "fixed")},
        on_image=lambda: steps.append(1),
        on_sample=samples.append,
    )
    assert len(steps) == 6
    found = [(s.column.label, s.name, s.lr.shape[0]) for s in samples]
    assert found == [("16", "0", 16), ("12", "0", 12)]
    assert [output is None for output in samples[1].outputs] == [False, True]
    assert samples[1].values[1] is None and samples[0].values[1] > 0


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("nowhere", PresetError, "unknown preset"),
        ("photo", PresetError, "Did you mean 'photos'"),
        ("nowhere.tflite", ExportError, "nowhere.tflite: cannot be read"),
    ],
)
def test_what_cannot_upscale_is_one_line(name, kind, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=words) as caught:
        load_upscalers([name])
    assert "\n" not in str(caught.value)
