"""A gate as JUnit XML, which every CI service reads: one test suite of one test case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from cnnbench.gate import BROKEN, REGRESSION, UNDECIDED
from cnnbench.report import comparisons

if TYPE_CHECKING:
    from cnnbench.gate import Decision

# What XML 1.0 has no way to hold, not even escaped: control characters, halves of surrogates.
UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ELEMENTS = {REGRESSION: "failure", BROKEN: "failure", UNDECIDED: "skipped"}


def junit(decision: Decision, seconds: float) -> str:
    """The XML of a decision.

    Args:
        decision: Of the gate.
        seconds: That measuring took, pauses between interrupted runs left out.
    """
    element = ELEMENTS.get(decision.word)
    counts = {
        "tests": "1",
        "failures": str(int(element == "failure")),
        "errors": "0",
        "skipped": str(int(element == "skipped")),
        "time": f"{seconds:.3f}",
    }
    suites = ET.Element("testsuites", {"name": "cnnbench", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": "cnnbench gate", **counts})
    case = ET.SubElement(
        suite,
        "testcase",
        classname="cnnbench.gate",
        name=sayable(title(decision)),
        time=counts["time"],
    )
    if element:
        said = sayable(f"{decision.word}: {decision.reason}")
        ET.SubElement(case, element, type=decision.word, message=said).text = said
    told = "\n\n".join(comparisons.markdown(one) for one in decision.passes)
    ET.SubElement(case, "system-out").text = sayable(f"{decision.reason}\n\n{told}\n")
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, "unicode") + "\n"


def title(decision: Decision) -> str:
    """What was compared with what, in one line."""
    base, head = (arm.case for arm in decision.passes[0].arms)
    return f"{head.title} against {base.title}"


def sayable(text: str) -> str:
    r"""The text with what XML cannot hold written as Python writes it, like `\x1b`."""
    return UNSAYABLE.sub(lambda found: ascii(found[0])[1:-1], text)
