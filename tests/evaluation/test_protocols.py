import numpy as np
import pytest
import tiny

from tfsr.errors import InvalidArgument
from tfsr.evaluation import PROTOCOLS, Reduction, protocols


def labels(name, **arguments):
    return [reduction.label for reduction in PROTOCOLS[name].reductions(**arguments)]


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
        reductions = protocol.reductions(lr=["16"]) if name == "files" else protocol.reductions()
        found = {reduction.degradation for reduction in reductions}
        assert found == others.get(name, {"bicubic"})
    assert protocols.get("files").reductions(["16"], degradation="nn65")[0].degradation == "nn65"


def test_real_has_three_severities_at_two_sizes():
    assert labels("real") == [
        *("64-real-light", "128-real-light", "64-real-medium"),
        *("128-real-medium", "64-real-heavy", "128-real-heavy"),
    ]
    assert labels("real", lr=["32"], degradation="real-medium") == ["32-real-medium"]
    assert labels("files", scales=[2.0], degradation="faces") == ["x2-faces"]


def test_other_columns_can_be_chosen():
    assert labels("celebahq", lr=["64-128", "64"]) == ["64-128", "64"]
    assert labels("div2k", scales=[8.0]) == ["x8"]
    assert labels("x1-x30", scales=[1.5, 30.0]) == ["x1.5", "x30"]
    assert labels("files", lr=["171"], scales=[2.5]) == ["171", "x2.5"]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("files", {}, "give --lr-sides, --scales or both"),
        ("celebahq", {"scales": [2.0]}, "choose them with --lr-sides"),
        ("div2k", {"lr": ["64"]}, "choose them with --scale"),
        ("div2k", {"scales": [2.5]}, "whole numbers such as 2,3; got 2.5"),
        ("benchmark", {"scales": [0.5]}, "whole numbers"),
        ("x1-x30", {"scales": [0.0]}, "from 1 on"),
        ("files", {"lr": ["64-128-256"]}, "pairs of LR and HR"),
        ("files", {"lr": ["64-"]}, "'64-'"),
        ("files", {"lr": ["0"]}, "'0'"),
        ("files", {"lr": [""]}, "''"),
        ("files", {"lr": ["64"], "degradation": "nn56"}, "Did you mean 'nn65'"),
        ("celebahq", {"degradation": "nn65"}, "fixes its degradation"),
        ("real", {"degradation": "faces"}, "real-medium or real-heavy; received 'faces'"),
    ],
)
def test_what_a_protocol_does_not_measure_is_refused(name, arguments, words):
    with pytest.raises(InvalidArgument) as caught:
        PROTOCOLS[name].reductions(**arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_protocol_is_told_the_nearest():
    with pytest.raises(InvalidArgument, match="Did you mean 'celebahq-nn65'"):
        protocols.get("celebahq-nn56")


def test_every_measure_says_what_it_is():
    found = {m.name: m.label for p in PROTOCOLS.values() for m in p.measures}
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
    for measure in PROTOCOLS[name].measures:
        least = measure.least_side(3)
        hr = tiny.image(least, least + 9)
        assert np.isfinite(measure(255 - hr, hr, 3))
        with pytest.raises(InvalidArgument):
            measure(hr[1:], hr[1:], 3) if least > 1 else measure(hr[:0], hr[:0], 3)


def test_real_depends_on_the_name_and_the_severity_alone():
    original, medium = tiny.image(96, 96), Reduction(24, degradation="real-medium")
    lr, hr = medium(original, "a.png")
    np.testing.assert_array_equal(hr, original)
    np.testing.assert_array_equal(medium(original, "a.png")[0], lr)
    assert not np.array_equal(medium(original, "b.png")[0], lr)
    clean = Reduction(24)(original)[0].astype(float)
    errors = [
        np.mean(
            [
                np.square(
                    Reduction(24, degradation=f"real-{x}")(original, f"{i}.png")[0] - clean
                ).mean()
                for i in range(8)
            ]
        )
        for x in ("light", "medium", "heavy")
    ]
    assert 0 < 2 * errors[0] < errors[1] and errors[1] < errors[2]
    # One seed is kept for good: figures of different versions compare.
    assert Reduction(24, degradation="real-light").generator("a.png").integers(10**6) == 50794


def test_lr_and_hr_of_a_pair_are_both_made_from_the_original():
    original = tiny.image(60, 60)
    lr, hr = Reduction(20, hr_size=40)(original)
    np.testing.assert_array_equal(lr, Reduction(20)(original)[0])
    np.testing.assert_array_equal(hr, Reduction(40)(original)[0])
    same, whole = Reduction(20, hr_size=60)(original)
    np.testing.assert_array_equal(same, lr)
    np.testing.assert_array_equal(whole, original)
