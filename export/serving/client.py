"""Upscales an image by a TensorFlow Serving server, over REST.

    python client.py face.jpg -o large.png --size 512x512
    python client.py face.jpg -o large.png --scale 3.7 --url http://localhost:8501/v1/models/tfsr

All it needs is Python and Pillow. The server does not look at EXIF, so images are turned upright
here. Failures are reported in one line, and nothing is retried.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import io
import json
import os
import re
import secrets
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

from PIL import Image, ImageOps

URL = "http://localhost:8501/v1/models/tfsr"

# A larger response is not from our server.
MAX_RESPONSE = 2 * 2**30
MAX_REFUSAL = 2**20


class ClientError(Exception):
    """What went wrong, in one line."""


def main() -> None:
    """Upscale one file."""
    parser = argparse.ArgumentParser(description="Upscale an image by a TensorFlow Serving server")
    parser.add_argument("image", type=Path, metavar="IN", help="PNG, JPEG or WebP")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.png")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--size", metavar="WxH")
    wanted.add_argument("--scale", type=float, metavar="S")
    parser.add_argument("--url", default=URL, help=f"the model's; {URL} if it is not given")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds; 300")
    arguments = parser.parse_args()
    try:
        image = upright(arguments.image)
        size = size_of(image.size, arguments.size, arguments.scale)
        write(arguments.output, upscale(image, size, arguments.url, arguments.timeout))
    except ClientError as error:
        sys.exit(f"client: {' '.join(str(error).split())}")


def upright(path: Path) -> Image.Image:
    """The image as it is to be looked at, 8-bit RGB.

    Raises:
        ClientError: if it cannot be read.
    """
    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as image:
            if image.mode.startswith(("I", "F")):
                raise ClientError(f"{path}: has more than 8 bits a channel; convert it first")
            return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ClientError(f"{path}: cannot be read: {error}") from error


def size_of(lr_size: tuple[int, int], size: str | None, scale: float | None) -> tuple[int, int]:
    """(width, height) of the output, from one of "WxH" and a factor.

    Raises:
        ClientError: if that is no size.
    """
    if size is None:
        if scale is None or not 0 < scale < 1e6:
            raise ClientError(f"--scale must be a number above 0, such as 3.7; got {scale}")
        width, height = (max(1, int(side * scale + 0.5)) for side in lr_size)
        return width, height
    sides = size.lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise ClientError(f"--size must be WxH, such as 512x512; got {size!r}")
    return int(sides[0]), int(sides[1])


def upscale(
    image: Image.Image, size: tuple[int, int], url: str = URL, timeout: float = 300.0
) -> bytes:
    """Upscale an image to (width, height) by the server; returns a PNG file.

    Raises:
        ClientError: if it cannot be reached, refuses, or returns something else.
    """
    file = io.BytesIO()
    image.save(file, "PNG")
    width, height = size
    inputs = {
        "image_bytes": {"b64": base64.b64encode(file.getvalue()).decode("ascii")},
        "size": [height, width],
    }
    output = post(f"{url}:predict", {"signature_name": "upscale_bytes", "inputs": inputs}, timeout)
    try:
        # There is one output, so its name is left out.
        content = base64.b64decode(output["outputs"]["b64"], validate=True)
        with Image.open(io.BytesIO(content), formats=("PNG",)) as pixels:
            found = pixels.size
            if found == size:
                pixels.load()  # To its last row.
    except Exception as error:  # Over damaged bytes Pillow raises anything.
        raise ClientError(f"{url}: returned something that is no image") from error
    if found != size:
        raise ClientError(f"{url}: returned an image of {found}, not of {size}")
    return content


def post(url: str, content: dict, timeout: float) -> dict:
    """Post JSON; returns the JSON of the response.

    Raises:
        ClientError: if it cannot be reached, refuses, returns something else, or takes longer than
            `timeout` seconds in all.
    """
    if not 0 < timeout <= 1e6:
        raise ClientError(f"--timeout must be above 0 and at most 1000000 seconds; got {timeout}")
    done: list[dict | BaseException] = []

    def run() -> None:
        try:
            done.append(exchange(url, content, timeout))
        except BaseException as error:
            done.append(error)

    # The timeout of a socket begins anew with every byte.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout)
    if not done:
        raise ClientError(f"{url}: did not respond in {timeout:g} seconds")
    if isinstance(done[0], BaseException):
        raise done[0]
    return done[0]


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """An image goes to the server that was named, and to no other."""

    def redirect_request(self, *arguments: object) -> None:
        """Redirections are refusals."""


def exchange(url: str, content: dict, timeout: float) -> dict:
    """Post JSON and wait; see `post`."""
    body = json.dumps(content).encode()
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.build_opener(NoRedirects).open(request, timeout=timeout) as response:
            received = response.read(MAX_RESPONSE + 1)
        if len(received) > MAX_RESPONSE:
            raise ClientError(f"{url}: returned more than {MAX_RESPONSE} bytes")
        output = json.loads(received)
    except urllib.error.HTTPError as error:
        raise ClientError(f"{url}: refused ({error.code}): {reason(error)}") from error
    except urllib.error.URLError as error:
        raise ClientError(f"{url}: cannot be reached: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ClientError(
            f"{url}: the connection broke: {error or type(error).__name__}"
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ClientError(f"{url}: is not a server's address, or did not return JSON") from error
    if not isinstance(output, dict):
        raise ClientError(f"{url}: returned something else than a JSON object")
    return output


def reason(error: urllib.error.HTTPError) -> str:
    """One line of what a server says about a request that it refuses."""
    try:
        message = str(json.loads(error.read(MAX_REFUSAL))["error"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError, http.client.HTTPException):
        message = str(error.reason)
    # What the model's own checks say; around it, TensorFlow tells where in the graph.
    found = re.search(r"assertion failed: \[(.*?)\] \[(.*)\]", message)
    if found:
        return f"{found[1]} {found[2]}"
    return (message.splitlines() or ["it does not say why"])[0]


def write(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        ClientError: if it cannot be written.
    """
    temporary = path.with_name(f".tfsr-{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        # Created by this process alone, and written by its descriptor: no link is followed.
        with open(os.open(temporary, flags, 0o666), "wb") as file:
            try:
                file.write(content)
                file.flush()
                os.replace(temporary, path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ClientError(f"{path}: cannot be written: {error.strerror}") from error


if __name__ == "__main__":
    main()
