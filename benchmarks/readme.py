"""Put the results of a store into README.md, between its markers.

cnnbench run cifar10 --store results.sqlite --data-dir DIR     (and other suites)
python benchmarks/readme.py results.sqlite
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
# Title, and the flags of `cnnbench show` that choose its rows.
TABLES = (
    ("Simple CNN on CIFAR-10", ("--model", "simple_cnn", "--dataset", "cifar10")),
    ("ResNet-56 on CIFAR-10", ("--model", "resnet56_cifar", "--dataset", "cifar10")),
    ("ResNet-56 on ImageNet photographs", ("--model", "resnet56_cifar", "--dataset", "imagenet")),
    (
        "ResNet-50 on made images of 256x256",
        (
            "--model",
            "resnet50",
        ),
    ),
)


def main() -> None:
    """Replace the text between the markers by tables that `cnnbench show` makes."""
    store = sys.argv[1]
    parts = [f"**{title}**\n\n{table(store, flags)}" for title, flags in TABLES]
    text = README.read_text("utf-8")
    between = re.compile("(<!-- results -->\n).*(<!-- /results -->)", re.DOTALL)
    made = between.sub(lambda m: m[1] + "\n" + "\n\n".join(parts) + "\n\n" + m[2], text)
    README.write_text(made, "utf-8")


def table(store: str, flags: tuple[str, ...]) -> str:
    """The rows of a store that flags choose."""
    command = [sys.executable, "-m", "cnnbench", "show", "--all", "--store", store, *flags]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return shown.stdout.strip()


if __name__ == "__main__":
    main()
