"""Measure the published rows on this machine; write results/, RESULTS.md and README's table.

python benchmarks/results.py              measure what is not measured yet, then write
python benchmarks/results.py --write      write RESULTS.md and README's table from results/ alone
python benchmarks/results.py FLAGS        FLAGS go to every `cnnbench run`, like --data-dir DIR

Raw launches go into `results/<suite>.jsonl` after each suite; Ctrl-C keeps what is there, and the
same command goes on. A case that is measured anew replaces its older launches on the same machine.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import tuned
from cnnbench.errors import CnnbenchError
from cnnbench.published import case, nearest, rows
from cnnbench.report import published, scaling, table
from cnnbench.report.conclusions import conclusions
from cnnbench.result import UNSUPPORTED
from cnnbench.store import exchange
from cnnbench.store.database import Store
from cnnbench.store.exchange import Recorded
from lines import recorded as recorded_lines
from pages import README, ROOT, between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from cnnbench.record import Launch

FOLDER, PAGE = ROOT / "results", ROOT / "RESULTS.md"
STORE = FOLDER / "runs.sqlite"

KERAS3 = ("--stack", "keras3-tensorflow", "--stack", "keras3-jax", "--stack", "keras3-torch")
# ImageNet was published on GPUs only, with 32 images on each, which take a small machine hours.
# On a CPU it is run with 8, each stack in the data format that was published for its backend;
# Keras 3 in that of TensorFlow.
IMAGENET = ("published-imagenet", "--device", "cpu", "--batch-size", "8")
LAST, FIRST = ("--data-format", "channels_last"), ("--data-format", "channels_first")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("published-cifar10",),
    ("published-synthetic",),
    ("published-imagenet",),
    (*IMAGENET, "--stack", "own"),
    (*IMAGENET, *LAST, "--stack", "keras2.1.5-tensorflow1.7.0", *KERAS3),
    (*IMAGENET, *FIRST, "--stack", "keras2.2.4-mxnet1.9.1"),
    ("scaling",),
)


def main() -> None:
    """Measure, unless only to write; then write."""
    flags = sys.argv[1:]
    if flags != ["--write"]:
        FOLDER.mkdir(exist_ok=True)
        measured = all(measure([*command, *flags]) for command in COMMANDS)
        write(recorded())
        if not measured:
            sys.exit("results.py: not all was measured; the same command goes on from here")
    write(recorded())


def measure(command: Sequence[str]) -> bool:
    """Run one suite and keep its launches; whether it came to its end."""
    run = [sys.executable, "-m", "cnnbench", "run", *command, "--store", str(STORE)]
    print("cnnbench run", *command, file=sys.stderr, flush=True)
    status = ended(run)
    keep()
    return status in (0, 1)  # 1: nothing of it can run here, which is a result


def ended(command: Sequence[str]) -> int:
    """The exit status of a command, which hears Ctrl-C itself and says what it has."""
    with subprocess.Popen(command) as process:  # noqa: S603
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()


def keep() -> None:
    """Bring what the store holds into the files of results."""
    known = exchange.newest(exchange.merge([recorded(), stored(STORE)]))
    by_suite = defaultdict(list)
    for launch in known.launches:
        by_suite[known.campaigns[launch.campaign].suite].append(launch)
    for suite, launches in by_suite.items():
        part = Recorded(campaigns=known.campaigns, launches=tuple(launches))
        exchange.write(FOLDER / f"{suite}.jsonl", part)


def stored(place: Path) -> Recorded:
    """All that a store holds."""
    with Store.open(place, read_only=True) as store:
        return replace(exchange.everything(store), proofs=())


def recorded() -> Recorded:
    """All that the files of results hold."""
    return exchange.merge(exchange.read(path) for path in sorted(FOLDER.glob("*.jsonl")))


def write(known: Recorded) -> None:
    """Write the page, and the table of README."""
    PAGE.write_text(page(known), "utf-8")
    README.write_text(readme(known, README.read_text("utf-8")), "utf-8")


def page(known: Recorded) -> str:
    """RESULTS.md."""
    found = conclusions(known)
    own = {case(row) for row in rows()}
    of_rows = [result for result in found if nearest(result.case)]
    parts = [
        "# Results",
        ABOUT,
        "## Where, when and with what",
        "\n".join(f"- {line}" for line in circumstances(known.launches)),
        "Commands:\n\n" + "\n".join(f"    cnnbench run {' '.join(c)}" for c in COMMANDS),
        published.markdown([r for r in of_rows if r.case in own]).partition("\n\n")[2],
        "## On every stack",
        table.markdown([r for r in of_rows if r.verdict != UNSUPPORTED])
        + table.reasons([r for r in of_rows if r.verdict == UNSUPPORTED]),
    ]
    if several := scaling.markdown(found):
        parts += ["## Scaling", SCALING, several]
    if tunings := recorded_lines(tuned.LINES):
        parts += ["## Tuned", TUNED, tuned.tables(tunings, level=3).strip()]
    return "\n\n".join(parts) + "\n"


ABOUT = (
    'The rows of "Detailed CNN Benchmark Results" as cnnbench measured them, beside what was'
    " published: each row on the stack of its own versions, then the same cases on every stack."
    " `make results` made this page from the raw launches in `results/`; nothing in it"
    " is edited by hand. It takes hours, says how many, and goes on after Ctrl-C. Speeds on virtual"
    " machines differ from hour to hour and from host to host by tens of percent."
)
SCALING = (
    "Efficiency is the speed of N devices over N times the speed of one: *weak* with the same batch"
    " a device, *strong* with the same global batch. Virtual devices share the CPUs, so that 1/N is"
    " what they can reach; here they show that training is right and what dividing it costs."
)

TUNED = (
    "What [tuning](docs/tuning.md) gives, as `python benchmarks/tuned.py` measured it."
    f" {tuned.ABOUT}"
)


def circumstances(launches: Sequence[Launch]) -> Iterator[str]:
    """Machines, dates, versions."""
    for name in dict.fromkeys(table.instance(launch.machine) for launch in launches):
        here = [launch for launch in launches if table.instance(launch.machine) == name]
        days = sorted({launch.started_at[:10] for launch in here})
        when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        yield f"{name}; {here[-1].machine.get('os')}; {when}"
    programs = sorted({f"cnnbench {launch.machine.get('cnnbench')}" for launch in launches})
    probes = sorted({launch.probe_digest for launch in launches})
    yield f"{', '.join(programs)}; guest {', '.join(probes)}"
    yield from sorted(set(stacks(launches)))
    yield from sorted(set(images(launches)))


def stacks(launches: Iterable[Launch]) -> Iterator[str]:
    """What each stack that ran was made of, as it told itself."""
    for launch in launches:
        facts = launch.facts
        if launch.failure is None:
            yield (
                f"`{launch.case.stack}`: Python {facts.get('python_version')},"
                f" Keras {facts.get('keras_version')}, {facts.get('package')}"
                f" {facts.get('backend_version')}, NumPy {facts.get('numpy_version')}"
            )


def images(launches: Iterable[Launch]) -> Iterator[str]:
    """What each data set that was trained on consisted of."""
    for launch in launches:
        facts = launch.facts
        if launch.failure is None:
            altered = (
                "; not bit for bit the publisher's" if facts.get("checksum") == "differs" else ""
            )
            made = ", made by cnnbench" if facts.get("from") == "made" else ""
            yield (
                f"`{launch.case.dataset}`: {facts.get('images')} images of"
                f" {facts.get('classes')} classes{made}{altered}"
            )


def readme(known: Recorded, text: str) -> str:
    """README with the Simple CNN's rows, and what measuring costs if that was measured."""
    found = [r for r in conclusions(known) if r.case.dataset == "cifar10" and r.images_per_second]
    simple = [result for result in found if result.case.model == "simple_cnn"]
    text = between("results", table.markdown(simple), text)
    overhead = FOLDER / "overhead.md"
    if not overhead.exists():
        return text
    return between("overhead", overhead.read_text("utf-8").strip(), text)


if __name__ == "__main__":
    try:
        main()
    except CnnbenchError as error:
        sys.exit(f"results.py: {error}")
