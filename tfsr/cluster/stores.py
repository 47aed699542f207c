"""Stores that fsspec reads and writes by URL: one kind of error, and files that are complete."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfsr.errors import ClusterError, ImageError, did_you_mean

# A file is complete there or does not exist, and `mode="create"` replaces none.
_ATOMIC = {"s3", "s3a", "gs", "gcs"}
_WRITTEN = "cannot be written"


class Missing(ImageError):
    """There is nothing of a URL's name."""


def scheme_of(url: str) -> str:
    """Return a URL's scheme: "s3"."""
    return url.partition("://")[0].lower()


def opened(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and its name there.

    Raises:
        ClusterError: if nothing that is installed reads such URLs.
    """
    try:
        from fsspec import available_protocols
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise ClusterError(f"{url}: URLs need fsspec: pip install 'tfsr[ray]'") from error
    scheme = scheme_of(url)
    known = available_protocols()
    if scheme not in known:
        raise ClusterError(
            f"{url}: nothing reads {scheme}://; give a path, or a URL such as s3:// or gs://."
            + did_you_mean(scheme, known)
        )
    try:
        system, name = url_to_fs(url)
    except ImportError as error:
        # Of fsspec: "Install s3fs to access S3".
        raise ClusterError(f"{url}: {error}: pip install 'tfsr[ray]' has s3fs for s3://") from error
    except ValueError as error:
        raise ClusterError(f"{url}: {error}") from error
    return system, str(name)


def normal(url: str) -> str:
    """Return what is equal for the URLs of one file."""
    system, name = opened(url)
    return str(system.unstrip_protocol(name))


@contextmanager
def asking(url: str, what: str) -> Iterator[None]:
    """Turn whatever a store's client raises into an ImageError: of any class, each has its own."""
    try:
        yield
    except (ImageError, FileExistsError):
        raise
    except Exception as error:
        if isinstance(error, FileNotFoundError) and what != _WRITTEN:
            raise Missing(f"{url}: there is no such file or folder") from error
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"{url}: {what}: {reason}") from error


def kind(url: str) -> str | None:
    """Return "file" or "directory", or None if there is nothing of that name."""
    system, name = opened(url)
    try:
        with asking(url, "cannot be read"):
            return str(system.info(name)["type"])
    except Missing:
        return None


def download(url: str, path: Path, max_bytes: int) -> None:
    """Copy a file of at most so many bytes from a URL."""
    from fsspec.callbacks import Callback

    class Bound(Callback):
        def call(self, *_: Any, **__: Any) -> None:
            if max(self.size or 0, self.value) > max_bytes:
                raise ImageError(f"{url}: is larger than {max_bytes / 2**20:.0f} MiB: reduce it")

    system, name = opened(url)
    with asking(url, "cannot be read"):
        system.get_file(name, os.fspath(path), callback=Bound())


def upload(path: Path, url: str, overwrite: bool) -> None:
    """Copy a file to a URL: complete or not at all; FileExistsError if it may not be replaced."""
    system, name = opened(url)
    with asking(url, _WRITTEN):
        if scheme_of(url) in _ATOMIC:
            mode = "overwrite" if overwrite else "create"
            system.put_file(os.fspath(path), name, mode=mode)
            return
        temporary = f"{name.rpartition('/')[0]}/.tfsr-{secrets.token_hex(8)}.tmp"
        try:
            system.put_file(os.fspath(path), temporary)
            if not overwrite and system.exists(name):
                raise FileExistsError(url)
            system.mv(temporary, name)
        except BaseException:
            with contextlib.suppress(Exception):
                system.rm_file(temporary)
            raise
