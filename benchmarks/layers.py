"""What parts of the decoders take in TensorFlow, written in several ways.

    python benchmarks/layers.py

One neighbour of every query of 64x64 to 256x256, in pieces of 8,192 queries, 256 wide. ARASFSR's
three layers f = relu(f A + m B + b), m = f c: their products alone are the floor of any way that
multiplies float32 matrices by TensorFlow. And what a band gathers before its layers. Writes
layers.json and layers.md, and the table into docs/performance.md.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from machine import (
    RESULTS,
    OtherPrograms,
    described,
    description,
    medians,
    seconds_of,
    table,
    three_digits,
    write,
)

QUERIES, PIECE, WIDTH, LAYERS, REPEATS = 65536, 8192, 256, 3, 9


def variables():
    """Of each layer: A, B, both as one matrix, and b."""
    random = np.random.default_rng(0)
    layers = []
    for _ in range(LAYERS):
        a, b = (random.normal(0, 0.05, (WIDTH, WIDTH)).astype(np.float32) for _ in range(2))
        bias = random.normal(0, 1, WIDTH).astype(np.float32)
        layers.append([tf.Variable(x) for x in (a, b, np.concatenate([a, b]), bias)])
    return layers


def two_products(f, waves, layers):
    """As `tfsr.layers.ModulatedMLP`."""
    m = f * waves[0]
    for (a, b, _, bias), wave in zip(layers, waves[1:], strict=True):
        f = tf.nn.relu(tf.matmul(m, b) + (tf.matmul(f, a) + bias))
        m = f * wave
    return m


def concat_axes(f, waves, layers):
    """As published: one product of [f, m]."""
    for (_, _, both, bias), wave in zip(layers, waves, strict=False):
        f = tf.nn.relu(tf.matmul(tf.concat([f, f * wave], 1), both) + bias)
    return f * waves[-1]


def joined_by_broadcast(f, waves, layers):
    """One product of f [1, c], with the ones beside the waves."""
    for (_, _, both, bias), wave in zip(layers, waves, strict=False):
        pair = tf.stack([tf.ones_like(wave), wave], 1)
        modulated = tf.reshape(f[:, None] * pair, (PIECE, 2 * WIDTH))
        f = tf.nn.relu(tf.matmul(modulated, both) + bias)
    return f * waves[-1]


def products_alone(f, waves, layers):
    """As many products, each with bias and ReLU in the same step, and nothing between them."""
    for a, b, _, bias in layers:
        f = tf.nn.relu(tf.nn.bias_add(tf.matmul(f, a), bias))
        f = tf.nn.relu(tf.nn.bias_add(tf.matmul(f, b), bias))
    return f


def gather_of_columns(f, waves, layers):
    """A band's columns: what strided slices would copy instead at scales of p/q."""
    return tf.gather(tf.reshape(f[:2048], (1, 32, 64, WIDTH)), np.repeat(np.arange(64), 4), axis=2)


def main() -> None:
    others, random, layers = OtherPrograms(), np.random.default_rng(1), variables()
    shape = (PIECE, WIDTH)
    f = tf.constant(np.abs(random.normal(0, 1, shape)).astype(np.float32))
    waves = [
        tf.constant(np.sin(random.normal(0, 1, shape)).astype(np.float32))
        for _ in range(LAYERS + 1)
    ]
    ways = [two_products, concat_axes, joined_by_broadcast, products_alone, gather_of_columns]
    functions = {way: tf.function(lambda way=way: way(f, waves, layers)) for way in ways}
    seconds = {way: [] for way in ways}
    for function in functions.values():
        function()
    for _ in range(REPEATS):
        for way, function in functions.items():
            calls = QUERIES // PIECE
            seconds[way].append(seconds_of(lambda f=function, n=calls: [f() for _ in range(n)]))
    operations = 4 * QUERIES * LAYERS * WIDTH**2
    rows = []
    for way, middle in medians(seconds).items():
        title = way.__name__.replace("_", " ")
        speed = "" if way is gather_of_columns else f"{operations / middle / 1e9:,.0f}"
        rows.append([title, three_digits(middle), speed])
    machine = description() | {"others": others.share()}
    text = f"{described(machine)}\n\n{table(['way', 's', 'GFLOP/s'], rows)}"
    write(RESULTS, "layers", {"machine": machine, "rows": rows}, text)


if __name__ == "__main__":
    main()
