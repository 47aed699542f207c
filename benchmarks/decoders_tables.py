"""What decoders.py tells, in Markdown."""

from machine import described, mebibytes, table, three_digits


def text_of(results):
    """All tables, in Markdown."""
    compared = "published_matmul_peak" in results["cases"][0]
    parts = [_machine_text(results), _images_table(results["cases"], compared)]
    parts += [_decoders_table(results, compared), _first_images_table(results["cases"])]
    return "\n\n".join([*filter(None, parts), _training_text(results, compared)])


def _machine_text(results):
    backend = results["machine"]["backend"]
    lines = [described(results["machine"])]
    speeds = {"matmul_peak": backend, "published_matmul_peak": "PyTorch"}
    reached = [
        f"{_giga(max(case.get(key, 0) for case in results['cases']))} GFLOP/s in {library}"
        for key, library in speeds.items()
        if key in results["cases"][0]
    ]
    lines.append(f"Matrix products reach {' and '.join(reached)}")
    return " ".join(lines) + ", in float32."


def _images_table(cases, compared):
    header = ["decoder", "from", "to", "tfsr, s", "MiB"]
    header += ["PyTorch, s", "MiB", "times as fast", "largest difference"] if compared else []
    rows = []
    for case in cases:
        row = [*_labels(case), three_digits(case["seconds"]), mebibytes(case["bytes"])]
        if compared and "error" not in case:
            row += ["-"] * 4
        elif compared:
            row += [three_digits(case["published_seconds"]), mebibytes(case["published_bytes"])]
            row.append(f"{case['published_seconds'] / case['seconds']:.1f}")
            row.append(f"{case['error']:.0e}")
        rows.append(row)
    return table(header, rows)


def _decoders_table(results, compared):
    header = ["decoder", "from", "to", "encoder, s", "decoder, s", "decoder, GFLOP"]
    header += ["GFLOP/s", "of the peak", "all in bfloat16, s"]
    header += ["agreement, dB"] if compared else []
    rows = []
    for case in results["cases"]:
        seconds = case["seconds"] - case["encoder_seconds"]
        speed = case["decoder_operations"] / seconds
        least = case["least_seconds"] - case["least_encoder_seconds"]
        share = case["decoder_operations"] / least / case["matmul_peak"]
        row = [*_labels(case), three_digits(case["encoder_seconds"]), three_digits(seconds)]
        row += [three_digits(case["decoder_operations"] / 1e9), _giga(speed), f"{share:.0%}"]
        row += [three_digits(case["bfloat16_seconds"])]
        agreement = case.get("bfloat16_agreement")
        row += ["-" if agreement is None else f"{agreement:.1f}"] if compared else []
        rows.append(row)
    return table(header, rows)


def _first_images_table(cases):
    rows = [
        [*_labels(case), three_digits(case["first_seconds"]), three_digits(case["seconds"])]
        for case in cases
        if "first_seconds" in case
    ]
    header = ["decoder", "from", "to", "first image of a size, s", "the next, s"]
    return table(header, rows) if rows else ""


def _training_text(results, compared):
    training, backend = results["training"], results["machine"]["backend"]
    text = f"A training step takes {three_digits(training['seconds'])} s in {backend}"
    if compared:
        ratio = training["published_seconds"] / training["seconds"]
        text += f" and {three_digits(training['published_seconds'])} s in PyTorch: {ratio:.1f} x"
    return text + "."


def _labels(case):
    return [f"`{case['decoder']}`", *(f"{case[key]}x{case[key]}" for key in ("from", "to"))]


def _giga(value):
    return f"{value / 1e9:,.0f}"
