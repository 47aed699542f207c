"""Where a model computes, and with how many threads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tfsr.errors import InvalidArgument

# More than any machine has, and TensorFlow starts as many as it is asked for.
_MAX_THREADS = 256


@dataclass(frozen=True)
class Device:
    """The choices of --device and --threads; None where they are not given.

    Attributes:
        name: "cpu", "gpu" or "gpu:N".
        threads: 1 to 256.

    Raises:
        InvalidArgument: if one has an impossible value.
    """

    name: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.name is not None and not re.fullmatch(r"cpu|gpu(:\d{1,3})?", self.name, re.ASCII):
            raise InvalidArgument(f"must be cpu, gpu or gpu:N; received {self.name!r}", "device")
        if self.threads is not None and not 1 <= self.threads <= _MAX_THREADS:
            raise InvalidArgument(
                f"must be 1 to {_MAX_THREADS}; received {self.threads}", "threads"
            )

    def use(self) -> None:
        """Make TensorFlow compute there, before it computes anything.

        Raises:
            InvalidArgument: if there is no such device, or Keras runs on another backend.
        """
        if self.name is None and self.threads is None:
            return
        import keras

        if keras.backend.backend() != "tensorflow":
            raise InvalidArgument(
                "--device and --threads are TensorFlow's; Keras runs on "
                f"{keras.backend.backend()}: unset KERAS_BACKEND, or leave them out"
            )
        import tensorflow as tf

        if self.name is not None:
            self._make_visible(tf.config)
        if self.threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(self.threads)
            tf.config.threading.set_inter_op_parallelism_threads(self.threads)

    def _make_visible(self, config: Any) -> None:
        """Hide all other GPUs from TensorFlow."""
        gpus = config.list_physical_devices("GPU")
        wanted = []
        if self.name != "cpu":
            number = int((self.name or "").partition(":")[2] or 0)
            wanted = gpus[number : number + 1]
            if not wanted:
                found = ", ".join(["cpu", *(f"gpu:{i}" for i in range(len(gpus)))])
                raise InvalidArgument(
                    f"{self.name}: TensorFlow finds no such device; it finds {found}", "device"
                )
        if gpus:
            config.set_visible_devices(wanted, "GPU")
