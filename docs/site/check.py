"""Check the built site: links, whether it loads anything from elsewhere, the API, and the search.

python docs/site/check.py out/docs [CHROMIUM]
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from importlib import import_module
from inspect import isclass, isfunction, ismodule
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from tfsr.cli.startup import import_keras


class Page(HTMLParser):
    """The links of a page, and the names that others may link to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.names: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what one tag links to, loads and is named."""
        found = {key: value for key, value in attrs if value}
        self.names |= {found[key] for key in ("id", "name") if key in found}
        if "src" in found:
            self.loaded.add(found["src"])
        if "href" in found:
            (self.loaded if tag == "link" else self.links).add(found["href"])


page = cache(Page)


def broken(site: Path) -> Iterator[str]:
    """Yield a line for each link to a file or a heading that does not exist."""
    for path in sorted(site.rglob("*.html")):
        here = page(path)
        name = path.relative_to(site)
        for link in sorted(here.links | here.loaded):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in here.loaded and parts.scheme != "data":
                    yield f"{name}: loads {link} from elsewhere"
                continue
            if link.startswith("/") and path.name == "404.html":
                continue  # It is shown at any address, so its links start at the root.
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                yield f"{name}: {link} does not exist"
            elif parts.fragment and target.suffix == ".html":
                if unquote(parts.fragment) not in page(target).names:
                    yield f"{name}: {link} is no heading there"


def missing(site: Path) -> Iterator[str]:
    """Yield a line for each public class or function without an entry in the API."""
    pages = {path.stem: page(path).names for path in (site / "api").glob("*.html")}
    import_keras()
    tfsr = import_module("tfsr")
    for name in tfsr.__all__:
        item = getattr(tfsr, name)
        if not ismodule(item):
            if not any(f"tfsr.{package}.{name}" in names for package, names in pages.items()):
                yield f"tfsr.{name} is not in the API"
            continue
        for key in getattr(item, "__all__", ()):
            public = isclass(getattr(item, key)) or isfunction(getattr(item, key))
            if public and f"tfsr.{name}.{key}" not in pages.get(name, ()):
                yield f"tfsr.{name}.{key} is not in the API"


def unfound(site: Path, chromium: str) -> Iterator[str]:
    """Yield a line if the search of the pages, opened from the disk, finds nothing."""
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    address = f"{(site / 'index.html').resolve().as_uri()}?q=charbonnier"
    with TemporaryDirectory() as profile:
        command = [chromium, *options.split(), f"--user-data-dir={profile}", "--dump-dom"]
        command += ["--virtual-time-budget=20000", address]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    if not re.search(r"result__meta\">\s*[1-9]\d* matching", run.stdout):
        yield "the search does not find charbonnier"


def main(site: Path, chromium: str = "") -> None:
    """Print what is wrong, and exit with 1 if anything is."""
    lines = [*broken(site.resolve()), *missing(site)]
    if chromium:
        lines += unfound(site, chromium)
    count = len(list(site.rglob("*.html")))
    searched = "" if chromium else "; the search was not tried: no Chromium"
    print("\n".join(lines) if lines else f"{site}: {count} pages{searched}")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
