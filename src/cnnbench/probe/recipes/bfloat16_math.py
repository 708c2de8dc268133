"""Let oneDNN multiply float32 in bfloat16: weights and activations stay in float32.

Convolutions and matrix products round their inputs to 8 bits. That is no float32 any more: it is
verified, and labelled, as bfloat16.
"""

import os
from typing import Any, Dict

CHANGES = "training"
SOURCE = "oneDNN developer guide, Primitive Attributes: floating-point math mode"
ROUNDS_LIKE = "bfloat16"

BACKENDS = ("torch", "native", "tensorflow")

CPUS = "/proc/cpuinfo"
INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "bf16"}


def refusal(case: Any) -> str:
    """Backends without oneDNN, reduced precisions, and CPUs on which oneDNN would do nothing."""
    if case["backend"] not in BACKENDS or case["stack"].startswith("keras2"):
        return "%s does not compute with oneDNN" % case["stack"]
    if case["device"] != "cpu":
        return "oneDNN computes on CPUs"
    if case["precision"] != "float32":
        return "it is of float32"
    return _without_instructions()


def _without_instructions() -> str:
    """That the CPU cannot multiply in bfloat16; nothing where it can, or does not say."""
    if not os.path.exists(CPUS):
        return ""
    with open(CPUS) as told:
        is_known = any(not INSTRUCTIONS.isdisjoint(line.split()) for line in told)
    return "" if is_known else "this CPU does not multiply in bfloat16"


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """For oneDNN itself, and for TensorFlow, which sets the mode by a variable of its own."""
    return {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "TF_SET_ONEDNN_FPMATH_MODE": "BF16"}
