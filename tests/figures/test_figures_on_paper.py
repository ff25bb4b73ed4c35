"""Figures on paper: files of each format for each kind, and whatever stands in a title as text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import figure_runs as made
import matplotlib
import numpy as np
import pytest
import results_runs as runs
from matplotlib.figure import Figure as Sheet

from nakctl.figures import on_paper
from nakctl.figures.choice import Choice
from nakctl.figures.figure import Axis, Figure, Heat, Line, Mark, Panel, Scale
from nakctl.figures.kinds import KINDS
from nakctl.figures.letters import families, one_line, wrapped
from nakctl.figures.on_axes import edges
from nakctl.figures.room import free_box, is_free
from nakctl.figures.ticks import told
from nakctl.record.read import open_run

BEGINS = {".png": b"\x89PNG\r\n\x1a\n", ".pdf": b"%PDF-", ".svg": b"<?xml"}
HOSTILE = [
    "$x_{$", r"\alpha $\frac{1}{0}$", "a\nb\tc\x00\x1b[31m", "<script>&amp;--></svg>", "長さ 電池 نص עברית",
    "🔋 \U0010ffff \ud800", "\u202eabc\u2066", "%s {0} {name}", "x" * 400, "", "   ",
]  # fmt: skip


@pytest.fixture
def sheets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Sheet]]:
    """The sheets as they were saved: what is on them can be read."""
    seen: list[Sheet] = []
    save = Sheet.savefig

    def keep(sheet: Sheet, *args: Any, **options: Any) -> None:
        seen.append(sheet)
        save(sheet, *args, **options)

    monkeypatch.setattr(Sheet, "savefig", keep)
    yield seen


def figure(*drawn: Any, title: str = "t", **about: Any) -> Figure:
    panel = Panel(Axis("x / s"), Axis("y / V"), drawn, **about)
    return Figure("any", title, ((panel,),), simulated=True)


def line(name: str = "a", **about: Any) -> Line:
    return Line(np.arange(5.0), np.arange(5.0) ** 2, name, **about)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_is_drawn(
    kind: str, all_of_them: tuple[Path, ...], tmp_path: Path, sheets: list[Sheet]
) -> None:
    fitting = [run for run in map(open_run, all_of_them) if KINDS[kind].suits(run)]
    for k, run in enumerate(fitting[:2]):
        ending = list(BEGINS)[(sorted(KINDS).index(kind) + k) % 3]
        target = tmp_path / f"{k}{ending}"
        on_paper.draw(KINDS[kind].make([run]), target, dpi=60)
        assert target.read_bytes().startswith(BEGINS[ending])
    assert sheets
    for sheet in sheets:
        assert "SIMULATED" in [text.get_text() for text in sheet.texts]
        assert round(sheet.get_figwidth() * 2.54, 3) in (8.5, 17.5)


@pytest.mark.parametrize("ending", BEGINS)
def test_the_same_figure_is_the_same_file(ending: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        on_paper.draw(figure(line()), tmp_path / f"{name}{ending}")
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_letters_stay_letters_in_a_pdf(tmp_path: Path) -> None:
    on_paper.draw(figure(line(), title="Ωγ 長"), tmp_path / "x.pdf")
    written = (tmp_path / "x.pdf").read_bytes()
    assert b"/CIDFontType2" in written and b"/Type3" not in written


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_stands_in_a_title_is_text(text: str, tmp_path: Path, sheets: list[Sheet]) -> None:
    drawn = (
        line(f"{text}1"),
        line(f"{text}2"),
        Mark(text, x=1.0),
        Mark(text, y=2.0),
        Mark(text, x=3, until=4),
    )
    values = figure(*drawn, title=text, note=text, legend=text)
    ending = list(BEGINS)[HOSTILE.index(text) % 3]
    on_paper.draw(values, tmp_path / f"x{ending}", dpi=40)
    assert (tmp_path / f"x{ending}").read_bytes().startswith(BEGINS[ending])
    shown = sheets[0].get_suptitle()
    assert not set(shown.replace("\n", "")) & {"\x00", "\x1b", "\u202e", "\u2066", "\ud800"}
    if text.startswith("$"):
        assert shown == text


@pytest.mark.parametrize("ending", BEGINS)
def test_no_format_stumbles_over_a_text(ending: str, tmp_path: Path) -> None:
    drawn = tuple(line(text) for text in HOSTILE)
    on_paper.draw(figure(*drawn, title="".join(HOSTILE)), tmp_path / f"x{ending}", dpi=40)
    if ending == ".svg":
        ElementTree.parse(tmp_path / "x.svg")


def test_settings_of_a_sheet_stay_with_it(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    on_paper.draw(figure(line()), tmp_path / "x.png", dpi=40)
    assert dict(matplotlib.rcParams) == before


def test_a_font_is_looked_for_only_where_a_letter_is_lacking() -> None:
    assert families("Ewe / V, −Im Z / Ω cm² γ τ 10⁻³ mA cm⁻²") == ["DejaVu Sans"]
    assert families("\U0010ffff")[0] == "DejaVu Sans"


@pytest.mark.parametrize(
    ("text", "plain"),
    [("a\nb", "a b"), ("  a \t b ", "a b"), ("\u202eabc", "abc"), ("\x00", ""), ("長 é", "長 é")],
)
def test_one_line(text: str, plain: str) -> None:
    assert one_line(text) == plain


def test_a_long_text_is_cut_where_there_is_no_room() -> None:
    assert wrapped("word " * 100, 100.0, 7.0, 2).count("\n") == 1
    assert wrapped("word " * 100, 100.0, 7.0, 2).endswith("…")
    assert wrapped("word", 100.0, 7.0, 2) == "word"


@pytest.mark.parametrize(
    ("value", "plain", "text"),
    [
        (1000.0, True, "1000"),
        (0.01, True, "0.01"),
        (1e-7, False, "10⁻⁷"),
        (2e4, False, "2×10⁴"),
        (1.0, False, "10⁰"),
    ],
)
def test_numbers_of_log_axes(value: float, plain: bool, text: str) -> None:
    assert told(value, plain=plain) == text


def test_small_numbers_are_written_whole(tmp_path: Path, sheets: list[Sheet]) -> None:
    on_paper.draw(figure(Line(np.arange(3.0), np.array([-2e-6, 0.0, 2e-6]), "a")), tmp_path / "x.svg")
    [axes] = sheets[0].axes
    assert [text.get_text() for text in axes.get_yticklabels()][1:-1] == ["−2×10⁻⁶", "0", "2×10⁻⁶"]


def test_fields_of_a_map_meet_half_way() -> None:
    assert edges(np.array([1.0, 2.0, 4.0]), log=False) == pytest.approx([0.5, 1.5, 3.0, 5.0])
    assert edges(np.array([1.0, 10.0, 100.0]), log=True) == pytest.approx(
        10 ** np.array([-0.5, 0.5, 1.5, 2.5])
    )
    assert len(edges(np.array([3.0]), log=False)) == 2


def test_words_stand_where_no_curve_is() -> None:
    points = np.column_stack([np.linspace(0, 1, 200), np.linspace(0, 1, 200)])
    box = free_box(points, 0.3, 0.3)
    assert box is not None and is_free(points, box)
    everywhere = np.random.default_rng(0).uniform(0, 1, (5000, 2))
    assert free_box(everywhere, 0.3, 0.3) is None
    assert free_box(points, 1.2, 0.1) is None


def test_a_legend_covers_no_curve(tmp_path: Path, sheets: list[Sheet]) -> None:
    steep = Line(np.array([0.0, 0.95, 0.96, 1.0]), np.array([0.0, 0.0, 1.0, 1.0]), "steep")
    other = Line(np.array([0.0, 1.0]), np.array([0.05, 0.05]), "other")
    on_paper.draw(figure(steep, other), tmp_path / "x.png", dpi=60)
    [axes] = sheets[0].axes
    legend = axes.get_legend()
    assert legend is not None
    box = legend.get_window_extent()
    for each in axes.lines:
        places = axes.transData.transform(each.get_xydata())
        between = np.concatenate([np.linspace(a, b, 50) for a, b in itertools.pairwise(places)])
        assert not any(box.contains(x, y) for x, y in between)


def test_nyquist_has_equal_axes_and_no_empty_half(scan: Path, tmp_path: Path, sheets: list[Sheet]) -> None:
    on_paper.draw(KINDS["nyquist"].make([open_run(scan)]), tmp_path / "x.png", dpi=60)
    axes = sheets[0].axes[0]
    box = axes.get_window_extent()
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    assert box.width / (right - left) == pytest.approx(box.height / (high - low), rel=1e-3)
    top = max(each.get_ydata().max() for each in axes.lines)
    assert top <= high <= 1.1 * top
    assert box.width > 0.6 * sheets[0].bbox.width


def test_what_holds_little_is_drawn(bare: Path, folder: Path, tmp_path: Path) -> None:
    """Readings that are none; a single sample; a map of one spectrum; one colour; nothing at all."""
    one = runs.written(folder / "one.h5", [runs.strip(1e-3, [0.1])])
    more = runs.spectra((1.0, 0.0, made.f_Hz, made.arcs(1.0, 0.05), True))
    single = runs.written(folder / "single.h5", [runs.rest(3)], more=more)
    few = runs.spectra((1.0, 0.0, made.f_Hz[:3], made.arcs(1.0, 0.05)[:3], True))
    short = runs.written(folder / "short-sweep.h5", [runs.rest(3)], more=few)  # too short for a distribution
    maps = ["drt-map", "drt", "peaks"]
    for path, kinds in ((bare, ["run"]), (one, ["charge"]), (single, ["nyquist", *maps]), (short, maps)):
        for kind in kinds:
            on_paper.draw(KINDS[kind].make([open_run(path)]), tmp_path / "x.png", dpi=40)
    flat = Heat(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.zeros((2, 2)), "z", "z", log=True)
    none = Line(np.array([np.nan]), np.array([np.nan]), "none")
    for values in (figure(flat), figure(none, line()), figure(line(place=1.0), scale=Scale("s", 1.0, 1.0))):
        on_paper.draw(values, tmp_path / "x.png", dpi=40)


def test_many_curves_with_long_names_leave_room_for_themselves(tmp_path: Path, sheets: list[Sheet]) -> None:
    """Thirty cells, and one whose name is longer than a column; the curves are everywhere, so the legend is above."""
    x = np.linspace(0, 1, 50)
    for k, wide in enumerate((False, True)):
        lines = [
            Line(x, x**n, f"cell number {n} of a {'very ' * 20}long 界面電池の series", f"#0000{n:02}")
            for n in range(30)
        ]
        lines.append(Line(x, 1 - x, "other"))
        panel = Panel(Axis("x"), Axis("y"), tuple(lines))
        on_paper.draw(Figure("voltage", "t", ((panel,), (panel,)), wide=wide), tmp_path / f"{k}.png")
    for sheet in sheets:
        for axes in sheet.axes:
            assert axes.get_position().width > 0.75
            assert axes.get_position().height * sheet.get_figheight() * 2.54 > 3.5
            legend = axes.get_legend()
            assert legend is not None
            assert legend.get_texts()[-1].get_text().startswith("and ")
            box = legend.get_window_extent().transformed(sheet.transFigure.inverted())
            assert 0 <= box.x0 < box.x1 <= 1
            assert 0 <= box.y0 < box.y1 <= 1


def test_panels_share_an_x_only_where_it_means_the_same(tmp_path: Path, sheets: list[Sheet]) -> None:
    def panel(unit: str, end: float) -> Panel:
        return Panel(
            Axis(f"time / {unit}"), Axis("y"), (Line(np.array([0, end]), np.ones(2), "a"),), linked="time"
        )

    rows = tuple((each,) for each in (panel("min", 30), panel("h", 5), panel("min", 20)))
    on_paper.draw(Figure("drt-map", "", rows), tmp_path / "x.png")
    assert [round(axes.get_xlim()[1]) for axes in sheets[0].axes] == [30, 5, 30]
    assert [axes.get_xlabel() for axes in sheets[0].axes] == ["", "time / h", "time / min"]


def test_a_mark_beyond_what_is_seen_is_not_drawn(tmp_path: Path, sheets: list[Sheet]) -> None:
    curve = Line(np.array([0, 1]), np.array([1e-7, 2e-7]), "a")
    drawn = (curve, Mark("far away", y=1.6), Mark("near", y=1.5e-7))
    panel = Panel(Axis("x"), Axis("y", log=True, low=1e-7, high=5e-7), drawn)
    on_paper.draw(Figure("peaks", "", ((panel, panel),)), tmp_path / "x.png")
    assert [text.get_text() for text in sheets[0].axes[0].texts] == ["near"]


def test_flat_spectra_have_axes_that_can_be_read(tmp_path: Path, sheets: list[Sheet]) -> None:
    x = np.linspace(4, 12, 20)
    panel = Panel(Axis("Re", low=0.0), Axis("Im", low=0.0), (Line(x, 0.1 * np.sin(x), "a"),), equal=True)
    on_paper.draw(Figure("nyquist", "", ((panel,),)), tmp_path / "x.png")
    width, height = sheets[0].axes[0].bbox.size
    assert height / width == pytest.approx(0.25, abs=0.01)


def test_wide_letters_count_double() -> None:
    assert wrapped("電" * 30, 60.0, 6.0, 1) == "電" * 8 + " …"
    assert wrapped("x" * 400, 60.0, 6.0, 2) == f"{'x' * 18}\n{'x' * 16} …"
    assert wrapped("電" * 8 + " x", 60.0, 6.0, 1) == "電" * 8 + " x"
    assert wrapped("電池 " * 10, 60.0, 6.0, 3).split("\n") == [
        "電池 電池 電池",
        "電池 電池 電池",
        "電池 電池 電池 …",
    ]


@pytest.mark.parametrize("factor", [np.nan, 0.0, -1.0, 1e12])
def test_whatever_stands_for_an_impedance_is_drawn(factor: float, tmp_path: Path) -> None:
    z = 20 + 100 / (1 + 2j * np.pi * made.f_Hz * 1e-4)
    more = runs.spectra((0.0, 0.0, made.f_Hz, factor * z, True), (30.0, 0.0, made.f_Hz, z, True))
    path = runs.written(tmp_path / "run.h5", [runs.rest(90)], more=more)
    with open_run(path) as run:
        for kind in ("nyquist", "bode", "peaks"):
            on_paper.draw(KINDS[kind].make([run], Choice(spectra=((1, 1),))), tmp_path / "x.png", dpi=30)
