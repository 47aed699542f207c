"""The REST client of export/serving, and servers that are not ours."""

import base64
import io
import json
import os
import socket
import threading
from contextlib import contextmanager
from pathlib import Path

import odd_files
import pytest
import tiny
from PIL import Image
from scripts import load_script

PATH = Path(__file__).parents[1] / "export" / "serving" / "client.py"
client = load_script(PATH)


def read_request(connection):
    """Read all of it: to close a connection with bytes unread would reset it."""
    with connection.makefile("rb") as stream:
        lines = [line.lower() for line in iter(stream.readline, b"\r\n")]
        length = next(line for line in lines if line.startswith(b"content-length:"))
        stream.read(int(length.partition(b":")[2]))


@contextmanager
def responding(*parts, endless=None):
    """The address of a server that sends these bytes, then one part again and again."""

    def serve():
        connection, _ = listening.accept()
        with connection:
            try:
                read_request(connection)
                for part in parts:
                    connection.sendall(part)
                while endless is not None and not over.wait(0.01):
                    connection.sendall(endless)
            except OSError:
                pass

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1/models/tfsr"
        finally:
            over.set()
            thread.join()


def response(body, status="200 OK", *headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def image_response(content):
    encoded = {"outputs": {"b64": base64.b64encode(content).decode()}}
    return response(json.dumps(encoded).encode())


def upscaled(url, timeout=20.0):
    return client.upscale(Image.fromarray(tiny.image(6, 8)), (16, 12), url, timeout)


WHOLE = odd_files.encoded(tiny.image(12, 16))


def test_a_whole_image_is_returned():
    with responding(image_response(WHOLE)) as url:
        assert upscaled(url) == WHOLE


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (image_response(WHOLE[:-60]), "no image"),
        (image_response(WHOLE[:20]), "no image"),
        (image_response(odd_files.encoded(tiny.image(12, 17))), "an image of"),
        (response(b"[" * 100_000), "did not return JSON"),
        (response(b"[1]"), "something else"),
        (response(b"", "302 Found", "Location: http://127.0.0.1:1/"), "refused .302"),
        (response(b'["error"]', "400 Bad Request"), "refused .400"),
        (response(b"[" * 100_000, "400 Bad Request"), "refused .400"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "did not return JSON"),
        (b"\x00\x01\x02\r\n\r\n", "connection broke"),
    ],
)
def test_other_responses_are_one_error(sent, message):
    with responding(sent) as url, pytest.raises(client.ClientError, match=message):
        upscaled(url)


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
def test_a_response_without_end_is_not_waited_for(status):
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n".encode()
    with responding(head, endless=b" ") as url:
        with pytest.raises(client.ClientError, match="did not respond in 1 seconds"):
            upscaled(url, timeout=1)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_impossible_timeouts_are_named(timeout):
    with pytest.raises(client.ClientError, match="--timeout must be"):
        upscaled("http://127.0.0.1:1/", timeout)


def test_links_are_not_followed_and_nothing_is_left(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"of root")
    (tmp_path / ".large.png.part").symlink_to(secret)
    client.write(tmp_path / "large.png", WHOLE)
    assert Image.open(io.BytesIO((tmp_path / "large.png").read_bytes())).size == (16, 12)
    (tmp_path / "folder").mkdir()
    with pytest.raises(client.ClientError, match="cannot be written"):
        client.write(tmp_path / "folder", WHOLE)
    assert secret.read_bytes() == b"of root"
    assert sorted(os.listdir(tmp_path)) == [".large.png.part", "folder", "large.png", "secret"]
