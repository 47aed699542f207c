import os

from checks import GOLDENS, check_close, golden

from tfsr import from_preset


def test_one_command_makes_a_preset_that_reproduces_the_golden(tfsr, tmp_path):
    code, out, _ = tfsr("convert", GOLDENS / "liif_edsr_small.pth", "-o", tmp_path / "liif")
    assert code == 0
    assert "248,339 parameters" in out
    assert "encoder.sub_mean.weight" in out
    arrays = golden("liif_edsr_small")
    output = 2 * from_preset(tmp_path / "liif").upscale(arrays["img"][None], size=(37, 61))[0] - 1
    check_close(output, arrays["out_37x61"], 2e-5)


def test_a_refused_checkpoint_is_one_line_and_no_preset(tfsr, tmp_path):
    bad = tmp_path / "bad.pth"
    bad.write_text("no checkpoint")
    code, _, err = tfsr("convert", bad, "-o", tmp_path / "out")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert err.startswith(f"tfsr: {bad}: ")
    assert os.listdir(tmp_path) == ["bad.pth"]
