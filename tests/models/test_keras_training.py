"""Training by Keras's own `fit`, with all that Keras has for it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfsr import ImplicitSR

GENERATOR = np.random.default_rng(0)
INPUTS = {
    "image": GENERATOR.random((4, 8, 8, 3), np.float32),
    "coordinates": GENERATOR.uniform(-1, 1, (4, 6, 2)).astype(np.float32),
    "cell": np.full((4, 6, 2), 0.1, np.float32),
}
COLOURS = GENERATOR.random((4, 6, 3), np.float32)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        part = slice(2 * index, 2 * index + 2)
        return {name: value[part] for name, value in INPUTS.items()}, COLOURS[part]


def model_of(**config):
    keras.utils.set_random_seed(0)
    return ImplicitSR.from_config({**tiny.MODEL, **config})


def trained(data, batch_size=None, **options):
    model = model_of()
    model.compile("adam", "mae", metrics=["mse"], **{"jit_compile": False, **options})
    x, y = (INPUTS, COLOURS) if data is None else (data, None)
    model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)
    return model


@pytest.fixture(scope="module")
def expected():
    """A model trained on arrays, and what Keras says of it. Shared: do not change it."""
    model = trained(None, 2)
    return model, model.evaluate(INPUTS, COLOURS, verbose=0), model.predict(INPUTS, verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            lambda: tf.data.Dataset.from_tensor_slices((INPUTS, COLOURS)).batch(2), id="tf"
        ),
        pytest.param(Batches, id="py"),
    ],
)
def test_every_kind_of_data_trains_alike(data, expected):
    model = trained(data())
    assert model.evaluate(data(), verbose=0) == pytest.approx(expected[1], abs=1e-6)
    np.testing.assert_allclose(model.predict(data(), verbose=0), expected[2], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("option", ["jit_compile", "steps_per_execution", "run_eagerly"])
def test_every_way_to_run_a_step_trains_alike(option, expected):
    value = 2 if option == "steps_per_execution" else True
    model = trained(None, 2, **{"jit_compile": False, option: value})
    np.testing.assert_allclose(model.predict(INPUTS, verbose=0), expected[2], atol=1e-4)


@pytest.mark.slow
def test_mixed_float16_trains_with_a_scaled_loss(expected):
    model = model_of(dtype="mixed_float16")
    model.compile("adam", "mae", jit_compile=False)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    model.fit(INPUTS, COLOURS, batch_size=2, shuffle=False, verbose=0)
    assert {weight.dtype for weight in model.weights} == {"float32"}
    np.testing.assert_allclose(model.predict(INPUTS, verbose=0), expected[2], atol=0.01)


@pytest.fixture
def monitored():
    """The address of a server on loopback, and what it is sent: paths and contents."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, json.loads(content)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_keras_callbacks(tmp_path, monitored):
    """All in one run: what they write can be read, and what they change has changed."""
    model = model_of()
    address, received = monitored
    optimizer = keras.optimizers.Adam(1e-2, use_ema=True)
    model.compile(optimizer, "mae", jit_compile=False)
    callbacks, seen = keras.callbacks, []
    history = model.fit(
        INPUTS,
        COLOURS,
        batch_size=2,
        epochs=3,
        validation_data=(INPUTS, COLOURS),
        verbose=0,
        callbacks=[
            callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False),
            callbacks.CSVLogger(tmp_path / "log.csv"),
            callbacks.EarlyStopping(patience=5, restore_best_weights=True),
            callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)),
            callbacks.LearningRateScheduler(lambda epoch: 1e-2 / (1 + epoch)),
            callbacks.ReduceLROnPlateau(patience=5),
            callbacks.RemoteMonitor(address, send_as_json=True),
            callbacks.SwapEMAWeights(),
            callbacks.TensorBoard(tmp_path / "board", histogram_freq=1),
            callbacks.TerminateOnNaN(),
            callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras")),
            callbacks.ModelCheckpoint(
                str(tmp_path / "best.weights.h5"), save_weights_only=True, save_best_only=True
            ),
        ],
    )
    assert seen == [0, 1, 2]
    assert [path for path, _ in received] == 3 * ["/publish/epoch/end/"]
    assert [logs["epoch"] for _, logs in received] == seen
    for name in ("loss", "val_loss"):
        assert [logs[name] for _, logs in received] == history.history[name]
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-2 / 3)
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    assert list((tmp_path / "board").rglob("events*"))
    loaded = keras.models.load_model(tmp_path / "3.keras")
    assert int(loaded.optimizer.iterations) == 6
    model_of().load_weights(tmp_path / "best.weights.h5")
    again = model_of()
    again.compile(keras.optimizers.Adam(1e-2, use_ema=True), "mae", jit_compile=False)
    history = again.fit(
        INPUTS,
        COLOURS,
        batch_size=2,
        epochs=3,
        verbose=0,
        callbacks=[callbacks.BackupAndRestore(tmp_path / "backup")],
    )
    assert history.epoch == []  # All three had been trained.
