"""Text of anybody within Markdown, as GitHub and GitLab draw it."""

from __future__ import annotations

# Names of steps and files are anybody's: in a comment they mention nobody, and draw no picture.
_MARKDOWN = str.maketrans({sign: f"&#{ord(sign)};" for sign in "\\`*_[]<#|~@$&"})


def plain(words: str) -> str:
    """On one line, and nothing in it means anything."""
    return " ".join(words.split()).translate(_MARKDOWN)


def table(heads: list[str], rows: list[list[str]]) -> list[str]:
    """Lines. Cells are Markdown already."""
    return [f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows]]


def block(text: str) -> list[str]:
    """Lines of text as it stands, whatever it holds."""
    fence = "```"
    while fence in text:
        fence += "`"
    return [fence, *text.splitlines(), fence]
