"""Average the weights of models that were trained from each other, or from one beginning.

    python recipes/mean_weights.py RUN MODEL=SHARE MODEL=SHARE ...

MODEL is the name or directory of a preset or a run; all have one architecture, and their shares
add up to 1. Two fine-tunings that differ in their seeds average to a better model than either; some
of a preset's clean twin makes it better on clean images, as `tfsr evaluate --strengths` measures
beforehand. Recipe and provenance are the first model's. RUN is a new directory, which
recipes/flat_colours.py and `tfsr save-preset` take.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tfsr.cli.startup import import_keras

import_keras()

from tfsr import from_preset  # noqa: E402
from tfsr.errors import TfsrError  # noqa: E402
from tfsr.presets import check_new, read_metadata  # noqa: E402
from tfsr.presets.preset_model import check_same_architecture  # noqa: E402
from tfsr.training import recipe_files  # noqa: E402
from tfsr.training.run_directory import write_run  # noqa: E402


def main(run: str, shares: dict[str, float]) -> None:
    """Average the weights, and write them as a run."""
    # Not a number fails too.
    if len(shares) < 2 or not min(shares.values()) > 0 or not abs(sum(shares.values()) - 1) < 1e-6:
        given = ", ".join(f"{name}={share:g}" for name, share in shares.items())
        raise SystemExit(
            f"shares of at least two models must be above 0 and add up to 1; received {given}"
        )
    check_new(run)
    models = {name: from_preset(name) for name in shares}
    (first, model), *others = models.items()
    for name, other in others:
        check_same_architecture(first, model, name, other)
    columns = zip(*(x.get_weights() for x in models.values()), strict=True)
    model.set_weights(
        [sum(s * w for s, w in zip(shares.values(), column, strict=True)) for column in columns]
    )
    metadata = read_metadata(first)
    recipe = recipe_files.parse(metadata["recipe"])
    write_run(Path(run), recipe, model, int(metadata["steps"]), _training(shares))


def _training(shares: dict[str, float]) -> str:
    """What was done: to the first model, and then."""
    first, *others = shares
    metadata = read_metadata(first)
    before = (
        metadata["provenance"].get("training") or f"{metadata['name']}: {metadata['steps']} steps"
    )
    names = (f"{shares[name]:g} of {read_metadata(name)['name']}" for name in others)
    return f"{before}; then recipes/mean_weights.py: {', '.join(names)}"


if __name__ == "__main__":
    pairs = [argument.rpartition("=") for argument in sys.argv[2:]]
    try:
        found = {name: float(share) for name, _, share in pairs}
    except ValueError as error:
        raise SystemExit(f"after RUN come MODEL=SHARE: {error}") from None
    try:
        main(sys.argv[1], found)
    except TfsrError as error:
        raise SystemExit(str(error)) from None
