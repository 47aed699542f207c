"""What a recipe says: everything that decides a training run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tfsr.data.config import SamplingConfig
from tfsr.evaluation import Reduction
from tfsr.models import AnyModel, from_config

VERSION = 1
"""The version of recipes that this tfsr reads."""


@dataclass(frozen=True)
class Data:
    """Where the pictures are, and how samples are cut from them.

    Attributes:
        train: folder of HR pictures.
        validation: folder of HR pictures that are never trained on.
        sampling: how samples are cut.
        skip_damaged: whether training pictures that cannot be read, or are too small, are left out,
            each named and counted, instead of ending the run.
    """

    train: str
    validation: str
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    skip_damaged: bool = False


@dataclass(frozen=True)
class Schedule:
    """The learning rate over the run.

    Attributes:
        initial: the rate at the start (after the warm-up).
        decay: "cosine": down to 0 at the last step; "steps": times `factor` at each boundary.
        boundaries: "steps": the steps at which the rate drops.
        factor: "steps": what it is multiplied by.
        warmup: steps over which the rate rises from 0. The cosine begins after it; boundaries are
            counted from the start of the run.
    """

    initial: float = 1e-4
    decay: Literal["cosine", "steps"] = "steps"
    boundaries: tuple[int, ...] = ()
    factor: float = 0.5
    warmup: int = 0


@dataclass(frozen=True)
class Training:
    """The optimisation.

    Attributes:
        steps: optimiser steps in the whole run.
        steps_per_epoch: steps between two validations, each with a checkpoint: what a run that is
            killed has to do again at most.
        loss: "l1" or "charbonnier".
        learning_rate: its schedule.
        epsilon: Adam's. PyTorch's 1e-8 is the default here too.
        precision: a Keras dtype policy, "float32" or "mixed_bfloat16".
        ema: momentum of the weights' moving average, which is then validated, kept as the best and
            answered in the end; None trains without.
        clip_norm: the longest the gradient of a whole step may be, over all weights together; None
            for any. Keras' `global_clipnorm` clips each replica's share by itself; this does not.
        gradient_accumulation_steps: steps whose mean gradient is one update; None for one each.
        jit_compile: whether XLA compiles the step; None leaves it to Keras.
    """

    steps: int
    steps_per_epoch: int = 1000
    loss: Literal["l1", "charbonnier"] = "l1"
    learning_rate: Schedule = field(default_factory=Schedule)
    epsilon: float = 1e-8
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    ema: float | None = None
    clip_norm: float | None = None
    gradient_accumulation_steps: int | None = None
    jit_compile: bool | None = None


@dataclass(frozen=True)
class Validation:
    """PSNR on whole pictures, after every epoch.

    Attributes:
        lr_sizes: sides of the LR pictures from which square originals are to be restored.
        scales: factors by which originals of any shape are reduced.
        pictures: how many of the validation pictures, the first ones by name.
        protocol: a protocol of `tfsr.metrics`.
        patience: epochs without a better mean PSNR after which training ends; None goes on.
    """

    lr_sizes: tuple[int, ...] = ()
    scales: tuple[float, ...] = ()
    pictures: int = 10
    protocol: str = "rgb"
    patience: int | None = None


@dataclass(frozen=True)
class Recipe:
    """A training run.

    Attributes:
        name: the recipe's own, for people.
        model: configuration of a model; see `tfsr.models.from_config`.
        data: pictures.
        training: optimisation.
        validation: quality along the way.
        seed: of initialisation, order, crops, queries and noise.
        provenance: what is to be known about the pictures and the weights: purpose, licence,
            origin. It goes into the preset's metadata as it stands.
        expected: the published figures that this recipe is to reach, for example
            {"div2k": {"x2": 34.67}}, in dB.
        parameters: how many parameters the model has to have; None: any number.
        init: a preset, or a run's directory, whose weights training starts from; None: at random.
        version: of what a recipe can say. A newer tfsr may write 2.
    """

    name: str
    model: Mapping[str, Any]
    data: Data
    training: Training
    validation: Validation
    seed: int = 0
    provenance: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    parameters: int | None = None
    init: str | None = None
    version: int = VERSION

    def reductions(self) -> list[Reduction]:
        """The reductions that validation restores, in the recipe's order."""
        degradation = self.data.sampling.degradation
        sizes = [Reduction(size, degradation=degradation) for size in self.validation.lr_sizes]
        scales = [Reduction(scale=x, degradation=degradation) for x in self.validation.scales]
        return sizes + scales

    def build_model(self) -> AnyModel:
        """The model, newly initialised."""
        return from_config({**self.model, "dtype": self.training.precision})
