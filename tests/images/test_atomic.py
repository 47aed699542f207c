import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys

import pytest

from tfsr.images.atomic import (
    remove_abandoned,
    temporary_file,
    temporary_path,
    write_atomically,
)

ABANDONED = ".tfsr-0123456789abcdef.tmp"


def touched(path):
    path.touch(exist_ok=False)


def test_a_file_is_replaced(tmp_path):
    target = tmp_path / "a.bin"
    for content in (b"first", b"the second"):
        write_atomically(str(target), content)
        assert target.read_bytes() == content
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_the_old_file(tmp_path):
    (tmp_path / "a.bin").mkdir()
    with pytest.raises(OSError):
        write_atomically(str(tmp_path / "a.bin"), b"content")
    with pytest.raises(ZeroDivisionError), temporary_path(tmp_path, os.mkdir) as path:
        (path / "inner").touch()
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(str(tmp_path / "none" / "a.bin"), b"content")
    remove_abandoned(tmp_path / "none")


def test_files_of_killed_processes_are_removed(tmp_path):
    program = f"""
import os, pathlib, signal
from tfsr.images.atomic import temporary_path
folder = pathlib.Path({str(tmp_path)!r})
with temporary_path(folder, pathlib.Path.touch), temporary_path(folder, os.mkdir) as path:
    (path / "inner").mkdir()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGKILL
    paths = list(tmp_path.iterdir())
    assert len(paths) == 2 and all(path.name.startswith(".tfsr-") for path in paths)
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [touched, os.mkdir])
def test_files_of_running_processes_stay(make, tmp_path):
    with temporary_path(tmp_path, make) as path:
        remove_abandoned(tmp_path)
        assert list(tmp_path.iterdir()) == [path]
        os.rename(path, tmp_path / "done")
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "done"]


def test_other_files_stay(tmp_path):
    (tmp_path / "target").touch()
    (tmp_path / ABANDONED).symlink_to(tmp_path / "target")
    for name in ("a.png", ".hidden", ".tfsr-notes.tmp", "0123456789abcdef.tmp"):
        (tmp_path / name).touch()
    before = sorted(os.listdir(tmp_path))
    remove_abandoned(tmp_path)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_file_removed_before_its_lock_is_created_again(tmp_path):
    made = []

    def make(path):
        # Another process may look for what is abandoned just then.
        touched(path)
        if not made:
            remove_abandoned(tmp_path)
        made.append(path)

    with temporary_path(tmp_path, make) as path:
        assert list(tmp_path.iterdir()) == [path]
    assert len(made) == 2


@pytest.mark.parametrize("linked", [True, False])
def test_what_has_the_name_is_not_replaced_unasked(linked, tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError("no hard links on this file system")

    if not linked:
        monkeypatch.setattr(os, "link", refused)
    write_atomically(str(tmp_path / "new.bin"), b"content", replace=False)
    assert (tmp_path / "new.bin").read_bytes() == b"content"
    (tmp_path / "folder.bin").mkdir()
    (tmp_path / "link.bin").symlink_to("nowhere")
    (tmp_path / "mine.bin").write_bytes(b"mine")
    for name in ("folder.bin", "link.bin", "mine.bin"):
        with pytest.raises(FileExistsError):
            write_atomically(str(tmp_path / name), b"content", replace=False)
    assert (tmp_path / "mine.bin").read_bytes() == b"mine"
    assert (tmp_path / "link.bin").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["folder.bin", "link.bin", "mine.bin", "new.bin"]


def test_a_link_in_the_temporary_files_place_is_not_followed(tmp_path):
    """The folder is others' too: the name leads elsewhere between creation and writing."""
    secret, target = tmp_path / "secret", tmp_path / "a.bin"
    secret.write_bytes(b"of root")
    with temporary_file(tmp_path) as (path, descriptor):
        path.unlink()
        path.symlink_to(secret)
        os.write(descriptor, b"content")
        path.unlink()
    assert secret.read_bytes() == b"of root"
    assert not target.exists()


def test_links_slipped_in_while_files_are_written_change_nothing(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"of root")
    program = f"""
import os
folder, secret = {str(tmp_path)!r}, {str(secret)!r}
print(flush=True)
while True:
    for name in os.listdir(folder):
        if name.startswith(".tfsr-") and not os.path.islink(path := os.path.join(folder, name)):
            try:
                os.unlink(path)
                os.symlink(secret, path)
            except OSError:
                pass
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as other:
        try:
            other.stdout.readline()
            for i in range(300):
                with contextlib.suppress(OSError):
                    write_atomically(str(tmp_path / f"{i}.bin"), b"content")
        finally:
            other.kill()
    assert secret.read_bytes() == b"of root"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_permissions_stay(mode, tmp_path):
    target = tmp_path / "a.bin"
    target.touch()
    target.chmod(mode)
    write_atomically(str(target), b"content")
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"content", mode)


def test_a_pipe_is_written_into(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError):  # Nobody reads it, and nobody is waited for.
        write_atomically(str(path), b"content")
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as reader:
        while True:
            try:
                write_atomically(str(path), b"content" * 5_000)
                break
            except OSError as error:
                assert error.errno == errno.ENXIO
        assert reader.stdout.read() == b"content" * 5_000
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_an_open_file_of_the_system_is_written_into(tmp_path):
    program = "from tfsr.images.atomic import *; write_atomically('/dev/stdout', b'content')"
    with open(tmp_path / "out", "wb") as out:
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == b"content"
    assert os.path.islink("/dev/stdout")
