"""Add residual blocks to the EDSR encoder of a model, without changing its output.

    python recipes/add_blocks.py MODEL RUN BLOCKS

MODEL is the name or directory of a preset or a run. The second convolution of each new block is 0,
so the block is the identity until it is trained. RUN is a new directory, which `init_from` of a
recipe with as many blocks takes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tfsr.cli.startup import import_keras

import_keras()

import numpy as np  # noqa: E402

from tfsr import from_preset  # noqa: E402
from tfsr.encoders import EDSR  # noqa: E402
from tfsr.errors import TfsrError  # noqa: E402
from tfsr.presets import check_new, read_metadata  # noqa: E402
from tfsr.training import recipe_files  # noqa: E402
from tfsr.training.run_directory import write_run  # noqa: E402


def main(name: str, run: str, blocks: int) -> None:
    """Add the blocks after those that there are, and write the model as a run."""
    check_new(run)
    model = from_preset(name)
    if not isinstance(model.encoder, EDSR):
        raise SystemExit(f"{name}: its encoder must be EDSR; it is {type(model.encoder).__name__}")
    metadata = read_metadata(name)
    content = metadata["recipe"] | {"parameters": None}
    content["model"]["encoder"]["blocks"] += blocks
    recipe = recipe_files.parse(content)
    deeper = recipe.build_model()
    for block in deeper.encoder.body[-blocks:]:
        block.conv2.set_weights([np.zeros_like(weight) for weight in block.conv2.get_weights()])
    copies = [
        (model.encoder.head, deeper.encoder.head),
        *zip(model.encoder.body, deeper.encoder.body, strict=False),
        (model.encoder.tail, deeper.encoder.tail),
        (model.decoder, deeper.decoder),
    ]
    for layer, copy in copies:
        copy.set_weights(layer.get_weights())
    steps = int(metadata["steps"])
    before = metadata["provenance"].get("training") or f"{steps} steps"
    origin = f"{before}; then recipes/add_blocks.py: {blocks} more"
    write_run(Path(run), recipe, deeper, steps, origin)


if __name__ == "__main__":
    if len(sys.argv) != 4 or not sys.argv[3].isdigit() or int(sys.argv[3]) < 1:
        raise SystemExit(f"expected MODEL RUN BLOCKS, BLOCKS from 1; received {sys.argv[1:]}")
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    except TfsrError as error:
        raise SystemExit(str(error)) from None
