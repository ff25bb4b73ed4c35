"""The report of a run, or of several beside each other: one page that opens offline, and prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nakctl.errors import place_of
from nakctl.figures.kinds import Kind
from nakctl.figures.sight import names_of
from nakctl.page import said
from nakctl.page.curves import Named, against_time
from nakctl.page.document import figure_html, page, section, table
from nakctl.page.markup import Content, Markup, markup, tag, text
from nakctl.page.on_screen import on_screen
from nakctl.page.provenance import provenance
from nakctl.page.spectra import through_the_run
from nakctl.page.suiting import offered, suiting, title_of
from nakctl.record.read import Run

_NONE = "none"
ABREAST = 6  # runs that are compared beside each other on paper
POINTS = 340_000  # of all long curves of a page together: 11 MB of it


def report(run: Run) -> str:
    found = said.found(run)
    sensors = said.sensors(run)
    parts = [
        *said.head(run),
        section("Look at this first", said.first_of_all(run, said.warnings(run, found.numbers)), id_="first"),
        section("Key numbers", *said.key_numbers(found), id_="numbers"),
        *_figures([Named(run)]),
        section("What was asked", *said.asked(run), id_="asked"),
        section("What was done", *said.steps(run), id_="steps"),
        section("Sensors", sensors, id_="sensors") if sensors else None,
        section("Events", *said.events(run), id_="events"),
        section("Where it comes from", *provenance(run), id_="provenance"),
    ]
    return page(f"{run.header.title or run.path.stem}: {run.path.stem}", parts)


def comparison(runs: Sequence[Run]) -> str:
    """Several runs: their curves over each other, their numbers side by side."""
    named = [Named(run, name) for run, name in zip(runs, names_of(runs), strict=True)]
    found = [said.found(each.run) for each in named]
    simulated = any(run.header.simulated for run in runs)
    mark = [" ", tag("span", "SIMULATED", class_="badge warning")] if simulated else []
    parts = [
        tag("h1", f"{len(runs)} runs beside each other", mark),
        section("Look at this first", *_warnings(named, found), id_="first"),
        section("Key numbers", _side_by_side(named, found), id_="numbers"),
        *_figures(named),
        section("Where they come from", *_sources(named), id_="provenance"),
    ]
    return page(", ".join(each.name for each in named), parts)


def _warnings(named: Sequence[Named], found: Sequence[said.Found]) -> Iterator[Content]:
    """Of each run that has some; the others in one sentence."""
    clean = []
    for each, about in zip(named, found, strict=True):
        if warnings := said.warnings(each.run, about.numbers):
            yield [tag("h3", text(each.name)), said.first_of_all(each.run, warnings)]
        else:
            clean.append(text(each.name))
    if clean:
        yield said.nothing([": ", *(part for name in clean for part in (name, ", "))][:-1])


def _figures(named: Sequence[Named]) -> list[Content]:
    """One after the other: of a long run each takes its memory."""
    runs = [each.run for each in named]
    parts: list[Content] = [_curves(named), _spectra(runs)]
    return parts + [_of_kind(kind, runs) for kind in offered(runs)]


def _of_kind(kind: Kind, runs: Sequence[Run]) -> Markup | None:
    """A fault in a figure costs that figure, and not the page."""
    try:
        figure = suiting(kind, runs)
        if figure is None:
            return None
        drawn = figure_html(on_screen(figure, f"kind-{kind.name}"), title=False)
    except Exception as error:  # noqa: BLE001  (whatever it was stands in the page)
        drawn = tag("p", f"it could not be drawn, by a fault of nakctl itself ({place_of(error)})")
    about = tag("p", kind.about, class_="note")
    return section(title_of(kind), about, drawn, id_=f"of-{kind.name}")


def _curves(named: Sequence[Named]) -> Markup | None:
    figure = against_time(named)
    if figure is None:
        return None
    lines = sum(1 for panel in figure.panels for _ in panel.lines)
    drawn = on_screen(figure, "time", POINTS // max(lines, 1))
    return section("Against time", figure_html(drawn), id_="curves")


def _spectra(runs: Sequence[Run]) -> Markup | None:
    """Of a run that is alone."""
    found = through_the_run(runs[0]) if len(runs) == 1 else None
    return None if found is None else section("Spectra through the run", found, id_="nyquist")


def _side_by_side(named: Sequence[Named], found: Sequence[said.Found]) -> Markup:
    """What the cell did comes first, what tells of the files last."""
    told = [{one.key: one for one in said.numbers_told(about.numbers)} for about in found]
    known = sorted({key: one for each in told for key, one in each.items()}.items(), key=_place)
    heads = [_head(each.run) for each in named]
    rows: list[Sequence[Content]] = [(name, *(text(head[name]) for head in heads)) for name in heads[0]]
    for key, one in known:
        values = (text(each[key].value) if key in each else _NONE for each in told)
        rows.append((tag("span", text(one.name), title=one.about or None), *values))
    return _on_sheets(("quantity", *(text(each.name) for each in named)), rows)


def _on_sheets(head: Sequence[Content], rows: Sequence[Sequence[Content]]) -> Markup:
    """A screen scrolls to the side. Paper does not: there it is several tables below each other."""
    if len(head) <= ABREAST + 1:
        return table(head, rows, "compared")
    parts = []
    for first in range(1, len(head), ABREAST):
        mine = slice(first, first + ABREAST)
        told = ((row[0], *row[mine]) for row in rows if any(each != _NONE for each in row[mine]))
        parts.append(table((head[0], *head[mine]), told))
    return markup([table(head, rows, "compared screen"), tag("div", *parts, class_="printed")])


def _place(known: tuple[str, said.Number]) -> bool:
    return known[1].of_record


def _head(run: Run) -> dict[str, str]:
    header = run.header
    return {
        "cell": header.cell,
        "status": header.status,
        "ended by": header.end_reason,
        "started": said.moment(header.start_time),
        "area": f"{header.area_cm2:g} cm2" if header.area_cm2 else "unknown",
    }


def _sources(named: Sequence[Named]) -> Iterable[Content]:
    for each in named:
        yield tag("h3", text(each.name))
        yield tag("div", *provenance(each.run))
