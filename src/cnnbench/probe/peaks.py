"""How fast this machine multiplies, convolves and copies at best, by plain PyTorch.

A peak is the best of a few shapes and of a few repetitions: what a step could come near, not what
it will reach. Convolutions are those that ResNet-50 is made of, forward; backward is no faster. A
multiply-accumulate counts as two operations.
"""

import time
from typing import Any, Callable, Dict, List, Tuple

from . import wire
from .faults import reason

SECONDS = 0.5  # of repetitions of one shape
FEWEST = 3
# Sides of matrices and images in a batch: enough to fill the device.
SQUARES = {"cpu": (1024, 2048), "cuda": (4096, 8192)}
IMAGES = {"cpu": 16, "cuda": 256}
# Channels in and out, size of the kernel, rows and columns of the image.
CONVOLUTIONS = ((64, 64, 3, 56), (256, 256, 3, 14), (256, 1024, 1, 14), (128, 512, 1, 28))
COPIED_BYTES = 1 << 28

Work = Tuple[float, Callable[[], Any]]


def gauged(order: Any) -> Any:
    """The peaks of all precisions that were asked for."""
    import torch

    torch.set_num_threads(order.threads)
    device = {"gpu": "cuda"}.get(order.device, order.device)
    refused = {}  # type: Dict[str, str]
    found = {kind: _peaks(kind, device, refused) for kind in order.precisions}
    source = torch.ones(COPIED_BYTES // 4, device=device)
    target = torch.empty_like(source)
    copied = _best(2.0 * COPIED_BYTES, lambda: target.copy_(source), device)
    peaks = {kind: of for kind, of in found.items() if of}
    return wire.Gauged(peaks=peaks, bytes_per_second=copied, refused=refused)


def _peaks(precision: str, device: str, refused: Dict[str, str]) -> Dict[str, float]:
    """FLOP/s of products of matrices, and of convolutions; none, and its reason, if refused."""
    import torch

    kind = getattr(torch, "float32" if precision == "tf32" else precision)
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        with torch.no_grad():
            works = {"matmul": _products(kind, device), "convolution": _convolutions(kind, device)}
            return {
                name: max(_best(operations, work, device) for operations, work in of)
                for name, of in works.items()
            }
    except RuntimeError as error:
        refused[precision] = reason(error)
        return {}


def _products(kind: Any, device: str) -> List[Work]:
    import torch

    def work(size: int) -> Work:
        one, other = (torch.ones(size, size, device=device, dtype=kind) for _ in range(2))
        return 2.0 * size**3, lambda: one @ other

    return [work(size) for size in SQUARES[device]]


def _convolutions(kind: Any, device: str) -> List[Work]:
    import torch

    lies = torch.channels_last

    def work(inside: int, outside: int, kernel: int, side: int) -> Work:
        images = torch.ones(IMAGES[device], inside, side, side, device=device, dtype=kind)
        images = images.to(memory_format=lies)
        layer = torch.nn.Conv2d(inside, outside, kernel, padding=kernel // 2, bias=False)
        layer = layer.to(device=device, dtype=kind, memory_format=lies)
        operations = 2.0 * len(images) * outside * side**2 * inside * kernel**2
        return operations, lambda: layer(images)

    return [work(*shape) for shape in CONVOLUTIONS]


def _best(amount: float, work: Callable[[], Any], device: str) -> float:
    """The most of an amount that one repetition does in a second."""
    import torch

    def seconds() -> float:
        begun = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begun

    seconds()
    begun, shortest, count = time.perf_counter(), float("inf"), 0
    while count < FEWEST or time.perf_counter() - begun < SECONDS:
        shortest = min(shortest, seconds())
        count += 1
    return amount / shortest
