import numpy as np
import pytest
import tiny

from tfsr.errors import InvalidArgument
from tfsr.evaluation import PROTOCOLS, DegradationSpec
from tfsr.evaluation.protocols import get_protocol


def labels(name, **arguments):
    return [spec.label for spec in PROTOCOLS[name].specs(**arguments)]


def test_the_papers_columns_are_the_defaults():
    assert labels("celebahq") == [
        *("64-96", "32-128", "32-256", "32-512", "96-256", "96-512", "64-512")
    ]
    assert labels("celebahq-nn65") == ["16-64", "16-128", "16-256", "48-128", "48-256"]
    assert labels("div2k") == ["x2", "x3", "x4", "x6", "x12", "x18", "x24", "x30"]
    assert labels("benchmark") == ["x2", "x3", "x4", "x6", "x8"]
    assert labels("x1-x30") == [f"x{scale}" for scale in range(1, 31)]


def test_only_the_nn65_table_and_real_are_degraded_otherwise():
    others = {"celebahq-nn65": {"nn65"}, "real": {"real-light", "real-medium", "real-heavy"}}
    for name, protocol in PROTOCOLS.items():
        specs = protocol.specs(lr_sides=["16"]) if name == "files" else protocol.specs()
        found = {spec.degradation for spec in specs}
        assert found == others.get(name, {"bicubic"})
    assert get_protocol("files").specs(["16"], degradation="nn65")[0].degradation == "nn65"


def test_real_has_three_severities_at_two_sizes():
    assert labels("real") == [
        *("64-real-light", "128-real-light", "64-real-medium"),
        *("128-real-medium", "64-real-heavy", "128-real-heavy"),
    ]
    assert labels("real", lr_sides=["32"], degradation="real-medium") == ["32-real-medium"]
    assert labels("files", scales=[2.0], degradation="faces") == ["x2-faces"]


def test_other_columns_can_be_chosen():
    assert labels("celebahq", lr_sides=["64-128", "64"]) == ["64-128", "64"]
    assert labels("div2k", scales=[8.0]) == ["x8"]
    assert labels("x1-x30", scales=[1.5, 30.0]) == ["x1.5", "x30"]
    assert labels("files", lr_sides=["171"], scales=[2.5]) == ["171", "x2.5"]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("files", {}, "lr_sides or scales must be given"),
        ("celebahq", {"scales": [2.0]}, "give LR sides, such as 32-128"),
        ("div2k", {"lr_sides": ["64"]}, "give scales"),
        (
            "div2k",
            {"scales": [2.5]},
            "integers such as 2,3 for protocol 'div2k'",
        ),
        ("benchmark", {"scales": [0.5]}, "at least 1 and finite; received 0.5"),
        ("x1-x30", {"scales": [float("nan")]}, "at least 1"),
        ("files", {"lr_sides": ["64-128-256"]}, "pairs of LR and HR"),
        ("files", {"lr_sides": ["64-"]}, "'64-'"),
        ("files", {"lr_sides": ["0"]}, "'0'"),
        ("files", {"lr_sides": [""]}, "''"),
        ("files", {"lr_sides": ["64"], "degradation": "nn56"}, "Did you mean 'nn65'"),
        ("celebahq", {"degradation": "nn65"}, "must be bicubic"),
        ("real", {"degradation": "faces"}, "real-medium or real-heavy; received 'faces'"),
    ],
)
def test_other_columns_are_rejected(name, arguments, words):
    with pytest.raises(InvalidArgument) as caught:
        PROTOCOLS[name].specs(**arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_nearest_protocol_is_suggested():
    with pytest.raises(InvalidArgument, match="Did you mean 'celebahq-nn65'"):
        get_protocol("celebahq-nn56")


def test_every_metric_has_a_label():
    found = {m.name: m.label for p in PROTOCOLS.values() for m in p.metrics}
    assert found == {
        "psnr-rgb": "PSNR of RGB in dB, no border",
        "psnr-y": "PSNR of Y in dB, no border",
        "ssim-y": "SSIM of Y, Gaussian 11x11 window, no border",
        "psnr-arasfsr-y": "PSNR of Y truncated to 8 bits in dB, no border",
        "ssim-arasfsr-y": "SSIM of Y truncated to 8 bits, uniform 7x7 window, no border",
        "psnr-div2k": "PSNR of RGB in dB, border of the scale + 6 cut",
        "psnr-benchmark-y": "PSNR of Y in dB, border of the scale cut",
        "ssim-benchmark-y": "SSIM of Y, Gaussian 11x11 window, border of the scale cut",
    }


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_smallest_image_can_be_measured_and_no_smaller(name):
    for metric in PROTOCOLS[name].metrics:
        side = metric.min_side(3)
        hr = tiny.image(side, side + 9)
        assert np.isfinite(metric(255 - hr, hr, 3))
        with pytest.raises(InvalidArgument):
            metric(hr[1:], hr[1:], 3) if side > 1 else metric(hr[:0], hr[:0], 3)


def test_real_depends_on_the_name_and_the_severity_alone():
    original, medium = tiny.image(96, 96), DegradationSpec(24, degradation="real-medium")
    lr, hr = medium(original, "a.png")
    np.testing.assert_array_equal(hr, original)
    np.testing.assert_array_equal(medium(original, "a.png")[0], lr)
    assert not np.array_equal(medium(original, "b.png")[0], lr)
    clean = DegradationSpec(24)(original)[0].astype(float)
    errors = [
        np.mean(
            [
                np.square(
                    DegradationSpec(24, degradation=f"real-{x}")(original, f"{i}.png")[0] - clean
                ).mean()
                for i in range(8)
            ]
        )
        for x in ("light", "medium", "heavy")
    ]
    assert 0 < 2 * errors[0] < errors[1] and errors[1] < errors[2]
    # The seed is fixed for good: results of different versions compare.
    assert DegradationSpec(24, degradation="real-light").generator("a.png").integers(10**6) == 50794


def test_lr_and_hr_of_a_pair_are_both_made_from_the_original():
    original = tiny.image(60, 60)
    lr, hr = DegradationSpec(20, hr_size=40)(original)
    np.testing.assert_array_equal(lr, DegradationSpec(20)(original)[0])
    np.testing.assert_array_equal(hr, DegradationSpec(40)(original)[0])
    same, whole = DegradationSpec(20, hr_size=60)(original)
    np.testing.assert_array_equal(same, lr)
    np.testing.assert_array_equal(whole, original)
