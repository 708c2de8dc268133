"""The environment of a guest: nothing of the host's but what is named here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cnnbench.machine.gpu import Gpu

# Thread pools of OpenMP and of the linear algebra libraries that the stacks hold.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
KEPT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "TZ")


def variables(
    *,
    home: Path,
    backend: str,
    device: str,
    threads: int,
    stack: Mapping[str, str],
    cards: Sequence[Gpu] = (),
    padding: int = 0,
) -> dict[str, str]:
    """The whole environment of a launch.

    HOME is the launch's own folder: no `keras.json` of the user's decides anything. A launch on the
    CPU sees no GPU, for a framework that finds one takes it; one on GPUs sees those alone.

    Args:
        home: The launch's own folder.
        backend: Of Keras.
        device: `cpu` or `gpu`.
        threads: CPUs to use.
        stack: What the stack's file asks for.
        cards: The GPUs of the launch.
        padding: Bytes that mean nothing. The size of the environment moves the stack of a process,
            and with it speeds by percents (Mytkowicz et al., ASPLOS 2009); one that differs from
            launch to launch makes a bias into noise that the interval knows of.
    """
    result = {name: os.environ[name] for name in KEPT if name in os.environ}
    result |= {
        "HOME": str(home),
        "KERAS_HOME": str(home / ".keras"),
        "KERAS_BACKEND": backend,
        "PATH": os.defpath,
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    result |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    if padding:
        result["CNNBENCH_PADDING"] = "x" * padding
    if device == "cpu":
        result |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    if cards:
        names = [card.uuid or str(card.index) for card in cards]
        result |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(names)}
    return result | dict(stack)
