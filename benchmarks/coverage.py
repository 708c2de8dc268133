"""Whether the statistics keep their promises, on simulated machines whose true speeds are known.

    python benchmarks/coverage.py [--simulations 20000] [--cases 1000] [--seed 1] [--write]

Each machine has noise between processes and between windows, and some of: drift, slow states,
bursts, odd processes, warm-up; or it draws all noise anew from the launches that real stacks gave
in `results/`: window residuals in runs of three, so that neighbours stay alike, and deviations of
launches from their case, of all cases of a stack together. The protocols of `run` and `compare` are
computed for all simulations at once, by the looks, levels, limits and margins that the tool has;
`tests/test_coverage_benchmark.py` holds them equal to the tool's own functions, launch by launch.
Finding a steady state is slow, so its table has fewer cases, and says how many. Windows are the
fewest of the budget, and no case runs out of time.

The true speed of a case is the geometric mean over processes of images over seconds in the long
run, at the states that the machine had while it was measured. The true ratio is what was put in.

Source: Morris, White & Crowther, "Using simulation studies to evaluate statistical methods",
Statistics in Medicine 2019.
"""

from __future__ import annotations

import argparse
import functools
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from cnnbench import plan, stopping
from cnnbench.case import Case
from cnnbench.comparison import DIFFERENT, EQUIVALENT, FASTER, INCONCLUSIVE, SLOWER
from cnnbench.judge import Judgement, counting, judge
from cnnbench.plan import BUDGETS
from cnnbench.record import STEADY, Launch, Window
from cnnbench.result import estimate
from cnnbench.stats import sequential
from cnnbench.stats.steady import FLAT, NO_STEADY_STATE
from cnnbench.store.exchange import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cnnbench.case import Budget

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

ROOT = Path(__file__).parents[1]
RECORDED = ROOT / "results" / "published-cifar10.jsonl"
WRITTEN = ROOT / "docs" / "measured" / "coverage.md"

PROMISED = 94.5  # percent of intervals that hold, of 95
CHUNK = 2000  # simulations at a time
BURST = math.log(1.3)  # a window that is hit takes 30 % longer
ODD = 0.05  # an odd process is so much slower, as a logarithm
STAYS = 0.9  # correlation of the machine's state from one launch to the next
RUN = 3  # recorded windows that stay together
RATIOS = (1.0, 0.99, 0.98, 0.95, 0.90)
WORDS = (FASTER, SLOWER, EQUIVALENT, DIFFERENT, INCONCLUSIVE)
OPEN = WORDS.index(INCONCLUSIVE)
IMAGES = 1000  # a second, of a simulated case whose logarithm of speed is 0
CASE = Case(stack="simulated", model="simple_cnn", dataset="synthetic-32", method="fit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where speeds come from; all noise is of logarithms of speeds.

    Attributes:
        name: For the tables.
        between: Standard deviation of processes.
        within: Of windows in a process.
        correlation: Of neighbouring windows.
        odd: Share of processes that are slower by ODD.
        bursts: Share of windows that are slower by BURST.
        drift: By how much the machine becomes slower over a session of the most launches.
        states: Standard deviation of its slow states, which last about ten launches.
        turns: Whether the arms of a block take turns, and so share its state.
        rise: By how much each window is faster than the one before.
        rises: Windows after which it no longer is.
        stack: Whose recorded launches the noise is drawn from, in place of all the above.
    """

    name: str
    between: float = 0.01
    within: float = 0.01
    correlation: float = 0.3
    odd: float = 0.0
    bursts: float = 0.0
    drift: float = 0.0
    states: float = 0.0
    turns: bool = False
    rise: float = 0.0
    rises: float = math.inf
    stack: str = ""


MACHINES = (
    Machine(name="quiet", between=0.003, within=0.005),
    Machine(name="usual"),
    Machine(name="processes differ", between=0.03),
    Machine(name="processes differ much", between=0.08),
    Machine(name="windows differ", between=0.005, within=0.05, correlation=0.6),
    Machine(name="drifts by 5 %", drift=0.05),
    Machine(name="slow states", states=0.03),
    Machine(name="slow states, in turns", states=0.03, turns=True),
    Machine(name="bursts in 5 % of windows", bursts=0.05),
    Machine(name="10 % of processes are odd", odd=0.10),
    Machine(name="as keras3-tensorflow was", stack="keras3-tensorflow"),
    Machine(name="as keras3-torch was", stack="keras3-torch"),
    Machine(name="as keras2.1.3 on TensorFlow 1.6 was", stack="keras2.1.3-tensorflow1.6.0"),
    Machine(name="as keras2.1.6 on MXNet 1.1 was", stack="keras2.1.6-mxnet1.1.0"),
)
STEADY_OR_NOT = (
    Machine(name="flat", correlation=0.0),
    Machine(name="flat, neighbours correlate by 0.3"),
    Machine(name="flat, neighbours correlate by 0.6", correlation=0.6),
    Machine(name="flat, noisy windows", within=0.05),
    Machine(name="flat, bursts in 5 % of windows", bursts=0.05),
    Machine(name="10 % faster within 4 windows, then flat", rise=0.025, rises=4),
    Machine(name="2 % faster every window, without end", rise=0.02),
    Machine(name="0.7 % faster every window, without end", rise=0.007),
    Machine(name="as keras2.1.3 on TensorFlow 1.6 was", stack="keras2.1.3-tensorflow1.6.0"),
)


class Noise(NamedTuple):
    """What recorded launches were off: deviations of launches; residuals, a row each; lengths."""

    deviations: Floats
    residuals: Floats
    lengths: Ints


class Processes(NamedTuple):
    """Simulated launches, each array of simulations x launches, at the state 0.

    Attributes:
        logs: Logarithm of images over seconds.
        seconds: Mean over windows of seconds for an image.
        squares: Mean of their squares.
    """

    logs: Floats
    seconds: Floats
    squares: Floats


class Stops(NamedTuple):
    """Where each simulation stopped: values, middle and half-width of the interval, and why."""

    n: Ints
    middle: Floats
    reach: Floats
    done: Bools


class Compared(NamedTuple):
    """Comparisons of a simulation each: where they stopped, their words, and what others say.

    Attributes:
        stops: In logarithms of ratios.
        words: Positions in WORDS.
        pooled: Whether a t-test on all windows of the same blocks is significant, as pyperf's.
        apart: Whether a t-test on as many launches of each arm is, all of one before the other.
    """

    stops: Stops
    words: Ints
    pooled: Bools
    apart: Bools


def main() -> None:
    """Print the tables, and write them if asked."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--simulations", type=int, default=20_000)
    flags.add_argument("--cases", type=int, default=1000, help="of the table of steady states")
    flags.add_argument("--seed", type=int, default=1)
    flags.add_argument("--write", action="store_true", help=f"write {WRITTEN.relative_to(ROOT)}")
    asked = flags.parse_args()
    command = (
        f"python benchmarks/coverage.py --simulations {asked.simulations}"
        f" --cases {asked.cases} --seed {asked.seed} --write"
    )
    lines = [f"<!-- Made by `{command}`; do not edit. -->", ""]
    for line in page(asked.simulations, asked.cases, asked.seed):
        print(line, flush=True)
        lines.append(line)
    if asked.write:
        WRITTEN.write_text("\n".join(lines) + "\n", "utf-8")


def page(simulations: int, cases: int, seed: int) -> Iterator[str]:
    """The lines of the page."""
    error = 100 * math.sqrt(0.05 * 0.95 / simulations)
    yield "# Do the statistics keep their promises?"
    yield ""
    yield "Percentages of simulations of machines whose true speeds are known; what each machine"
    yield "is, and what is simulated, is said in `benchmarks/coverage.py`."
    yield f"{simulations} simulations a row, seed {seed}: ±{error:.2f} is one standard error of 95."
    yield from _runs(simulations, seed)
    yield from _comparisons(simulations, seed)
    yield from _verdicts(simulations, seed)
    yield from _steadiness(cases, seed)


def _runs(simulations: int, seed: int) -> Iterator[str]:
    yield from ("", "## `cnnbench run`: does the 95 % interval hold the true speed?", "")
    yield (
        "Settled cases have intervals as narrow as was asked for. `Held if settled` is of these"
        " alone: where few are settled, they are those whose noise happened to look small."
        " `Missed and settled` is of all cases."
    )
    yield ""
    head = ("Machine", "Budget", "Held", "Settled", "Held if settled", "Missed and settled")
    yield from _head(*head, "Launches")
    shares = {}
    for machine in MACHINES:
        for name in ("quick", "standard"):
            stops, held = runs(machine, BUDGETS[name], simulations, seed)
            shares[f"{machine.name}, {name}"] = 100 * float(held.mean())
            settled = stops.done
            among = _percent(held[settled]) if settled.any() else "-"
            yield _row(
                *(machine.name, name, _percent(held), _percent(settled), among),
                *(_percent(settled & ~held), f"{stops.n.mean():.1f}"),
            )
    yield from _shortfalls(shares)


def _comparisons(simulations: int, seed: int) -> Iterator[str]:
    yield from ("", "## `cnnbench compare`: two arms that are equally fast", "")
    yield (
        "How often the interval at the stop holds 1; how often they were called faster, slower or"
        " different but small; and what is significant at 5 % on the same launches by a t-test on"
        " all windows, as pyperf does, and by one on launches, had all of one arm come first."
    )
    yield ""
    head = ("Machine", "Budget", "Held", "False verdicts", "Faster or slower", "Windows pooled")
    yield from _head(*head, "One arm first", "Blocks")
    shares = {}
    for machine in MACHINES:
        for name in ("quick", "standard"):
            found = comparisons(machine, BUDGETS[name], 1.0, simulations, seed)
            held = np.abs(found.stops.middle) <= found.stops.reach
            shares[f"{machine.name}, {name}"] = 100 * float(held.mean())
            wrong, large = _is(found, FASTER, SLOWER, DIFFERENT), _is(found, FASTER, SLOWER)
            yield _row(
                *(machine.name, name, _percent(held), _percent(wrong), _percent(large)),
                *(_percent(found.pooled), _percent(found.apart), f"{found.stops.n.mean():.1f}"),
            )
    yield from _shortfalls(shares)


def _shortfalls(shares: Mapping[str, float]) -> Iterator[str]:
    """Which rows held less than is promised, percentages by row."""
    low = [f"{row} ({share:.1f})" for row, share in shares.items() if share < PROMISED]
    yield ""
    if low:
        yield f"Fewer than {PROMISED} were held by: {', '.join(low)}."
    else:
        yield f"No row held fewer than {PROMISED}."


def _verdicts(simulations: int, seed: int) -> Iterator[str]:
    yield from ("", "## `cnnbench compare`: what it says of true ratios", "")
    yield f"Budget `standard`, whose margin is {BUDGETS['standard'].margin:.0%}."
    yield ""
    yield from _head("Machine", "True ratio", "Held", *(w.capitalize() for w in WORDS), "Blocks")
    for machine in MACHINES:
        for ratio in RATIOS:
            found = comparisons(machine, BUDGETS["standard"], ratio, simulations, seed)
            held = np.abs(found.stops.middle - math.log(ratio)) <= found.stops.reach
            said = (_percent(_is(found, word)) for word in WORDS)
            blocks = f"{found.stops.n.mean():.1f}"
            yield _row(machine.name, f"{ratio:g}", _percent(held), *said, blocks)


def _steadiness(cases: int, seed: int) -> Iterator[str]:
    yield from ("", "## Is a steady state found where there is one?", "")
    yield (
        f"By PELT, which is slow: {cases} cases a row, each of the budget's fewest launches."
        " Launches: not steady in their first windows, so that as many more were measured; cut,"
        " because a part of them is warm-up or comes before a slowdown; refused. Cases: without a"
        " steady state; and of the others, how often the interval holds the true speed. A change"
        " smaller than the budget's precision is no change: such warm-up stays in the mean, and the"
        " interval is around the mean with it."
    )
    yield ""
    head = ("Machine", "Budget", "Launches", "Measured on", "Cut", "Refused")
    yield from _head(*head, "Cases refused", "Held")
    for machine in STEADY_OR_NOT:
        for name in ("quick", "standard"):
            yield _steady_row(machine, name, cases, seed)


def _steady_row(machine: Machine, name: str, cases: int, seed: int) -> str:
    budget = BUDGETS[name]
    found = list(judged_cases(machine, budget, cases, seed))
    every = [j for case in found for j in case]
    usual = budget.windows[0]
    longer = np.array([len(j.launch.windows) > usual for j in every])
    refused = np.array([j.kind == NO_STEADY_STATE for j in every])
    cut = np.array([j.kind != FLAT for j in every]) & ~refused
    unsteady = np.array([stopping.is_unsteady(case) for case in found])
    truth = long_run(machine)
    held = [_holds(case, budget, truth) for case in found if not stopping.is_unsteady(case)]
    known = _percent(np.array(held)) if held and math.isfinite(truth) else "-"
    counts = (_percent(longer), _percent(cut), _percent(refused), _percent(unsteady))
    return _row(machine.name, name, str(len(every)), *counts, known)


def _holds(case: Sequence[Judgement], budget: Budget, truth: float) -> bool:
    """Whether the interval of a case that counts holds its true speed."""
    speeds = [value for launch in counting(case) if (value := plan.speed(launch))]
    found = estimate(speeds, budget.confidence, stopping.confidence(len(speeds), budget))
    return (
        found.low is not None
        and found.high is not None
        and (found.low <= IMAGES * math.exp(truth) <= found.high)
    )


def runs(machine: Machine, budget: Budget, simulations: int, seed: int) -> tuple[Stops, Bools]:
    """Cases that are measured until they are settled, and whether each interval holds the truth."""
    parts = [_runs_part(machine, budget, *chunk) for chunk in _chunks(simulations, seed)]
    return _joined([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _runs_part(
    machine: Machine, budget: Budget, rng: np.random.Generator, simulations: int
) -> tuple[Stops, Bools]:
    most = budget.launches[1]
    made = processes(machine, rng, (simulations, most), budget.windows[0])
    state = states(machine, rng, simulations, most)
    stops = settle(made.logs + state, budget)
    truth = long_run(machine) + _mean_until(state, stops.n)
    return stops, np.abs(stops.middle - truth) <= stops.reach


def comparisons(
    machine: Machine, budget: Budget, ratio: float, simulations: int, seed: int
) -> Compared:
    """Comparisons of two arms that go on until they have a verdict.

    Args:
        machine: Where both run.
        budget: Of the comparison.
        ratio: Of the true speeds.
        simulations: How many.
        seed: The same gives the same noise, whatever the ratio.
    """
    parts = [_compared(machine, budget, ratio, *chunk) for chunk in _chunks(simulations, seed)]
    return Compared(
        _joined([part.stops for part in parts]),
        *(np.concatenate([part[i] for part in parts]) for i in (1, 2, 3)),
    )


def _compared(
    machine: Machine, budget: Budget, ratio: float, rng: np.random.Generator, simulations: int
) -> Compared:
    shape = (simulations, budget.blocks[1])
    windows = budget.windows[0]
    one = processes(machine, rng, shape, windows)
    other = _faster(processes(machine, rng, shape, windows), math.log(ratio))
    state = states(machine, rng, simulations, 2 * shape[1])
    early, late = state[:, ::2], state[:, ::2] if machine.turns else state[:, 1::2]
    first = rng.random(shape) < 0.5  # noqa: PLR2004
    at_one, at_other = np.where(first, early, late), np.where(first, late, early)
    stops, words = decide(other.logs + at_other - one.logs - at_one, budget)
    pooled = _pooled_test(_faster(one, at_one), _faster(other, at_other), stops.n, windows)
    after = np.minimum(stops.n[:, None] + np.arange(shape[1]), state.shape[1] - 1)
    apart = _apart_test(
        one.logs + state[:, : shape[1]],
        other.logs + np.take_along_axis(state, after, axis=1),
        stops.n,
    )
    return Compared(stops, words, pooled, apart)


def settle(logs: Floats, budget: Budget) -> Stops:
    """Stop each case as soon as it is settled, as `stopping.needs_launch` does.

    Args:
        logs: Logarithms of speeds, simulations x most launches.
        budget: What was asked for.
    """
    return _looked_at(
        logs,
        budget.launches,
        1 - budget.confidence,
        lambda _, reach: np.expm1(reach) <= budget.precision,
    )


def decide(logs: Floats, budget: Budget) -> tuple[Stops, Ints]:
    """Stop each comparison of two arms as soon as it has a verdict, as `comparison` does.

    Args:
        logs: Logarithms of ratios, simulations x most blocks.
        budget: Of the comparison.

    Returns:
        Where they stopped, and the words, as positions in WORDS.
    """
    stops = _looked_at(
        logs,
        budget.blocks,
        1 - budget.confidence,
        lambda middle, reach: verdicts(middle, reach, budget.margin) != OPEN,
    )
    return stops, verdicts(stops.middle, stops.reach, budget.margin)


def verdicts(middle: Floats, reach: Floats, margin: float) -> Ints:
    """The word of each interval, middle ± reach in logarithms, as a position in WORDS."""
    low, high, limit = middle - reach, middle + reach, math.log1p(margin)
    small = (low > -limit) & (high < limit)
    even = (low <= 0) & (high >= 0)
    cases = [low > limit, high < -limit, small & even, small]
    return np.select(cases, list(range(OPEN)), OPEN)


def _looked_at(
    logs: Floats,
    limits: tuple[int, int],
    error: float,
    is_done: Callable[[Floats, Floats], Bools],
) -> Stops:
    """Look when it is planned, until it is done or there are no more values."""
    planned = sequential.looks(*limits)
    found = Stops(
        np.zeros(len(logs), np.int64),
        np.zeros(len(logs)),
        np.zeros(len(logs)),
        np.zeros(len(logs), bool),
    )
    for n, level in zip(planned, sequential.levels(planned, error), strict=True):
        seen = logs[:, :n]
        middle = seen.mean(axis=1)
        reach = stdtrit(n - 1, 1 - level / 2) * seen.std(axis=1, ddof=1) / math.sqrt(n)
        going = ~found.done
        for kept, new in zip(found, (n, middle, reach, is_done(middle, reach)), strict=True):
            np.copyto(kept, new, where=going)
    return found


def _pooled_test(one: Processes, other: Processes, n: Ints, windows: int) -> Bools:
    """Student's t-test on the seconds of all windows, as if each were independent."""
    means = [_mean_until(arm.seconds, n) for arm in (one, other)]
    count = n * windows
    squares = sum(_mean_until(arm.squares, n) for arm in (one, other))
    spread = (squares - means[0] ** 2 - means[1] ** 2) * count / (2 * count - 2)
    return _significant(means[1] - means[0], np.sqrt(2 * spread / count), 2 * count - 2)


def _apart_test(one: Floats, other: Floats, n: Ints) -> Bools:
    """Welch's t-test on the logarithms of the first n launches of each arm."""
    means = [_mean_until(arm, n) for arm in (one, other)]
    parts = [
        (_mean_until(arm**2, n) - mean**2) / (n - 1)
        for arm, mean in zip((one, other), means, strict=True)
    ]
    freedom = (parts[0] + parts[1]) ** 2 / ((parts[0] ** 2 + parts[1] ** 2) / (n - 1))
    return _significant(means[1] - means[0], np.sqrt(parts[0] + parts[1]), freedom)


def _significant(difference: Floats, error: Floats, freedom: Floats | Ints) -> Bools:
    return np.asarray(2 * stdtr(freedom, -np.abs(difference) / error) < 0.05)  # noqa: PLR2004


def _mean_until(values: Floats, n: Ints) -> Floats:
    """Mean of the first n of each row."""
    sums = np.cumsum(values, axis=1)
    return np.take_along_axis(sums, n[:, None] - 1, axis=1)[:, 0] / n


def _faster(made: Processes, by: Floats | float) -> Processes:
    """Processes as they would be at other states."""
    return Processes(
        made.logs + by,
        made.seconds * np.exp(np.negative(by)),
        made.squares * np.exp(-2 * np.asarray(by)),
    )


def processes(
    machine: Machine, rng: np.random.Generator, shape: tuple[int, int], windows: int
) -> Processes:
    """Launches of a case whose true speed is 1 but for `long_run`."""
    count = shape[0] * shape[1]
    logs = levels(machine, rng, count)[:, None] + residuals(machine, rng, count, windows)
    seconds = np.exp(-logs)
    mean = seconds.mean(axis=1).reshape(shape)
    squares = (seconds**2).mean(axis=1).reshape(shape)
    return Processes(-np.log(mean), mean, squares)


def levels(machine: Machine, rng: np.random.Generator, count: int) -> Floats:
    """How much faster each process is than most."""
    if machine.stack:
        return np.asarray(rng.choice(recorded(machine.stack).deviations, count))
    return machine.between * rng.standard_normal(count) - ODD * (rng.random(count) < machine.odd)


def residuals(machine: Machine, rng: np.random.Generator, count: int, windows: int) -> Floats:
    """How much faster each window is than its process, processes x windows."""
    if machine.stack:
        return _redrawn(recorded(machine.stack), rng, count, windows)
    noise = machine.within * rng.standard_normal((count, windows))
    fresh = math.sqrt(1 - machine.correlation**2)
    for i in range(1, windows):
        noise[:, i] = machine.correlation * noise[:, i - 1] + fresh * noise[:, i]
    noise -= BURST * (rng.random((count, windows)) < machine.bursts)
    return noise + _rising(machine, windows)


def _rising(machine: Machine, windows: int) -> Floats:
    """Warm-up; it ends at 0 if it ends."""
    if math.isinf(machine.rises):
        return np.asarray(machine.rise * np.arange(windows))
    return machine.rise * (np.minimum(np.arange(windows), machine.rises) - machine.rises)


def _redrawn(noise: Noise, rng: np.random.Generator, count: int, windows: int) -> Floats:
    """Runs of recorded windows, of one recorded launch for each process (circular blocks)."""
    launches = rng.integers(len(noise.lengths), size=count)
    length = noise.lengths[launches][:, None, None]
    starts = rng.integers(0, length, size=(count, -(-windows // RUN), 1))
    places = ((starts + np.arange(RUN)) % length).reshape(count, -1)[:, :windows]
    return np.asarray(noise.residuals[launches[:, None], places])


def states(machine: Machine, rng: np.random.Generator, simulations: int, count: int) -> Floats:
    """How much faster the machine is at each launch, simulations x launches in order."""
    state = rng.standard_normal((simulations, count))
    for i in range(1, count):
        state[:, i] = STAYS * state[:, i - 1] + math.sqrt(1 - STAYS**2) * state[:, i]
    drift = machine.drift * np.arange(count) / max(count - 1, 1)
    return np.asarray(machine.states * state - drift)


def long_run(machine: Machine) -> float:
    """The mean over processes of the logarithm of images over seconds; NaN if it has no end."""
    if machine.rise and math.isinf(machine.rises):
        return math.nan
    if machine.stack:
        noise = recorded(machine.stack)
        seconds = [
            np.exp(-row[:n]).mean() for row, n in zip(noise.residuals, noise.lengths, strict=True)
        ]
        return float(noise.deviations.mean() - np.log(seconds).mean())
    hit = math.log1p(machine.bursts * math.expm1(BURST))
    return -(machine.within**2) / 2 - hit - ODD * machine.odd


@functools.cache
def recorded(stack: str) -> Noise:
    """The noise of a stack's recorded launches of CIFAR-10, by what each case's mean is."""
    cases = defaultdict(list)
    for launch in read(RECORDED).launches:
        if launch.case.stack == stack and launch.failure is None and len(launch.steady) > RUN:
            cases[launch.case].append(np.array(plan.log_speeds(launch.steady)))
    cases_of_several = [logs for logs in cases.values() if len(logs) > 1]
    deviations = [_off(np.array([one.mean() for one in logs])) for logs in cases_of_several]
    rows = [_off(one) for logs in cases_of_several for one in logs]
    lengths = np.array([len(row) for row in rows])
    table = np.zeros((len(rows), lengths.max()))
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return Noise(np.concatenate(deviations), table, lengths)


def _off(values: Floats) -> Floats:
    """Deviations from the mean, as large as those of the source are, not of the sample."""
    return np.asarray((values - values.mean()) * math.sqrt(len(values) / (len(values) - 1)))


def judged_cases(
    machine: Machine, budget: Budget, cases: int, seed: int
) -> Iterator[list[Judgement]]:
    """The launches of each case until its first look, as the tool's own functions judge them."""
    rng = np.random.default_rng(seed)
    launches, windows = budget.launches[0], budget.windows[0]
    for _ in range(cases):
        level = levels(machine, rng, launches)
        logs = level[:, None] + residuals(machine, rng, launches, 2 * windows)
        yield [judge(_launch(row, budget), budget) for row in logs]


def _launch(logs: Floats, budget: Budget) -> Launch:
    """A launch whose windows have these speeds, as many of them as `plan` asks for."""
    windows: list[Window] = []
    for seconds in np.exp(-logs).tolist():
        windows.append(
            Window(
                index=len(windows),
                role=STEADY,
                steps=10,
                images=IMAGES,
                seconds=seconds,
                started=0.0,
            )
        )
        if plan.next_window(windows, budget) is None:
            break
    return launch(windows)


def launch(windows: Sequence[Window], **fields: Any) -> Launch:
    """A launch that never ran."""
    return Launch(
        id="simulated",
        campaign="simulated",
        case=CASE,
        **{"number": 1, "seed": 1} | fields,
        stack_fingerprint="",
        probe_digest="",
        started_at="",
        machine={},
        windows=tuple(windows),
    )


def _chunks(simulations: int, seed: int) -> Iterator[tuple[np.random.Generator, int]]:
    """Generators, and for how many simulations each; the same first ones for any number."""
    for begin in range(0, simulations, CHUNK):
        yield np.random.default_rng((seed, begin)), min(CHUNK, simulations - begin)


def _joined(parts: Sequence[Stops]) -> Stops:
    return Stops(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _is(found: Compared, *words: str) -> Bools:
    return np.isin(found.words, [WORDS.index(word) for word in words])


def _percent(holds: Bools) -> str:
    return f"{100 * holds.mean():.1f}"


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
