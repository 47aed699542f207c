"""What happens between epochs: validation on whole pictures, and checkpoints."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfsr.errors import CheckpointError, RecipeError
from tfsr.evaluation import Reduction, restoration_psnr
from tfsr.inference.upscaler import Upscaler


class PictureValidation(keras.callbacks.Callback):
    """Adds `val_psnr`, and one `val_psnr_REDUCTION` for each, to every epoch's logs.

    Args:
        paths: validation pictures.
        reductions: how they are reduced before they are restored.
        protocol: of `tfsr.metrics.psnr`.
    """

    def __init__(
        self, paths: Sequence[Path], reductions: Sequence[Reduction], protocol: str
    ) -> None:
        super().__init__()
        self.paths = paths
        self.reductions = reductions
        self.protocol = protocol

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measure, and add to the logs that the callbacks after this one see.

        Raises:
            RecipeError: if the loss is no number any more.
        """
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            raise RecipeError(
                f"training diverged in epoch {epoch + 1}: the loss is {(logs or {})['loss']}; "
                "lower training.learning_rate.initial and start again"
            )
        upscale = Upscaler(self.model)
        means = {}
        for reduction in self.reductions:
            values = restoration_psnr(upscale, self.paths, reduction, self.protocol)
            means[f"val_psnr_{reduction.label}"] = float(np.mean(values))
        if logs is not None:
            logs.update(means, val_psnr=float(np.mean(list(means.values()))))


class Checkpoints(keras.callbacks.Callback):
    """Keeps the last and the best state of a run in its directory.

    `last.weights.h5` holds weights and optimiser; `best.weights.h5` those of the best `val_psnr`;
    `state.json` says where the run is. Each file is complete or not there: it is written under
    another name and renamed.

    Args:
        directory: of the run.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.best = -np.inf
        self.best_epoch = 0

    def restore(self, model: keras.Model) -> int:
        """Load the last state into a compiled model; answers the number of epochs done.

        Raises:
            CheckpointError: if there is none, or it does not fit the model.
        """
        path = self.directory / "last.weights.h5"
        try:
            state = json.loads((self.directory / "state.json").read_text())
            model.optimizer.build(model.trainable_variables)
            model.load_weights(path)
            self.best, self.best_epoch = state["best"], state["best_epoch"]
            return int(state["epochs"])
        except FileNotFoundError as error:
            raise CheckpointError(
                f"{self.directory}: no checkpoint to resume from; train without --resume"
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise CheckpointError(f"{path}: does not fit this recipe: {reason}") from error

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the last state and, if `val_psnr` is the best so far, the best one."""
        psnr = (logs or {}).get("val_psnr", -np.inf)
        if psnr > self.best:
            self.best, self.best_epoch = float(psnr), epoch + 1
            self._save("best.weights.h5")
        self._save("last.weights.h5")
        state = {"epochs": epoch + 1, "best": self.best, "best_epoch": self.best_epoch}
        temporary = self.directory / "state.json.part"
        temporary.write_text(json.dumps(state) + "\n")
        os.replace(temporary, self.directory / "state.json")

    def _save(self, name: str) -> None:
        temporary = self.directory / f"part.{name}"
        try:
            self.model.save_weights(temporary)
            os.replace(temporary, self.directory / name)
        finally:
            temporary.unlink(missing_ok=True)
