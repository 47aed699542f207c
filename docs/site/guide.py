"""Execute a guide as a notebook, and write the notebook and its page.

python docs/site/guide.py docs/guides/NAME.py out/guides
"""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import copyfile, rmtree
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def main(script: Path, folder: Path) -> None:
    """Write NAME.ipynb, NAME.md, its images in NAME/ and a copy of NAME.py.

    An exception in a cell ends this program with its traceback.
    """
    notebook = jupytext.read(script)
    notebook.metadata.update(KERNEL)
    with TemporaryDirectory() as sockets:
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}})
        resources = {"metadata": {"path": str(ROOT)}}
        client = NotebookClient(notebook, config=config, timeout=900, resources=resources)
        # TensorFlow's log is left out, of the terminal and of the page.
        client.execute(stderr=DEVNULL)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _without_log(cell.outputs)
            for output in cell.outputs:  # Of images, PNG is enough.
                output.get("data", {}).pop("image/jpeg", None)
    name = script.stem
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    copyfile(script, folder / script.name)
    links = f"[Notebook]({name}.ipynb) · [Script]({name}.py)"
    rmtree(folder / name, ignore_errors=True)
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(links))
    resources = {"unique_key": name, "output_files_dir": name}
    text, resources = MarkdownExporter().from_notebook_node(notebook, resources)
    for path, content in resources["outputs"].items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    # Written last: make takes it for all of them.
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _without_log(outputs: list[Any]) -> list[Any]:
    """Drop what was written to the standard error, and join what was printed around it."""
    kept: list[Any] = []
    for output in outputs:
        if output.get("name") == "stdout" and kept and kept[-1].get("name") == "stdout":
            kept[-1].text += output.text
        elif output.get("name") != "stderr":
            kept.append(output)
    return kept


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
