import numpy as np
import pytest
from checks import check_close, outputs, unfolded, unfolded_kernel

from tfsr.decoders import DECODERS, DIINN
from tfsr.errors import InvalidArgument
from tfsr.geometry import grid_plan
from tfsr.rendering import render_grid, render_points

# Content layers: 576 features, then 256 values and, past mode 1, the features again.
FIRST, OUTPUT = 576 * 256 + 256, 256 * 3 + 3
SEEING = 3 * ((256 + 576) * 256 + 256)
# Position: 3 values or 4, then three layers of 256.
MODULATION = (3 * 256 + 256) + 3 * (256 * 256 + 256)
VARIANTS = {
    "mode 1": ({"mode": 1}, FIRST + 3 * (256 * 256 + 256) + MODULATION + OUTPUT),
    "mode 2": ({"mode": 2}, FIRST + SEEING + MODULATION + OUTPUT),
    "mode 3": ({"mode": 3}, FIRST + SEEING + MODULATION + OUTPUT),
    "ensemble": ({"local_ensemble": True}, FIRST + SEEING + MODULATION + 256 + OUTPUT),
    "mode 1, ensemble": (
        {"mode": 1, "local_ensemble": True},
        FIRST + 3 * (256 * 256 + 256) + MODULATION + 256 + OUTPUT,
    ),
}
variants = pytest.mark.parametrize("arguments", [a for a, _ in VARIANTS.values()], ids=VARIANTS)


def diinn(channels=6, **arguments):
    decoder = DIINN(**arguments)
    decoder.build((None, None, None, channels))
    return decoder


def rendered(decoder, latent, size):
    plan = grid_plan(latent.shape[1:3], size, neighbour_mode=decoder.neighbour_mode)
    return outputs(render_grid(decoder, latent, plan))[0][0]


@pytest.fixture
def latent(rng):
    return rng.normal(size=(1, 5, 7, 6)).astype(np.float32)


def dense(layer, x):
    kernel, bias = layer.get_weights()
    return x @ kernel + bias


def both_branches(decoder, x, position):
    """The published decoder on unfolded features (n, 9 c) and positions (n, 3 or 4)."""
    row_kernel, column_kernel, bias = decoder.position.get_weights()
    if decoder.local_ensemble:
        # [row offset, column offset, row cell, column cell]
        first = np.stack([row_kernel[0], column_kernel[0], row_kernel[1], column_kernel[1]])
    else:
        first = np.concatenate([row_kernel, column_kernel, *decoder.ratio.get_weights()])
    shares = [layer.get_weights() for layer in decoder.projections]

    k = np.maximum(x @ unfolded_kernel(shares[0][0]) + shares[0][1], 0)
    q = k * np.sin(position @ first + bias)
    for i in range(1, decoder.layers):
        content = decoder.content[i - 1].get_weights()
        if decoder.mode == 1:
            k = k @ content[0] + content[1]
        else:
            seen = np.concatenate([k if decoder.mode == 2 else q, x], axis=-1)
            kernel, bias = shares[i]
            k = seen @ np.concatenate([*content, unfolded_kernel(kernel)]) + bias
        k = np.maximum(k, 0)
        q = k * np.sin(dense(decoder.modulation_layers[i - 1], q))
    return dense(decoder.output_layer, q)


def nearest(lr, hr):
    """Index of the LR pixel that holds each output pixel's centre, and the offset to its own."""
    place = (2 * np.arange(hr) + 1) * lr
    index = place // (2 * hr)
    return index, place / hr - (2 * index + 1)


@pytest.mark.parametrize("mode", [1, 2, 3])
@pytest.mark.parametrize("size", [(10, 14), (19, 26), (4, 5), (40, 56)])
def test_the_nearest_pixel_outputs_through_both_branches(latent, mode, size):
    decoder = diinn(width=32, mode=mode)
    (rows, row_offset), (columns, column_offset) = map(nearest, (5, 7), size)
    features = unfolded(np.float64(latent[0]))[rows][:, columns].reshape(size[0] * size[1], -1)
    position = np.stack(
        [
            np.repeat(row_offset, size[1]),
            np.tile(column_offset, size[0]),
            np.full(len(features), 5 * 7 / (size[0] * size[1])),  # LR pixels in an output pixel
        ],
        axis=-1,
    )
    expected = both_branches(decoder, features, position)
    check_close(rendered(decoder, latent, size), expected.reshape(*size, 3), 1e-5)


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_the_ensemble_variant_gets_offset_and_cell(latent, mode):
    decoder = diinn(width=32, mode=mode, local_ensemble=True)
    plan = grid_plan((5, 7), (19, 26), neighbour_mode=decoder.neighbour_mode)
    whole = unfolded(np.float64(latent[0]))
    expected = 0
    for i in (0, 1):
        for j in (0, 1):
            row, column = plan.rows.neighbour(i), plan.columns.neighbour(j)
            features = whole[row.index][:, column.index].reshape(19 * 26, -1)
            # All that belongs to a row is repeated along it, all of a column comes again below.
            row_offset, row_cell, row_weight = (
                np.repeat(v, 26, axis=0) for v in (row.offset, row.cell, row.weight)
            )
            column_offset, column_cell, column_weight = (
                np.tile(v, (19, 1)) for v in (column.offset, column.cell, column.weight)
            )
            position = np.concatenate([row_offset, column_offset, row_cell, column_cell], axis=-1)
            colours = both_branches(decoder, features, position)
            expected = expected + row_weight * column_weight * colours
    check_close(rendered(decoder, latent, (19, 26)), expected.reshape(19, 26, 3), 1e-5)


@variants
def test_modes_and_depths_are_models_of_their_own(latent, arguments):
    images = [
        rendered(diinn(width=16, layers=layers, **arguments), latent, (19, 26))
        for layers in (1, 2, 5)
    ]
    for image in images:
        assert image.shape == (19, 26, 3)
        assert np.isfinite(image).all() and image.std() > 0


@pytest.mark.parametrize(("arguments", "expected"), VARIANTS.values(), ids=VARIANTS)
def test_parameter_counts(arguments, expected):
    assert diinn(64, **arguments).count_params() == expected


@pytest.mark.parametrize(("name", "expected"), [("diinn", 986_627), ("diinn-ensemble", 986_883)])
def test_the_published_decoders(name, expected):
    decoder = DECODERS.build(name)
    decoder.build((None, None, None, 64))
    assert decoder.count_params() == expected
    assert (decoder.mode, decoder.layers, decoder.width) == (3, 4, 256)


@variants
def test_kernels_start_in_the_range_of_the_published_layers(arguments):
    decoder = diinn(64, **arguments)
    later = 256 if decoder.mode == 1 else 256 + 576
    position = decoder.position.get_weights()
    if not decoder.local_ensemble:
        position += decoder.ratio.get_weights()
    layers = [(decoder.projections[0].get_weights(), 576)]
    layers += [(layer.get_weights(), later) for layer in decoder.projections[1:]]
    layers += [(layer.get_weights(), later) for layer in decoder.content]
    layers += [(position, 4 if decoder.local_ensemble else 3)]
    layers += [(layer.get_weights(), 256) for layer in decoder.modulation_layers]
    for weights, fan_in in layers:
        for values in weights:
            limit = 1 / np.sqrt(fan_in)
            assert 0.95 * limit < np.abs(values).max() <= limit * (1 + 1e-6)


def test_the_ratio_is_of_areas(latent):
    # Swapping the two scales leaves the ratio, and with it a pixel at an LR centre, as it was.
    decoder = diinn(width=32)
    centre = np.float32([[[0, 0]]])
    lr = np.float32([5, 7])
    tall, wide, other = (
        outputs(render_points(decoder, latent, centre, np.float32([[2 / (lr * scale)]])))[0]
        for scale in ((3, 1), (1, 3), (1, 1))
    )
    np.testing.assert_allclose(tall, wide, atol=1e-6)
    assert np.abs(tall - other).max() > 5e-5


@pytest.mark.parametrize("mode", [0, 4, "3"])
def test_an_unknown_mode_is_refused(mode):
    with pytest.raises(InvalidArgument, match="mode must be 1, 2 or 3; got"):
        DIINN(mode=mode)


@pytest.mark.parametrize("arguments", [{"width": 0}, {"layers": 0}])
def test_an_empty_network_is_refused(arguments):
    with pytest.raises(InvalidArgument, match="width and layers must be positive"):
        DIINN(**arguments)
