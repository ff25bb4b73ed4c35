"""Documents at random, and each written in one of many ways, with comments: what a layout has to keep."""

from __future__ import annotations

from random import Random
from typing import Any

WORDS = ("a", "b", "steps", "for", "note", "x-1")
PLAIN = (
    "1 mA/cm2",
    "5µA",
    "-3 V",
    "$level",
    "12",
    "1.50",
    "true",
    "null",
    "on",
    "a b  c",
    "C/10",
    "it's",
    "1:30",
)
TEXTS = (
    "two\nlines",
    "three\n\n  in\nall\n",
    "# no comment",
    "a: b",
    "- c",
    "",
    " blank ",
    "tail\n",
    "end\n\n",
)


def data(r: Random, depth: int = 0) -> Any:
    """Mappings, lists and texts as a protocol has them; at the top a mapping."""
    kind = "map" if depth == 0 else r.choice(("map", "list", "text", "text") if depth < 4 else ("text",))
    if kind == "map":
        return {word: data(r, depth + 1) for word in r.sample(WORDS, r.randint(1 if depth == 0 else 0, 3))}
    if kind == "list":
        return [data(r, depth + 1) for _ in range(r.randint(0, 3))]
    return Plain(r.choice(PLAIN)) if r.random() < 0.7 else r.choice(TEXTS)


class Plain(str):
    """Written without quotes."""


class Writer:
    """`text` of it; `comments` that were put into it, in their order."""

    def __init__(self, r: Random, value: dict[str, Any]) -> None:
        self.r, self.comments, self.lines = r, list[str](), list[str]()
        self.mapping(value, 0)
        self.text = "\n".join(self.lines) + r.choice(("", "\n", "\n\n"))

    def comment(self) -> str:
        self.comments.append(f"c{len(self.comments)}")
        return f"#{self.r.choice(('', ' ', '  '))}{self.comments[-1]}"

    def between(self, indent: int) -> None:
        for _ in range(self.r.choice((0, 0, 0, 1, 2))):
            self.lines.append(
                "" if self.r.random() < 0.5 else " " * self.r.choice((0, indent, indent + 1)) + self.comment()
            )

    def beside(self) -> str:
        return f"{' ' * self.r.randint(1, 4)}{self.comment()}" if self.r.random() < 0.2 else ""

    def mapping(self, value: dict[str, Any], indent: int, first: str = "") -> None:
        for k, (word, inner) in enumerate(value.items()):
            if k or not first:
                self.between(indent)
            head = first if first and k == 0 else " " * indent
            self.value(f"{head}{word}:", inner, indent, is_list=False)

    def sequence(self, value: list[Any], indent: int, first: str = "") -> None:
        for k, inner in enumerate(value):
            if k or not first:
                self.between(indent)
            self.value(f"{first if first and k == 0 else ' ' * indent}-", inner, indent, is_list=True)

    def value(self, head: str, value: Any, indent: int, is_list: bool) -> None:
        r, gap = self.r, " " * self.r.randint(1, 3)
        if isinstance(value, dict | list) and value and r.random() < 0.6:
            deeper = indent + r.randint(1, 4)
            if is_list and r.random() < 0.6:  # behind the dash
                head += gap
                write = self.mapping if isinstance(value, dict) else self.sequence
                write(value, len(head), head)
                return
            if isinstance(value, list) and not is_list and r.random() < 0.5:
                deeper = indent
            self.lines.append(head + self.beside())
            (self.mapping if isinstance(value, dict) else self.sequence)(value, deeper)
        elif (
            isinstance(value, str) and not isinstance(value, Plain) and _can_fold(value) and r.random() < 0.7
        ):
            self.literal(head + gap, value, indent)
        else:
            if r.random() < 0.1 and value != {}:
                self.lines.append(head + self.beside())
                head, gap = " " * (indent + r.randint(1, 3)), ""
            self.lines.append(head + gap + self.flow(value, indent))
            self.lines[-1] += self.beside()

    def literal(self, head: str, value: str, indent: int) -> None:
        tail = len(value) - len(value.rstrip("\n"))
        chomp = {0: "-", 1: ""}.get(tail, "+")
        self.lines.append(f"{head}|{chomp}{self.beside()}")
        deeper = " " * (indent + self.r.randint(1, 4))
        self.lines += [deeper + line if line else "" for line in value.removesuffix("\n").split("\n")]

    def flow(self, value: Any, indent: int) -> str:
        if isinstance(value, Plain):
            return value
        if isinstance(value, str):
            return (
                '"' + value.replace("\n", "\\n") + '"'
                if "\n" in value or self.r.random() < 0.5
                else f"'{value}'"
            )
        if isinstance(value, dict):
            inner = [
                f"{word}:{' ' * self.r.randint(1, 2)}{self.flow(each, indent)}"
                for word, each in value.items()
            ]
            return "{" + self.among(inner, indent) + "}"
        return "[" + self.among([self.flow(each, indent) for each in value], indent) + "]"

    def among(self, parts: list[str], indent: int) -> str:
        return ",".join(f"{self.blank(indent)}{part}{' ' * self.r.randint(0, 1)}" for part in parts)

    def blank(self, indent: int) -> str:
        """Before a part: blanks, or a new line. (No comments: the order in which they are drawn is not that of lines.)"""
        return (
            "\n" + " " * (indent + self.r.randint(1, 6))
            if self.r.random() < 0.15
            else " " * self.r.randint(0, 2)
        )


def _can_fold(text: str) -> bool:
    return bool(text.strip()) and not text.startswith((" ", "\n"))
