"""The blend of neighbours, and a decoder that replaces it."""

import numpy as np
import pytest
from checks import check_close
from keras import ops

from tfsr.decoders import Decoder
from tfsr.geometry import grid_plan
from tfsr.models import ImplicitSR
from tfsr.rendering import render_integer_scale
from tfsr.rendering.maps import denormalize

ENCODER = {"name": "edsr", "features": 8, "blocks": 1}


class Attention(Decoder):
    """Attends over the four neighbours: their softmax by similarity to the sum of all."""

    blends_by_weight = False

    def __init__(self):
        super().__init__(local_ensemble=True, input_skip="bilinear")

    def decode(self, features, rows, columns, modulation):
        return features[..., :3] * (1 + rows.offset * columns.offset)

    def blend(self, features, rows, columns, modulation):
        neighbours = [(i, j) for i in (0, 1) for j in (0, 1)]
        found = [features(i, j) for i, j in neighbours]
        query = sum(found)
        scores = [ops.sum(query * x, axis=-1, keepdims=True) for x in found]
        weights = ops.softmax(ops.concatenate(scores, axis=-1))
        colours = [
            self.decode(x, rows.neighbour(i), columns.neighbour(j), modulation)
            for x, (i, j) in zip(found, neighbours, strict=True)
        ]
        return sum(weights[..., n : n + 1] * x for n, x in enumerate(colours))


@pytest.fixture(scope="module")
def model():
    return ImplicitSR(ENCODER, Attention())


@pytest.mark.parametrize("size", [(8, 10), (13, 9), (12, 15)])
def test_attention_over_all_neighbours_is_one_method(model, size, rng):
    image = rng.random((1, 4, 5, 3), dtype=np.float32)
    output = model.upscale(image, size)
    plan = grid_plan((4, 5), size)
    check_close(output, np.asarray(model.render(model.encode(image), plan)), 1e-6)
    if size != (13, 9):
        phases = render_integer_scale(model.decoder, model.encode(image), plan)
        check_close(np.asarray(denormalize(phases)), output, 1e-6)
    if size == (12, 15):
        return  # On a pixel's centre, float32 decides which other neighbours a point has.
    rows, columns = np.meshgrid(plan.rows.coordinates, plan.columns.coordinates, indexing="ij")
    points = np.stack([rows.ravel(), columns.ravel()], -1)[None].astype(np.float32)
    cells = np.broadcast_to(np.float32([2 / size[0], 2 / size[1]]), points.shape)
    colours = model({"image": image, "coordinates": points, "cell": cells})
    check_close(np.asarray(colours).reshape(output.shape), output, 1e-5)


def test_it_is_no_weighted_sum(model, rng):
    image = rng.random((1, 4, 5, 3), dtype=np.float32)
    summed = ImplicitSR(ENCODER, Attention())
    summed.set_weights(model.get_weights())
    summed.decoder.blend = Decoder.blend.__get__(summed.decoder)
    assert np.abs(summed.upscale(image, (8, 10)) - model.upscale(image, (8, 10))).max() > 1e-3
