"""Have cuDNN try its algorithms of each convolution, and take the fastest.

It helps where the shapes of batches stay the same; the first steps take longer.
"""

from typing import Any

CHANGES = "rounding"
SOURCE = "PyTorch, torch.backends.cudnn.benchmark"


def refusal(case: Any) -> str:
    """Without cuDNN, and where it is tried anyway."""
    if case["device"] != "gpu":
        return "cuDNN is of NVIDIA GPUs"
    return "" if case["backend"] in {"torch", "native"} else "%s tries anyway" % case["backend"]


def build(keras: Any) -> None:  # noqa: ARG001
    """For the whole process."""
    import torch

    torch.backends.cudnn.benchmark = True
