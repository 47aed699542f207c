"""The published systems in PyTorch, as their authors run them: the baseline of the benchmarks.

    python benchmarks/published.py

checks this file against the recorded outputs of the authors' code, tests/goldens, and prints the
largest error of each.

Written from the published formulations, eagerly and without shortcuts: each batch of 30,000 queries
unfolds the features and makes their coordinates again, samples both for each of four neighbours,
and runs the decoder on every sample. Nothing in tfsr imports it. Two things are left out: ARASFSR's
noise, so that its outputs repeat, and LTE's larger cells beyond scale 4.

Images are (batch, 3, height, width) in [-1, 1], coordinates (row, column) in [-1, 1]. Modules have
the names of the published weights.
"""

# ruff: noqa: D102

import math
import re
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from published_encoders import EDSR, RDN, FrequencyModule, conv1, conv3
from torch import nn

INSIDE = (-1 + 1e-6, 1 - 1e-6)  # where coordinates are sampled


# What the decoders share


def pixel_centres(size, device):
    """Coordinates of the pixels of an image, (height, width, 2)."""
    axes = [-1 + 1 / n + (2 / n) * torch.arange(n).float() for n in size]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).to(device)


def centre_map(features):
    """Coordinates of the features, as a map like them."""
    centres = pixel_centres(features.shape[-2:], features.device)
    return centres.permute(2, 0, 1).unsqueeze(0).expand(len(features), -1, -1, -1)


def unfold(features):
    """3x3 neighbourhoods in a border of zeros, channel by channel."""
    batch, channels, height, width = features.shape
    return F.unfold(features, 3, padding=1).view(batch, 9 * channels, height, width)


def sample(maps, coordinates, **arguments):
    """A map's values at coordinates, (batch, queries, channels)."""
    grid = coordinates.flip(-1).unsqueeze(1)
    return F.grid_sample(maps, grid, align_corners=False, **arguments)[:, :, 0, :].permute(0, 2, 1)


def joined_as_published(*parts):
    """All parts as one tensor. The published code adds the last one, the cell, in a second copy."""
    return torch.cat([torch.cat(parts[:-1], -1), parts[-1]], -1)


class Sine(nn.Module):
    """The sine of each value."""

    def forward(self, x):
        return torch.sin(x)


def chain(layer, widths, activation):
    """Layers of 256 outputs, one for each input width, each with an activation."""
    return nn.ModuleList([nn.Sequential(layer(n, 256), activation) for n in widths])


class MLP(nn.Module):
    """Linear layers with ReLUs between them."""

    def __init__(self, inputs, outputs, hidden):
        super().__init__()
        layers = []
        for width in hidden:
            layers += [nn.Linear(inputs, width), nn.ReLU()]
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, outputs))

    def forward(self, x):
        return self.layers(x.reshape(-1, x.shape[-1])).view(*x.shape[:-1], -1)


class System(nn.Module):
    """An encoder and a decoder.

    Subclasses define `query`: colours (batch, queries, 3) at coordinates and cells, which are
    (batch, queries, 2).
    """

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def encode(self, image):
        """Keep an image and its features for the calls that follow."""
        self.image, self.features = image, self.encoder(image)

    def forward(self, image, coordinates, cell):
        self.encode(image)
        return self.query(coordinates, cell)

    @torch.no_grad()
    def predict(self, size, batch=30_000):
        """The encoded image at a size (height, width), queried in batches row by row."""
        coordinates = pixel_centres(size, self.image.device).view(1, -1, 2)
        coordinates = coordinates.expand(len(self.image), -1, -1)
        cell = torch.ones_like(coordinates)
        cell[..., 0] *= 2 / size[0]
        cell[..., 1] *= 2 / size[1]
        pairs = zip(coordinates.split(batch, 1), cell.split(batch, 1), strict=True)
        colours = torch.cat([self.query(*pair) for pair in pairs], 1)
        return colours.view(-1, *size, 3).permute(0, 3, 1, 2).contiguous()

    @torch.no_grad()
    def upscale(self, image, size, batch=30_000):
        """Encode an image once, then predict."""
        self.encode(image)
        return self.predict(size, batch)


class Ensemble(System):
    """The mean of four neighbours' colours, each weighted by the area opposite to it.

    Subclasses define `colours`: what one neighbour returns, from its samples of `maps`, the offset
    from it to the query and the query's cell (both count a feature as 2 wide), its coordinates
    `near`, and the query's.
    """

    skip = False  # add the image, interpolated bilinearly

    def maps(self):
        """What is sampled at each neighbour."""
        return [unfold(self.features)]

    def query(self, coordinates, cell):
        maps, centres = self.maps(), centre_map(self.features)
        size = self.features.shape[-2:]
        predictions, areas = [], []
        for row in (-1, 1):
            for column in (-1, 1):
                shifted = coordinates.clone()
                shifted[..., 0] += row / size[0] + 1e-6
                shifted[..., 1] += column / size[1] + 1e-6
                shifted.clamp_(*INSIDE)
                samples = [sample(m, shifted, mode="nearest") for m in maps]
                near = sample(centres, shifted, mode="nearest")
                offset, scaled = coordinates - near, cell.clone()
                for axis in (0, 1):
                    offset[..., axis] *= size[axis]
                    scaled[..., axis] *= size[axis]
                predictions.append(self.colours(samples, offset, scaled, near, coordinates))
                areas.append(torch.abs(offset[..., 0] * offset[..., 1]) + 1e-9)
        total = torch.stack(areas).sum(0)
        result = 0
        for prediction, area in zip(predictions, reversed(areas), strict=True):
            result = result + prediction * (area / total).unsqueeze(-1)
        if self.skip:
            result += sample(self.image, coordinates, mode="bilinear", padding_mode="border")
        return result


# The systems


class LIIF(Ensemble):
    """LIIF (Chen et al., 2021)."""

    def __init__(self, encoder):
        super().__init__(encoder)
        self.imnet = MLP(9 * encoder.channels + 4, 3, [256] * 4)

    def colours(self, samples, offset, cell, near, coordinates):
        return self.imnet(joined_as_published(*samples, offset, cell))


class LTE(Ensemble):
    """LTE (Lee and Jin, 2022)."""

    skip = True

    def __init__(self, encoder):
        super().__init__(encoder)
        self.coef = conv3(encoder.channels, 256)
        self.freq = conv3(encoder.channels, 256)
        self.phase = nn.Linear(2, 128, bias=False)
        self.imnet = MLP(256, 3, [256] * 3)

    def encode(self, image):
        super().encode(image)
        self.amplitudes, self.frequencies = self.coef(self.features), self.freq(self.features)

    def maps(self):
        return [self.amplitudes, self.frequencies]

    def colours(self, samples, offset, cell, near, coordinates):
        amplitude, frequency = samples
        frequency = torch.stack(torch.split(frequency, 2, dim=-1), dim=-1)
        phase = torch.sum(frequency * offset.unsqueeze(-1), dim=-2) + self.phase(cell)
        waves = torch.cat((torch.cos(math.pi * phase), torch.sin(math.pi * phase)), -1)
        return self.imnet(amplitude * waves)


class MetaSR(System):
    """Meta-SR (Hu et al., 2019), as LIIF's authors run it: predicts a filter for each query."""

    def __init__(self, encoder):
        super().__init__(encoder)
        self.imnet = MLP(3, 9 * encoder.channels * 3, [256])

    def query(self, coordinates, cell):
        maps, (height, width) = unfold(self.features), self.features.shape[-2:]
        corners = centre_map(self.features).clone()
        corners[:, 0] -= 1 / height
        corners[:, 1] -= 1 / width
        corner = coordinates - cell / 2
        shifted = (corner + 1e-6).clamp(*INSIDE)
        features = sample(maps, shifted, mode="nearest")
        offset = corner - sample(corners, shifted, mode="nearest")
        offset[..., 0] *= height / 2
        offset[..., 1] *= width / 2
        inverse_scale = cell[..., :1] * (height / 2)
        filters = self.imnet(torch.cat((offset, inverse_scale), -1))
        batch, num_points, channels = features.shape
        features = features.contiguous().view(batch * num_points, 1, channels)
        colours = torch.bmm(features, filters.view(batch * num_points, channels, 3))
        return colours.view(batch, num_points, 3)


class Synthesis(nn.Module):
    """DIINN's decoder: features modulate sines of the position."""

    def __init__(self, features, positions, layer, axis, last):
        super().__init__()
        self.K = chain(layer, [features] + [features + 256] * 3, nn.ReLU())
        self.Q = chain(layer, [positions] + [256] * 3, Sine())
        self.axis, self.last = axis, last
        self.add_module(last, layer(256, 3))

    def forward(self, x, position):
        q = self.K[0](x) * self.Q[0](position)
        for content, sine in zip(self.K[1:], self.Q[1:], strict=True):
            q = content(torch.cat((q, x), self.axis)) * sine(q)
        return self.get_submodule(self.last)(q)


class DIINN(System):
    """DIINN (Nguyen and Beksi, 2023): decodes whole images and takes no queries."""

    def __init__(self, encoder):
        super().__init__(encoder)
        self.decoder = Synthesis(9 * encoder.channels, 3, conv1, 1, "last_layer")

    def inputs(self, size):
        """The nearest features of every pixel, and each pixel's position from them."""
        (height, width), count = self.features.shape[-2:], len(self.features)
        x = F.interpolate(unfold(self.features), size=size, mode="nearest-exact")
        near = F.interpolate(centre_map(self.features), size=size, mode="nearest-exact")
        offset = pixel_centres(size, x.device).permute(2, 0, 1).unsqueeze(0) - near
        offset[:, 0] *= height
        offset[:, 1] *= width
        ratio = offset.new_tensor(height * width / (size[0] * size[1]))
        return x, torch.cat((offset, ratio.expand(count, 1, *size)), 1)

    @torch.no_grad()
    def predict(self, size, batch=30_000):
        """The encoded image at a size (height, width), in strips of whole columns."""
        columns = max(1, batch // size[0])
        strips = zip(*(tensor.split(columns, 3) for tensor in self.inputs(size)), strict=True)
        return torch.cat([self.decoder(*strip) for strip in strips], 3)


class DIINNEnsemble(Ensemble):
    """DIINN as ARASFSR's authors ported it."""

    def __init__(self, encoder):
        super().__init__(encoder)
        self.imnet = Synthesis(9 * encoder.channels, 4, nn.Linear, -1, "output_linear")

    def colours(self, samples, offset, cell, near, coordinates):
        return self.imnet(*samples, torch.cat((offset, cell), -1))


class Modulated(nn.Module):
    """ARASFSR's decoder: content modulated by sines of the query's coordinates."""

    def __init__(self, content):
        super().__init__()
        self.I = chain(nn.Linear, [content] + [512] * 3, nn.ReLU())  # noqa: E741
        self.C = chain(nn.Linear, [42] + [256] * 3, Sine())
        self.output_linear = nn.Linear(256, 3)

    def forward(self, content, coordinates):
        terms = [coordinates]
        for k in range(10):
            terms += [torch.sin(2**k * coordinates), torch.cos(2**k * coordinates)]
        f, c = self.I[0](content), self.C[0](torch.cat(terms, -1))
        m = f * c
        for layer, sine in zip(self.I[1:], self.C[1:], strict=True):
            f, c = layer(torch.cat((f, m), -1)), sine(c)
            m = f * c
        return self.output_linear(m)


class ARASFSR(Ensemble):
    """ARASFSR (Tsai et al., 2025), with its noise at zero."""

    skip = True

    def __init__(self, encoder):
        super().__init__(encoder)
        self.netCTM = FrequencyModule()
        self.imnet = Modulated(9 * (encoder.channels + 8) + 6)

    def encode(self, image):
        super().encode(image)
        self.features = torch.cat((self.features, self.netCTM(image)), 1)

    def colours(self, samples, offset, cell, near, coordinates):
        return self.imnet(joined_as_published(*samples, offset, near, cell), coordinates)


SYSTEMS = {
    "liif": LIIF,
    "metasr": MetaSR,
    "lte": LTE,
    "diinn": DIINN,
    "diinn-ensemble": DIINNEnsemble,
    "arasfsr": ARASFSR,
}


def load(name, state_dict, res_scale=1.0):
    """One of SYSTEMS, with published weights: arrays or tensors by published name."""
    weights = {key: torch.as_tensor(array) for key, array in state_dict.items()}
    system = SYSTEMS[name](encoder_of(weights, res_scale))
    system.load_state_dict(weights)
    return system


def encoder_of(weights, res_scale):
    """An encoder of the sizes that published weights have."""

    def count(pattern):
        return sum(bool(re.fullmatch(rf"encoder\.{pattern}\.weight", key)) for key in weights)

    if "encoder.head.0.weight" in weights:
        channels = len(weights["encoder.head.0.weight"])
        return EDSR(channels, count(r"body\.\d+\.body\.0"), res_scale)
    channels = len(weights["encoder.SFENet1.weight"])
    growth = len(weights["encoder.RDBs.0.convs.0.conv.0.weight"])
    return RDN(channels, count(r"RDBs\.\d+\.LFF"), count(r"RDBs\.0\.convs\.\d+\.conv\.0"), growth)


# The check against the recorded outputs, with the tolerances of tests/test_parity.py

GOLDENS = {
    "liif_edsr_small": ("liif", 2e-5),
    "liif_rdn_small": ("liif", 2e-5),
    "metasr_edsr_small": ("metasr", 5e-5),
    "lte_edsr_small": ("lte", 3e-4),
    "diinn_edsr_small": ("diinn", 3e-5),
    "diinnle_edsr_small": ("diinn-ensemble", 2e-4),
    "asfsr_edsr_small": ("arasfsr", 5e-4),
}


def largest_error(name, system):
    """The largest error of a golden's recorded outputs, in units of their standard deviation."""
    with np.load(Path(__file__).parents[1] / "tests" / "goldens" / f"{name}.npz") as file:
        arrays = {key: torch.as_tensor(file[key]) for key in file}
    model = load(system, {key[3:]: arrays[key] for key in arrays if key.startswith("sd/")})
    one, two = (
        x.permute(0, 3, 1, 2).contiguous() for x in (arrays["input"][None], arrays["q_input"])
    )
    errors = []
    for key, expected in arrays.items():
        if key.startswith(("out_", "b2_")):
            size = tuple(int(n) for n in key.split("_")[1].split("x"))
            # Batches smaller than the largest image.
            found = model.upscale(two if key.startswith("b2_") else one, size, batch=5000)
            found = found.permute(0, 2, 3, 1).view_as(expected)
        elif key == "q_out":
            found = model(two, arrays["q_coord"], arrays["q_cell"]).detach()
        else:
            continue
        errors.append(float((found - expected).abs().max() / expected.std()))
    return np.max(errors)


def main() -> None:
    failed = False
    for name, (system, tolerance) in GOLDENS.items():
        error = largest_error(name, system)
        failed |= not error <= tolerance
        print(f"{name:18}  {error:.1e} of the standard deviation, tolerance {tolerance:.0e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
