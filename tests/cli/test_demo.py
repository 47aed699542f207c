import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import keras
import odd_files
import pytest
import tiny

from tfsr.models import SubPixelSR
from tfsr.presets import save_preset

TFSR = Path(sys.executable).with_name("tfsr")


@contextmanager
def running(*options, browser=None):
    """`tfsr demo` in a process of its own, and its address; `browser` is a program."""
    command = [TFSR, "demo", "--port", "0", *map(str, options)]
    environment = {**os.environ, "BROWSER": f"{browser} %s"}
    with subprocess.Popen(
        command if browser else [*command, "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment if browser else None,
    ) as process:
        try:
            line = process.stdout.readline()
            assert line.endswith("until Ctrl-C, by tiny\n"), line or process.stderr.read()
            yield process, line.split()[0]
        finally:
            process.kill()


def test_the_page_is_served_to_this_computer_until_an_interrupt(preset):
    with running("--preset", preset, "--max-output", "2000") as (process, address):
        with urllib.request.urlopen(address) as page:
            assert b"<canvas" in page.read()
        host, _, _ = address.removeprefix("http://").partition("/")
        port = int(host.partition(":")[2])
        # Other users of this computer know the port alone.
        for path in ("", "settings", "x" * 22 + "/"):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(f"http://{host}/{path}")
        # The whole of 127/8 is this computer, but only one of its names was taken.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port))

        body = odd_files.encoded(tiny.image(64, 64))
        with urllib.request.urlopen(f"{address}images", data=body) as output:
            name = json.load(output)["id"]
        outputs = []

        def download():
            try:
                urllib.request.urlopen(f"{address}images/{name}/whole?scale=600")
            except (urllib.error.HTTPError, ConnectionError) as error:
                outputs.append(error)

        waiting = threading.Thread(target=download)
        waiting.start()
        waiting.join(1)
        assert not outputs, "it has hours of work"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=100)
        assert (process.returncode, errors) == (130, "tfsr: interrupted\n")
        waiting.join()
        assert outputs


@pytest.mark.slow
def test_the_browsers_command_line_does_not_show_the_token(preset, tmp_path):
    browser, shown = tmp_path / "browser", tmp_path / "shown"
    browser.write_text(f'#!/bin/sh\necho "$@" > {shown}.part && mv {shown}.part {shown}\n')
    browser.chmod(0o755)
    with running("--preset", preset, browser=browser) as (process, address):
        deadline = time.monotonic() + 30
        while not shown.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        file = Path(shown.read_text().strip().removeprefix("file://"))
        token = address.split("/")[3]
        assert token not in str(file)
        assert f'url={address}"' in file.read_text()
        assert file.parent.stat().st_mode & 0o77 == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
    assert not file.parent.exists()


def check_one_line(result, code, *words):
    found, out, err = result
    assert (found, out) == (code, "")
    (line,) = err.splitlines()
    assert line.startswith("tfsr: ")
    for word in words:
        assert word in line


def test_a_port_in_use_is_one_line(tfsr, preset):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = tfsr("demo", "--port", port, "--preset", preset, "--no-browser")
    check_one_line(
        result, 1, f"--port {port} is not available: {os.strerror(errno.EADDRINUSE)}", "0 for any"
    )


def test_without_fastapi_the_extra_is_named(tfsr, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)  # As if it were not installed.
    check_one_line(tfsr("demo"), 1, "pip install 'tfsr[demo]'")


def test_a_preset_of_one_scale_is_refused(tfsr, tmp_path):
    keras.utils.set_random_seed(0)
    encoder = {"name": "edsr", "features": 8, "blocks": 1}
    save_preset(SubPixelSR(encoder, scale=2), tmp_path / "x2", {})
    result = tfsr("demo", "--port", "0", "--no-browser", "--preset", tmp_path / "x2")
    check_one_line(result, 1, "renders one scale")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--port", "70000"), 2, "--port"),
        (("--max-input", "0"), 2, "--max-input must be"),
        (("--port", "0", "--preset", "nowhere"), 1, "unknown preset 'nowhere'"),
    ],
)
def test_what_cannot_be_is_one_line(options, code, words, tfsr):
    check_one_line(tfsr("demo", "--no-browser", *options), code, words)
