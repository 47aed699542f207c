"""Every command of a page is run, one after the other, as a reader would type them."""

import tiny
from pages import DOCS, commands
from PIL import Image

from tfsr.images import read


def test_photographs(tfsr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    face = read(DOCS / "pictures" / "astronaut-46.png")
    for name in ("face.jpg", "faces/a.png", "faces/more/b.jpg"):
        tiny.save(tmp_path / name, face)
    tiny.save(tmp_path / "photo.jpg", tiny.picture(200, 300))
    for command in commands("photographs.md"):
        code, _, err = tfsr(*command)
        assert (code, err) == (0, ""), command
    sizes = {}
    for path in tmp_path.rglob("*.*"):
        if path.suffix != ".json":
            with Image.open(path) as picture:
                sizes[str(path.relative_to(tmp_path))] = picture.size
    assert sizes == {
        **dict.fromkeys(["face.jpg", "faces/a.png", "faces/more/b.jpg"], (46, 46)),
        **dict.fromkeys(["large/a.png", "large/more/b.jpg", "large/a.webp"], (128, 128)),
        "photo.jpg": (300, 200),
        "large.png": (170, 170),
        "exact.png": (237, 173),
        "upright.jpg": (600, 400),
        "group.jpg": (600, 400),
        "better.png": (184, 184),
    }
    assert (tmp_path / "done.json").is_file()
