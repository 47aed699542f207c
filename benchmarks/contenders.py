"""The two sides that decoders.py compares: this library, and the published formulation."""

import math
import os

import numpy as np
from machine import (
    import_backend,
    matmul_speed,
    memory_of,
    seconds_of,
    torch_matmul_speed,
)

ENCODER = "edsr-baseline"
MEMORY = 2 * 2**30
SPREAD = 0.5  # of the decoder's outputs, which lie in [-1, 1]
BATCH, LR_SIDE, QUERIES, LEARNING_RATE = 16, 48, 2304, 1e-4


# Whole images


class Ours:
    """A model of this library, and one image to be upscaled to one size.

    Args:
        decoder: its name.
        weights: the published weights to run with; None: random ones.
        image: (1, h, w, 3) in [0, 1].
        size: (H, W).
    """

    def __init__(self, decoder, weights, image, size):
        import_backend()
        import keras
        from keras import ops

        from tfsr.backend import MAP, jit
        from tfsr.converters import load_published
        from tfsr.models import ImplicitSR

        keras.utils.set_random_seed(0)
        self.model = ImplicitSR(ENCODER, decoder)
        if weights is not None:
            load_published(self.model, weights)
        self.image, self.size = image, size
        self.renderers = {"float32": self.model.renderer(MEMORY)}
        encode = jit(self.model.encoder, self.model, (MAP,))
        self._encode = lambda: ops.convert_to_numpy(encode(ops.convert_to_tensor(2 * image - 1)))

    def device(self):
        """What the backend computes on."""
        from tfsr.backend import device_name

        return device_name()

    def peak_memory(self):
        """Bytes that two images take, one after the other: of the second, something is kept."""
        return memory_of(lambda: [self._draw("float32", self.size) for _ in range(2)])[1]

    def warm_up(self):
        """Draw in bfloat16 and encode once; `peak_memory` has rendered in float32."""
        from tfsr.models import with_precision

        self.renderers["bfloat16"] = with_precision(self.model, "bfloat16").renderer(MEMORY)
        for _ in range(2):
            self._draw("bfloat16", self.size)
        self._encode()
        self.first_image()
        self._draw("float32", self.size)

    def seconds(self, precision="float32"):
        """Seconds of an image after the first one of its size."""
        return seconds_of(lambda: self._draw(precision, self.size))

    def first_image(self):
        """Seconds of the first image of a size: one of another comes before."""
        self._draw("float32", (self.size[0], max(1, self.size[1] // 2)))
        return self.seconds()

    def encoder(self):
        """Seconds of the encoder alone."""
        return seconds_of(self._encode)

    def output(self):
        """The image, (1, H, W, 3) float32."""
        return self._draw("float32", self.size)

    def agreement(self):
        """PSNR of bfloat16's output against float32's, in dB, the peak being 1.

        Only the weights of `Published` spread the output enough for the figure to mean anything.
        """
        error = self._draw("bfloat16", self.size) - self.output()
        return -10 * math.log10(np.mean(np.square(error, dtype=np.float64)))

    def decoder_operations(self):
        """Multiplications and additions of the decoder for an image after the first."""
        return 2 * multiply_adds_run(self.model, self.renderers["float32"], self.image, self.size)

    def matmul_speed(self):
        """Of this process, now."""
        return matmul_speed()

    def _draw(self, precision, size):
        """As `Upscaler` does, without its rounding to 8 bits."""
        from tfsr.geometry import make_tiles

        renderer = self.renderers[precision]
        lr_size = self.image.shape[1:3]
        output = np.empty((1, *size, 3), np.float32)
        for window in make_tiles(lr_size, size, renderer.input_span, renderer.lr_pixels):
            part = self.image[:, slice(*window.lr_rows), slice(*window.lr_columns)]
            target = output[:, slice(*window.rows), slice(*window.columns)]
            for rows, columns, colours in renderer.render(part, window):
                target[:, rows, columns] = colours
        return output


def multiply_adds_run(model, renderer, image, size):
    """The decoder's multiply-adds as a renderer really runs them, when a size comes again."""
    from tfsr.decoders import LinearDecoder
    from tfsr.rendering import multiply_adds
    from tfsr.rendering.samplers import edge_padding

    lr_size, decoder = image.shape[1:3], model.decoder
    if isinstance(decoder, LinearDecoder):
        return multiply_adds(model, lr_size, size).as_run
    plan = model.plan(lr_size, size)
    scales = plan.integer_scales()
    rows, columns = size
    if scales and any(scale % 2 for scale in scales):
        # Neighbours without weight are left out: as if the output had fewer rows and columns.
        rows, columns = (
            sum(phase.starts.size * len(phase.axis) for phase in phases)
            / (1 + edge_padding(decoder))
            for phases in plan.phases()
        )
    # ARASFSR's branch of sines and DIINN's layer of the scale are cached.
    cached = (
        sum(x.multiply_adds for x in decoder.layer_costs() if x.per == "query") * rows * columns
    )
    if getattr(decoder, "coordinate", None) is not None:
        cached += math.prod(decoder.coordinate.row_kernel.shape) * (rows + columns)
    share = renderer.cache / max(1, renderer.modulation_bytes * math.prod(size))
    return multiply_adds(model, lr_size, (rows, columns)).as_run - cached * min(1, share)


class Published:
    """The published formulation of a system in PyTorch, with random weights.

    Args:
        decoder: its name.
        image: as in `Ours`.
        size: as in `Ours`.
    """

    def __init__(self, decoder, image, size):
        import published
        import torch

        torch.set_num_threads(os.cpu_count())
        self.size = size
        self.image = torch.from_numpy(2 * image.transpose(0, 3, 1, 2).copy() - 1)
        self.system = _random_system(decoder, self.image)
        tolerances = dict(published.GOLDENS.values())
        self._tolerance = tolerances[decoder]

    def weights(self):
        """Name to array."""
        return {name: tensor.numpy() for name, tensor in self.system.state_dict().items()}

    def peak_memory(self):
        """Bytes that an image takes."""
        return memory_of(self._draw)[1]

    def seconds(self):
        """Seconds of an image."""
        return seconds_of(self._draw)

    def output(self):
        """The last image, (1, H, W, 3) float32 in [0, 1]."""
        return 0.5 * self._rendered.permute(0, 2, 3, 1).numpy() + 0.5

    def tolerance(self):
        """How far another output may be away, in standard deviations of this one."""
        return self._tolerance

    def matmul_speed(self):
        """Of this process."""
        return torch_matmul_speed()

    def _draw(self):
        self._rendered = self.system.upscale(self.image, self.size)


def _random_system(decoder, image=None):
    """A published system; for an image, with its last layer scaled: outputs spread as images do.

    As PyTorch starts them, some output 0.03 and others 1.5 around the mean.
    """
    import published
    import torch

    torch.manual_seed(0)
    system = published.SYSTEMS[decoder](published.EDSR())
    if image is not None:
        skip, system.skip = getattr(system, "skip", False), False
        gain = SPREAD / system.upscale(image, image.shape[2:]).std()
        system.skip = skip
        with torch.no_grad():
            for last in list(system.parameters())[-2:]:  # The weight and the bias.
                last *= gain
    return system


# The training step


def training_batch():
    """Random images, points, cells and colours."""
    random = np.random.default_rng(0)
    points = BATCH, QUERIES
    return {
        "image": random.random((BATCH, LR_SIDE, LR_SIDE, 3), dtype=np.float32),
        "coordinates": random.uniform(-1, 1, (*points, 2)).astype(np.float32),
        "cell": np.full((*points, 2), 2 / (4 * LR_SIDE), np.float32),
        "colours": random.random((*points, 3), dtype=np.float32),
    }


class OurTraining:
    """LIIF, compiled for training; see `Ours` for the weights."""

    def __init__(self, weights):
        import_backend()
        import keras

        from tfsr.converters import load_published
        from tfsr.losses import L1
        from tfsr.models import ImplicitSR

        keras.utils.set_random_seed(0)
        self.model = ImplicitSR(ENCODER, "liif")
        if weights is not None:
            load_published(self.model, weights)
        self.model.compile(keras.optimizers.Adam(LEARNING_RATE, epsilon=1e-8), L1())
        self.inputs = training_batch()
        self.colours = self.inputs.pop("colours")

    def loss(self):
        """Of one step, and that step."""
        return float(self.model.train_on_batch(self.inputs, self.colours))

    def step(self):
        """Seconds of a step."""
        return seconds_of(self.loss)


class PublishedTraining:
    """The published formulation of LIIF, and PyTorch's Adam."""

    def __init__(self):
        import torch

        torch.set_num_threads(os.cpu_count())
        self.system = _random_system("liif")
        self.optimizer = torch.optim.Adam(self.system.parameters(), lr=LEARNING_RATE)
        batch = {name: torch.from_numpy(array) for name, array in training_batch().items()}
        self.image = 2 * batch["image"].permute(0, 3, 1, 2).contiguous() - 1
        self.points = batch["coordinates"], batch["cell"]
        self.colours = 2 * batch["colours"] - 1

    def weights(self):
        """Name to array, as copies: the next step changes them."""
        return {name: tensor.numpy().copy() for name, tensor in self.system.state_dict().items()}

    def loss(self):
        """Of one step, and that step."""
        loss = (self.system(self.image, *self.points) - self.colours).abs().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def step(self):
        """Seconds of a step."""
        return seconds_of(self.loss)
