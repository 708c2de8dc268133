"""Keep oneDNN from computing in float16: frameworks widen to float32 by themselves.

Where a CPU multiplies in float16, but not matrices, oneDNN takes convolutions whose gradients it
then computes in plain loops, one product at a time.
"""

from typing import Any, Dict

from . import _onednn

CHANGES = "rounding"
SOURCE = "oneDNN developer guide, CPU Dispatcher Control; TensorFlow, TF_ENABLE_ONEDNN_OPTS"


def refusal(case: Any) -> str:
    """Backends without oneDNN, other precisions, and CPUs where oneDNN is fast or stays out."""
    why = _onednn.refusal(case)
    if why or case["precision"] != "float16":
        return why or "it is of float16"
    if case["backend"] == "native":
        return "plain PyTorch has no float16 here"
    known = _onednn.instructions()
    if "avx512_fp16" not in known or "amx_fp16" in known:
        return "on this CPU oneDNN has no slow float16"
    if case["backend"] == "tensorflow" and case["data_format"] == "channels_first":
        return "without oneDNN, TensorFlow trains convolutions with channels last only"
    return ""


def environment(case: Any) -> Dict[str, str]:
    """TensorFlow does not ask oneDNN what it may, so that it has to do without."""
    if case["backend"] == "tensorflow":
        return {"TF_ENABLE_ONEDNN_OPTS": "0"}
    return {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}
