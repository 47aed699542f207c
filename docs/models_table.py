"""Prints the tables of systems and of encoders in models.md.

python docs/models_table.py
"""

from tfsr.cli.startup import import_keras

import_keras()

from tfsr.models import ImplicitSR, SubPixelSR  # noqa: E402
from tfsr.rendering import multiply_adds  # noqa: E402

LR, SIZE = (64, 64), (256, 256)

SYSTEMS = {
    "LIIF": ("liif", {}),
    "LIIF with positional encoding": ("liif", {"encoding": "positional", "skip": True}),
    "IPE-LIIF": ("ipe-liif", {}),
    "Meta-SR": ("metasr", {}),
    "IPE-Meta-SR": ("ipe-metasr", {}),
    "LTE, LTE+": ("lte", {}),
    "LM-LIIF": ("lm-liif", {}),
    "LM-LTE": ("lm-lte", {}),
    "DIINN": ("diinn", {}),
    "DIINN with ensemble": ("diinn-ensemble", {}),
    "ARASFSR": ("arasfsr", {}),
    "Thera-Air": ("thera", {}),
    "OPE": ("ope", {}),
    "GB-LSR": ("gb-lsr", {}),
    "linear ARASFSR": ("arasfsr-linear", {}),
}


ENCODERS = ("edsr-baseline", "edsr", "rdn", "rdn-a", "span", "ecb")


def encoder_rows() -> list[str]:
    """The lines of the table of encoders."""
    lines = [
        "| encoder | channels | parameters | in training | multiply-adds for an LR pixel "
        "| receptive field | halo |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ENCODERS:
        model = ImplicitSR(name, "metasr")
        trained, used = model.encoder, model.encoder.fold()
        in_training = f"{trained.count_params():,}" if used is not trained else "the same"
        work = multiply_adds(model, (1, 1), (1, 1)).encoder
        lines.append(
            f"| `{name}` | {used.channels} | {used.count_params():,} | {in_training} | {work:,} "
            f"| {used.receptive_field} | {used.halo} |"
        )
    return lines


def rows() -> list[str]:
    """The lines of the table of systems."""
    lines = [
        "| system | decoder | parameters | decoder, as published | as run here | ratio |",
        "|---|---|---|---|---|---|",
    ]
    pixels = SIZE[0] * SIZE[1]
    for system, (name, arguments) in SYSTEMS.items():
        model = ImplicitSR("edsr-baseline", {"name": name, **arguments})
        cost = multiply_adds(model, LR, SIZE)
        options = "".join(f", {key}: {value}" for key, value in arguments.items())
        lines.append(
            f"| {system} | `{name}{options}` | {model.count_params():,} "
            f"| {cost.published / pixels:,.0f} | {cost.as_run / pixels:,.0f} "
            f"| {cost.published / cost.as_run:.1f} |"
        )
    for scale in (2, 4):
        model = SubPixelSR("edsr-baseline", scale)
        lines.append(f"| EDSR-baseline x{scale} | none | {model.count_params():,} | | | |")
    encoder = multiply_adds(ImplicitSR("edsr-baseline", "liif"), LR, SIZE).encoder
    return [*lines, "", f"The encoder adds {encoder / pixels:,.0f}."]


if __name__ == "__main__":
    print("\n".join([*rows(), "", *encoder_rows()]))
