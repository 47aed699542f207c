"""How fast every decoder is, what it takes, and how the published formulation compares.

    python benchmarks/decoders.py
    python benchmarks/decoders.py --decoders liif,arasfsr --sizes 64:256 --out trial

Needs Linux and `pip install -e .[benchmark]`, or `--without-published`. Writes decoders.json and
decoders.md, and their tables into docs/performance.md. The whole run takes a quarter of an hour on
two cores.

Weights are random, the same on both sides. The two sides are processes of their own that are asked
in turn. Fails if the outputs of one case differ by more than tests/test_parity.py allows.
"""

import argparse
import importlib.util
import re
import sys
from pathlib import Path

import machine
import numpy as np
from contenders import Ours, OurTraining, Published, PublishedTraining
from decoders_tables import text_of
from machine import (
    RESULTS,
    OtherPrograms,
    Worker,
    alternately,
    description,
    medians,
    three_digits,
    write,
)

PUBLISHED = ("liif", "lte", "diinn", "diinn-ensemble", "metasr", "arasfsr")
# Without a formulation in PyTorch here.
ALONE = ("lm-liif", "lm-lte", "ope", "gb-lsr", "thera", "arasfsr-linear")
DECODERS = (*PUBLISHED, *ALONE)
SIZES = "64:256,64:237,128:512"


def measured_case(decoder, sides, repeats, beside_published):
    """All that is measured of a decoder at one pair of sides."""
    image, size = machine.image(sides[0]), (sides[1], sides[1])
    case = {"decoder": decoder, "from": sides[0], "to": sides[1]}
    if not beside_published:
        with Worker(Ours, decoder, None, image, size) as ours:
            return case | _ours(ours, decoder, repeats)
    with Worker(Published, decoder, image, size) as published:
        with Worker(Ours, decoder, published("weights"), image, size) as ours:
            case |= {"published_bytes": published("peak_memory")}
            case |= _ours(ours, decoder, repeats, published)
            expected, found = published("output"), ours("output")
            case["bfloat16_agreement"] = ours("agreement")
            error = float(np.abs(found - expected).max() / expected.std())
            case |= {"error": error, "tolerance": published("tolerance")}
            return case | {"published_matmul_peak": published("matmul_speed")}


def _ours(ours, decoder, repeats, published=None):
    """What is measured of `Ours`, in turn with the published formulation if there is one."""
    device, memory = ours("device"), ours("peak_memory")
    ours("warm_up")
    asked = {
        "seconds": lambda: ours("seconds"),
        "bfloat16_seconds": lambda: ours("seconds", "bfloat16"),
        "encoder_seconds": lambda: ours("encoder"),
    }
    counts = dict.fromkeys(asked, repeats)
    if decoder == "arasfsr":
        asked["first_seconds"] = lambda: ours("first_image")
        counts["first_seconds"] = (repeats + 1) // 2
    if published is not None:
        asked["published_seconds"] = lambda: published("seconds")
        counts["published_seconds"] = (repeats + 1) // 2
    # In turn with the rest: processors change their clock with the hour.
    asked["matmul_speed"] = lambda: ours("matmul_speed")
    counts["matmul_speed"] = repeats
    values = alternately(asked, counts)
    peak = max(values.pop("matmul_speed"))
    return {
        "device": device,
        "bytes": memory,
        **_medians_of(values),
        "decoder_operations": ours("decoder_operations"),
        "matmul_peak": peak,
    }


def _medians_of(seconds):
    """The median of each measure, and the least: what compares with the best of matrix products."""
    return medians(seconds) | {f"least_{name}": min(values) for name, values in seconds.items()}


def measured_training(repeats, beside_published):
    """Seconds of a training step on each side."""
    repeats = (repeats + 1) // 2
    if not beside_published:
        with Worker(OurTraining, None) as ours:
            ours("loss")
            return _medians_of(alternately({"seconds": lambda: ours("step")}, {"seconds": repeats}))
    with Worker(PublishedTraining) as published:
        with Worker(OurTraining, published("weights")) as ours:
            losses = {"loss": ours("loss"), "published_loss": published("loss")}
            asked = {
                "seconds": lambda: ours("step"),
                "published_seconds": lambda: published("step"),
            }
            return losses | _medians_of(alternately(asked, dict.fromkeys(asked, repeats)))


def faults(results):
    """Lines on outputs that are not the published ones."""
    for case in results["cases"]:
        if case.get("error", 0) > case.get("tolerance", 0):
            yield (
                f"{_case(case)}: {case['error']:.1e} of the spread away from the published output, "
                f"more than {case['tolerance']:.0e}"
            )
    training = results["training"]
    # Images in [0, 1] have half the differences of the published [-1, 1].
    if "loss" in training and abs(2 * training["loss"] / training["published_loss"] - 1) > 1e-4:
        yield "training: the two first losses are not the same"


def _case(case):
    return f"{case['decoder']} {case['from']}x{case['from']} to {case['to']}x{case['to']}"


def _progress(case):
    text = f"{three_digits(case['seconds'])} s"
    if "error" in case:
        text += f", PyTorch {three_digits(case['published_seconds'])} s, {case['error']:.0e} away"
    return text


def parsed():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decoders", default=",".join(DECODERS))
    parser.add_argument("--sizes", default=SIZES, help="sides of squares, from:to,from:to")
    parser.add_argument(
        "--repeats", type=int, default=5, help="calls of which the median is printed"
    )
    parser.add_argument("--without-published", action="store_true", help="needs no PyTorch")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.decoders = arguments.decoders.split(",")
    unknown = set(arguments.decoders) - set(DECODERS)
    if unknown:
        parser.error(f"--decoders: no {', '.join(unknown)}; there are {', '.join(DECODERS)}")
    if not re.fullmatch(r"\d+:\d+(,\d+:\d+)*", arguments.sizes):
        parser.error(f"--sizes must be such as {SIZES}; got {arguments.sizes!r}")
    arguments.sizes = [
        tuple(int(side) for side in pair.split(":")) for pair in arguments.sizes.split(",")
    ]
    if not arguments.without_published and importlib.util.find_spec("torch") is None:
        parser.error("PyTorch is missing: pip install -e .[benchmark], or --without-published")
    return arguments


def main() -> None:
    arguments = parsed()
    beside, others = not arguments.without_published, OtherPrograms()
    results = {"machine": description(*(["torch"] if beside else [])), "cases": []}
    for decoder in arguments.decoders:
        for sides in arguments.sizes:
            beside_published = beside and decoder in PUBLISHED
            case = measured_case(decoder, sides, arguments.repeats, beside_published)
            results["cases"].append(case)
            print(f"{_case(case)}: {_progress(case)}", file=sys.stderr)
    results["training"] = measured_training(arguments.repeats, beside)
    results["machine"]["others"] = others.share()
    results["machine"]["device"] = results["cases"][0]["device"]
    wrong = list(faults(results))
    if wrong:
        sys.exit(f"wrong outputs, nothing written: {'; '.join(wrong)}")
    write(arguments.out, "decoders", results, text_of(results))


if __name__ == "__main__":
    main()
