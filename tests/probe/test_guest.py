"""The guest without a framework: messages, windows, methods, models, and a whole life.

Runs on a bare Python 3.6: `python3.6 -m unittest test_guest`.
"""

import importlib
import importlib.util
import json
import os
import queue
import subprocess
import sys
import tempfile
import unittest
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

SOURCES = Path(__file__).resolve().parents[2] / "src" / "cnnbench"
HAS_NUMPY = importlib.util.find_spec("numpy") is not None
FOLDERS = ("backends", "datasets", "methods", "models")
# All that this process may use, so that its affinity stays as it is.
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
FOREIGN = ("numpy", "PIL", "scipy", "keras", "tensorflow", "jax", "torch", "mxnet")


def _package() -> str:
    """`cnnbench.probe` where the host is installed, else `probe`, as in the guest's zip."""
    try:
        importlib.import_module("cnnbench.probe")
    except ImportError:
        sys.path.append(str(SOURCES))
        return "probe"
    return "cnnbench.probe"


PACKAGE = _package()


def probe(name: str) -> Any:
    """A module of the guest."""
    return importlib.import_module(PACKAGE + "." + name)


def stems(folder: str) -> Any:
    """The names of the plug-ins of a kind."""
    return sorted(file.stem for file in (SOURCES / "probe" / folder).glob("[!_]*.py"))


wire = probe("wire")
CASE = {
    "stack": "null",
    "model": "simple-cnn",
    "dataset": "synthetic-32",
    "method": "train_on_batch",
    "data_format": "channels_last",
    "batch_size": 32,
    "precision": "float32",
    "device": "cpu",
    "augment": False,
    "threads": 0,
    "devices": 1,
}
MESSAGES = (
    wire.Boot(2, CASE, "null", 7, 2, None, "/own/model.py", None, "/proof", ordered=True),
    wire.Reference(2, "simple_cnn", 2),
    wire.Expect("/proof", [[1, 0], [2, 3]], ["fixed gamma"]),
    wire.Perturb("/proof", [[1, 0], [2, 3]], ["fixed gamma"], 2.0**-24, 7, 2, 20),
    wire.Edges("/proof", [[1, 0], [2, 3]], ["fixed gamma"], 2.0**-24, 7, 2, 12),
    wire.Described([["kernel", [3, 3, 3, 32]]], [32, 32, 3], 10, 8, 10**9, "adam", {"rate": 1e-3}),
    wire.Expected(0.5),
    wire.Learn("/proof", [[1, 0]], [], {"name": "adam", "inside": False}, 2.0**-18, 6, 7),
    wire.Learned([[2.5, 2.25], [2.5, 2.125]], 0.5),
    wire.Again("/proof", 8),
    wire.Gauge(4, 2, "cpu", ["float32", "bfloat16"]),
    wire.Gauged({"float32": {"matmul": 1e11}}, 1e10, {"bfloat16": "no such kernel"}),
    wire.Evaluate(),
    wire.Evaluated(2000, 1100, 0.5),
    wire.Measure(3),
    wire.Finish(),
    wire.Stage("import"),
    wire.Booted(1, {"backend": "null", "omp_num_threads": None}, 0.5),
    wire.Loaded({"images": 70, "from": "caf\u00e9 \u2014 \U0001f4f7"}, 0.25),
    wire.Built(1250858, 1e-9),
    wire.Compiled({"computes_in": "float32"}, 1e300),
    wire.Window(3, 70, 0.125, 12.5, 1e-6, None),
    wire.Window(3, 70, 0.125, 12.5, 1e-6, 2.5),
    wire.Finished({"peak_memory_bytes": 2**40}),
    wire.Failed("data", "error", "no\nimages", 'Traceback:\n  "\\"\t\x00\u2028'),
)
NO_MESSAGES = (
    "",
    "\n",
    "noise",
    "{",
    "[]",
    "null",
    "3",
    '"Finish"',
    "{}",
    '{"type": "Progress"}',
    '{"type": null}',
    '{"type": ["Finish"]}',
    '{"type": {}}',
    '{"type": "Measure"}',
    '{"type": "Measure", "steps": 3, "more": 1}',
    '{"type": "Measure", "steps": 3} x',
    '{"type": "_replace"}',
    "[" * 100000,
    '{"a":' * 100000,
)


class Messages(unittest.TestCase):
    def test_come_back_as_they_went(self) -> None:
        self.assertEqual({type(message).__name__ for message in MESSAGES}, set(wire.MESSAGES))
        for message in MESSAGES:
            with self.subTest(message):
                back = wire.decode(wire.encode(message) + "\n")
                self.assertEqual(back, message)
                self.assertIs(type(back), type(message))

    def test_are_one_line_of_ascii_each(self) -> None:
        for message in MESSAGES:
            line = wire.encode(message)
            self.assertEqual(len(line.splitlines()), 1)
            line.encode("ascii")
            self.assertEqual(json.loads(line)["type"], type(message).__name__)

    def test_are_all_that_is_understood(self) -> None:
        for line in NO_MESSAGES:
            with self.subTest(line[:60]), self.assertRaises(ValueError):
                wire.decode(line)


class Plugins(unittest.TestCase):
    def test_are_read_without_any_framework(self) -> None:
        names = [
            PACKAGE + "." + folder + "." + file.stem
            for folder in FOLDERS
            for file in sorted((SOURCES / "probe" / folder).glob("*.py"))
            if file.stem != "__init__"
        ]
        self.assertGreater(len(names), 20)
        program = "import importlib, sys\nsys.path.append({!r})\n".format(
            str(SOURCES if PACKAGE == "probe" else SOURCES.parent)
        )
        program += f"sys.modules.update(dict.fromkeys({FOREIGN!r}))\n"
        program += f"for name in {names!r}: importlib.import_module(name)\n"
        subprocess.run([sys.executable, "-I", "-B", "-c", program], check=True)

    def test_say_in_one_line_what_they_are(self) -> None:
        for folder in FOLDERS:
            for stem in stems(folder):
                with self.subTest(folder + "." + stem):
                    document = probe(folder + "." + stem).__doc__
                    first, _, rest = document.partition("\n")
                    self.assertTrue(first.rstrip().endswith((".", ",")) or rest, first)
                    self.assertGreater(len(first), 15)

    def test_have_what_their_kind_must_have(self) -> None:
        must_have = {
            "backends": (
                *("boot", "clock", "compiled", "convolutions", "facts", "fence"),
                *("replicate", "scope"),
            ),
            "methods": ("IN_MEMORY", "train"),
            "models": ("SMALLEST", "PARAMETERS", "build", "compile"),
        }
        for folder, names in must_have.items():
            described = probe(folder).__doc__
            for name in names:
                self.assertRegex(described, rf"(?m)^{name}\b")
                for stem in stems(folder):
                    with self.subTest(folder + "." + stem + "." + name):
                        self.assertTrue(hasattr(probe(folder + "." + stem), name))


class NullBackend(unittest.TestCase):
    def test_builds_every_model_with_its_known_parameters_in_both_data_formats(self) -> None:
        for stem in stems("models"):
            model_file = probe("models." + stem)
            self.assertTrue(model_file.PARAMETERS)
            for (shape, classes), count in model_file.PARAMETERS.items():
                for data_format in ("channels_last", "channels_first"):
                    with self.subTest(model=stem, shape=shape, data_format=data_format):
                        keras = null_keras(data_format)
                        first = data_format == "channels_first"
                        given = (shape[2], shape[0], shape[1]) if first else shape
                        model = model_file.build(keras, given, classes)
                        self.assertEqual(model.count_params(), count)
                        self.assertEqual(model.outputs[0].shape, (classes,))
                        model_file.compile(keras, model)
                        self.assertIsNotNone(model.optimizer)

    def test_builds_every_model_at_the_smallest_size_that_it_says_it_takes(self) -> None:
        for stem in stems("models"):
            with self.subTest(stem):
                model_file = probe("models." + stem)
                model = model_file.build(null_keras(), (*model_file.SMALLEST, 3), 5)
                self.assertEqual(model.outputs[0].shape, (5,))
                self.assertGreater(model.count_params(), 0)

    def test_counts_a_layer_that_two_branches_share_once(self) -> None:
        keras = null_keras()
        image = keras.layers.Input(shape=(8, 8, 3))
        x = keras.layers.Conv2D(4, (3, 3), padding="same")(image)
        y = keras.layers.add([x, keras.layers.Activation("relu")(x)])
        self.assertEqual(keras.models.Model(inputs=image, outputs=y).count_params(), 112)

    def test_takes_virtual_time_that_follows_from_the_seed(self) -> None:
        null = probe("backends.null")

        def seconds(seed: int) -> float:
            keras = null.boot(CASE, 1, seed)
            before = null.clock()
            keras.models.Model(inputs=None, outputs=tensor()).train_on_batch([0] * 100, [0] * 100)
            return float(null.clock() - before)

        self.assertAlmostEqual(seconds(1), seconds(1))
        self.assertNotAlmostEqual(seconds(1), seconds(2))
        self.assertAlmostEqual(seconds(3), 0.1, delta=0.02)


def null_keras(data_format: str = "channels_last", step: Any = None) -> Any:
    """A Keras of shapes only."""
    return probe("backends._null_keras").Keras(data_format, "float32", step or (lambda _: None))


def tensor() -> Any:
    return probe("backends._null_keras").Tensor((2,))


class Clock:
    """A clock that goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class WindowsAre(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.done = []  # type: Any
        self.sent = []  # type: Any
        self.requests = queue.Queue()  # type: Any

        def fence() -> None:
            self.done.append("fence")
            self.clock.now += 0.5

        self.windows = probe("windows").Windows(
            self.requests.get_nowait, self.sent.append, fence, self.clock
        )

    def test_timed_from_fence_to_fence_without_the_hosts_thinking(self) -> None:
        def slow_host() -> Any:
            self.clock.now += 1000
            return wire.Measure(4)

        self.windows._requests = slow_host
        self.assertEqual(self.windows.grant(), 4)
        self.clock.now += 2.0
        self.windows.done(4, 100, 1.5)

        self.assertEqual(
            self.sent,
            [wire.Window(4, 100, seconds=2.5, started=1000.5, fence=0.5, loss=1.5)],
        )

    def test_fenced_at_both_ends_before_the_clock_is_read(self) -> None:
        self.requests.put(wire.Measure(1))
        self.windows.grant()
        self.assertEqual(self.done, ["fence"])
        self.done.append("step")
        self.windows.done(1, 1, None)
        self.assertEqual(self.done[:3], ["fence", "step", "fence"])
        self.assertIsNone(self.sent[0].loss)

    def test_not_made_longer_by_measuring_the_fence(self) -> None:
        for _ in range(2):
            self.requests.put(wire.Measure(1))
            self.windows.grant()
            self.clock.now += 3.0
            self.windows.done(1, 1, None)
        self.assertEqual([window.seconds for window in self.sent], [3.5, 3.5])
        self.assertEqual(self.windows.count, 2)

    def test_evaluated_between_two_of_them_and_in_none(self) -> None:
        def evaluate() -> Any:
            self.clock.now += 60.0
            return wire.Evaluated(2000, 1100, 60.0)

        windows = probe("windows").Windows(
            self.requests.get_nowait, self.sent.append, lambda: None, self.clock, evaluate
        )
        for message in (wire.Measure(1), wire.Evaluate(), wire.Measure(1)):
            self.requests.put(message)
        for _ in range(2):
            windows.grant()
            self.clock.now += 3.0
            windows.done(1, 1, None)
        kinds = [type(message).__name__ for message in self.sent]
        self.assertEqual(kinds, ["Window", "Evaluated", "Window"])
        self.assertEqual([self.sent[0].seconds, self.sent[2].seconds], [3.0, 3.0])

    def test_over_when_the_host_says_finish(self) -> None:
        self.requests.put(wire.Finish())
        self.assertIsNone(self.windows.grant())
        self.assertEqual((self.sent, self.done), ([], []))

    def test_given_the_loss_as_a_plain_number(self) -> None:
        self.requests.put(wire.Measure(1))
        self.windows.grant()
        self.windows.done(1, 1, Fraction(1, 2))
        self.assertIs(type(self.sent[0].loss), float)


class Source:
    """As many images as asked for: whole numbers, whose labels are themselves."""

    def __init__(self, count: int) -> None:
        self.images = list(range(count))

    def __len__(self) -> int:
        return len(self.images)

    def facts(self) -> Any:
        return {"images": len(self), "from": "a list"}


class ListFeed:
    """What `feed.Feed` is to a method, over lists, so that it runs without NumPy."""

    def __init__(
        self, source: Source, classes: int, case: Any, seed: int, share: Any, *, stream: Any = None
    ) -> None:
        del classes, seed, share, stream
        self._images = source.images
        self.size = len(source)
        self.batch_size = self.global_batch = case["batch_size"] * case["devices"]
        self.augment = case["augment"]

    def keep_in_memory(self) -> None:
        pass

    def __len__(self) -> int:
        return len(range(0, self.size, self.batch_size))

    def arrays(self, count: int) -> Any:
        return self._images[:count], self._images[:count]

    def batch(self, position: int) -> Any:
        start = position % len(self) * self.batch_size
        part = self._images[start : start + self.batch_size]
        return part, part

    def images(self, position: int, steps: int) -> int:
        return sum(len(self.batch(i)[0]) for i in range(position, position + steps))


class Keras3Model:
    """A model without `fit_generator`, whose `fit` takes a data set of a known length."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.stop_training = False

    def fit(self, batches: Any, epochs: int, callbacks: Any, **_: Any) -> None:
        self.stop_training = False
        callbacks[0].set_model(self)
        for epoch in range(epochs):
            for index in range(len(batches)):
                self._model.train_on_batch(*batches[index])
            callbacks[0].on_epoch_end(epoch, {"loss": 0.5})
            if self.stop_training:
                return


class Training:
    """Trains by a method; keeps every window and the batches that the model saw in it."""

    def __init__(self, method: str, images: int = 70, *, keras3: bool = False) -> None:
        self._method = probe("methods." + method)
        self._now = 0.0
        self._batches = []  # type: Any
        self.seen = []  # type: Any
        self.windows = []  # type: Any
        keras = null_keras(step=self._step)
        model = keras.models.Model(inputs=None, outputs=tensor())
        if keras3:
            keras.utils.PyDataset = object
            model = Keras3Model(model)
        feed = ListFeed(Source(images), 10, CASE, 0, (0, 1))
        self._task = probe("session").Task(keras=keras, model=model, feed=feed)

    def _step(self, images: int) -> None:
        self._now += 1.0
        self._batches.append(images)

    def _send(self, window: Any) -> None:
        self.windows.append(window)
        self.seen.append(self._batches)
        self._batches = []

    def ask(self, *steps: int) -> "Training":
        """Ask for windows of so many steps, then for no more."""
        requests = iter([*map(wire.Measure, steps), wire.Finish()])
        kind = probe("windows").Windows
        windows = kind(lambda: next(requests), self._send, lambda: None, lambda: self._now)
        self._method.train(self._task, windows)
        return self


class Methods(unittest.TestCase):
    def check(self, training: Training) -> None:
        """That windows say what the model really saw, and that nothing is trained outside them."""
        for window, batches in zip(training.windows, training.seen):  # noqa: B905
            self.assertEqual(window.steps, len(batches))
            self.assertEqual(window.images, sum(batches))
            self.assertEqual(window.seconds, float(len(batches)))
            self.assertIsInstance(window.loss, float)
        self.assertEqual(training._batches, [])

    def test_train_on_batch_and_fit_generator_go_on_where_the_last_window_ended(self) -> None:
        for training in (
            Training("train_on_batch"),
            Training("fit_generator"),
            Training("fit_generator", keras3=True),
        ):
            with self.subTest(training._method.__name__):
                training.ask(1, 2, 3, 3, 4, 1)
                self.check(training)
                self.assertEqual(
                    training.seen,
                    [[32], [32, 6], [32, 32, 6], [32, 32, 6], [32, 32, 6, 32], [32]],
                )
                self.assertEqual([w.images for w in training.windows], [32, 38, 70, 70, 102, 32])

    def test_fit_makes_an_epoch_of_the_steps_asked_for(self) -> None:
        training = Training("fit").ask(1, 1, 2, 3, 3)
        self.check(training)
        self.assertEqual(training.seen, [[32], [32], [32, 32], [32, 32, 6], [32, 32, 6]])

    def test_fit_puts_whole_epochs_into_a_window_that_one_cannot_fill(self) -> None:
        training = Training("fit").ask(7, 7, 1, 4)
        self.check(training)
        self.assertEqual([w.steps for w in training.windows], [9, 9, 1, 6])
        self.assertEqual([w.images for w in training.windows], [210, 210, 32, 140])

    def test_count_exactly_when_the_batch_is_the_whole_set_or_divides_it(self) -> None:
        for method in ("fit", "train_on_batch", "fit_generator"):
            for images in (32, 64):
                training = Training(method, images).ask(1, 3, 3, 5)
                self.check(training)
                full = [w.images == 32 * w.steps for w in training.windows]
                self.assertEqual(full, [True] * 4, method)

    def test_do_nothing_when_no_window_is_wanted(self) -> None:
        for method in ("fit", "train_on_batch", "fit_generator"):
            self.assertEqual(Training(method).ask().windows, [])

    def test_begin_no_new_call_while_the_window_keeps_its_length(self) -> None:
        for method, name in (("fit", "fit"), ("fit_generator", "fit_generator")):
            training = Training(method)
            model = training._task.model
            with mock.patch.object(model, name, wraps=getattr(model, name)) as call:
                training.ask(2, 2, 2, 3, 3, 2)
            self.assertEqual(call.call_count, 3, method)
            self.check(training)

    def test_fit_refuses_to_augment_and_says_what_does(self) -> None:
        training = Training("fit")
        training._task.feed.augment = True
        with self.assertRaisesRegex(probe("faults").Unsupported, "train_on_batch"):
            training.ask(1)

    def test_that_look_on_train_as_fit_does(self) -> None:
        asked = (1, 1, 2, 3, 3, 7)
        seen = Training("fit").ask(*asked).seen
        for method in ("fit_batch_callback", "fit_progress_bar"):
            training = Training(method).ask(*asked)
            self.check(training)
            self.assertEqual(training.seen, seen, method)

    def test_fit_batch_callback_is_called_after_every_batch_by_whatever_name_keras_has(
        self,
    ) -> None:
        method = probe("methods.fit_batch_callback")
        hook = method.idle(null_keras())
        for name in ("on_train_batch_end", "on_batch_end"):
            self.assertIn(name, vars(type(hook)))
        training = Training("fit_batch_callback")
        hook.on_train_batch_end = mock.Mock()
        with mock.patch.object(method, "idle", return_value=hook):
            training.ask(1, 3, 3)
        self.assertEqual(hook.on_train_batch_end.call_count, 7)

    def test_fit_progress_bar_is_what_keras_calls_verbose(self) -> None:
        for method, verbose in (("fit", 0), ("fit_batch_callback", 0), ("fit_progress_bar", 1)):
            training = Training(method)
            model = training._task.model
            with mock.patch.object(model, "fit", wraps=model.fit) as call:
                training.ask(2)
            self.assertEqual(call.call_args[1]["verbose"], verbose, method)

    def test_fit_steps_per_execution_trains_by_eights(self) -> None:
        training = Training("fit_steps_per_execution", images=20 * 32)
        training.ask(1, 8, 9, 30)
        self.check(training)
        self.assertEqual([window.steps for window in training.windows], [8, 8, 16, 32])
        self.assertEqual(training._task.model.steps_per_execution, 8)

    def test_fit_steps_per_execution_is_unsupported_where_it_would_not_be_used(self) -> None:
        short = Training("fit_steps_per_execution", images=70)
        old = Training("fit_steps_per_execution", images=640)
        del old._task.model.steps_per_execution
        torch = Training("fit_steps_per_execution", images=640)
        torch._task.keras.backend.backend = lambda: "torch"
        for training, words in ((short, "pass of 3 batches"), (old, "has no"), (torch, "on torch")):
            with self.assertRaisesRegex(probe("faults").Unsupported, words):
                training.ask(1)


MODEL = """
def build(keras, shape, classes):
    image = keras.layers.Input(shape=shape)
    x = keras.layers.Flatten()(image)
    x = keras.layers.Dense(classes, activation="softmax")(x)
    return keras.models.Model(inputs=image, outputs=x)
"""
DATASET = """
import numpy
SHAPE = (4, 4, 3)
CLASSES = 2
def arrays(count, seed):
    return numpy.zeros((70,) + SHAPE, "uint8"), numpy.arange(70) % 2
"""


class Life(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name)
        before = list(sys.path)
        self.addCleanup(lambda: sys.path.__setitem__(slice(None), before))
        self.addCleanup(sys.modules.pop, "own_model", None)
        self.addCleanup(sys.modules.pop, "own_data", None)

    def live(self, *steps: int, model: str = MODEL, **changes: Any) -> Any:
        """What a guest says that is booted, asked for windows and told to finish."""
        path = self.folder / "own_model.py"
        path.write_text(model)
        order = wire.Boot(
            version=wire.VERSION,
            case=dict(CASE, **{key: changes.pop(key) for key in list(changes) if key in CASE}),
            backend="null",
            seed=3,
            threads=changes.pop("cpus", CPUS),
            data=None,
            model_file=str(path),
            dataset_file=None,
            proof=None,
            ordered=False,
        )
        requests = queue.Queue()  # type: Any
        for message in (order._replace(**changes), *map(wire.Measure, steps), wire.Finish()):
            requests.put(message)
        said = []  # type: Any
        probe("session").run(requests.get_nowait, said.append)
        return [wire.decode(wire.encode(message)) for message in said]

    def without_numpy(self, *steps: int, **changes: Any) -> Any:
        """The same on 70 images of a list."""
        supply = probe("supply")
        found = supply.Dataset(Source(70), (4, 4, 3), 2)
        with mock.patch.multiple(supply, Feed=ListFeed, dataset=lambda _: found):
            return self.live(*steps, **changes)

    def failure(self, **changes: Any) -> Any:
        """The last message, which tells a failure in one line."""
        last = self.without_numpy(1, **changes)[-1]
        self.assertIsInstance(last, wire.Failed)
        self.assertEqual(len(last.message.splitlines()), 1)
        self.assertIn("Traceback", last.traceback)
        return last

    def test_tells_each_stage_and_what_came_of_it(self) -> None:
        said = self.without_numpy(1, 3)
        stages = [message.name for message in said if isinstance(message, wire.Stage)]
        self.assertEqual(stages, ["import", "data", "build", "compile", "training"])
        self.assertEqual(
            [type(message).__name__ for message in said if not isinstance(message, wire.Stage)],
            ["Booted", "Loaded", "Built", "Compiled", "Window", "Window", "Finished"],
        )
        booted, loaded, built = said[1], said[3], said[5]
        self.assertEqual(booted.version, wire.VERSION)
        self.assertEqual((booted.facts["backend"], booted.facts["device"]), ("null", "cpu"))
        self.assertEqual(loaded.facts, {"images": 70, "from": "a list", "images_in_a_pass": 70})
        self.assertEqual(built.parameters, 98)
        self.assertGreater(said[-1].facts["peak_memory_bytes"], 1 << 20)

    def test_measures_windows_with_exact_image_counts_by_every_method(self) -> None:
        for method, images in (
            ("train_on_batch", [32, 70, 38]),
            ("fit_generator", [32, 70, 38]),
            ("fit", [32, 70, 64]),
        ):
            with self.subTest(method):
                said = self.without_numpy(1, 3, 2, method=method)
                windows = [message for message in said if isinstance(message, wire.Window)]
                self.assertEqual([window.images for window in windows], images)
                self.assertEqual([window.steps for window in windows], [1, 3, 2])
                self.assertTrue(all(window.seconds > 0 for window in windows))

    @unittest.skipUnless(HAS_NUMPY, "needs NumPy")
    def test_trains_the_users_model_on_the_users_data(self) -> None:
        path = self.folder / "own_data.py"
        path.write_text(DATASET)
        for data_format in ("channels_last", "channels_first"):
            said = self.live(3, 4, dataset_file=str(path), data_format=data_format)
            self.assertIsInstance(said[-1], wire.Finished, said[-1])
            windows = [message for message in said if isinstance(message, wire.Window)]
            self.assertEqual([window.images for window in windows], [70, 102])
            self.assertEqual(said[3].facts["from"], "own_data.py")

    def test_compiles_by_the_model_files_own_words_if_it_has_some(self) -> None:
        text = MODEL + "\ndef compile(keras, model):\n    raise ValueError('mine')\n"
        failed = self.failure(model=text)
        self.assertEqual(failed[:3], ("compile", "error", "ValueError: mine"))

    def test_that_raises_in_a_model_fails_in_build(self) -> None:
        text = "def build(keras, shape, classes):\n    raise KeyError('boom\\nmore')\n"
        failed = self.failure(model=text)
        self.assertEqual(failed[:2], ("build", "error"))
        self.assertIn("KeyError: ", failed.message)
        self.assertIn("own_model.py", failed.traceback)

    def test_with_a_file_that_makes_no_model_fails_in_build(self) -> None:
        for text, said in (
            ("def", "^SyntaxError: "),
            ("x = 1", "^the model's file defines no build"),
            ("def build(*_):\n    return 3\n", "gave 3, not a Keras model$"),
        ):
            with self.subTest(text):
                failed = self.failure(model=text)
                self.assertEqual(failed[:2], ("build", "error"))
                self.assertRegex(failed.message, said)

    def test_that_raises_in_a_step_fails_in_training(self) -> None:
        text = MODEL.replace("return ", "model = ") + (
            "    def boom(x, y):\n"
            "        raise MemoryError\n"
            "    model.train_on_batch = boom\n"
            "    return model\n"
        )
        self.assertEqual(self.failure(model=text)[:3], ("training", "error", "MemoryError"))

    def test_says_unsupported_for_what_a_framework_cannot_do(self) -> None:
        for raised in (
            "NotImplementedError",
            "NotImplementedError('no such kernel')",
            "RuntimeError('UNIMPLEMENTED: convolution')",
            "ValueError('Conv2D only supports NHWC on the CPU')",
            "RuntimeError('float16 is not supported')",
        ):
            with self.subTest(raised):
                text = "def build(*_):\n    raise %s\n" % raised  # noqa: UP031
                self.assertEqual(self.failure(model=text)[:2], ("build", "unsupported"))

    def test_says_what_is_wrong_where_tensorflow_says_first_where(self) -> None:
        where = "Graph execution error:\n\nDetected at node a, defined at (last call last):\n"
        calls = '  File "model.py", line 6, in build\n\n<stack traces unavailable>\n'
        what = "Conv2D only supports NHWC.\n\t [[{{node a/Conv2D}}]]"
        for raised, said in (
            (where + calls + what, "Conv2D only supports NHWC."),
            (where, "Graph execution error:"),
            ("  My file lacks:\nimages", "My file lacks:"),
        ):
            with self.subTest(said):
                text = f"def build(*_):\n    raise RuntimeError({raised!r})\n"
                self.assertEqual(self.failure(model=text).message, "RuntimeError: " + said)

    def test_says_error_for_a_slip_in_the_users_code(self) -> None:
        for slip in ("1 + 'x'", "None > 1", "missing", "1 / 0"):
            with self.subTest(slip):
                text = "def build(*_):\n    return %s\n" % slip  # noqa: UP031
                self.assertEqual(self.failure(model=text)[:2], ("build", "error"))

    def test_is_unsupported_if_the_framework_runs_otherwise_than_asked(self) -> None:
        failed = self.failure(device="gpu")
        self.assertEqual(
            failed[:3],
            ("import", "unsupported", "asked for device gpu, the framework runs cpu"),
        )
        failed = self.failure(method="fit", augment=True)
        self.assertEqual(failed[:2], ("training", "unsupported"))

    @unittest.skipUnless(hasattr(os, "sched_setaffinity"), "needs CPU affinity")
    def test_is_unsupported_on_more_cpus_than_there_are(self) -> None:
        failed = self.failure(cpus=CPUS + 1)
        self.assertEqual(failed[:2], ("import", "unsupported"))
        self.assertIn("asked for threads", failed.message)

    def test_fails_in_data_if_a_batch_is_larger_than_the_set(self) -> None:
        failed = self.failure(batch_size=71)
        self.assertEqual(failed[:2], ("data", "error"))
        self.assertRegex(
            failed.message, "^a batch of 71 .* 70 images; take a smaller --batch-size$"
        )
        failed = self.failure(batch_size=36, devices=2)
        self.assertRegex(failed.message, "^a batch of 72 .* --batch-size or --global-batch$")
        self.assertIsInstance(self.without_numpy(1, batch_size=70)[-1], wire.Finished)

    def test_trains_on_several_devices_in_a_fraction_of_the_time(self) -> None:
        seconds = []
        for devices in (1, 4):
            said = self.without_numpy(3, devices=devices, batch_size=16 // devices)
            facts = next(m.facts for m in said if isinstance(m, wire.Compiled))
            self.assertEqual(facts["devices"], devices)
            window = next(message for message in said if isinstance(message, wire.Window))
            self.assertEqual(window.images, 48)
            seconds.append(window.seconds)
        self.assertAlmostEqual(seconds[0] / seconds[1], 4, delta=0.01)

    def test_is_unsupported_if_the_framework_trains_on_fewer_devices_than_asked(self) -> None:
        null = probe("backends.null")
        fewer = lambda keras, _: {"computes_in": keras.backend.floatx(), "devices": 1}  # noqa: E731
        with mock.patch.object(null, "compiled", fewer):
            failed = self.failure(devices=2)
        self.assertEqual(
            failed[:3],
            ("compile", "unsupported", "asked for devices 2, the framework runs 1"),
        )

    def test_fails_in_data_if_the_data_are_bad(self) -> None:
        said = self.live(1, dataset_file=str(self.folder / "absent.py"))
        self.assertEqual(said[-1][:2], ("data", "error"))
        self.assertTrue(said[-1].message.startswith("absent.py cannot be loaded"), said[-1])

    def test_fails_in_build_if_the_model_has_not_its_known_parameters(self) -> None:
        known = "\nPARAMETERS = {((4, 4, 3), 2): %d}\n"
        self.assertIsInstance(self.without_numpy(1, model=MODEL + known % 98)[-1], wire.Finished)
        failed = self.failure(model=MODEL + known % 99)
        self.assertEqual(failed[:2], ("build", "error"))
        self.assertIn("98 parameters here, not 99", failed.message)

    def test_refuses_a_host_of_another_protocol(self) -> None:
        failed = self.failure(version=wire.VERSION + 1)
        self.assertEqual(failed[:2], ("boot", "error"))
        said = f"host speaks {wire.VERSION + 1}, guest {wire.VERSION}"
        self.assertIn(said, failed.message)

    def test_fails_at_once_without_its_backend_or_method(self) -> None:
        self.assertEqual(self.failure(backend="absent").stage, "boot")
        self.assertEqual(self.failure(method="absent").stage, "boot")


if __name__ == "__main__":
    unittest.main()
