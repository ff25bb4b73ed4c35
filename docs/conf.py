"""How Sphinx makes a site of these pages, which opens from a folder and without a network:

sphinx-build -W -n docs build/site

The pages are plain Markdown that GitHub shows as well. So the order of pages stands once, as the links that
begin the entries of a page which lists others (`LISTS`), and in no directive. A page that no list names is a
warning, and so is a link or an anchor that leads nowhere; warnings are errors.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LISTS = ("index", "decisions/README")
# Pages of the folder above that belong on the site as well; on GitHub their names here lead to them.
TAKEN_IN = {"house/readme": "README", "house/changelog": "CHANGELOG", "house/tour": "CONTRIBUTING"}

project = "nakctl"
author = "The nakctl maintainers"
project_copyright = "GPL-3.0-or-later"
extensions = ["myst_parser"]
root_doc = "index"
source_suffix = {".md": "markdown"}
exclude_patterns = ["figures/*"]
myst_heading_anchors = 4  # named as GitHub names them
nitpicky = True

html_theme = "furo"
html_title = "nakctl"
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_static_path = ["site"]
html_css_files = ["nakctl.css"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options: dict[str, Any] = {"navigation_with_keys": True, "top_of_page_buttons": []}

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
# What begins an item of a list, or a row of a table: `- [Words](words.md): ...`
_ENTRY = re.compile(r"^(?:- |\| )\[([^\]]+)\]\(([^)#]+)\.md\)", re.MULTILINE)


def with_contents(text: str) -> str:
    """The page; a table of contents that nobody sees ends each section: of the pages that it lists."""
    return "".join(map(_with_contents, re.split(r"^(?=## )", text, flags=re.MULTILINE)))


def _with_contents(section: str) -> str:
    pages = _ENTRY.findall(section)
    if not pages:
        return section
    heading = _HEADING.match(section)
    caption = [f":caption: {heading[1]}"] if heading else []
    listed = [f"{text} <{path}>" for text, path in pages]
    return "\n".join([section.rstrip(), "", "```{toctree}", ":hidden:", *caption, "", *listed, "```", "", ""])


def as_if_below(text: str) -> str:
    """A page of the folder above, with links as if it lay in a folder below this one."""
    text = re.sub(r"\]\((?!https?:|#)", "](../../", text)
    return text.replace("](../../docs/", "](../")


def on_the_site(name: str, text: str) -> str:
    """Links to pages that were taken in lead to these."""
    here = "../" * name.count("/")
    for page, above in TAKEN_IN.items():
        text = text.replace(f"](../{here}{above}.md", f"]({here}{page}.md")
    return text


def read(app: Any, name: str, source: list[str]) -> None:
    text = source[0]
    if name in TAKEN_IN:
        path = HERE.parent / f"{TAKEN_IN[name]}.md"
        app.env.note_dependency(str(path))
        text = as_if_below(path.read_text("utf-8"))
    text = on_the_site(name, text)
    source[0] = with_contents(text) if name in LISTS else text


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
