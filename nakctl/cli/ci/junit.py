"""JUnit XML, as GitHub and GitLab read it: a suite a file, a case a cell and a stage.

Stages after one that failed are skipped; each word of `expect` is a case of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree as Xml

from nakctl.cli.ci.outcome import STAGES, Everything, Looked, Outcome, Stage, Trouble

# What no XML may hold, however it is written.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(everything: Everything) -> str:
    root = Xml.Element("testsuites", name="nakctl ci", time=f"{everything.wall_s:.3f}")
    for file in dict.fromkeys(one.case.file for one in everything.outcomes):
        cases = [case for one in everything.outcomes if one.case.file == file for case in _cases(one)]
        root.append(_suite(file, cases))
    for looked in everything.looked:
        root.append(_suite(looked.file, [_looked(looked)]))
    for one in everything.left_out:
        case = _case(one.file, "all", 0.0, [], skipped=one.why.format(they="it", since=everything.since))
        root.append(_suite(one.file, [case]))
    for word in ("tests", "failures", "skipped"):
        root.set(word, str(sum(int(suite.get(word, "0")) for suite in root)))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _suite(file: str, cases: Sequence[Xml.Element]) -> Xml.Element:
    seconds = sum(float(case.get("time", "0")) for case in cases)
    suite = Xml.Element(
        "testsuite", name=_text(file), tests=str(len(cases)), time=f"{seconds:.3f}", errors="0"
    )
    for word, tag in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(word, str(sum(case.find(tag) is not None for case in cases)))
    suite.extend(cases)
    return suite


def _cases(one: Outcome) -> Iterator[Xml.Element]:
    failed: Stage | None = None
    prefix = f"{one.case.label}: " if one.case.label else ""
    for stage in STAGES[:3]:
        of_it = [trouble for trouble in one.troubles if trouble.stage == stage]
        skipped = f"{failed} failed" if failed else one.case.skipped if stage == "dry run" else ""
        seconds = one.wall_s if stage == "dry run" else 0.0
        yield _case(one.case.file, f"{prefix}{stage}", seconds, [] if skipped else of_it, skipped=skipped)
        failed = failed or (stage if of_it else None)
    for said in one.judged:
        of_it = [each for each in one.troubles if each.word == said.word]
        if said.entry >= 0 and all(each.stage == "expect" for each in of_it):
            yield _case(one.case.file, f"{prefix}expect {said.word} {said.expected}", 0.0, of_it)


def _looked(one: Looked) -> Xml.Element:
    return _case(one.file, "check", 0.0, one.troubles)


def _case(
    file: str, name: str, seconds: float, troubles: Iterable[Trouble], *, skipped: str = ""
) -> Xml.Element:
    """GitLab names a file by the attribute `file`."""
    case = Xml.Element(
        "testcase", classname=_text(file), name=_text(name), file=_text(file), time=f"{seconds:.3f}"
    )
    if skipped:
        Xml.SubElement(case, "skipped", message=_text(skipped))
        return case
    told = [trouble.fault for trouble in troubles]
    if told:
        failure = Xml.SubElement(case, "failure", message=_text("; ".join(each.message for each in told)))
        failure.set("type", "nakctl")
        failure.text = _text("\n".join(map(str, told)))
    return case


def _text(said: str) -> str:
    return _FORBIDDEN.sub("?", said)
