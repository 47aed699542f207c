"""What a recipe says: everything that decides a training run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tfsr.data import SamplingConfig, Source
from tfsr.errors import RecipeError
from tfsr.evaluation import Reduction
from tfsr.models import AnyModel, from_config

# Calls of the compiled step between two looks at the clock: few enough for a slow machine.
_CALLS = 10

VERSION = 1
"""The version of recipes that this tfsr reads."""


@dataclass(frozen=True)
class Data:
    """Where the images are, and how samples are cut from them.

    Attributes:
        train: folder of HR images, or several, each with a weight and what differs for it:
            `[{folder: faces, weight: 3}, {folder: photos, mode: random_crop}]`.
        validation: folder of HR images that are never trained on.
        sampling: how samples are cut.
        skip_damaged: whether training images that cannot be read, or are too small, are left out,
            each named and counted, instead of ending the run.
        cache: memory for decoded training images, such as "512MiB": what fits is decoded once.
    """

    train: str | tuple[Source, ...]
    validation: str
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    skip_damaged: bool = False
    cache: str = "2GiB"

    @property
    def sources(self) -> tuple[Source, ...]:
        """The training folders."""
        return (Source(self.train),) if isinstance(self.train, str) else self.train

    def with_folders(self, folders: Sequence[str]) -> Data:
        """The same recipe's data in other folders.

        Args:
            folders: one for each of the recipe's, whose weights and changes stay; or a single one,
                which takes the place of all of them.

        Raises:
            RecipeError: if there are neither one nor as many folders as the recipe has.
        """
        sources = self.sources
        if len(folders) == 1:
            return replace(self, train=folders[0])
        if len(folders) != len(sources):
            raise RecipeError(
                f"data.train has {len(sources)} folders; received {len(folders)}: give as many, "
                "in the same order, or one for all"
            )
        return replace(
            self,
            train=tuple(
                replace(source, folder=folder)
                for source, folder in zip(sources, folders, strict=True)
            ),
        )


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
        decay_start: "cosine": the step at which it begins, if that is after the warm-up; the rate
            stays until then. `steps: auto` writes here when the number of steps was decided.
    """

    initial: float = 1e-4
    decay: Literal["cosine", "steps"] = "steps"
    boundaries: tuple[int, ...] = ()
    factor: float = 0.5
    warmup: int = 0
    decay_start: int = 0


@dataclass(frozen=True)
class Optimizer:
    """How gradients become steps; `optimizer: muon` is short for `optimizer: {name: muon}`.

    Attributes:
        name: "adam", "adamw" or "muon" (`tfsr.training.muon.Muon`).
        beta_1: Adam's first decay, which Muon uses for variables that are not kernels.
        beta_2: Adam's second decay, likewise.
        epsilon: Adam's, likewise. PyTorch's 1e-8 is the default here too.
        momentum: "muon": of the kernels; None is 0.95.
        weight_decay: "adamw" and "muon": decoupled weight decay; biases are excluded.
    """

    name: Literal["adam", "adamw", "muon"] = "adam"
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    momentum: float | None = None
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Teacher:
    """A trained model whose output is a second target; `teacher: NAME` is short for its preset.

    Attributes:
        preset: a preset's name, or the directory of a preset or a run.
        weight: share w of the teacher in the loss, in (0, 1]:
            (1 - w) * loss(target, output) + w * loss(teacher's output, output).
        sha256: of its weights; None: any. Written into the run's recipe.yaml when it begins.
    """

    preset: str
    weight: float = 0.5
    sha256: str | None = None


@dataclass(frozen=True)
class Training:
    """The optimization.

    Attributes:
        steps: optimizer steps in the whole run; "auto": as many as there is time for, decided from
            the speed of the first half minute (with a time limit only).
        steps_per_epoch: steps between two validations, each with a checkpoint and a row of the
            history; the last epoch may be shorter. "auto", with `steps: auto`: an eighth of
            them, or more where validation takes long.
        steps_per_execution: steps that Keras runs in one call: less overhead where steps are short.
        checkpoint_steps: steps between two checkpoints within an epoch; None: none by steps.
        checkpoint_minutes: minutes between two checkpoints, likewise.
        loss: a name of `tfsr.losses.LOSSES` ("charbonnier", "l1", "l2", "fft"); a mapping of its
            name, arguments and perhaps a weight; or a list of such, whose weighted sum is meant.
        teacher: a trained model to learn from, beside the images; None: none (distillation).
        learning_rate: its schedule.
        optimizer: its name and arguments.
        precision: a Keras dtype policy, "float32" or "mixed_bfloat16".
        ema: momentum of the weights' moving average, which is then validated, kept as the best and
            answered in the end; None trains without.
        clip_norm: the longest the gradient of a whole step may be, over all weights together; None
            for any. Keras' `global_clipnorm` clips each replica's share by itself; this does not.
        gradient_accumulation_steps: steps whose mean gradient is one update; None for one each.
        jit_compile: whether XLA compiles the step; None leaves it to Keras.
    """

    steps: int | Literal["auto"]
    steps_per_epoch: int | Literal["auto"] = 1000
    steps_per_execution: int = 1
    checkpoint_steps: int | None = None
    checkpoint_minutes: float | None = 10.0
    loss: str | Mapping[str, Any] | tuple[str | Mapping[str, Any], ...] = "l1"
    teacher: Teacher | None = None
    learning_rate: Schedule = field(default_factory=Schedule)
    optimizer: Optimizer = field(default_factory=Optimizer)
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    ema: float | None = None
    clip_norm: float | None = None
    gradient_accumulation_steps: int | None = None
    jit_compile: bool | None = None

    def interval(self, done: int = 0) -> int:
        """Steps between two looks at the clock: a divisor of the epoch, of at most ten calls.

        It does not change when `auto` is replaced by what was decided: `with_steps` sees to it.

        Args:
            done: steps of an earlier start, which it divides too.
        """
        execution = self.steps_per_execution
        most = _CALLS * execution
        common = math.gcd(done, *(x for x in (self.steps, self.steps_per_epoch) if x != "auto"))
        return max(i for i in range(execution, most + 1, execution) if common % i == 0)

    def with_steps(self, steps: int, epochs: int, decay_start: int) -> Training:
        """The same with `auto` replaced, for about so many steps.

        Args:
            steps: of the whole run; rounded down to whole intervals.
            epochs: in how many it is divided, if the recipe leaves that open.
            decay_start: the step at which this was decided, between two intervals.
        """
        interval = self.interval()
        steps = max(1, steps // interval) * interval
        epoch = self.steps_per_epoch
        if epoch == "auto":
            # None has ended before this was decided.
            epoch = -(-steps // (epochs * interval)) * interval
            epoch = max(epoch, decay_start + interval)
        schedule = replace(self.learning_rate, decay_start=decay_start)
        return replace(self, steps=steps, steps_per_epoch=epoch, learning_rate=schedule)


@dataclass(frozen=True)
class Validation:
    """PSNR on whole images, after every epoch.

    Attributes:
        lr_sizes: sides of the LR images from which square originals are to be restored.
        scales: factors by which originals of any shape are reduced.
        degradations: what makes the LR images, such as ["clean", "real-medium"]; empty: as in
            training.
        images: how many of the validation images, the first ones by name.
        protocol: a protocol of `tfsr.metrics`.
        patience: epochs without a better mean PSNR after which training ends; None goes on.
    """

    lr_sizes: tuple[int, ...] = ()
    scales: tuple[float, ...] = ()
    degradations: tuple[str | Mapping[str, Any] | list[Any], ...] = ()
    images: int = 10
    protocol: str = "rgb"
    patience: int | None = None


@dataclass(frozen=True)
class Recipe:
    """A training run.

    Attributes:
        name: the recipe's own, for people.
        model: configuration of a model; see `tfsr.models.from_config`.
        data: images.
        training: optimization.
        validation: quality along the way.
        seed: of initialisation, order, crops, queries and noise.
        provenance: what is to be known about the images and the weights: purpose, licence,
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
        return [
            reduction
            for degradation in self.validation.degradations or (self.data.sampling.degradation,)
            for reduction in (
                *(Reduction(size, degradation=degradation) for size in self.validation.lr_sizes),
                *(Reduction(scale=x, degradation=degradation) for x in self.validation.scales),
            )
        ]

    def build_model(self) -> AnyModel:
        """The model, newly initialised."""
        return from_config({**self.model, "dtype": self.training.precision})
