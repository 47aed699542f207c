"""What several test files check in the same way, one line at each call."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from keras import KerasTensor, ops, tree

from tfsr.converters import load_published
from tfsr.encoders import EDSR, RDN
from tfsr.errors import InvalidArgument
from tfsr.geometry import cell_size, pixel_centres
from tfsr.models import ImplicitSR
from tfsr.rendering.maps import join_latent

GOLDENS = Path(__file__).parent / "goldens"

# The architectures of the goldens: full-size decoders on small encoders.
ARCHITECTURES = {
    "liif_edsr_small": (lambda: EDSR(16, 2, 1.0), "liif"),
    "liif_rdn_small": (lambda: RDN(16, 3, 3, 16), "liif"),
    "metasr_edsr_small": (lambda: EDSR(16, 2, 1.0), "metasr"),
    "lte_edsr_small": (lambda: EDSR(16, 2, 1.0), "lte"),
    "lmliif_edsr_small": (lambda: EDSR(16, 2, 1.0), "lm-liif"),
    "lmlte_edsr_small": (lambda: EDSR(16, 2, 1.0), "lm-lte"),
    "diinn_edsr_small": (lambda: EDSR(16, 2, 1.0), "diinn"),
    "diinnle_edsr_small": (lambda: EDSR(16, 2, 1.0), "diinn-ensemble"),
    "asfsr_edsr_small": (lambda: EDSR(16, 2, 1.0), "arasfsr"),
}


@cache
def golden(name):
    """The arrays of tests/goldens/NAME.npz, by name."""
    with np.load(GOLDENS / f"{name}.npz") as file:
        return dict(file)


def section(arrays, prefix):
    """The arrays whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}


def golden_model(name, **decoder_arguments):
    """An untrained model of the golden's architecture."""
    encoder, decoder = ARCHITECTURES[name]
    return ImplicitSR(encoder(), {"name": decoder, **decoder_arguments})


@cache
def published_model(name, **decoder_arguments):
    """The model that holds the golden's weights. Shared: do not change it."""
    model = golden_model(name, **decoder_arguments)
    load_published(model, section(golden(name), "sd/"))
    return model


def grid_points(size, batch=1):
    """Coordinates and cells, (batch, H * W, 2) each, of every pixel of a grid, row by row."""
    axes = np.meshgrid(*(pixel_centres(n) for n in size), indexing="ij")
    coordinates = np.stack(axes, axis=-1).reshape(1, -1, 2).repeat(batch, axis=0)
    cells = np.float32([cell_size(n) for n in size])
    return coordinates, np.broadcast_to(cells, coordinates.shape)


def unfolded(features):
    """3x3 neighbourhoods in a border of zeros, (h, w, c) to (h, w, 9 c), as published systems do.

    Channel by channel, each with its nine taps.
    """
    height, width, channels = features.shape
    padded = np.pad(features, ((1, 1), (1, 1), (0, 0)))
    taps = [padded[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.stack(taps, axis=-1).reshape(height, width, 9 * channels)


def unfolded_kernel(kernel):
    """What a convolution's kernel does to unfolded features: (3, 3, c, n) to (9 c, n)."""
    return np.transpose(kernel, (2, 0, 1, 3)).reshape(-1, kernel.shape[-1])


def outputs(output):
    """Every tensor of an output, as NumPy arrays."""
    return [ops.convert_to_numpy(ops.cast(x, "float32")) for x in tree.flatten(output)]


def check_layer(cls, arguments, inputs, output_shape, *, mixed_dtype="bfloat16"):
    """Shape, serialisation round trip and mixed precision of a layer with one output.

    Args:
        cls: the layer's class.
        arguments: constructor arguments, each expected back as an attribute.
        inputs: the arguments of `call`: a tuple of NumPy arrays or lists of them.
        output_shape: shape of its output, called and symbolic.
        mixed_dtype: dtype of its output under the policy mixed_bfloat16.
    """
    layer = cls(**arguments)
    output = layer(*inputs)
    assert tuple(output.shape) == output_shape
    symbols = [tree.map_structure(lambda x: KerasTensor(x.shape), x) for x in inputs]
    assert tuple(layer.compute_output_spec(*symbols).shape) == output_shape
    check_config(layer, arguments)

    copy = cls.from_config(layer.get_config())
    copy(*inputs)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(outputs(copy(*inputs))[0], outputs(output)[0])

    mixed = cls(**arguments, dtype="mixed_bfloat16")
    assert mixed(*inputs).dtype == mixed_dtype
    assert all(variable.dtype == "float32" for variable in mixed.trainable_variables)


def check_config(layer, arguments):
    """`get_config` survives JSON, mirrors the constructor, and makes an equal layer."""
    config = layer.get_config()
    copy = type(layer).from_config(json.loads(json.dumps(config)))
    assert json.dumps(copy.get_config()) == json.dumps(config)
    for name, value in arguments.items():
        for item in (layer, copy):
            assert json.dumps(getattr(item, name)) == json.dumps(value), name


def check_close(found, expected, tolerance, *, excused=None):
    """|found - expected| <= tolerance x std of the expected, or fail with an error histogram.

    Args:
        found: array.
        expected: array of the same shape.
        tolerance: in units of the expected values' standard deviation.
        excused: boolean mask of the leading axes, true where no agreement is asked.
    """
    assert found.shape == expected.shape
    errors = np.abs(found.astype(np.float64) - expected) / expected.std()
    if excused is not None:
        errors = errors[~excused]
    if errors.max() <= tolerance:
        return
    edges = [0, *10.0 ** np.arange(-8, 2), np.inf]
    counts, _ = np.histogram(errors, edges)
    lines = [
        f"  below {edge:7.0e}: {count:7d}" for edge, count in zip(edges[1:], counts, strict=True)
    ]
    worst = f"largest error {errors.max():.3g} x std, tolerance {tolerance:.3g}"
    raise AssertionError("\n".join([f"{worst}; errors / std:", *lines]))


def check_refused(action, *words):
    """It is refused in one line that has all these words."""
    with pytest.raises(InvalidArgument) as caught:
        action()
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line


def check_one_line(result, *words, code=1):
    """The command line said one line, on the standard error, and nothing on the other."""
    found, out, err = result
    assert found == code
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("tfsr: ")
    for word in words:
        assert str(word) in line


def encode(decoder, features, image, **arguments):
    """The latent of features and an image in [-1, 1], as `ImplicitSR.encode` makes it."""
    return join_latent(decoder, decoder.latent(features, image, **arguments), image)
