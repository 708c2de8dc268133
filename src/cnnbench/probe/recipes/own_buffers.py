"""Have MXNet give each value of its graph a buffer of its own, instead of sharing them.

MXNet 1.1 with MKL shares buffers between values of different layouts. On CPUs on which MKL takes
AVX2 or AVX-512, some networks are then computed wrongly from their second step on, by their shapes:
ResNet-50 at 64x64 is.
"""

from typing import Any, Dict

CHANGES = "training"
MENDS = True
SOURCE = "Apache MXNet, Environment Variables: NNVM_EXEC_MATCH_RANGE"


def refusal(case: Any) -> str:
    """Other backends, and GPUs, for which MXNet does not take MKL."""
    if case["backend"] != "mxnet":
        return "%s is not MXNet" % case["backend"]
    return "" if case["device"] == "cpu" else "MKL computes on CPUs"


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """How unequal values in one buffer may be; 0 keeps all apart."""
    return {"NNVM_EXEC_MATCH_RANGE": "0"}
