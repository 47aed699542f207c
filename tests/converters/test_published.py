import numpy as np
import pytest
from checks import GOLDENS, golden, published_model, section
from torch_files import write_checkpoint

from tfsr.converters import from_pytorch, read_published
from tfsr.decoders import DECODERS
from tfsr.encoders import ENCODERS
from tfsr.errors import CheckpointError

# The recorded checkpoints, each with the weights of the golden of the same name.
RECORDED = [
    *("liif_edsr_small.pth", "metasr_edsr_small.pth", "lte_edsr_small.pth"),
    *("lmliif_edsr_small.pth", "lmlte_edsr_small.pth", "asfsr_edsr_small.pth"),
    "diinn_edsr_small.ckpt",
]
EDSR = {"name": "edsr-baseline", "args": {"no_upsampling": True, "n_resblocks": 2, "n_feats": 16}}
MLP = {"name": "mlp", "args": {"out_dim": 3, "hidden_list": [256, 256, 256, 256]}}


def checkpoint(name="liif", weights=None, encoder=EDSR, **arguments):
    """What LIIF's code saves, with the weights of its golden."""
    weights = section(golden("liif_edsr_small"), "sd/") if weights is None else weights
    arguments = {"encoder_spec": encoder, "imnet_spec": MLP, **arguments}
    model = {"name": name, "args": arguments, "sd": weights}
    return {"model": model, "optimizer": {"name": "adam", "args": {"lr": 1e-4}}, "epoch": 3}


def check_is_the_golden(model, name):
    """Check the sizes and every weight; tests/test_parity.py compares the outputs."""
    expected = published_model(name)
    assert ENCODERS.config_of(model.encoder) == ENCODERS.config_of(expected.encoder)
    assert DECODERS.config_of(model.decoder) == DECODERS.config_of(expected.decoder)
    for found, value in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(found, value)


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        from_pytorch(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("file", RECORDED)
def test_published_files_hold_the_models_of_their_goldens(file):
    check_is_the_golden(from_pytorch(GOLDENS / file), file.partition(".")[0])


def test_what_is_left_out_is_named():
    unused = read_published(GOLDENS / "diinn_edsr_small.ckpt").unused
    assert {"sub", "div", "optimizer_states", "encoder.add_mean.bias"} <= set(unused)


def test_sizes_and_flags_are_read_from_the_checkpoint(tmp_path):
    weights = dict(section(golden("liif_edsr_small"), "sd/"))
    weights["imnet.layers.0.weight"] = np.delete(weights["imnet.layers.0.weight"], [146, 147], 1)
    content = checkpoint(weights=weights, cell_decode=False, local_ensemble=False)
    model = from_pytorch(write_checkpoint(tmp_path / "m.pth", content))
    assert not model.decoder.cell_decode
    assert not model.decoder.local_ensemble
    assert model.decoder.feat_unfold
    assert model.encoder.get_config()["blocks"] == 2


def test_an_rdn_encoder_is_read_from_its_weights(tmp_path):
    weights = section(golden("liif_rdn_small"), "sd/")
    spec = {"name": "rdn", "args": {"G0": 16, "RDNconfig": "S", "no_upsampling": True}}
    path = write_checkpoint(tmp_path / "m.pth", checkpoint(weights=weights, encoder=spec))
    check_is_the_golden(from_pytorch(path), "liif_rdn_small")


def test_the_ensemble_variant_of_diinn_is_read(tmp_path):
    weights = section(golden("diinnle_edsr_small"), "sd/")
    path = write_checkpoint(tmp_path / "m.pth", checkpoint("diinn", weights))
    check_is_the_golden(from_pytorch(path), "diinnle_edsr_small")


def test_lte_plus_is_lte(tmp_path):
    """The same function in LTE+'s layout: frequencies in halves, dense layers as 1x1."""
    published = section(golden("lte_edsr_small"), "sd/")
    weights = {}
    for name, value in published.items():
        if name.startswith("imnet."):
            name = name.removeprefix("imnet.")
            value = value[:, :, None, None] if name.endswith("weight") else value
        if name.startswith("freq."):
            value = np.concatenate([value[0::2], value[1::2]])
        weights[name] = value
    content = checkpoint("lte-fast", weights)
    check_is_the_golden(
        from_pytorch(write_checkpoint(tmp_path / "m.pth", content)), "lte_edsr_small"
    )


@pytest.mark.parametrize("without", ["asfsr_wo_res", "asfsr_wo_freq"])
def test_the_ablations_of_arasfsr_are_read(without, tmp_path):
    weights = dict(section(golden("asfsr_edsr_small"), "sd/"))
    if without == "asfsr_wo_freq":
        weights = {k: v for k, v in weights.items() if not k.startswith("netCTM.")}
        # The tokens were the last 8 of 24 channels, 9 taps each.
        first = weights["imnet.I.0.0.weight"]
        weights["imnet.I.0.0.weight"] = np.delete(first, np.arange(16 * 9, 24 * 9), 1)
    path = write_checkpoint(tmp_path / "m.pth", checkpoint(without, weights))
    decoder = from_pytorch(path).decoder
    assert decoder.skip == (without != "asfsr_wo_res")
    assert decoder.frequency == (without != "asfsr_wo_freq")


def _names_of_rdn(number):
    """A dense encoder of as many blocks as each has layers, by the names of almost no weights."""
    one = np.zeros((1, 1, 1, 1), np.float32)
    names = [f"RDBs.{i}.LFF.weight" for i in range(number)]
    names += [f"RDBs.0.convs.{i}.conv.0.weight" for i in range(number)]
    weights = {f"encoder.{name}": one for name in [*names, "SFENet1.weight"]}
    return {**weights, "imnet.layers.0.weight": one, "imnet.layers.2.weight": one}


def changed(**weights):
    content = checkpoint()
    state = dict(content["model"]["sd"])
    for name, value in weights.items():
        name = name.replace("__", ".")
        if value is None:
            del state[name]
        else:
            state[name] = value
    content["model"]["sd"] = state
    return content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"epoch": 1}, ["LIIF"]),
        ({"generator": {"weight": np.zeros((2, 2))}}, ["LIIF"]),
        ({"model": {"name": "swinir", "args": {}, "sd": {}}}, ["'swinir'"]),
        (checkpoint("liff"), ["'liff'", "Did you mean 'liif'?"]),
        (checkpoint(encoder={"name": "rcan", "args": {}}), ["'rcan'", "edsr-baseline"]),
        ({"state_dict": {}, "hyper_parameters": {"arch": "resnet"}}, ["'resnet'"]),
        ({"state_dict": {}, "hyper_parameters": {"arch": "diinn", "mode": 4}}, ["mode 4"]),
        (changed(imnet__layers__8__bias=None), ["imnet.layers.8.bias"]),
        (changed(imnet__layers__8__bias=np.zeros(4)), ["imnet.layers.8.bias", "(4,)", "(3,)"]),
        (changed(subnet__weight=np.zeros(4)), ["subnet.weight"]),
        (changed(imnet__layers__0__weight=np.zeros((256, 147))), ["imnet.layers.0.weight"]),
        (changed(encoder__head__0__weight=None), ["EDSR"]),
        (checkpoint(weights={"imnet.layers.0.weight": "text"}), ["imnet.layers.0.weight"]),
        (changed(imnet__layers__8__bias=np.full(3, np.nan)), ["imnet.layers.8.bias", "finite"]),
        # Counts in names and lengths of empty arrays, which would be built before they are read.
        (checkpoint(weights=_names_of_rdn(700)), ["more than", "layers"]),
        (changed(encoder__head__0__weight=np.zeros((10**6, 0, 3, 3))), ["more than", "weights"]),
    ],
)
def test_other_checkpoints_are_refused_by_what_is_wrong(content, words, tmp_path):
    message = refusal(write_checkpoint(tmp_path / "m.pth", content))
    for word in words:
        assert word in message
