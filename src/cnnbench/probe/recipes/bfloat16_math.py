"""Let oneDNN multiply float32 in bfloat16: weights and activations stay in float32.

Convolutions and matrix products round their inputs to 8 bits. That is no float32 any more: it is
verified, and labelled, as bfloat16.
"""

from typing import Any, Dict

CHANGES = "training"
SOURCE = "oneDNN developer guide, Primitive Attributes: floating-point math mode"
ROUNDS_LIKE = "bfloat16"

BACKENDS = ("torch", "native", "tensorflow")


def refusal(case: Any) -> str:
    """Backends without oneDNN, and precisions that are reduced already."""
    if case["backend"] not in BACKENDS or case["stack"].startswith("keras2"):
        return "%s does not compute with oneDNN" % case["stack"]
    if case["device"] != "cpu":
        return "oneDNN computes on CPUs"
    return "" if case["precision"] == "float32" else "it is of float32"


def environment(case: Any) -> Dict[str, str]:  # noqa: ARG001
    """For oneDNN itself, and for TensorFlow, which sets the mode by a variable of its own."""
    return {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "TF_SET_ONEDNN_FPMATH_MODE": "BF16"}
