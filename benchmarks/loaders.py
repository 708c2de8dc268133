"""How fast is each loader, and what does training on real photographs lose by reading them?

    python benchmarks/loaders.py FOLDER [--blocks 5] [--alone] [--write]

FOLDER holds photographs, in one folder for each class: ImageNet's `train`, or a part of it. Each
loader reads, decodes and resizes them to 256x256, alone, in batches of 32, on the stack that has
it; and ResNet-50 trains on them by `fit_generator`, beside `train_on_batch` on the same images in
memory, in plain PyTorch and bfloat16, the fastest there is on a CPU. Each in the same blocks, so
that ratios hold on a machine that drifts. --write makes docs/measured/loaders.md; launches are kept
in docs/measured/loaders.sqlite. A quarter of an hour on two cores; --alone leaves training out.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnbench import tuned
from cnnbench.case import KERAS, Arm, Case
from cnnbench.report import grid
from cnnbench.report.table import number
from cnnbench.report.tuned import interval
from cnnbench.store.database import Store
from lapped import lapped, speed
from pages import ROOT, heading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.tuned import Lap

FOLDER = ROOT / "docs" / "measured"
PAGE, STORE = FOLDER / "loaders.md", FOLDER / "loaders.sqlite"
TORCH, TENSORFLOW, NATIVE = "keras3-torch", "keras3-tensorflow", "native-torch"
PAIRS = (
    ("torch_dataloader", TORCH),
    (KERAS, TORCH),
    ("threads", TORCH),
    ("tf_data", TENSORFLOW),
    ("turbo", TORCH),
)
MEMORY = "in memory"
TRAINED = (KERAS, "turbo")


def main() -> None:
    """Measure; print the tables."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("folder", type=Path)
    flags.add_argument("--blocks", type=int, default=5)
    flags.add_argument("--alone", action="store_true")
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    FOLDER.mkdir(exist_ok=True)
    try:
        with Store.open(STORE) as store:
            alone = lapped(alone_arms(asked.folder), store, "loaders", asked.blocks, verify=False)
            training = None
            if not asked.alone:
                arms = training_arms(asked.folder)
                training = lapped(arms, store, "training", asked.blocks, verify=False)
    except KeyboardInterrupt:
        sys.exit("loaders.py: interrupted; the same command goes on from here")
    text = page(alone, training)
    print(text)
    if asked.write:
        PAGE.write_text(text, "utf-8")


def alone_arms(folder: Path) -> list[Arm]:
    """Each loader, with nobody who trains."""
    return [
        Arm(name=loader, case=case(folder, stack, loader, experiment="loader"))
        for loader, stack in PAIRS
    ]


def training_arms(folder: Path) -> list[Arm]:
    """ResNet-50 on images in memory, and on those that are read."""
    read = [replace(case(folder, NATIVE, name), precision="bfloat16") for name in TRAINED]
    in_memory = replace(read[0], method="train_on_batch")
    arms = [Arm(name=one.loader, case=one) for one in read]
    return [Arm(name=MEMORY, case=in_memory), *arms]


def case(folder: Path, stack: str, loader: str, experiment: str = "") -> Case:
    """ResNet-50 by `fit_generator`."""
    return Case(
        stack=stack,
        model="resnet50",
        dataset=str(folder),
        method="fit_generator",
        loader=loader,
        experiment=experiment,
    )


def page(alone: Lap, training: Lap | None) -> str:
    """The tables as Markdown."""
    parts = [
        *heading("loaders.py FOLDER", "Loaders"),
        "Photographs read, decoded, resized to 256x256 and put into batches of 32, in processes",
        "that do nothing else. Every loader's pixels are within 2 levels of 256 of Pillow's, on",
        "the mean; each launch looks. *Ratio* is over PyTorch's DataLoader, in the same blocks.",
        "",
        grid.markdown(list(rows(alone, PAIRS[0][0]))),
        "",
        "ResNet-50 in bfloat16, batches of 32: trained by `fit_generator` on what is read",
        "meanwhile, over `train_on_batch` on images in memory.",
        "",
        grid.markdown(list(rows(training, MEMORY))) if training else "Not measured yet.",
        "",
    ]
    return "\n".join(parts)


def rows(lap: Lap, base: str) -> Iterator[dict[str, str]]:
    """A row for each arm."""
    for arm in lap.arms:
        mean = speed(lap.blocks, arm.name)
        against = tuned.gain(lap, arm.name, base)
        yield {
            "Loader": arm.name,
            "Stack": arm.case.stack,
            "Images/s": number(mean) if mean else "",
            "Ratio": f"{against.ratio:.2f}" if against else "",
            "95 % interval": interval(against),
            "Blocks": str(sum(arm.name in block for block in lap.blocks)),
            "Why not": lap.failures.get(arm.name, ""),
        }


if __name__ == "__main__":
    main()
