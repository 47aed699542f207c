"""Put the repository's own pages, the executed guides and the API into the site.

The site has the layout of the repository, so the links of a page work in both. Links to a guide's
script lead to its page, and those into `tfsr/` to the package's API. Other files are copied.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ROOT / "out" / "guides"
PAGES = "*.md", "docs/*.md", "recipes/*.md", "export/*.md", "export/*/*.md"
LINK = re.compile(r"(?<=\]\()([\w./-]+)(?=[#)])")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages and what they link to, and write out the patterns of the navigation."""
    for path in sorted(path for pattern in PAGES for path in ROOT.glob(pattern)):
        _add(files, config, path.relative_to(ROOT).as_posix(), path)
    for name in sorted(path.stem for path in ROOT.glob("docs/guides/*.py")):
        for path in (*GUIDES.glob(f"{name}.*"), *GUIDES.glob(f"{name}/*")):
            _add(files, config, f"docs/guides/{path.relative_to(GUIDES).as_posix()}", path)
    for uri, text in api_pages():
        files.append(File.generated(config, uri, content=text))
    for page in list(files.documentation_pages()):
        for target in LINK.findall(page.content_string):
            uri = _site_uri(page.src_uri, target)
            if files.get_file_from_path(uri) is None and (ROOT / uri).is_file():
                _add(files, config, uri, ROOT / uri)
    uris = [page.src_uri for page in files.documentation_pages()]
    config.nav = _written_out(config.nav, uris, set(_entries(config.nav)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to files of the repository into links to pages of the site."""
    here = page.file.src_uri

    def replacement(match: re.Match[str]) -> str:
        return posixpath.relpath(_site_uri(here, match[0]), posixpath.dirname(here) or ".")

    return LINK.sub(replacement, markdown)


def api_pages() -> Iterator[tuple[str, str]]:
    """Yield the address and the Markdown of each package's page, and of the list of packages."""
    rows, top = [], []
    stub = ast.parse((ROOT / "tfsr" / "__init__.pyi").read_text(encoding="utf-8"))
    for node in stub.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        name = node.names[0].name
        if node.module:
            address = f"{node.module}.md#tfsr.{node.module}.{name}"
            top.append(f"- [`tfsr.{name}`]({address})")
            continue
        members, summary = _public(name)
        rows.append(f"| [`tfsr.{name}`]({name}.md) | {summary} |")
        options = {"members": members, "show_root_heading": False, "show_root_toc_entry": False}
        text = f"# tfsr.{name}\n\n{_directive(f'tfsr.{name}', options)}"
        for key in members:
            # A module hides the class or function of the same name.
            if (ROOT / "tfsr" / name / f"{key}.py").exists():
                text += f"[](){{#tfsr.{name}.{key}}}\n\n"
                text += _directive(f"tfsr.{name}.{key}.{key}", {"heading_level": 2})
        yield f"api/{name}.md", text
    table = "\n".join(["| package | |", "|---|---|", *rows])
    what = "What most programs need can be imported from `tfsr` itself:"
    yield "api/index.md", f"# API\n\n{what}\n\n{chr(10).join(sorted(top))}\n\n{table}\n"


def _public(name: str) -> tuple[list[str], str]:
    """Return the public names of a package or module, and the first line of its docstring."""
    package = ROOT / "tfsr" / name
    file = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    summary = (ast.get_docstring(tree) or "").splitlines()[0]
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value), summary
    # All names of a stub, or all classes and functions of a module.
    stub = file.with_suffix(".pyi")
    if stub.exists():
        imports = ast.parse(stub.read_text(encoding="utf-8")).body
        return [n.names[0].name for n in imports if isinstance(n, ast.ImportFrom)], summary
    kinds = ast.ClassDef, ast.FunctionDef
    return [n.name for n in tree.body if isinstance(n, kinds) and n.name[0] != "_"], summary


def _directive(name: str, options: dict[str, Any]) -> str:
    """Return what mkdocstrings replaces by the documentation of an object."""
    lines = [f"::: {name}", "    options:", *(f"      {k}: {v}" for k, v in options.items())]
    return "\n".join(lines) + "\n\n"


def _add(files: Files, config: Any, uri: str, path: Path) -> None:
    files.append(File.generated(config, uri, abs_src_path=str(path)))


def _site_uri(page: str, target: str) -> str:
    """Return where in the site the file is that a page of the repository links to."""
    uri = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
    if uri.startswith("docs/guides/") and uri.endswith(".py"):
        return f"{uri[:-3]}.md"
    if uri.startswith("tfsr/"):
        return f"api/{uri.split('/')[1].removesuffix('.py')}.md"
    return uri


def _entries(nav: Any) -> Iterator[str]:
    """Yield the addresses in a navigation."""
    if isinstance(nav, str):
        yield nav
    else:
        for item in nav.values() if isinstance(nav, dict) else nav:
            yield from _entries(item)


def _written_out(nav: Any, uris: list[str], named: set[str]) -> Any:
    """Replace the patterns in a navigation by the pages that match them and are not named."""
    if isinstance(nav, dict):
        return {title: _written_out(item, uris, named) for title, item in nav.items()}
    if isinstance(nav, str):
        return nav
    written = []
    for item in nav:
        if isinstance(item, str) and "*" in item:
            depth = item.count("/")
            found = [u for u in uris if fnmatchcase(u, item) and u.count("/") == depth]
            written += [uri for uri in found if uri not in named]
            named.update(found)
        else:
            written.append(_written_out(item, uris, named))
    return written
