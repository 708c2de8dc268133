"""Data sets as files, and those that are made; the first half runs without NumPy."""

import importlib
import importlib.util
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).resolve().parents[2] / "src" / "cnnbench"
FOLDER = SOURCES / "probe" / "datasets"
STEMS = sorted(file.stem for file in FOLDER.glob("[!_]*.py"))
HAS_NUMPY = importlib.util.find_spec("numpy") is not None


def probe(name: str) -> Any:
    """A module of the guest, as it is called within its zip."""
    if str(SOURCES) not in sys.path:
        sys.path.append(str(SOURCES))
    return importlib.import_module("probe." + name)


class EveryDataSet(unittest.TestCase):
    def test_says_in_its_first_line_what_it_is(self) -> None:
        for stem in STEMS:
            with self.subTest(stem):
                first, _, rest = probe("datasets." + stem).__doc__.partition("\n")
                self.assertRegex(first, r"^.{20,}\.$")
                self.assertIn("Source: ", rest)
                self.assertIn("licence", rest.lower())

    def test_gives_its_shape_and_classes(self) -> None:
        for stem in STEMS:
            with self.subTest(stem):
                module = probe("datasets." + stem)
                self.assertEqual([type(side) for side in module.SHAPE], [int, int, int])
                self.assertEqual(module.SHAPE[2], 3)
                self.assertGreater(module.CLASSES, 1)
                self.assertTrue(callable(module.open_source))

    def test_that_is_read_says_what_must_be_there(self) -> None:
        for stem in STEMS:
            module = probe("datasets." + stem)
            if module.FOLDER is not None:
                with self.subTest(stem):
                    self.assertTrue(module.HOLDS)
                    self.assertTrue(all(held in module.LAYOUT for held in module.HOLDS))

    def test_imports_neither_numpy_nor_pillow_when_imported(self) -> None:
        program = f"import sys; sys.path.append({str(SOURCES)!r})\n"
        names = ", ".join("probe.datasets." + file.stem for file in FOLDER.glob("*.py"))
        program += f"import {names}\n"
        program += "sys.exit('numpy' in sys.modules or 'PIL' in sys.modules)"
        subprocess.run([sys.executable, "-I", "-B", "-c", program], check=True)


class Reason(unittest.TestCase):
    def test_leaves_out_the_path_of_a_system_error(self) -> None:
        error = FileNotFoundError(2, "No such file or directory", "/some/where")
        self.assertEqual(probe("faults").reason(error), "No such file or directory")

    def test_is_one_line_that_names_the_kind(self) -> None:
        reason = probe("faults").reason
        self.assertEqual(reason(ValueError("one\n  two")), "ValueError: one two")
        self.assertEqual(reason(EOFError()), "EOFError")


@unittest.skipUnless(HAS_NUMPY, "needs NumPy")
class MadeImages(unittest.TestCase):
    def test_of_a_seed_are_the_same_on_every_numpy(self) -> None:
        # Found once and kept: stacks with NumPy 1.13, 1.19, 1.23 and 2.4 agree on it.
        images, _ = probe("datasets.synthetic_256").open_source(None, 1).read([0, 1, 999])
        self.assertEqual(zlib.crc32(images.tobytes()), 3865691801)
        images, _ = probe("datasets.synthetic_32").open_source(None, 1).read(range(100))
        self.assertEqual(zlib.crc32(images.tobytes()), 3816877016)

    def test_differ_between_seeds_and_between_images_of_a_class(self) -> None:
        for name in ("synthetic_32", "synthetic_256"):
            module = probe("datasets." + name)
            one, _ = module.open_source(None, 1).read([0])
            other, _ = module.open_source(None, 2).read([0])
            self.assertTrue((one != other).any())
        images, labels = probe("datasets.synthetic_32").open_source(None, 1).read([0, 10])
        self.assertEqual(labels.tolist(), [0, 0])
        self.assertTrue((images[0] != images[1]).any())

    def test_have_the_shape_type_and_classes_that_are_declared(self) -> None:
        for name, count in (("synthetic_32", 10000), ("synthetic_256", 1000)):
            module = probe("datasets." + name)
            source = module.open_source(None, 3)
            images, labels = source.read([count - 1, 0, 7])
            self.assertEqual(len(source), count)
            self.assertEqual(source.facts()["images"], count)
            self.assertEqual(images.shape[1:], module.SHAPE)
            self.assertEqual((images.dtype, labels.dtype), ("uint8", "int64"))
            self.assertEqual(labels.tolist(), [module.CLASSES - 1, 0, 7])

    def test_tell_their_class_across_seeds(self) -> None:
        # By the nearest of the class means that another seed gave.
        module = probe("datasets.synthetic_32")
        images, labels = module.open_source(None, 1).read(range(2000))
        means = [images[labels == label].mean(axis=0) for label in range(10)]
        fresh, truth = module.open_source(None, 2).read(range(500))
        right = 0
        for image, label in zip(fresh, truth):  # noqa: B905
            distances = [((image - mean) ** 2).sum() for mean in means]
            right += distances.index(min(distances)) == label
        self.assertGreater(right, 450)

    def test_outside_the_set_cannot_be_read(self) -> None:
        for name in ("synthetic_32", "synthetic_256"):
            source = probe("datasets." + name).open_source(None, 1)
            with self.assertRaises(IndexError):
                source.read([len(source)])

    def test_accept_a_seed_of_any_size(self) -> None:
        self.assertEqual(len(probe("datasets.synthetic_256").open_source(None, 2**40 + 5)), 1000)


OWN = """
import numpy
SHAPE = (8, 6, 3)
CLASSES = 4
def arrays(count, seed):
    random = numpy.random.RandomState(seed)
    return random.randint(0, 256, (50, 8, 6, 3)).astype("uint8"), numpy.arange(50) % 4
"""


@unittest.skipUnless(HAS_NUMPY, "needs NumPy")
class OwnFile(unittest.TestCase):
    def open(self, text: str) -> Any:
        """The data set of a file with this text."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = Path(directory.name) / "mine_for_test.py"
        path.write_text(text)
        before = list(sys.path)
        try:
            return probe("datasets._own").open_path(str(path), 7)
        finally:
            sys.path[:] = before
            sys.modules.pop("mine_for_test", None)

    def refusal(self, text: str) -> str:
        """What is said of a file with this text."""
        with self.assertRaises(probe("faults").BadData) as caught:
            self.open(text)
        said = str(caught.exception)
        self.assertTrue(said.startswith("mine_for_test.py"), said)
        self.assertNotIn("\n", said)
        return said

    def test_may_give_fewer_images_than_asked_for(self) -> None:
        own = self.open(OWN)
        images, labels = own.source.read([49, 0])
        self.assertEqual((len(own.source), own.shape, own.classes), (50, (8, 6, 3), 4))
        self.assertEqual((images.shape, labels.dtype), ((2, 8, 6, 3), "int64"))
        self.assertEqual(labels.tolist(), [1, 0])
        self.assertEqual(own.source.facts()["from"], "mine_for_test.py")

    def test_that_is_not_python_is_refused(self) -> None:
        self.assertIn("SyntaxError", self.refusal("def"))

    def test_that_defines_too_little_is_told_what_is_missing(self) -> None:
        self.assertIn("does not define CLASSES, arrays", self.refusal("SHAPE = (1, 1, 3)"))

    def test_that_fails_is_told_why(self) -> None:
        text = OWN.replace("random =", "raise KeyError('no\\nluck')\n    random =")
        self.assertIn("arrays(10000, 7) failed: KeyError", self.refusal(text))

    def test_with_anything_else_in_it_is_refused(self) -> None:
        for old, new, said in (
            ("(8, 6, 3)\n", "(8, 6)\n", "SHAPE must be"),
            ("(8, 6, 3)\n", "(8, 0, 3)\n", "SHAPE must be"),
            ("CLASSES = 4", "CLASSES = 0", "CLASSES must be"),
            ('astype("uint8")', 'astype("float32")', "uint8, not float32"),
            ('astype("uint8")', 'astype("uint8").tolist()', "uint8, not list"),
            ("(50, 8, 6, 3)", "(50, 3, 8, 6)", "not (50, 3, 8, 6)"),
            ("(50, 8, 6, 3)", "(0, 8, 6, 3)", "not (0, 8, 6, 3)"),
            ("numpy.arange(50)", "numpy.arange(49)", "one whole-number label"),
            ("numpy.arange(50) % 4", "numpy.arange(50) / 50.0", "one whole-number label"),
            ("numpy.arange(50) % 4", "numpy.arange(50) % 5", "labels from 0 to 3"),
            ("numpy.arange(50) % 4", "numpy.arange(50) % 4 - 1", "labels from 0 to 3"),
        ):
            with self.subTest(new):
                self.assertIn(said, self.refusal(OWN.replace(old, new)))


if __name__ == "__main__":
    unittest.main()
