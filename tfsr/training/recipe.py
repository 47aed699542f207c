"""The typed content of a recipe: everything that decides a training run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from tfsr.data import SamplingConfig, Source
from tfsr.errors import RecipeError
from tfsr.evaluation import DegradationSpec
from tfsr.models import AnyModel, from_config

VERSION = 1
"""The version of recipes that this tfsr reads."""

# Calls of the compiled step between two looks at the clock: few enough for a slow machine.
_CALLS = 10

Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Momentum = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class DataConfig:
    """The images, and how samples are cut from them."""

    # Folder of HR images, or several, each with a weight and what differs in its sampling:
    # `[{folder: faces, weight: 3}, {folder: photos, mode: random_crop}]`.
    train: str | tuple[Source, ...]
    validation: str  # folder of HR images that are never trained on
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    skip_damaged: bool = False  # report and skip training images that cannot be used
    cache: str = "2GiB"  # memory for decoded training images

    @property
    def sources(self) -> tuple[Source, ...]:
        """The training folders."""
        return (Source(self.train),) if isinstance(self.train, str) else self.train

    def with_folders(self, folders: Sequence[str]) -> DataConfig:
        """Replace all training folders by one, or each by another with its weight and sampling.

        Raises:
            RecipeError: for another number of folders.
        """
        if len(folders) == 1:
            return replace(self, train=folders[0])
        if len(folders) != len(self.sources):
            raise RecipeError(
                f"data.train has {len(self.sources)} folders; received {len(folders)}. Pass as "
                "many, in the same order, or one for all"
            )
        pairs = zip(self.sources, folders, strict=True)
        return replace(self, train=tuple(replace(source, folder=name) for source, name in pairs))


@dataclass(frozen=True)
class ScheduleConfig:
    """The learning rate over the run."""

    initial: Positive = 1e-4  # after the warm-up
    # "cosine": down to 0 at the last step; "steps": times `factor` at each of the boundaries.
    decay: Literal["cosine", "steps"] = "steps"
    boundaries: tuple[Count, ...] = ()  # steps since the run's start
    factor: Positive = 0.5
    warmup: Natural = 0  # steps over which the rate rises from 0
    decay_start: Natural = 0  # cosine: first step, if after the warm-up; set by `steps: auto`


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimizer; `optimizer: muon` is short for `optimizer: {name: muon}`."""

    name: Literal["adam", "adamw", "muon"] = "adam"  # muon: `tfsr.training.muon.Muon`
    beta_1: Momentum = 0.9  # Adam's, and Muon's for variables that are not kernels
    beta_2: Momentum = 0.999
    epsilon: Positive = 1e-8  # PyTorch's default
    momentum: Momentum | None = None  # muon, of kernels; null: 0.95
    weight_decay: Annotated[float, Field(ge=0)] = 0.0  # adamw and muon; biases are excluded


@dataclass(frozen=True)
class TeacherConfig:
    """A trained model whose output is a second target; `teacher: NAME` is short for its preset."""

    preset: str  # a preset's name, or the directory of a preset or a run
    # w in (1 - w) * loss(target, output) + w * loss(teacher's output, output)
    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    sha256: str | None = None  # of its weights; null: any. The run's recipe.yaml has it


@dataclass(frozen=True)
class TrainingConfig:
    """The optimization."""

    steps: Count | Literal["auto"]  # auto: as many as the time limit allows
    # Steps between validations, each with a checkpoint and a row of the history. auto, with
    # `steps: auto`: an eighth of the run, or more where validation is slow.
    steps_per_epoch: Count | Literal["auto"] = 1000
    steps_per_execution: Count = 1  # in one call of Keras: less overhead for short steps
    checkpoint_steps: Count | None = None  # between checkpoints within an epoch
    checkpoint_minutes: Positive | None = 10.0  # likewise
    # A name of `tfsr.losses.LOSSES`; a mapping of name, arguments and weight; a list is their sum.
    loss: str | Mapping[str, Any] | tuple[str | Mapping[str, Any], ...] = "l1"
    teacher: TeacherConfig | None = None  # distillation
    learning_rate: ScheduleConfig = field(default_factory=ScheduleConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    precision: Literal["float32", "mixed_bfloat16"] = "float32"  # Keras' dtype policy
    # Momentum of the weights' moving average, which is then validated, saved and returned.
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    clip_norm: Positive | None = None  # of a whole step's gradient, however many the replicas
    gradient_accumulation_steps: Count | None = None  # steps whose mean gradient is one update
    jit_compile: bool | None = None  # by XLA; null: Keras decides

    def interval(self, done: int = 0) -> int:
        """Steps between two looks at the clock: a divisor of the epoch, of at most ten calls.

        Args:
            done: steps of an earlier start, which it divides too.
        """
        execution = self.steps_per_execution
        common = math.gcd(done, *(x for x in (self.steps, self.steps_per_epoch) if x != "auto"))
        candidates = range(execution, _CALLS * execution + 1, execution)
        return max(i for i in candidates if common % i == 0)

    def with_steps(self, steps: int, epochs: int, decay_start: int) -> TrainingConfig:
        """Replace `auto` by about `steps` steps; the interval stays the same.

        Args:
            steps: of the whole run; rounded down to whole intervals.
            epochs: number of epochs, if the recipe leaves it open.
            decay_start: the step at which this was decided.
        """
        interval = self.interval()
        steps = max(1, steps // interval) * interval
        epoch = self.steps_per_epoch
        if epoch == "auto":
            # No epoch has ended before this was decided.
            epoch = -(-steps // (epochs * interval)) * interval
            epoch = max(epoch, decay_start + interval)
        schedule = replace(self.learning_rate, decay_start=decay_start)
        return replace(self, steps=steps, steps_per_epoch=epoch, learning_rate=schedule)


@dataclass(frozen=True)
class ValidationConfig:
    """PSNR on whole images, after every epoch."""

    lr_sizes: tuple[Count, ...] = ()  # sides of LR images, for square originals
    scales: tuple[Annotated[float, Field(ge=1)], ...] = ()  # for originals of any shape
    # Of the LR images, such as [clean, real-medium]; empty: as in training.
    degradations: tuple[str | Mapping[str, Any] | list[Any], ...] = ()
    images: Count = 10  # the first ones by name
    protocol: str = "rgb"  # of `tfsr.metrics`
    patience: Count | None = None  # epochs without a better mean PSNR after which training ends


@dataclass(frozen=True)
class Recipe:
    """A training run."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    name: str
    model: Mapping[str, Any]  # see `tfsr.models.from_config`
    data: DataConfig
    training: TrainingConfig
    validation: ValidationConfig
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0  # of weights, order, crops, points and noise
    provenance: Mapping[str, str] = field(default_factory=dict)  # copied to the preset
    expected: Mapping[str, Any] = field(default_factory=dict)  # published dB: {div2k: {x2: 34.67}}
    parameters: int | None = None  # what the model must have; null: any
    init_from: str | None = None  # a preset or a run whose weights training starts from
    version: int = VERSION

    def degradation_specs(self) -> list[DegradationSpec]:
        """The degradations that validation restores, in the recipe's order."""
        validation = self.validation
        return [
            spec
            for degradation in validation.degradations or (self.data.sampling.degradation,)
            for spec in (
                *(DegradationSpec(side, None, degradation) for side in validation.lr_sizes),
                *(DegradationSpec(None, scale, degradation) for scale in validation.scales),
            )
        ]

    def build_model(self) -> AnyModel:
        """Build the model with random weights."""
        return from_config({**self.model, "dtype": self.training.precision})
