"""What the pages of docs/ show, to be run."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def commands(page):
    """The words of every `tfsr` command that stands in an indented block of a page.

    A line that ends in a backslash goes on in the next one. The text of guides is in comments.
    """
    text = (DOCS / page).read_text(encoding="utf-8")
    text = re.sub(r"^# ", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    lines = re.findall(r"^    (tfsr .*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines]


def code_blocks(page):
    """The text of every Python block of a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def yaml_blocks(page):
    """The text of every YAML block of a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
