"""The published encoders in PyTorch; see published.py."""

# ruff: noqa: D102

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

conv3 = partial(nn.Conv2d, kernel_size=3, padding=1)
conv1 = partial(nn.Conv2d, kernel_size=1)


class ResidualBlock(nn.Module):
    """Two convolutions around a ReLU, scaled and added to their input."""

    def __init__(self, channels, scale=1.0):
        super().__init__()
        self.scale = scale
        self.body = nn.Sequential(
            conv3(channels, channels), nn.ReLU(True), conv3(channels, channels)
        )

    def forward(self, x):
        return x + self.scale * self.body(x)


class EDSR(nn.Module):
    """EDSR without its upsampler."""

    def __init__(self, channels=64, blocks=16, res_scale=1.0):
        super().__init__()
        self.channels = channels
        self.head = nn.Sequential(conv3(3, channels))
        body = [ResidualBlock(channels, res_scale) for _ in range(blocks)]
        self.body = nn.Sequential(*body, conv3(channels, channels))
        self.register_load_state_dict_pre_hook(without_mean_colours)

    def forward(self, image):
        x = self.head(image)
        return x + self.body(x)


def without_mean_colours(module, state_dict, prefix, *_):
    """Drop the weights that the published EDSR holds and never uses."""
    for name in [f"{prefix}{m}_mean.{w}" for m in ("sub", "add") for w in ("weight", "bias")]:
        state_dict.pop(name, None)


class DenseConv(nn.Module):
    """A convolution and a ReLU, appended to their input."""

    def __init__(self, inputs, growth):
        super().__init__()
        self.conv = nn.Sequential(conv3(inputs, growth), nn.ReLU())

    def forward(self, x):
        return torch.cat((x, self.conv(x)), 1)


class ResidualDenseBlock(nn.Module):
    """Dense convolutions, fused by a 1x1 convolution and added to their input."""

    def __init__(self, channels, convs, growth):
        super().__init__()
        layers = [DenseConv(channels + i * growth, growth) for i in range(convs)]
        self.convs = nn.Sequential(*layers)
        self.LFF = conv1(channels + convs * growth, channels)

    def forward(self, x):
        return self.LFF(self.convs(x)) + x


class RDN(nn.Module):
    """RDN without its upsampler."""

    def __init__(self, channels=64, blocks=16, convs=8, growth=64):
        super().__init__()
        self.channels = channels
        self.SFENet1 = conv3(3, channels)
        self.SFENet2 = conv3(channels, channels)
        dense = [ResidualDenseBlock(channels, convs, growth) for _ in range(blocks)]
        self.RDBs = nn.ModuleList(dense)
        self.GFF = nn.Sequential(conv1(blocks * channels, channels), conv3(channels, channels))

    def forward(self, image):
        shallow = self.SFENet1(image)
        x = self.SFENet2(shallow)
        outputs = []
        for block in self.RDBs:
            x = block(x)
            outputs.append(x)
        return self.GFF(torch.cat(outputs, 1)) + shallow


class FrequencyHalf(nn.Module):
    """The encoder or the decoder of ARASFSR's frequency module."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = conv3(inputs, 64)
        self.resblock = nn.Sequential(*(ResidualBlock(64) for _ in range(4)))
        self.conv2 = conv3(64, 64)
        self.conv3 = conv3(64, outputs)

    def forward(self, x):
        x = F.leaky_relu(self.conv1(x), 0.2)
        return self.conv3(self.conv2(self.resblock(x)) + x)


class FrequencyModule(nn.Module):
    """ARASFSR's variational autoencoder, its noise at zero."""

    def __init__(self, tokens=8):
        super().__init__()
        self.encoder = FrequencyHalf(3, 128)
        self.decoder = FrequencyHalf(64, tokens)

    def forward(self, image):
        mean, _ = self.encoder(image).chunk(2, 1)
        # Published: what noise alone decodes to is computed with every image, and never used.
        self.decoder(torch.randn_like(mean))
        return self.decoder(mean)
