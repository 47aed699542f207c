import numpy as np
import pytest
from block_means import BlockMeans
from checks import check_layer, check_refused, outputs
from keras import ops

from tfsr.encoders import ECB, EDSR, ENCODERS, RDN, SPAN
from tfsr.layers import Convolution


@pytest.fixture
def image(rng):
    return rng.uniform(-1, 1, (2, 6, 7, 3)).astype(np.float32)


def test_the_registered_names():
    assert ENCODERS.names() == ["ecb", "edsr", "edsr-baseline", "rdn", "rdn-a", "span"]


def parameters(encoder):
    encoder.build((None, None, None, 3))
    return encoder.count_params()


def test_published_parameter_counts():
    assert parameters(ENCODERS.build("edsr-baseline")) == 1_220_416
    assert parameters(ENCODERS.build("rdn")) == 21_973_952


def test_the_full_edsr_is_the_papers():
    encoder = ENCODERS.build("edsr")
    assert (encoder.features, encoder.blocks, encoder.residual_scale) == (256, 32, 0.1)


@pytest.mark.parametrize(
    ("name", "blocks", "layers", "growth"), [("rdn", 16, 8, 64), ("rdn-a", 20, 6, 32)]
)
def test_the_papers_two_configurations_of_rdn(name, blocks, layers, growth):
    encoder = ENCODERS.build(name)
    assert (encoder.blocks, encoder.layers, encoder.growth) == (blocks, layers, growth)
    assert encoder.features == encoder.channels == 64
    assert encoder.receptive_field == blocks * layers + 3
    assert encoder.halo == 48


def test_rdn_is_densely_connected():
    features, blocks, layers, growth = 8, 3, 4, 5
    # Each block: 3x3 convolutions that see everything before them, and a 1x1 one that fuses them.
    block = sum(9 * (features + i * growth) * growth + growth for i in range(layers))
    block += (features + layers * growth) * features + features
    convolution = 9 * features**2 + features
    around = (9 * 3 * features + features) + convolution
    fusion = (blocks * features**2 + features) + convolution
    assert parameters(RDN(features, blocks, layers, growth)) == around + blocks * block + fusion


def test_edsr_is_a_layer(image):
    arguments = {"features": 8, "blocks": 2, "residual_scale": 0.1}
    check_layer(EDSR, arguments, (image,), (2, 6, 7, 8))


def test_rdn_is_a_layer(image):
    arguments = {"features": 8, "blocks": 2, "layers": 2, "growth": 4}
    check_layer(RDN, arguments, (image,), (2, 6, 7, 8))


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("cls", [SPAN, ECB])
def test_the_foldable_encoders_are_layers(image, cls, folded):
    arguments = {"features": 8, "blocks": 1, "folded": folded}
    check_layer(cls, arguments, (image,), (2, 6, 7, 8))


@pytest.mark.parametrize("cls", [SPAN, ECB])
def test_folding_changes_no_feature(image, cls):
    encoder = cls(8, 2)
    expected = outputs(encoder(image))[0]
    folded = encoder.fold()
    assert folded.folded and not encoder.folded
    assert all(type(layer) is Convolution for layer in folded.convolutions)
    np.testing.assert_allclose(outputs(folded(image))[0], expected, atol=1e-5)
    assert folded.count_params() < encoder.count_params()
    assert folded.fold() is folded
    if cls is SPAN:
        head, fusion = 9 * 3 * 8 + 8, 4 * 8 * 8 + 8
        assert folded.count_params() == head + 7 * (9 * 8 * 8 + 8) + fusion
    mixed = cls(4, 1, dtype="mixed_bfloat16")
    mixed.build((None, None, None, 3))
    assert mixed.fold().dtype_policy == mixed.dtype_policy


def test_an_encoder_without_branches_folds_to_itself():
    encoder = EDSR(8, 2)
    assert encoder.fold() is encoder


def test_span_is_the_published_network(image):
    """Block by block, as the paper's figure 2 and its code have it."""
    span = SPAN(8, 2, input_scale=127.5, folded=True)
    found = outputs(span(image))[0]

    def silu(x):
        return x * ops.sigmoid(x)

    kernels = [layer.get_weights() for layer in span.convolutions]

    def convolution(i, x):
        kernel, bias = kernels[i]
        return ops.conv(x, kernel, padding="same") + bias

    # Published images are in [0, 255] less a mean, and so are the features.
    head = convolution(0, 127.5 * image)
    first1 = silu(convolution(1, head))
    values1 = convolution(3, silu(convolution(2, first1)))
    block1 = (values1 + head) * (ops.sigmoid(values1) - 0.5)
    first2 = silu(convolution(4, block1))
    values2 = convolution(6, silu(convolution(5, first2)))
    block2 = (values2 + block1) * (ops.sigmoid(values2) - 0.5)
    together = ops.concatenate([head, convolution(7, block2), block1, first2], axis=-1)
    np.testing.assert_allclose(found, outputs(convolution(8, together))[0] / 127.5, atol=1e-6)


@pytest.mark.parametrize("name", ["span", "ecb"])
def test_impossible_arguments_are_refused_by_name(name):
    for argument, value in (("features", 0), ("features", 4.5), ("blocks", 0), ("blocks", True)):
        config = {"name": name, argument: value}
        check_refused(lambda: ENCODERS.build(config), argument, "at least 1", repr(value))  # noqa: B023
    check_refused(lambda: ENCODERS.build({"name": name, "folded": 1}), "folded", "true or false")
    if name == "span":
        for value in (0, float("nan"), "10"):
            config = {"name": name, "input_scale": value}
            check_refused(lambda: ENCODERS.build(config), "input_scale", "above 0")  # noqa: B023
    check_refused(lambda: ENCODERS.build({"name": name, "width": 8}), "width", "features")


def test_edsr_scales_its_blocks(image):
    encoders = [EDSR(8, 2, scale) for scale in (1.0, 0.1, 0.0)]
    scaled = []
    for encoder in encoders:
        encoder.build((None, None, None, 3))
        encoder.set_weights(encoders[0].get_weights())
        scaled.append(outputs(encoder(image))[0])
    full, tenth, none = scaled
    assert np.abs(full - none).max() > 3 * np.abs(tenth - none).max() > 0


@pytest.mark.parametrize("name", ENCODERS.names())
def test_every_encoder_has_its_output_shape(name):
    encoder = ENCODERS.build(name)
    shape = encoder.compute_output_shape((None, None, None, 3))
    assert shape == (None, None, None, encoder.channels)


@pytest.mark.parametrize(
    "encoder",
    [EDSR(8, 2, 0.1), RDN(8, 2, 2, 4), SPAN(8, 2, folded=True), ECB(8, 2, folded=True)],
    ids=["edsr", "rdn", "span", "ecb"],
)
def test_features_depend_on_pixels_as_far_as_the_receptive_field(encoder):
    encoder.build((None, None, None, 3))
    assert encoder.halo == encoder.receptive_field
    # Where nothing is below 0 no pixel's share is lost in a ReLU.
    encoder.set_weights([np.abs(weights) for weights in encoder.get_weights()])
    side, middle = 31, 15
    image = np.zeros((2, side, side, 3), np.float32)
    image[1, middle, middle] = 1e4
    without, with_pixel = outputs(encoder(image))[0]
    # Some processors round the last pixels of a map in another way.
    reached = (np.abs(with_pixel - without) > 1e-6 * np.abs(without)).any(axis=-1)
    expected = np.zeros((side, side), bool)
    field = encoder.receptive_field
    inside = slice(middle - field, middle + field + 1)
    expected[inside, inside] = True
    assert field < middle
    np.testing.assert_array_equal(reached, expected)


@pytest.mark.parametrize("size", [(4, 8), (5, 7), (1, 1), (9, 4)])
def test_sides_are_padded_to_multiples_by_repeated_edges(rng, size):
    image = rng.uniform(-1, 1, (2, *size, 3)).astype(np.float32)
    padding = [(0, 0), *((0, -side % 4) for side in size), (0, 0)]
    expected = outputs(BlockMeans()(np.pad(image, padding, mode="edge")))[0]
    (found,) = outputs(BlockMeans().encode(image))
    np.testing.assert_array_equal(found, expected[:, : size[0], : size[1]])


def test_an_encoder_that_sees_the_whole_image_must_define_a_halo():
    class Global(BlockMeans):
        receptive_field = None

    with pytest.raises(NotImplementedError, match="Global sees the whole image"):
        _ = Global().halo
