"""What a folder of small faces costs beside the model alone.

    python benchmarks/folder.py
    python benchmarks/folder.py --files 20 --out trial

Upscales 200 JPEG files of 64x64 pixels by 4 with the shipped preset, in one process: as `tfsr
upscale` does, files read, outputs encoded and written; and the same images, already decoded,
through the model alone. The two are taken in turn, and what counts is their ratio. Writes
folder.json and folder.md, and the table into docs/performance.md.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from machine import (
    RESULTS,
    OtherPrograms,
    Worker,
    alternately,
    described,
    description,
    import_backend,
    medians,
    seconds_of,
    table,
    three_digits,
    write,
)

SIDE, SCALE, REPEATS = 64, 4, 5
IMAGE = Path(__file__).parents[1] / "docs" / "images" / "astronaut.png"


class Folder:
    """A folder of JPEG files, and a model that has rendered one of them already.

    Args:
        folder: to write to.
        files: how many.
    """

    def __init__(self, folder, files):
        import_backend()
        from tfsr.images import read
        from tfsr.inference import ModelUpscaler
        from tfsr.inference.request import UpscaleRequest
        from tfsr.inference.target_size import TargetSize
        from tfsr.presets import DEFAULT, from_preset

        self.source, self.target = Path(folder, "in"), Path(folder, "out")
        draw(self.source, files)
        self.images = [read(path) for path in sorted(self.source.iterdir())]
        self.request = UpscaleRequest(TargetSize(scale=float(SCALE)))
        self.upscaler = ModelUpscaler(from_preset(DEFAULT))
        self.model()

    def model(self):
        """Seconds of all images through the model alone."""
        size = (SIDE * SCALE,) * 2

        def upscale():
            for image in self.images:
                self.upscaler(image, size)

        return seconds_of(upscale)

    def batch(self):
        """Seconds from all files to all files."""
        from tfsr.inference.batch import run_jobs
        from tfsr.inference.jobs import plan_jobs

        shutil.rmtree(self.target, ignore_errors=True)

        def upscale():
            jobs, failed = plan_jobs([self.source], self.target)
            results = [*failed, *run_jobs(jobs, self.request, self.upscaler)]
            if any(result.error for result in results):
                raise RuntimeError(next(result.error for result in results if result.error))

        return seconds_of(upscale)


def draw(folder, files):
    """One face, each time cut a little otherwise."""
    from PIL import Image

    folder.mkdir()
    with Image.open(IMAGE) as opened:
        face = opened.convert("RGB")
    for number in range(files):
        left, top = number % 16, number // 16 % 16
        cut = face.crop((left, top, face.width - 16 + left, face.height - 16 + top))
        small = cut.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        small.save(folder / f"{number:03}.jpg", quality=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    others = OtherPrograms()
    with (
        tempfile.TemporaryDirectory(prefix="tfsr-folder-") as folder,
        Worker(Folder, folder, options.files) as worker,
    ):
        asked = {"model": lambda: worker("model"), "batch": lambda: worker("batch")}
        seconds = alternately(asked, dict.fromkeys(asked, REPEATS))
    machine = {**description(), "others": others.share()}
    results = {"machine": machine, "files": options.files, "seconds": seconds}
    write(options.out, "folder", results, _text(results))


def _text(results):
    times, files = medians(results["seconds"]), results["files"]
    rows = [
        [name, three_digits(times[key]), three_digits(files / times[key])]
        for name, key in (("the model alone", "model"), ("from files to files", "batch"))
    ]
    ratio = times["model"] / times["batch"]
    share = f"{files} files, median of {REPEATS}: {ratio:.0%} of the model's rate."
    rated = table(["", "s", "images/s"], rows)
    return f"{described(results['machine'])}\n\n{rated}\n\n{share}"


if __name__ == "__main__":
    main()
