"""A preset's README.md: its model card, as the hub of Hugging Face reads and shows it.

The front matter has the fields that the hub sorts by; the rest is for people.

Reference:
    https://huggingface.co/docs/hub/model-cards; the measured quality as its `model-index`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tfsr.presets.metadata import as_mapping, gains

# Of the hub: https://huggingface.co/docs/hub/repositories-licenses.
_LICENCES = (
    "apache-2.0",
    "mit",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc-by-nc-4.0",
    "cc0-1.0",
    "openrail",
)


def model_card(config: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """Write the model card of a preset.

    Args:
        config: of config.json.
        metadata: of metadata.json. What it lacks is left out.

    Returns:
        The text of README.md.

    Example:
        >>> card = model_card({"encoder": {"name": "edsr"}, "scale": 2}, {"name": "mine"})
        >>> card.splitlines()[1:3]
        ['library_name: tfsr', 'pipeline_tag: image-to-image']
    """
    name = _line(metadata.get("name")) or "preset"
    provenance, quality = (as_mapping(metadata.get(key)) for key in ("provenance", "quality"))
    figures = gains(quality)
    sections = [
        f"# {name}",
        _introduction(config, metadata, provenance),
        _usage(name, "scale" in config, metadata.get("clean")),
        _quality(quality, figures),
        *(
            f"## {title}\n\n{_line(provenance[key])}"
            for key, title in (
                ("limits", "Limits"),
                ("data", "Training data"),
                ("training", "Training"),
                ("paper", "Paper"),
                ("licence", "Licence"),
            )
            if provenance.get(key)
        ),
    ]
    front = _front_matter(name, config, provenance, quality, figures)
    return front + "\n" + "\n\n".join(filter(None, sections)) + "\n"


def _front_matter(name, config, provenance, quality, figures) -> str:
    """The YAML between two lines of dashes; texts are quoted as in JSON, which YAML contains."""
    licence = _line(provenance.get("licence"))
    lines = ["library_name: tfsr", "pipeline_tag: image-to-image"]
    if licence:
        known = licence.lower() in _LICENCES
        lines += [f"license: {licence.lower() if known else 'other'}"]
        lines += [] if known else [f"license_name: {json.dumps(licence)}"]
    parts = (as_mapping(config.get(part)).get("name") for part in ("encoder", "decoder"))
    tags = ["super-resolution", "keras", "tensorflow", *(_line(part) for part in parts)]
    lines += ["tags:", *(f"- {json.dumps(tag)}" for tag in tags if tag)]
    if figures:
        lines += ["metrics:", "- psnr", "model-index:", f"- name: {json.dumps(name)}"]
        lines += ["  results:", "  - task:", "      type: image-to-image"]
        lines += ["      name: Super-resolution", "    dataset:"]
        lines += [f"      name: {json.dumps(_data_of(quality))}", "      type: validation"]
        lines += ["    metrics:"]
        for size, measured in figures.items():
            lines += [f"    - type: psnr\n      name: {json.dumps(f'PSNR, {_size(size)}')}"]
            lines += [f"      value: {measured['psnr']}"]
    return "\n".join(["---", *lines, "---", ""])


def _introduction(config, metadata, provenance) -> str:
    encoder = _line(as_mapping(config.get("encoder")).get("name"))
    decoder = _line(as_mapping(config.get("decoder")).get("name"))
    kind = f"{encoder} with {decoder}" if decoder else f"{encoder}, x{config.get('scale')}"
    text = f"A super-resolution model of tfsr: {kind}"
    if isinstance(metadata.get("parameters"), int):
        text += f", {metadata['parameters']:,} parameters"
    if provenance.get("purpose"):
        text += f"; for {_line(provenance['purpose'])}"
    return text + "."


def _usage(name: str, fixed_scale: bool, clean: Any) -> str:
    model = "SubPixelSR" if fixed_scale else "ImplicitSR"
    lines = [
        "## Use\n\n```python\nimport tfsr\n",
        f'large = tfsr.upscale("image.png", scale=2, preset="{name}")',
        'large.save("large.png")\n',
        f'model = tfsr.models.{model}.from_preset("{name}")  # a keras.Model\n```\n',
        "In place of the name, the directory of this file, `hf://USER/NAME` or",
        "`kaggle://USER/MODEL/FRAMEWORK/VARIATION` is accepted. In a shell:\n",
        f"    tfsr upscale image.png -o large.png --scale 2 --preset {name}",
    ]
    if clean and isinstance(clean, str):
        lines.append(f"\nIts clean twin, for `strength`, is `{_line(clean)}`.")
    return "\n".join(lines)


def _quality(quality, figures) -> str:
    if not figures:
        return ""
    what = _line(quality.get("what")) or "mean PSNR in dB"
    rows = [
        f"| {_size(size)} | {x['psnr']:.2f} | {x['bicubic']:.2f} | {x['gain']:+.2f} |"
        for size, x in figures.items()
    ]
    head = "| from | PSNR | bicubic | gain |\n|---|---|---|---|"
    return "\n".join([f"## Quality\n\n{what}; {_data_of(quality)}.\n", head, *rows])


def _data_of(quality: Mapping[str, Any]) -> str:
    count, protocol = quality.get("images"), _line(quality.get("protocol"))
    images = f"{count} validation images" if isinstance(count, int) else "validation images"
    return f"{images}, protocol {protocol}" if protocol else images


def _size(size: str) -> str:
    """A key of the measured quality in words: a side of the small image, or a scale."""
    side, _, degradation = size.partition("-")
    words = side if side.startswith("x") else f"{side} pixels"
    return f"{words}, {degradation}" if degradation else words


def _line(value: Any) -> str:
    """Plain text of one line: metadata from elsewhere may contain anything."""
    return re.sub(r"[\s`|<>]+", " ", value).strip()[:4000] if isinstance(value, str) else ""
