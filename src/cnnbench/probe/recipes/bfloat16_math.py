"""Let oneDNN multiply float32 in bfloat16: weights and activations stay in float32.

Convolutions and matrix products round their inputs to 8 bits. That is no float32 any more: it is
verified, and labelled, as bfloat16.
"""

from typing import Any, Dict

from . import _onednn

CHANGES = "training"
SOURCE = "oneDNN developer guide, Primitive Attributes: floating-point math mode"
ROUNDS_LIKE = "bfloat16"

INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "bf16"}


def refusal(case: Any) -> str:
    """Backends without oneDNN, reduced precisions, and CPUs on which oneDNN would do nothing."""
    why = _onednn.refusal(case)
    if why or case["precision"] != "float32":
        return why or "it is of float32"
    known = _onednn.instructions()
    if known and INSTRUCTIONS.isdisjoint(known):
        return "this CPU does not multiply in bfloat16"
    return ""


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """For oneDNN itself, and for TensorFlow, which sets the mode by a variable of its own."""
    return {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "TF_SET_ONEDNN_FPMATH_MODE": "BF16"}
