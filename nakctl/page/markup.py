"""HTML that cannot be anything but what it says: text becomes HTML only here, and is escaped by that.

tag("p", "a < b", class_="note")   ->   <p class="note">a &lt; b</p>
"""

from __future__ import annotations

import html
from collections.abc import Iterable

_EMPTY = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | Iterable["Content"] | None


def markup(content: Content) -> Markup:
    """Texts are escaped, Markup is left as it is; what is in a list follows each other; None is nothing."""
    if content is None:
        return Markup()
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return Markup(html.escape(shown(content)))
    return Markup("".join(markup(each) for each in content))


def tag(name: str, /, *content: Content, **attributes: str | int | bool | None) -> Markup:
    """attributes: `class_` and `for_` for those words; `_` is a hyphen. True: without a value; None, False:
    not there.
    """
    told = "".join(
        _attribute(key, value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    end = "" if name in _EMPTY else f"{markup(content)}</{name}>"
    return Markup(f"<{name}{told}>{end}")


def text(content: str) -> Markup:
    """A name that somebody gave: whatever direction it is written in, what stands beside it is not turned."""
    return tag("bdi", content)


def shown(content: str) -> str:
    """Without what is no letter: a page cannot hold it. Lines stay."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in content)


def _attribute(key: str, value: str | int | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(shown(str(value)))}"'
