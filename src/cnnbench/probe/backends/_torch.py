"""What stacks on PyTorch have in common, with Keras and without."""

from typing import Any, Callable, List, Optional

from ._layout import one_layout


def set_tf32(allowed: Optional[bool]) -> None:  # noqa: FBT001
    """Whether a GPU may multiply float32 in TensorFloat-32; None leaves it as it is."""
    import torch

    if allowed is not None:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed


def float32() -> str:
    """What float32 is multiplied in: `float32`, or `tf32` on a GPU that may."""
    import torch

    both = torch.backends.cuda.matmul.allow_tf32 and torch.backends.cudnn.allow_tf32
    return "tf32" if both and torch.cuda.is_available() else "float32"


def wait() -> None:
    """Wait for the GPU's queue, and all ranks; a CPU's operation returns when it is done."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()


def layout(run: Callable[[], Any]) -> str:
    """How the images that `conv2d` is given while `run` runs lie in memory."""
    import torch
    from torch.overrides import TorchFunctionMode

    seen: List[str] = []

    class Look(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self, function: Any, _: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if function is torch.nn.functional.conv2d:
                last = args[0].is_contiguous(memory_format=torch.channels_last)
                first = args[0].is_contiguous()
                # A single channel or pixel lies both ways and says nothing.
                seen.extend(
                    ["channels_last" if last else "channels_first"] if last != first else []
                )
            return function(*args, **(kwargs or {}))

    with torch.no_grad(), Look():
        run()
    return one_layout(seen)
