"""What a page says of a run, from its file: its end, what to look at first, numbers, steps, provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np

from nakctl.page.document import folded, table
from nakctl.page.markup import Content, Markup, tag, text
from nakctl.record.columns import Columns
from nakctl.record.read import Run
from nakctl.results.catalogue import Quantity, quantity, sections
from nakctl.results.conclude import concluded
from nakctl.results.sensors import sensor_figures
from nakctl.results.summary import summary, told
from nakctl.text.numbers import count, duration, plural

ROWS = 500  # of a table
ALARMS = 20  # that stand above all else
SEVERITIES = ("note", "warning", "alarm")
_BYTES = 1 << 24
_SAID_ABOVE = {
    "title",
    "status",
    "end_reason",
    "simulated",
    "sealed",
    "cell",
    "area_cm2",
    "start_time",
    "recovery",
}
_OF_RECORD = ("The run", "What was recorded")  # headings of the catalogue
_LONG_s = 600.0
_BAD = ("aborted", "interrupted", "recovered")


@dataclass(frozen=True, slots=True)
class Found:
    """numbers: plain, by name; sentences: the same as `nakctl show` says them."""

    numbers: Mapping[str, Any]
    sentences: tuple[str, ...]


def found(run: Run) -> Found:
    """As `nakctl show` tells it. What was read of a long run for that is forgotten."""
    numbers = summary(run, concluded(run))
    run.close()
    return Found(numbers, tuple(told(numbers)))


def head(run: Run) -> list[Markup]:
    header = run.header
    title = header.title.removeprefix("SIMULATED").strip() or "a run without a title"
    mark = [" ", tag("span", "SIMULATED", class_="badge warning")] if header.simulated else []
    area = f"{header.area_cm2:g} cm²" if header.area_cm2 else "area unknown, so nothing areal follows"
    end = [": ", text(header.end_reason)] if header.end_reason else None
    long = duration(header.duration_s)
    lasted = f"{long} so far" if header.status == "running" else f"lasted {long}"
    about = [
        tag("p", "cell ", text(header.cell or "without a name"), f", {area}", class_="lead"),
        tag("p", f"started {moment(header.start_time)}, {lasted}", class_="lead"),
    ]
    ended = tag(
        "p", tag("strong", header.status, class_="good" if header.status == "completed" else "warning"), end
    )
    return [tag("h1", text(title), mark), ended, *about]


def warnings(run: Run, numbers: Mapping[str, Any]) -> list[str]:
    """Warnings, gaps and interruptions, and an end that nobody wanted."""
    return [*_about_the_file(run), *_about_the_record(numbers), *_alarms(run)]


def first_of_all(run: Run, said: Sequence[str]) -> Markup:
    """said: its warnings."""
    if not said:
        return nothing()
    is_bad = run.header.status in _BAD or bool((run.events["severity"] > 1).any())
    items = tag("ul", *(tag("li", text(each)) for each in said))
    return tag("div", items, class_="first alarmed" if is_bad else "first")


def nothing(of: Content = None) -> Markup:
    none = "no warnings, no gaps in the record, no interruption of the experiment"
    return tag("div", tag("p", none, of), class_="first nothing")


def _about_the_file(run: Run) -> Iterator[str]:
    header = run.header
    if header.status not in ("completed", "running"):
        yield f"{header.status}: {header.end_reason}" if header.end_reason else header.status
    if header.recovery:
        yield f"recovered: {header.recovery}"
    if header.unbooked:
        yield f"not whole: {header.unbooked}"
    if not header.sealed:
        yield "not sealed: the run goes on, or its program died; this page is as far as it had come"


def _about_the_record(numbers: Mapping[str, Any]) -> Iterator[str]:
    if numbers.get("gaps"):
        yield f"{plural(numbers['gaps'], 'known gap')} in the record, see the events"
    if many := numbers.get("interruptions"):
        driven = numbers.get("interruptions_under_current", 0)
        longest = duration(float(numbers["interruptions_longest_s"]))
        under = f"{count(driven) if driven else 'none'} of them under current"
        yield f"{plural(many, 'interruption')}, {under}; the longest lasted {longest}"
    if many := numbers.get("incomplete_spectra"):
        yield f"{plural(many, 'spectrum is', 'spectra are')} not complete"
    if many := numbers.get("taken_over"):
        yield f"taken over {plural(many, 'time')} from a program that had died"


def _alarms(run: Run) -> list[str]:
    rows = np.flatnonzero(run.events["severity"] > 0)
    shown = [f"{_at(run.events['time'][row])}: {run.events['message'][row]}" for row in rows[:ALARMS]]
    more = [f"and {count(len(rows) - ALARMS)} more, see the events"] if len(rows) > ALARMS else []
    return shown + more


# --- numbers -----------------------------------------------------------------------------------------------


def key_numbers(told_of: Found) -> list[Content]:
    rows = ((text(each.name), each.value, text(each.about)) for each in numbers_told(told_of.numbers))
    more = folded("all numbers", table(("quantity", "value", "what it is"), rows))
    return [*_sentences(told_of.sentences), more]


def _sentences(lines: Sequence[str]) -> Iterator[Content]:
    """Each by itself; what is a table in a terminal stays one."""
    for is_table, several in groupby(lines, lambda line: "  " in line):
        if is_table:
            yield tag("pre", "\n".join(several), tabindex="0")
        else:
            yield tag("ul", *(tag("li", text(each)) for each in several), class_="told")


@dataclass(frozen=True, slots=True)
class Number:
    """name: in words, and key: with its unit, as `show --json` has it; several may have one name.

    value: with its unit; about: what it is, "" if nobody says so; of_record: of the file, not the cell
    """

    key: str
    name: str
    value: str
    about: str
    of_record: bool


def numbers_told(numbers: Mapping[str, Any]) -> Iterator[Number]:
    """But those of which there are many, which the figures show, and what stands above in so many words."""
    for name, value in numbers.items():
        if name in _SAID_ABOVE or not isinstance(value, str | bool | int | float | np.generic):
            continue
        known = quantity(name)
        unit = known.unit if known else ""
        told = f"{_number(value)} {unit}".rstrip()
        if unit == "s" and not isinstance(value, str) and float(value) >= _LONG_s:
            told = f"{told} ({duration(float(value))})"
        end = "_" + unit.replace("/", "_").replace(" ", "_")
        words, of_record = name.removesuffix(end).replace("_", " "), known in _of_record()
        yield Number(name, words, told, known.text if known else "", of_record)


@cache
def _of_record() -> tuple[Quantity, ...]:
    return tuple(one for heading, those in sections() if heading in _OF_RECORD for one in those)


def _number(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return "none" if np.isnan(value) else f"{float(value):.6g}"
    is_long = isinstance(value, int | np.integer) and abs(int(value)) >= 10_000
    return count(int(value)) if is_long else str(value)


# --- what was asked, and done ------------------------------------------------------------------------------


def asked(run: Run) -> list[Content]:
    header = run.header
    params = [(tag("code", text(name)), text(str(value))) for name, value in header.params.items()]
    protocol = tag("pre", tag("code", header.protocol), dir="auto", tabindex="0")
    return [
        tag("p", "note: ", text(header.note)) if header.note else None,
        table(("parameter", "value"), params) if params else None,
        folded(f"protocol {header.protocol_file}".strip(), protocol) if header.protocol else None,
    ]


def steps(run: Run) -> list[Content]:
    names = ("step", "cycle", "began", "lasted", "rows", "ended by")
    of, shown = run.steps, min(len(run.steps), ROWS)
    columns = {
        name: of[name][:shown] for name in ("label", "cycle", "t_start", "t_end", "row_count", "end_reason")
    }
    rows = (
        (
            text(str(label)),
            str(cycle),
            _at(start),
            duration(max(0.0, float(end - start))),
            count(many),
            text(str(why)),
        )
        for label, cycle, start, end, many, why in zip(*columns.values(), strict=True)
    )
    return [_first_rows(of, "step"), table(names, rows)]


def events(run: Run) -> list[Content]:
    of, shown = run.events, min(len(run.events), ROWS)
    rows = (
        (
            _at(time_s),
            tag("span", SEVERITIES[min(int(how), 2)], class_=("", "warning", "alarm")[min(int(how), 2)]),
            text(str(said)),
        )
        for time_s, how, said in zip(
            *(of[name][:shown] for name in ("time", "severity", "message")), strict=True
        )
    )
    return [_first_rows(of, "event"), table(("time", "", "what happened"), rows)]


def _first_rows(of: Columns, what: str) -> Markup:
    many = len(of)
    told = (
        plural(many, what) if many <= ROWS else f"the first {ROWS} of {count(many)} {what}s; the file has all"
    )
    return tag("p", told, class_="note")


def sensors(run: Run) -> Markup | None:
    """None: there were none beside the run."""
    if not run.aux:
        return None
    rows = (
        (
            text(name), text(str(one["unit"])), *(_sensor(one.get(each)) for each in ("min", "mean", "max")),
            count(one["readings"]), count(one["gaps"]), duration(one["longest_silence_s"]),
        )
        for name, one in sensor_figures(run).items()
    )  # fmt: skip
    return table(("sensor", "unit", "least", "mean", "greatest", "readings", "gaps", "longest silence"), rows)


def _sensor(value: float | None) -> str:
    return "none" if value is None else f"{value:.5g}"


def _at(time_s: Any) -> str:
    return duration(float(time_s)) if np.isfinite(time_s) else "?"


def moment(start_time: str) -> str:
    """2026-11-27 16:36:19+00:00"""
    try:
        return datetime.fromisoformat(start_time).isoformat(" ", "seconds")
    except ValueError:
        return start_time
