"""How each backend is told to multiply float32 on a GPU, and what it says. Faked frameworks."""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench.probe.backends import _keras3

if TYPE_CHECKING:
    from collections.abc import Callable

POLICY = SimpleNamespace(name="float32")


def keras() -> Any:
    names = ("set_image_data_format", "set_dtype_policy")
    config = {name: lambda _: None for name in names}
    return SimpleNamespace(
        __version__="3.15.1",
        utils=SimpleNamespace(set_random_seed=lambda _: None),
        config=SimpleNamespace(
            dtype_policy=lambda: POLICY, image_data_format=lambda: "channels_last", **config
        ),
        backend=SimpleNamespace(backend=lambda: "x"),
        ops=SimpleNamespace(
            zeros=lambda _: SimpleNamespace(device=SimpleNamespace(type="cuda", index=0))
        ),
    )


def torch() -> Any:
    """As PyTorch starts: convolutions in TF32, products of matrices not."""
    return SimpleNamespace(
        __version__="2.13.0",
        set_num_threads=lambda _: None,
        get_num_threads=lambda: 1,
        cuda=SimpleNamespace(is_available=lambda: True, device_count=lambda: 1),
        backends=SimpleNamespace(
            cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False)),
            cudnn=SimpleNamespace(allow_tf32=True),
        ),
        distributed=SimpleNamespace(is_available=lambda: False),
    )


def tensorflow() -> Any:
    """As TensorFlow starts: everything in TF32."""
    held = {"tf32": True}
    one = [SimpleNamespace(device_type="GPU", name="/device:GPU:0")]
    return SimpleNamespace(
        __version__="2.21.0",
        config=SimpleNamespace(
            threading=SimpleNamespace(
                set_intra_op_parallelism_threads=lambda _: None,
                set_inter_op_parallelism_threads=lambda _: None,
            ),
            experimental=SimpleNamespace(
                enable_tensor_float_32_execution=lambda on: held.update(tf32=on),
                tensor_float_32_execution_enabled=lambda: held["tf32"],
            ),
            list_logical_devices=lambda *_: one,
            list_physical_devices=lambda *_: one,
        ),
        distribute=SimpleNamespace(has_strategy=lambda: False),
    )


def jax() -> Any:
    """As JAX starts: XLA decides, and takes TF32 where it can."""
    config = SimpleNamespace(jax_default_matmul_precision=None)
    config.update = lambda name, value: setattr(config, name, value)
    return SimpleNamespace(
        __version__="0.10.2",
        config=config,
        default_backend=lambda: "gpu",
        devices=lambda *_: [SimpleNamespace(platform="gpu")],
        local_device_count=lambda: 1,
    )


FRAMEWORKS: dict[str, Callable[[], Any]] = {"torch": torch, "tensorflow": tensorflow, "jax": jax}


def said(name: str, precision: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(sys.modules, name, FRAMEWORKS[name]())
    monkeypatch.setitem(sys.modules, "keras", keras())
    backend = importlib.import_module(f"cnnbench.probe.backends.{name}")
    case = {
        "device": "gpu",
        "devices": 1,
        "precision": precision,
        "data_format": "channels_last",
        "batch_size": 32,
    }
    started = backend.boot(case, 1, 7)
    told: str = backend.facts(started)["precision"]
    return told


@pytest.mark.parametrize("name", FRAMEWORKS)
@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_float32_on_a_gpu_is_float32_and_tf32_is_what_asks_for_it(
    name: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(name, precision, monkeypatch) == precision


@pytest.mark.parametrize(
    ("device", "precision", "wanted"),
    [
        ("gpu", "float32", False),
        ("gpu", "tf32", True),
        ("gpu", "bfloat16", None),
        ("cpu", "float32", None),
    ],
)
def test_only_float32_of_a_gpu_is_switched(
    device: str,
    precision: str,
    wanted: bool | None,  # noqa: FBT001
) -> None:
    assert _keras3.is_tf32({"device": device, "precision": precision}) is wanted


def test_what_is_computed_in_half_the_bits_is_not_called_tf32() -> None:
    layers = [SimpleNamespace(compute_dtype="bfloat16", weights=[1])]
    model = SimpleNamespace(layers=layers, jit_compile=True)
    assert _keras3.compiled(model, "xla", "tf32")["computes_in"] == "bfloat16"
    layers[0].compute_dtype = "float32"
    assert _keras3.compiled(model, "xla", "tf32")["computes_in"] == "tf32"
