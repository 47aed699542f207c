"""Warm-up requests of TensorFlow Serving: what a server runs before it accepts others.

They are a TFRecord file of `PredictionLog` messages. The few fields that are needed are written
here byte by byte: the package that has the message classes (tensorflow-serving-api) is used by the
tests alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

WARMUP = "assets.extra/tf_serving_warmup_requests"
"""Where a server looks for them, inside a version's directory."""

# Numbers of the messages' fields in tensorflow_serving/apis.
_PREDICT_LOG = 6  # of PredictionLog
_REQUEST = 1  # of PredictLog
_MODEL_SPEC, _INPUTS = 1, 2  # of PredictRequest
_NAME, _SIGNATURE_NAME = 1, 3  # of ModelSpec
_KEY, _VALUE = 1, 2  # of a map's entry


@dataclass(frozen=True)
class ServingRequest:
    """One call of a signature.

    Attributes:
        signature: its name.
        inputs: an array for each input; bytes where the input is a file.
    """

    signature: str
    inputs: dict[str, Any]


def write_requests(
    path: str | os.PathLike[str], model_name: str, requests: Iterable[ServingRequest]
) -> None:
    """Write requests, at most 1000, as the file that a server reads.

    Args:
        path: the file.
        model_name: how the server calls the model; it does not look at it.
        requests: what to ask.
    """
    with tf.io.TFRecordWriter(os.fspath(path)) as file:
        for request in requests:
            file.write(_prediction_log(model_name, request))


def _prediction_log(model_name: str, request: ServingRequest) -> bytes:
    spec = _field(_NAME, model_name.encode()) + _field(_SIGNATURE_NAME, request.signature.encode())
    message = _field(_MODEL_SPEC, spec)
    for name, value in request.inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        message += _field(_INPUTS, _field(_KEY, name.encode()) + _field(_VALUE, tensor))
    return _field(_PREDICT_LOG, _field(_REQUEST, message))


def _field(number: int, content: bytes) -> bytes:
    """A field of text, bytes or another message: all of them are a tag, a length and content."""
    length_delimited = 2
    return _varint(number << 3 | length_delimited) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """A whole number, seven bits a byte, the lowest first; the eighth bit says that more follow."""
    output = bytearray()
    while value > 127:
        output.append(value & 127 | 128)
        value >>= 7
    output.append(value)
    return bytes(output)
