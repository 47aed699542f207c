"""What cannot be is one line, before any cluster is started."""

import importlib
import socket
import sys

import pytest
import tiny

from tfsr.cli import main


@pytest.fixture
def upscale(monkeypatch, capfd, tmp_path):
    """`tfsr upscale` of a small image in this process: (exit code, standard error)."""
    monkeypatch.chdir(tmp_path)
    tiny.save(tmp_path / "a.png", tiny.image(10, 12))

    def run(line):
        words = line.split() if "-o" in line else f"a.png -o b.png {line}".split()
        monkeypatch.setattr(sys, "argv", ["tfsr", "upscale", "--scale", "2", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capfd.readouterr()
        assert out == "" and len(err.splitlines()) == 1
        return caught.value.code, err

    return run


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("--workers 2", 2, "--workers are those of --ray"),
        ("--ray local --workers 0", 2, "--workers must be 1 to 100000; received 0"),
        ("--ray local --device gpu:0", 2, "--device must be cpu or gpu"),
        ("--ray nonsense", 1, "--ray must be local, auto or HOST:PORT; received 'nonsense'"),
        ("s3://b/a.png -o b.png", 2, "s3://b/a.png: URLs are read and written with --ray"),
        ("a.png -o s3://b/", 2, "s3://b/: URLs are read and written with --ray; add --ray local"),
        ("a.png -o s9://b/ --ray local", 1, "s9://b/: nothing reads s9://; give a path"),
        ("a.png -o memory://b/ --ray local", 1, "memory://b/a.png: the memory of one process"),
    ],
)
def test_what_cannot_be_is_one_line(line, code, words, upscale):
    found, err = upscale(line)
    assert found == code and words in err


def test_an_address_where_nothing_listens_is_told_at_once(upscale):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        code, err = upscale(f"--ray {address}")
    assert code == 1 and f"{address}: no Ray cluster responds: [Errno 111]" in err


@pytest.mark.parametrize(
    ("module", "line", "words"),
    [
        ("ray", "--ray local", "this needs Ray"),
        ("fsspec", "a.png -o s3://b/ --ray local", "s3://b/: URLs need fsspec"),
        ("s3fs", "a.png -o s3://b/ --ray local", "s3://b/: Install s3fs to access S3"),
    ],
)
def test_what_is_not_installed_names_the_extra(module, line, words, upscale, monkeypatch):

    importlib.import_module("fsspec.registry")
    for scheme in ("s3", "s3a"):
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, scheme, raising=False)
    for name in (module, "fsspec.core") if module == "fsspec" else (module,):
        monkeypatch.setitem(sys.modules, name, None)  # As if it were not installed.
    code, err = upscale(line)
    assert code == 1 and words in err and "pip install 'tfsr[ray]'" in err
