"""The commands and their options. Each hands over to a module of its own, imported only then.

Importing this module must stay cheap: `nakctl --help` loads no numpy, pydantic or h5py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nakctl.cli import (
    app_campaign,
    app_convert,
    app_exchange,
    app_fit,
    app_host,
    app_instruments,
    app_lab,
    app_plot,
    app_requests,
)
from nakctl.cli.app_notify import notify_app
from nakctl.cli.app_sensors import sensors_app
from nakctl.cli.explained import (
    CellName,
    DiscardRows,
    Dry,
    Json,
    LoadFirmware,
    On,
    RigFile,
    Set,
    explained,
    show_tracebacks,
)
from nakctl.cli.group import Commands
from nakctl.cli.pairs import pairs
from nakctl.errors import InputError

app = typer.Typer(
    name="nakctl",
    cls=Commands,
    help="Battery experiments as reviewed YAML protocols: check, plan, run, one HDF5 file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
protocols_app = typer.Typer(
    help="The protocols that come with nakctl.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(protocols_app, name="protocols")
app.add_typer(sensors_app, name="sensors")
app.add_typer(notify_app, name="notify")
sim_app = typer.Typer(
    help="The simulated cells and instruments.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(sim_app, name="sim")
app.add_typer(app_instruments.rig_app, name="rig")
app.add_typer(app_host.autostart_app, name="autostart")

File = Annotated[str, typer.Argument(metavar="FILE", help="A protocol file, or the name of a shipped one.")]
RunFile = Annotated[Path, typer.Argument(metavar="RUN.h5", help="A result file.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from nakctl import __version__

        print(f"nakctl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    show_tracebacks(debug)


@protocols_app.command("list")
@explained
def protocols_list(as_json: Json = False) -> int:
    """List the shipped protocols."""
    from nakctl.cli import shipped

    return shipped.list_all(as_json)


@protocols_app.command("show")
@explained
def protocols_show(name: Annotated[str, typer.Argument(help="Name of a shipped protocol.")]) -> int:
    """Print a shipped protocol."""
    from nakctl.cli import shipped

    return shipped.show(name)


@protocols_app.command("copy")
@explained
def protocols_copy(
    name: Annotated[str, typer.Argument(help="Name of a shipped protocol.")],
    to: Annotated[
        Path | None, typer.Argument(help="Where to [default: ./NAME.yaml]; never overwrites.")
    ] = None,
) -> int:
    """Copy a shipped protocol here, to change it."""
    from nakctl.cli import shipped

    return shipped.copy(name, to)


@app.command()
@explained
def check(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE|DIR...", help="Protocols, rigs, cells, or names of shipped protocols."),
    ],
    on: On = None,
    cell: CellName = None,
    dry: Dry = False,
    sets: Set = None,
    rig: RigFile = None,
    ours: app_lab.Ours = False,
    as_json: Json = False,
) -> int:
    """Check protocols against the language and the instrument; start nothing."""
    from nakctl.cli import check as command

    return command.check(files, _wishes(on, cell, sets, rig, dry, looks=True), as_json, ours)


@app.command()
@explained
def plan(
    file: File,
    on: On = None,
    cell: CellName = None,
    dry: Dry = False,
    sets: Set = None,
    rig: RigFile = None,
    as_json: Json = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="OUT.png", help="Draw current against time.")
    ] = None,
) -> int:
    """Print what will happen: steps, ranges, cutoffs and who watches them, time, charge, rows."""
    from nakctl.cli import plan as command

    return command.plan(file, _wishes(on, cell, sets, rig, dry, looks=True), as_json, plot)


@app.command()
@explained
def run(
    file: File,
    on: On = None,
    cell: CellName = None,
    dry: Dry = False,
    sets: Set = None,
    each: Annotated[
        list[str] | None,
        typer.Option("--each", metavar="NAME=A,B,C", help="One run and one file per value; repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.h5", help="Result file; never overwritten.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the simulated noise.")] = 0,
    speed: Annotated[
        float | None,
        typer.Option("--speed", metavar="X", help="Pace a simulated run, X times as fast as real time."),
    ] = None,
    realtime: Annotated[bool, typer.Option("--realtime", help="Same as --speed 1.")] = False,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="A sentence to keep in the file.")] = "",
    load_firmware: LoadFirmware = False,
    discard_rows: DiscardRows = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Only start it; nakctl status, watch and stop find it.")
    ] = False,
    rig: RigFile = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> int:
    """Run a protocol on a channel, and record it into one HDF5 file."""
    from nakctl.cli import run as command

    if realtime and speed is not None:
        raise InputError("--realtime is --speed 1: give one of them")
    how = command.Options(
        out, seed, 1.0 if realtime else speed, note, as_json, quiet, load_firmware, discard_rows, detach
    )
    return command.run(file, _wishes(on, cell, sets, rig, dry), each or [], how)


app.command("format")(app_lab.format_files)
app.command()(app_lab.diff)
app.command()(app_lab.ci)
app.command()(app_lab.new)
app.command()(app_campaign.campaign)
app.command("import-mps")(app_convert.import_mps)
app.command("export-mps")(app_convert.export_mps)
app.command()(app_convert.convert)
app.command()(app_exchange.export)
app.command("import")(app_exchange.import_file)
app.command()(app_requests.stop)
app.command()(app_requests.attach)
app.command()(app_requests.pause)
app.command()(app_requests.resume)
app.command()(app_requests.skip)
app.command()(app_requests.note)
app.command()(app_requests.wait)


@app.command()
@explained
def status(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="By id, file, channel or protocol [default: all]."),
    ] = None,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Draw it anew each second, until Ctrl-C.")] = False,
) -> int:
    """Show the runs of this computer: where they are, what they read, and whether they live."""
    from nakctl.cli import status as command

    return command.status(runs or [], as_json, watch)


@app.command()
@explained
def watch(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="By id, file, channel or protocol [default: all that live]."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", metavar="N", help="Curves of the last N minutes [default: the whole run]."),
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Plain lines instead of a page that stays in place.")
    ] = False,
) -> int:
    """Show runs while they go on, with curves and the last spectrum; Ctrl-C ends the view, and no run."""
    from nakctl.cli import watch as command

    return command.watch(runs or [], minutes, lines)


@app.command()
@explained
def recover(
    file: RunFile,
    again: Annotated[
        bool,
        typer.Option("--again", help="Book a sealed file anew, from all that it keeps beside its tables."),
    ] = False,
    as_it_is: Annotated[
        bool,
        typer.Option("--as-it-is", help="Also while its channel may go on, which is then left to itself."),
    ] = False,
    as_json: Json = False,
) -> int:
    """Make a complete file of a run that was killed."""
    from nakctl.cli import results

    return results.recover(file, as_json, again=again, as_it_is=as_it_is)


@app.command()
@explained
def show(file: RunFile, as_json: Json = False) -> int:
    """Say what a result file is, how the run ended, and its key figures."""
    from nakctl.cli import results

    return results.show(file, as_json)


app.command()(app_plot.plot)


@app.command()
@explained
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN.h5...", help="Result files.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE.html", help="The page [default: RUN.html, comparison.html]."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also in the place of a page that is there.")
    ] = False,
) -> int:
    """Make a page of a run that opens offline in any browser; of several runs, a comparison."""
    from nakctl.cli import page_report

    return page_report.report(runs, out, overwrite=overwrite)


@app.command()
@explained
def serve(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Runs whose files lie there [default: all of this computer]."),
    ] = None,
    port: Annotated[int, typer.Option("--port", metavar="N", help="0: any that is free.")] = 8017,
    control: Annotated[bool, typer.Option("--control", help="Let runs be stopped from the page.")] = False,
    new_token: Annotated[
        bool, typer.Option("--new-token", help="Whoever knows the address until now is shut out.")
    ] = False,
) -> int:
    """Show runs in a browser while they go on; for this computer alone. Ctrl-C ends the view, and no run."""
    from nakctl.cli import serve as command

    return command.serve(folder, port, control=control, new_token=new_token)


@app.command()
@explained
def cells(as_json: Json = False) -> int:
    """List the simulated cells."""
    from nakctl.cli import shipped

    return shipped.cells(as_json)


@sim_app.command("compare")
@explained
def sim_compare(
    as_json: Json = False,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FOLDER", help="Keep the result files there.")
    ] = None,
) -> int:
    """Run the paper's protocols on the simulated cells; print what came out beside what the paper reports."""
    from nakctl.cli import sim_compare

    return sim_compare.compare(as_json, keep)


@sim_app.command("instrument")
@explained
def sim_instrument(
    like: Annotated[str, typer.Option("--like", metavar="sp300|vmp3", help="What it is.")] = "sp300",
    port: Annotated[
        int, typer.Option("--port", help="Where on this computer: sim://127.0.0.1:PORT; 0: any that is free.")
    ] = 5025,
    speed: Annotated[float, typer.Option("--speed", metavar="X", help="X times as fast as real time.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Seed of its noise.")] = 0,
    cell: Annotated[
        list[str] | None,
        typer.Option("--cell", metavar="[CHANNEL=]NAME", help="A cell on it; repeatable [default: 1=NaK50]."),
    ] = None,
    habit: Annotated[
        list[str] | None,
        typer.Option("--habit", metavar="NAME=VALUE", help="Settle an open question; repeatable."),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME=VALUE@WHEN", help="Trouble on request; repeatable."),
    ] = None,
) -> int:
    """Be a virtual SP-300 or VMP-3 until interrupted, for `driver: biologic` in a rig.

    What habits and faults there are: python -m nakctl_sim.instrument --help
    """
    from nakctl.cli import sim_instrument

    return sim_instrument.serve(like, port, speed, seed, cell or [], habit or [], fault or [])


sim_app.command("fit")(app_fit.sim_fit)


app.command()(app_instruments.devices)
app.command()(app_instruments.channels)
app.command()(app_instruments.doctor)


@app.command()
@explained
def words(
    word: Annotated[
        str | None,
        typer.Argument(metavar="[WORD]", help="One word, `values` or `units` [default: all words]."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Say what a word of a protocol means, with an example; other programs' words as well."""
    from nakctl.cli import words as command

    return command.words(word, as_json)


@app.command()
@explained
def schema(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A protocol: the schema is written beside it, with its names."),
    ] = None,
    rig: RigFile = None,
) -> int:
    """Print the JSON Schema of the protocol language, for editors.

    With FILE it is written beside it as NAME.schema.json, and offers the names of its sweeps, parameters,
    levels and labels, and of the sensors in rig.yaml. Say it again when there are new names.
    """
    from nakctl.cli import shipped

    return shipped.schema(file, rig)


@app.command()
@explained
def completion(
    shell: Annotated[
        str | None, typer.Argument(metavar="[bash|zsh|fish|powershell]", help="Left out: how to load it.")
    ] = None,
) -> int:
    """Print what makes a shell complete commands, protocols, channels, cells and runs when Tab is pressed."""
    from nakctl.cli.completion import command

    return command.completion(shell)


def _wishes(
    on: str | None,
    cell: str | None,
    sets: list[str] | None,
    rig: Path | None,
    dry: bool = False,
    *,
    looks: bool = False,
) -> Any:
    from nakctl.cli.prepare import Wishes

    return Wishes(on, cell, pairs(sets or []), rig, dry, looks)
