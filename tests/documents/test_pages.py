"""Every command of a page is run, one after the other, as a reader would type them."""

import shutil

import tiny
import yaml
from pages import DOCS, commands, yaml_blocks
from PIL import Image

from tfsr.images import read


def test_photographs(tfsr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    face = read(DOCS / "images" / "astronaut-46.png")
    for name in ("face.jpg", "faces/a.png", "faces/more/b.jpg"):
        tiny.save(tmp_path / name, face)
    tiny.save(tmp_path / "photo.jpg", tiny.image(200, 300))
    tiny.twins(tmp_path / "faces")
    for command in commands("photographs.md"):
        code, _, err = tfsr(*command)
        assert (code, err) == (0, ""), command
    sizes = {}
    for path in tmp_path.rglob("*.*"):
        if path.suffix not in (".json", ".h5", ".md"):
            with Image.open(path) as image:
                sizes[str(path.relative_to(tmp_path))] = image.size
    width, _ = sizes.pop("strengths.png")
    assert sizes.pop("numbered.png") == (300, 200)
    assert width > 5 * 512  # LR, bicubic and three strengths.
    assert sizes == {
        **dict.fromkeys(["face.jpg", "faces/a.png", "faces/more/b.jpg"], (46, 46)),
        **dict.fromkeys(["large/a.png", "large/more/b.jpg", "large/a.webp"], (128, 128)),
        "photo.jpg": (300, 200),
        "large.png": (170, 170),
        "exact.png": (237, 173),
        "upright.jpg": (600, 400),
        "people.jpg": (600, 400),
        "group.jpg": (600, 400),
        "better.png": (184, 184),
        "restored.png": (600, 400),
    }
    assert (tmp_path / "done.json").is_file()


# A reader waits for an hour; here two steps of small batches are enough. Many processors emulate
# bfloat16, slowly; `test_recipes.py` trains a recipe in it.
SHORT = (
    "training.precision=float32",
    *("training.steps=2", "training.steps_per_epoch=2", "training.learning_rate.warmup=0"),
    *("data.sampling.batch=2", "data.sampling.num_points=64", "training.jit_compile=false"),
    *("validation.images=1", "validation.lr_sizes=[32]"),
)


def test_training(tfsr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(DOCS.parent / "recipes", tmp_path / "recipes")
    for folder in ("faces/train", "faces/val", "mine/train", "mine/val"):
        tiny.folder(tmp_path / folder, count=1, side=256)
    for folder in ("faces512/train", "faces256/train", "faces256_extra/train", "faces256/val"):
        tiny.folder(tmp_path / folder, count=1, side=512 if "512" in folder else 256)
    tiny.save(tmp_path / "photo.jpg", tiny.image(20, 30))
    changes = [word for change in SHORT for word in ("--set", change)]
    found = commands("training.md")
    [trainings] = map(yaml.safe_load, yaml_blocks("training.md"))
    short = {key: yaml.safe_load(value) for key, value in (x.split("=") for x in SHORT)}
    for run in trainings["runs"].values():
        run["set"] = {**run.get("set", {}), **short}
    (tmp_path / "trainings.yaml").write_text(yaml.safe_dump(trainings, sort_keys=False))
    for command in found:
        code, _, err = tfsr(*command, *(changes if command[0] == "train" else ()))
        assert (code, err) == (0, ""), command
    verbs = [*["train"] * 7, "queue", "queue", "train", "upscale", "save-preset"]
    assert [command[0] for command in found] == verbs
    assert (tmp_path / "runs" / "mobile-short" / "best").is_dir()
    assert read(tmp_path / "large.png").shape == (80, 120, 3)
    assert (tmp_path / "my-preset" / "metadata.json").is_file()


def test_phones_and_servers(tfsr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny.save(tmp_path / "small.png", tiny.image(64, 64))
    for command in commands("phones-and-servers.md"):
        code, _, err = tfsr(*command)
        assert (code, err) == (0, ""), command
    assert read(tmp_path / "large.png").shape == (237, 237, 3)
    assert (tmp_path / "served" / "tfsr" / "1" / "saved_model.pb").is_file()
