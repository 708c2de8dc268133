"""Several devices train as one: on virtual CPU devices, by every stack's own means, for real."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache as once
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from cnnbench.case import Case
from cnnbench.envs import cache, stack
from cnnbench.link import bundle, environment
from cnnbench.link.conversation import Conversation
from cnnbench.link.process import Process
from cnnbench.probe import wire

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.stacks, pytest.mark.usefixtures("all_cores")]

STACKS = [name for name in stack.names() if stack.load(name).devices == ("cpu",) and name != "null"]
PLAIN_PYTORCH = "native-torch"
REFUSING = [name for name in STACKS if "tensorflow1." in name]
SHARING = [name for name in STACKS if name not in (*REFUSING, PLAIN_PYTORCH)]
METHODS = ("train_on_batch", "fit", "fit_generator")
DEVICES, BATCH = 2, 16
WINDOWS = 4
PATIENCE = 300.0

# tanh has no kink at which rounding could decide what is learnt.
COMPILE = """
def compile(keras, model):
    rate = "lr" if keras.__version__.startswith("2.") else "learning_rate"
    optimizer = keras.optimizers.SGD(**{rate: 0.05})
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
"""
PLAIN = (
    COMPILE
    + """
def build(keras, shape, classes):
    image = keras.layers.Input(shape=shape)
    x = keras.layers.Conv2D(8, (3, 3), activation="tanh")(image)
    x = keras.layers.Conv2D(8, (3, 3), strides=(2, 2), activation="tanh")(x)
    x = keras.layers.Flatten()(x)
    return keras.models.Model(image, keras.layers.Dense(classes, activation="softmax")(x))
"""
)
NORMALISED = (
    COMPILE
    + """
def build(keras, shape, classes):
    x = image = keras.layers.Input(shape=shape)
    for strides in ((1, 1), (2, 2)):
        x = keras.layers.Conv2D(8, (3, 3), strides=strides)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Activation("tanh")(x)
    x = keras.layers.Flatten()(x)
    return keras.models.Model(image, keras.layers.Dense(classes, activation="softmax")(x))
"""
)
# One device: the same layers see each part of the batch by itself, and so take its statistics. The
# loss is the mean of the parts' losses; its gradient is the mean of theirs.
IN_PARTS = (
    NORMALISED.replace("def build", "def build_whole")
    + f"""
def build(keras, shape, classes):
    whole = build_whole(keras, shape, classes)
    image = keras.layers.Input(batch_shape=({DEVICES * BATCH},) + tuple(shape))
    known = dict(output_shape=shape) if keras.__version__.startswith("2.") else dict()
    parts = [
        keras.layers.Lambda(lambda x, start=start: x[start : start + {BATCH}], **known)(image)
        for start in range(0, {DEVICES * BATCH}, {BATCH})
    ]
    together = keras.layers.Concatenate(axis=0)([whole(part) for part in parts])
    return keras.models.Model(image, together)
"""
)
# Ranks shuffle each its own part in `fit`: which images are in a part stays as it was.
IN_PARTS_IN_ORDER = (
    IN_PARTS.replace("def compile", "def compile_plain")
    + """
def compile(keras, model):
    compile_plain(keras, model)
    fit = model.fit
    model.fit = lambda *args, **options: fit(*args, **dict(options, shuffle=False))
"""
)
# JAX computes as if one device did: only where its arrays lie shows that the work is shared.
LOOKED_AT = (
    NORMALISED.replace("def compile", "def compile_plain")
    + f"""
def compile(keras, model):
    compile_plain(keras, model)
    make = model.make_train_function
    def make_and_look(force=False):
        if model.train_function is None or force:
            make(force)
            step = model.train_function
            def look_and_step(state, batches):
                batch = next(batches)
                for array in batch[:2]:
                    parts = [(part.device.id, len(part.data)) for part in array.addressable_shards]
                    assert parts == [(i, {BATCH}) for i in range({DEVICES})], parts
                return step(state, iter([batch]))
            model.train_function = look_and_step
    model.make_train_function = make_and_look
"""
)


class Seen(NamedTuple):
    """What a guest said: facts, the windows, and a failure if there was one."""

    facts: dict[str, Any]
    windows: list[Any]
    failed: Any


@pytest.fixture
def train(tmp_path: Path) -> Any:
    """Trains a model's text for windows of one step, in a real guest of a stack."""

    def run(name: str, text: str, devices: int, method: str = METHODS[0]) -> Seen:
        stacked = stack.load(name)
        if reason := cache.unsupported(stacked):
            pytest.skip(reason)
        folder = tmp_path / f"launch{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        model = folder / "own_model.py"
        model.write_text(text)
        # As many CPUs as devices, so that each device of several has one, as the only one has.
        order = boot(name, model, devices, method)
        variables = environment.variables(
            home=folder,
            backend=stacked.backend,
            device="cpu",
            threads=order.threads,
            stack=stacked.variables,
        )
        command = [str(python(name)), "-I", "-B", str(bundle.build(folder))]
        with Process(command, variables, folder, folder / "log") as process:
            return converse(Conversation(process, PATIENCE), order)

    return run


@once
def python(name: str) -> Path:
    return cache.build(stack.load(name), lambda _: None)


def boot(name: str, model: Path, devices: int, method: str) -> wire.Boot:
    case = Case(
        stack=name,
        model="own",
        dataset="synthetic-32",
        method=method,
        batch_size=DEVICES * BATCH // devices,
        devices=devices,
    )
    return wire.Boot(
        version=wire.VERSION,
        case=asdict(case),
        backend=stack.load(name).backend,
        seed=1,
        threads=devices,
        data=None,
        model_file=str(model),
        dataset_file=None,
        proof=None,
        ordered=False,
    )


def converse(conversation: Conversation, order: wire.Boot) -> Seen:
    seen = Seen({}, [], None)
    asked = [(wire.Measure(1), wire.Window)] * WINDOWS
    for request, answer in [(order, wire.Compiled), *asked, (wire.Finish(), wire.Finished)]:
        conversation.tell(request)
        for message in conversation.until(answer):
            if isinstance(message, wire.Failed):
                return seen._replace(failed=message)
            if isinstance(message, wire.Window):
                seen.windows.append(message)
            seen.facts.update(getattr(message, "facts", {}))
    return seen


def losses(seen: Seen) -> list[float]:
    assert seen.failed is None, seen.failed.traceback or seen.failed.message
    assert [window.images for window in seen.windows] == [DEVICES * BATCH] * WINDOWS
    found = [window.loss for window in seen.windows]
    assert len(set(found)) == WINDOWS  # it learns something
    return found


@pytest.mark.parametrize("name", SHARING)
def test_devices_lose_together_what_one_loses_on_the_global_batch(name: str, train: Any) -> None:
    one, several = train(name, PLAIN, 1), train(name, PLAIN, DEVICES)

    assert losses(several) == pytest.approx(losses(one), rel=1e-5)
    assert (one.facts["devices"], several.facts["devices"]) == (1, DEVICES)
    assert several.facts["convolutions_in"] == one.facts["convolutions_in"]
    assert several.facts["images_in_a_pass"] == 10000 // (DEVICES * BATCH) * DEVICES * BATCH


@pytest.mark.parametrize(
    ("name", "method"),
    [
        *(("keras3-torch", method) for method in METHODS),
        *((name, METHODS[0]) for name in SHARING if name not in {"keras3-torch", "keras3-jax"}),
        ("keras3-tensorflow", "fit"),
        ("keras2.1.6-mxnet1.1.0", "fit_generator"),
    ],
)
def test_each_device_normalises_its_own_part_of_a_batch(name: str, method: str, train: Any) -> None:
    by_ranks = name == "keras3-torch"

    several = train(name, NORMALISED, DEVICES, method)
    one = train(name, IN_PARTS_IN_ORDER if by_ranks else IN_PARTS, 1, method)

    assert losses(several) == pytest.approx(losses(one), rel=1e-5)


@pytest.mark.parametrize("method", METHODS[:2])
def test_jax_shares_the_batch_and_normalises_all_of_it(method: str, train: Any) -> None:
    several = train("keras3-jax", LOOKED_AT, DEVICES, method)

    assert losses(several) == pytest.approx(
        losses(train("keras3-jax", NORMALISED, 1, method)), rel=1e-5
    )


@pytest.mark.parametrize("name", ["keras3-tensorflow"])
def test_the_parts_are_told_from_the_whole(name: str, train: Any) -> None:
    whole, parts = (losses(train(name, text, 1)) for text in (NORMALISED, IN_PARTS))

    assert whole != pytest.approx(parts, rel=1e-3)


@pytest.mark.parametrize("name", REFUSING)
def test_tensorflow_1_refuses_without_gpus_in_its_own_words(name: str, train: Any) -> None:
    seen = train(name, PLAIN, DEVICES)

    assert (seen.failed.stage, seen.failed.kind) == ("build", "unsupported")
    assert seen.failed.message == (
        "To call `multi_gpu_model` with `gpus=2`, we expect the following devices to be available: "
        "['/cpu:0', '/gpu:0', '/gpu:1']. However this machine only has: ['/cpu:0']. "
        "Try reducing `gpus`."
    )


DIES = "os.environ.get('CNNBENCH_RANK') == '1' and os.kill(os.getpid(), 9)"


@pytest.mark.parametrize(
    ("stage", "place"), [("build", "return keras.models"), ("training", "    model.compile")]
)
def test_a_torch_rank_that_dies_ends_the_launch(stage: str, place: str, train: Any) -> None:
    if stage == "build":
        text = "import os\n" + PLAIN.replace(place, f"{DIES}\n    {place}")
    else:
        text = f"import os\n{PLAIN}".replace("def compile", "def compile_plain") + (
            "\ndef compile(keras, model):\n"
            "    compile_plain(keras, model)\n"
            "    whole = model.train_on_batch\n"
            f"    model.train_on_batch = lambda x, y: ({DIES}, whole(x, y))[1]\n"
        )

    seen = train("keras3-torch", text, DEVICES)

    assert seen.failed.message == "the process of device 1 was killed by signal 9"
    assert seen.failed.stage == stage
