"""What is damaged, and what is done with it then, as the command line would.

Each subject is a class: `samples` are the good files by name, `use` takes a damaged one's path and
an empty folder to write to. It may raise `TfsrError`, and nothing else.
"""

import hashlib
import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import odd_files
import tiny
from soak.mutations import (
    mutate,
    with_aliases,
    with_other_structure,
    with_other_tags,
    with_right_checks,
)

from tfsr.errors import TfsrError

_TESTS = Path(__file__).parents[1]
_IMAGE = tiny.image(6, 7)


class Pictures:
    """Every format that is read, all the way through a batch of one file."""

    def __init__(self, folder):
        self.samples = {
            name: content
            for name, (content, _) in odd_files.IMAGES.items()
            # Whose EXIF is no EXIF anyway, and names that no file of findings should have.
            if re.fullmatch(r"[\w.-]{1,40}", name, re.ASCII) and "broken" not in name
        }
        self.samples["animated.avif"] = odd_files.animation("AVIF")

    def finish(self, name, content, random):
        """PNG files with the right checks and TIFF files with other tags, every other time."""
        if random.random() < 0.5:
            return content
        if name.endswith((".tif", ".tiff")):
            return with_other_tags(self.samples[name], random)
        return with_right_checks(content)

    def use(self, path, out, random):
        from tfsr.images.integrity import is_complete
        from tfsr.inference.batch import run_jobs
        from tfsr.inference.jobs import Job
        from tfsr.inference.request import UpscaleRequest
        from tfsr.inference.target_size import TargetSize

        is_complete(path, (12, 16))
        request = UpscaleRequest(TargetSize(long_side=40), frames=random.random() < 0.3)
        target = out / path.name
        (result,) = run_jobs([Job(path, target)], request, _enlarge)
        if result.error is not None:
            raise TfsrError(result.error)
        _check_image(target, result.size)


def _enlarge(image, size):
    """Nearest pixels: what a model does is of no matter here."""
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, image.shape[:2], strict=True))
    return image[rows][:, columns]


_enlarge.bit_depth = 16
_enlarge.details = {}


def _check_image(path, size):
    from tfsr.images import read_image

    assert read_image(path).size == size, f"{path} is not the image that was reported"


class Presets:
    """A preset of which one file is damaged."""

    signed = False

    def __init__(self, folder):
        from tfsr.models import ImplicitSR
        from tfsr.presets import save_preset

        self.good = folder / "good"
        if not self.good.exists():
            save_preset(ImplicitSR.from_config(tiny.MODEL), self.good, {"name": "tiny"})
        names = ("config.json", "model.weights.h5", "metadata.json")
        self.samples = {name: (self.good / name).read_bytes() for name in names}

    def finish(self, name, content, random):
        return content

    def use(self, path, out, random):
        from tfsr.presets import from_preset

        preset = path.parent / "preset"
        shutil.rmtree(preset, ignore_errors=True)
        shutil.copytree(self.good, preset)
        shutil.copyfile(path, preset / path.name)
        if self.signed:
            _sign(preset)
        model = from_preset(preset)
        model.upscale(_IMAGE[None] / np.float32(255), (12, 14))


class SignedPresets(Presets):
    """The same, by somebody who made the checksums right, and knows HDF5."""

    signed = True

    def finish(self, name, content, random):
        if name.endswith(".h5") and random.random() < 0.7:
            return with_other_structure(self.samples[name], random)
        return content

    def __init__(self, folder):
        super().__init__(folder)
        del self.samples["metadata.json"]


def _sign(preset):
    metadata = json.loads((preset / "metadata.json").read_text())
    for name in metadata["sha256"]:
        metadata["sha256"][name] = hashlib.sha256((preset / name).read_bytes()).hexdigest()
    (preset / "metadata.json").write_text(json.dumps(metadata))


class TFLiteFiles:
    """Exported files, opened and run."""

    def __init__(self, folder):
        path = folder / "good.tflite"
        if not path.exists():
            from tfsr.exporters import tflite
            from tfsr.models import ImplicitSR

            tflite(ImplicitSR.from_config(tiny.MODEL), path, (6, 7), [(12, 14)])
        self.samples = {path.name: path.read_bytes()}

    def finish(self, name, content, random):
        return content

    def use(self, path, out, random):
        from tfsr.inference.tflite_upscaler import TFLiteUpscaler

        TFLiteUpscaler(path)(_IMAGE, (12, 14))


class SignedTFLiteFiles(TFLiteFiles):
    """The same, with a right checksum, which LiteRT may not survive: in a sandbox."""

    def finish(self, name, content, random):
        from tfsr.inference.tflite_upscaler import with_metadata

        with zipfile.ZipFile(io.BytesIO(self.samples[name])) as archive:
            description = json.loads(archive.read("tfsr.json"))
        end = self.samples[name].rindex(b"PK\3\4")
        return with_metadata(mutate(self.samples[name][:end], random), description)

    def use(self, path, out, random):
        from tfsr.inference import SandboxedUpscaler

        SandboxedUpscaler(path)(_IMAGE, (12, 14))


class Recipes:
    """Recipes, read and checked."""

    def __init__(self, folder):
        recipes = sorted((_TESTS.parent / "recipes").glob("[!_]*.yaml"))[::6]
        self.samples = {path.name: path.read_bytes() for path in recipes}
        for base in (_TESTS.parent / "recipes").glob("*.yaml"):
            shutil.copy(base, folder)

    def finish(self, name, content, random):
        return with_aliases(content, random) if random.random() < 0.2 else content

    def use(self, path, out, random):
        from tfsr.training import recipe_files

        recipe_files.load(path)


class Checkpoints:
    """Published checkpoints, read and filled into a model."""

    def __init__(self, folder):
        name = "metasr_edsr_small.pth"
        self.samples = {name: (_TESTS / "goldens" / name).read_bytes()}

    def finish(self, name, content, random):
        return content

    def use(self, path, out, random):
        from tfsr.converters import read_published

        read_published(path).model()


SUBJECTS = {
    "images": Pictures,
    "presets": Presets,
    "signed-presets": SignedPresets,
    "tflite": TFLiteFiles,
    "signed-tflite": SignedTFLiteFiles,
    "recipes": Recipes,
    "checkpoints": Checkpoints,
}
