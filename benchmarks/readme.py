"""Put the results of a store, and of overhead.py, into README.md, between its markers.

cnnbench run cifar10 --store results.sqlite --data-dir DIR     (and imagenet, resnet50)
python benchmarks/overhead.py > overhead.md
python benchmarks/readme.py results.sqlite overhead.md
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
    """Replace what stands between the markers."""
    store, overhead = sys.argv[1:]
    text = README.read_text("utf-8")
    made = [(title, table(store, flags)) for title, flags in TABLES]
    parts = [f"**{title}**\n\n{rows}" for title, rows in made if rows]
    text = between("results", "\n\n".join(parts), text)
    text = between("overhead", Path(overhead).read_text("utf-8").strip(), text)
    README.write_text(text, "utf-8")


def table(store: str, flags: tuple[str, ...]) -> str:
    """The rows of a store that flags choose; empty if there are none."""
    command = [sys.executable, "-m", "cnnbench", "show", "--all", "--store", store, *flags]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return shown.stdout.strip()


def between(name: str, made: str, text: str) -> str:
    """The text with what stands between two markers replaced."""
    marked = re.compile(f"(<!-- {name} -->\n).*(<!-- /{name} -->)", re.DOTALL)
    return marked.sub(lambda match: f"{match[1]}\n{made}\n\n{match[2]}", text)


if __name__ == "__main__":
    main()
