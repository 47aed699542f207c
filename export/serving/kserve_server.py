"""Serve an exported SavedModel by KServe's V2 (Open Inference) protocol, over REST.

    pip install kserve tensorflow
    python kserve_server.py served/tfsr --http_port 8080

It needs neither tfsr nor Keras. What the SavedModel refuses is status 400; a request of more bytes
than --max_body is 413.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kserve
import numpy as np
import tensorflow as tf
from fastapi.responses import JSONResponse
from kserve import InferOutput, InferRequest, InferResponse
from kserve.errors import InvalidInput
from kserve.model_server import app


class Upscaler(kserve.Model):
    """The signatures serving_default and upscale_float: "image" and "size" to "output".

    Args:
        name: of the model, in URLs.
        directory: of all versions; the highest is served.
        threads: requests computed at once; TensorFlow divides each among all processors.
    """

    def __init__(self, name: str, directory: Path, threads: int) -> None:
        super().__init__(name)
        version = max(int(p.parent.name) for p in directory.glob("[0-9]*/saved_model.pb"))
        signatures = tf.saved_model.load(str(directory / str(version))).signatures
        self.of_type = {
            "UINT8": signatures["serving_default"],
            "FP32": signatures["upscale_float"],
        }
        self.pool = ThreadPoolExecutor(threads)
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None) -> InferResponse:
        """Upscale, in a thread: the server goes on listening."""
        if not isinstance(payload, InferRequest):
            raise InvalidInput("requests are those of the V2 protocol")
        tensors = {tensor.name: tensor for tensor in payload.inputs}
        if set(tensors) != {"image", "size"}:
            raise InvalidInput(f"inputs must be image and size; received {sorted(tensors)}")
        image, size = tensors["image"], tensors["size"]
        if image.datatype not in self.of_type or len(image.shape) != 4 or image.shape[3] != 3:
            raise InvalidInput("image must be UINT8 or FP32 of shape [batch, height, width, 3]")
        if size.datatype != "INT32" or list(size.shape) != [2]:
            raise InvalidInput("size must be INT32 of shape [2]: height, width")
        try:
            arrays = {name: np.asarray(tensor.as_numpy()) for name, tensor in tensors.items()}
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidInput(f"data does not fit shape and datatype: {error}") from error
        loop = asyncio.get_running_loop()
        try:
            output = await loop.run_in_executor(self.pool, self.run, image.datatype, arrays)
        except tf.errors.InvalidArgumentError as error:
            raise InvalidInput(reason(str(error))) from error
        result = InferOutput("output", list(output.shape), image.datatype, output)
        return InferResponse(
            payload.id or "",
            self.name,
            [result],
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )

    def run(self, datatype: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Call the signature of a type."""
        inputs = {name: tf.constant(array) for name, array in arrays.items()}
        return self.of_type[datatype](**inputs)["output"].numpy()


def reason(message: str) -> str:
    """What the model's own check says, out of TensorFlow's text around it."""
    found = re.search(r"assertion failed: \[(.*?)\] \[(.*)\]", message)
    return f"{found[1]} {found[2]}" if found else message.splitlines()[0]


async def malformed(request, error: Exception) -> JSONResponse:
    """Status 400 for what KServe's own decoder stumbles over."""
    return JSONResponse({"error": f"malformed request: {type(error).__name__}: {error}"}, 400)


class LimitBody:
    """ASGI middleware that refuses bodies of more bytes, with or without a Content-Length."""

    def __init__(self, app, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope, receive, send) -> None:
        """Count the bytes, and end the request at the limit."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        received, refused = int(declared) if declared.isdigit() else 0, False
        if received > self.limit:
            return await self.refuse(send)
        received = 0

        async def counted():
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                refused = True
                return {"type": "http.disconnect"}
            return message

        async def unless_refused(message):
            if not refused:
                await send(message)

        try:
            await self.app(scope, counted, unless_refused)
        finally:
            if refused:
                await self.refuse(send)

    async def refuse(self, send) -> None:
        """Send status 413."""
        body = b'{"error": "more than %d bytes"}' % self.limit
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(
        parents=[kserve.model_server.parser], conflict_handler="resolve"
    )
    parser.add_argument("directory", type=Path, help="of all versions of the SavedModel")
    parser.add_argument("--name", default="tfsr", help="the model's, in URLs")
    parser.add_argument("--threads", type=int, default=1, help="requests computed at once")
    parser.add_argument("--max_body", type=int, default=64 * 2**20, help="bytes of a request")
    parser.add_argument("--http_port", type=int, default=8080)
    arguments, _ = parser.parse_known_args()  # KServe reads the others.
    app.add_middleware(LimitBody, limit=arguments.max_body)
    for kind in (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        app.add_exception_handler(kind, malformed)
    model = Upscaler(arguments.name, arguments.directory, arguments.threads)
    kserve.ModelServer(http_port=arguments.http_port, enable_grpc=False).start([model])


if __name__ == "__main__":
    main()
