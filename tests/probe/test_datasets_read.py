"""CIFAR-10 and class folders: what is read, and how broken and hostile files are refused."""

import importlib
import importlib.util
import io
import pickle
import struct
import sys
import tarfile
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

SOURCES = Path(__file__).resolve().parents[2] / "src" / "cnnbench"
HAS_STACK = all(importlib.util.find_spec(name) is not None for name in ("numpy", "PIL"))
BATCH = "cifar-10-batches-py/data_batch_"
TEST_BATCH = "cifar-10-batches-py/test_batch"
PIXELS = 3072


def probe(name: str) -> Any:
    """A module of the guest, as it is called within its zip."""
    if str(SOURCES) not in sys.path:
        sys.path.append(str(SOURCES))
    return importlib.import_module("probe." + name)


def published(pixels: bytes, labels: "list[int]") -> bytes:
    """A batch as the publisher's Python 2 and NumPy 1.6 pickled it, of at most 255 images."""
    count = struct.pack("B", len(labels))
    return b"".join(
        [
            b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n",
            b"K\x00\x85U\x01b\x87R(K\x01K" + count + b"M\x00\x0c\x86cnumpy\ndtype\n",
            b"U\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
            b"T" + struct.pack("<i", len(pixels)) + pixels + b"tbU\x06labels](",
            b"".join(b"K" + struct.pack("B", label) for label in labels) + b"eu.",
        ]
    )


def batches() -> "dict[str, bytes]":
    """Five batches of two images, each of one grey, and labels 0 to 9 in order."""
    return {
        BATCH + str(i + 1): published(
            bytes([20 * i]) * PIXELS + bytes([20 * i + 10]) * PIXELS, [2 * i, 2 * i + 1]
        )
        for i in range(5)
    }


class WithFolder(unittest.TestCase):
    """A test that has a folder of its own."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name) / "data"
        self.folder.mkdir()

    def refusal(self, act: Any) -> str:
        """What the BadData says that this raises: one line, without the folder's path."""
        with self.assertRaises(probe("faults").BadData) as caught:
            act()
        said = str(caught.exception)
        self.assertNotIn("\n", said)
        self.assertNotIn(str(self.folder.parent), said)
        return said


@unittest.skipUnless(HAS_STACK, "needs NumPy and Pillow")
class Cifar(WithFolder):
    def unpacked(self, files: "dict[str, bytes]") -> None:
        (self.folder / "cifar-10-batches-py").mkdir(exist_ok=True)
        for name, content in files.items():
            (self.folder / name).write_bytes(content)

    def packed(self, files: "dict[str, bytes]") -> Path:
        path = self.folder / "cifar-10-python.tar.gz"
        with tarfile.open(str(path), "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path

    def open(self) -> Any:
        return probe("datasets.cifar10").open_source(str(self.folder), 1)

    def held_out(self) -> Any:
        return probe("datasets.cifar10").open_held_out(str(self.folder), 1)

    def test_batches_of_the_publisher_are_read_in_order(self) -> None:
        self.unpacked(batches())
        source = self.open()
        images, labels = source.read(range(10))
        self.assertEqual(images.shape, (10, 32, 32, 3))
        self.assertEqual((images.dtype, labels.dtype), ("uint8", "int64"))
        self.assertEqual(labels.tolist(), list(range(10)))
        self.assertEqual(images.min(axis=(1, 2, 3)).tolist(), list(range(0, 100, 10)))
        self.assertEqual(source.facts()["from"], "cifar-10-batches-py")
        self.assertEqual(source.facts()["images"], 10)

    def test_planes_become_channels(self) -> None:
        image = bytes([1]) * 1024 + bytes([2]) * 1024 + bytes(range(256)) * 4
        self.unpacked({**batches(), BATCH + "1": published(image, [5])})
        images, _ = self.open().read([0])
        self.assertEqual(images[0, 9, 7].tolist(), [1, 2, (9 * 32 + 7) % 256])

    def test_batches_that_this_numpy_pickled_are_read(self) -> None:
        import numpy as np

        data = np.arange(2 * PIXELS).reshape(2, PIXELS).astype("uint8")
        for protocol in (2, 3, 4):
            record = {b"data": data, b"labels": [3, 4], b"filenames": [b"a", b"b"]}
            self.unpacked({**batches(), BATCH + "1": pickle.dumps(record, protocol=protocol)})
            images, labels = self.open().read([0, 1])
            self.assertEqual(labels.tolist(), [3, 4])
            self.assertEqual(images[1, 0, :3, 0].tolist(), data[1, :3].tolist())

    def test_an_archive_gives_what_its_batches_give_in_whatever_order_they_stand(self) -> None:
        self.packed(dict(sorted(batches().items(), reverse=True)))
        source = self.open()
        images, labels = source.read(range(10))
        self.assertEqual(labels.tolist(), list(range(10)))
        self.assertEqual(images.min(axis=(1, 2, 3)).tolist(), list(range(0, 100, 10)))
        self.assertEqual(source.facts()["from"], "cifar-10-python.tar.gz")

    def test_an_archive_is_read_without_writing_anything(self) -> None:
        self.packed({"../../escaped": b"x", "/etc/../escaped": b"x", **batches()})
        self.open()
        found = sorted(path.name for path in self.folder.parent.rglob("*"))
        self.assertEqual(found, ["cifar-10-python.tar.gz", "data"])

    def test_a_link_in_an_archive_is_not_followed(self) -> None:
        path = self.packed({})
        with tarfile.open(str(path), "w:gz") as archive:
            for name in batches():
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(member)
        self.assertIn("lacks data_batch_1, data_batch_2", self.refusal(self.open))

    def test_the_test_batch_is_held_out_and_is_no_part_of_what_is_trained_on(self) -> None:
        test = published(bytes([200]) * PIXELS + bytes([210]) * PIXELS, [7, 3])
        for store in (self.packed, self.unpacked):
            store({**batches(), TEST_BATCH: test})
            images, labels = self.held_out().read(range(2))
            self.assertEqual(labels.tolist(), [7, 3])
            self.assertEqual(images.min(axis=(1, 2, 3)).tolist(), [200, 210])
            self.assertEqual(self.held_out().facts()["images"], 2)
            self.assertEqual(self.open().facts()["images"], 10)

    def test_a_test_batch_that_is_missing_is_told_by_its_name(self) -> None:
        self.packed(batches())
        self.assertIn("lacks test_batch", self.refusal(self.held_out))
        self.unpacked(batches())
        self.assertIn("cifar-10-batches-py/test_batch", self.refusal(self.held_out))

    def test_the_checksum_is_compared_with_the_published_one(self) -> None:
        self.unpacked(batches())
        self.assertEqual(self.open().facts()["checksum"], "differs")
        module = probe("datasets.cifar10")
        known = {name.rpartition("/")[2]: module._md5(text) for name, text in batches().items()}
        with mock.patch.object(module, "MD5", known):
            self.assertEqual(self.open().facts()["checksum"], "ok")

    def test_a_pickle_that_calls_anything_is_refused_and_nothing_is_called(self) -> None:
        mark = self.folder / "called"
        command = f"open({str(mark)!r}, 'w')"
        for name, text in (
            ("os.system", b"cos\nsystem\n(Vtouch " + str(mark).encode() + b"\ntR."),
            ("builtins.eval", b"cbuiltins\neval\n(V" + command.encode() + b"\ntR."),
            ("numpy.load", b"cnumpy\nload\n(Vx\ntR."),
            ("numpy.core.multiarray.scalar", b"cnumpy.core.multiarray\nscalar\n."),
            ("numpy.ndarray.tofile", b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93."),
        ):
            with self.subTest(name):
                self.unpacked({**batches(), BATCH + "3": text})
                said = self.refusal(self.open)
                self.assertIn(BATCH + "3", said)
                self.assertIn(f"asks for {name}, which is refused", said)
                self.assertFalse(mark.exists())

    def test_a_batch_cut_anywhere_is_refused_by_name(self) -> None:
        whole = batches()[BATCH + "2"]
        for length in (0, 1, 40, 100, 3000, len(whole) - 4, len(whole) - 1):
            with self.subTest(length):
                self.unpacked({**batches(), BATCH + "2": whole[:length]})
                self.assertIn(BATCH + "2", self.refusal(self.open))

    def test_an_archive_cut_anywhere_is_refused_by_name(self) -> None:
        path = self.packed(batches())
        whole = path.read_bytes()
        for length in [0, 5, 20] + [len(whole) * part // 10 for part in range(1, 9)]:
            with self.subTest(length):
                path.write_bytes(whole[:length])
                self.assertIn("cifar-10-", self.refusal(self.open))

    def test_a_damaged_archive_is_refused_by_name(self) -> None:
        path = self.packed(batches())
        whole = bytearray(path.read_bytes())
        whole[30:60] = b"\xff" * 30
        path.write_bytes(bytes(whole))
        self.assertIn("cifar-10-python.tar.gz", self.refusal(self.open))

    def test_a_batch_that_is_missing_is_named(self) -> None:
        files = batches()
        del files[BATCH + "4"]
        self.unpacked(files)
        self.assertIn(BATCH + "4: No such file", self.refusal(self.open))

    def test_a_batch_of_gigabytes_is_not_read(self) -> None:
        self.unpacked(batches())
        with mock.patch.object(probe("datasets.cifar10"), "LARGEST_BATCH", 3000):
            self.assertIn("larger than any", self.refusal(self.open))

    def test_a_batch_that_holds_something_else_is_refused(self) -> None:
        import numpy as np

        data = np.zeros((2, PIXELS), "uint8")
        for said, record in (
            ("holds no batch", [1, 2]),
            ("no images under 'data'", {b"labels": [1, 2]}),
            ("no images under 'data'", {b"data": b"text", b"labels": [1, 2]}),
            ("no labels under 'labels'", {b"data": data}),
            ("no labels under 'labels'", {b"data": data, b"labels": []}),
            ("3 labels, but images of shape (2, 3072)", {b"data": data, b"labels": [1, 2, 3]}),
            ("labels that are not from 0 to 9", {b"data": data, b"labels": [1, 10]}),
            ("labels that are not from 0 to 9", {b"data": data, b"labels": [1, -1]}),
            ("labels that are not from 0 to 9", {b"data": data, b"labels": [1, True]}),
            ("labels that are not from 0 to 9", {b"data": data, b"labels": [1, 2.0]}),
            ("images of", {b"data": data.astype("uint16"), b"labels": [1, 2]}),
            ("images of", {b"data": data.astype("int8"), b"labels": [1, 2]}),
            ("images of", {b"data": np.asfortranarray(data), b"labels": [1, 2]}),
            ("images of", {b"data": data[:, :100].copy(), b"labels": [1, 2]}),
        ):
            with self.subTest(said):
                self.unpacked({**batches(), BATCH + "5": pickle.dumps(record, protocol=2)})
                refusal = self.refusal(self.open)
                self.assertIn(BATCH + "5", refusal)
                self.assertIn(said, refusal)

    def test_a_batch_with_fewer_pixels_than_it_says_is_refused(self) -> None:
        self.unpacked({**batches(), BATCH + "1": published(b"x" * (PIXELS - 1), [1])})
        self.assertIn("fewer pixels", self.refusal(self.open))


@unittest.skipUnless(HAS_STACK, "needs NumPy and Pillow")
class ClassFolders(WithFolder):
    def photo(self, name: str, colour: Any = 0, mode: str = "RGB", **options: Any) -> Path:
        """A photograph of 20x10 in one colour."""
        from PIL import Image

        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, (20, 10), colour).save(str(path), **options)
        return path

    def palette(self, name: str, colours: "list[int]") -> None:
        """A photograph all in the second of these colours, both of them half transparent."""
        from PIL import Image

        (self.folder / name).parent.mkdir()
        image = Image.new("P", (20, 10), 1)
        image.putpalette(colours)
        image.save(str(self.folder / name), transparency=b"\x80\x40")

    def open(self) -> Any:
        return probe("datasets._own").open_path(str(self.folder), 1)

    def test_are_labelled_by_sorted_name_and_take_turns(self) -> None:
        for name in ("cat/1.png", "cat/2.png", "cat/3.png", "ant/1.png", "bee/2.png", "bee/1.png"):
            self.photo(name)
        source, shape, classes = self.open()
        images, labels = source.read(range(6))
        self.assertEqual(labels.tolist(), [0, 1, 2, 1, 2, 2])
        self.assertEqual((images.shape, images.dtype), ((6, 256, 256, 3), "uint8"))
        self.assertEqual((shape, classes), ((256, 256, 3), 3))
        self.assertEqual(source.facts(), {"images": 6, "classes": 3, "from": "folders"})

    def test_may_stand_under_train(self) -> None:
        self.photo("train/a/1.png")
        self.photo("train/b/1.png")
        self.photo("val/c/1.png")
        self.assertEqual(self.open().classes, 2)

    def test_hold_photographs_under_any_usual_ending_and_other_files_are_passed_over(self) -> None:
        for ending in ("JPEG", "jpeg", "JPG", "jpg", "png", "PNG"):
            self.photo(f"a/1_{ending}.{ending}")
        self.photo("b/1.png")
        (self.folder / "a" / "notes.txt").write_text("not a photograph")
        (self.folder / "a" / "._1.jpg").write_text("what some systems leave")
        (self.folder / ".thumbnails").mkdir()
        (self.folder / "labels.txt").write_text("a b")
        own = self.open()
        self.assertEqual((len(own.source), own.classes), (7, 2))

    def test_give_rgb_whatever_the_photograph_is_in(self) -> None:
        self.photo("a/1.png", 90, "L")
        self.photo("b/1.png", (10, 20, 30, 0), "RGBA")
        self.photo("c/1.png", (70, 0), "LA")
        self.photo("d/1.jpg", (0, 0, 0, 0), "CMYK")
        self.photo("e/1.png", 1, "1")
        self.palette("f/1.png", [1, 2, 3, 40, 50, 60])
        images, _ = self.open().source.read(range(6))
        expected = [[90] * 3, [10, 20, 30], [70] * 3, [255] * 3, [255] * 3, [40, 50, 60]]
        for image, colour in zip(images, expected):  # noqa: B905
            self.assertLess(abs(image.astype(int) - colour).max(), 3)

    def test_are_resized_as_a_whole(self) -> None:
        from PIL import Image

        path = self.photo("a/1.png", (0, 0, 0))
        with Image.open(str(path)) as image:
            image.paste((255, 0, 0), (0, 0, 2, 2))
            image.paste((0, 255, 0), (18, 8, 20, 10))
            image.save(str(path))
        images, _ = self.open().source.read([0])
        self.assertEqual(images[0, 0, 0].tolist(), [255, 0, 0])
        self.assertEqual(images[0, 255, 255].tolist(), [0, 255, 0])

    def test_are_read_alike_by_several_threads(self) -> None:
        for i in range(12):
            self.photo(f"{i % 4}/1.jpg", (i, 2 * i, 3 * i))
        source = self.open().source
        expected, _ = source.read(range(4))
        with ThreadPoolExecutor(4) as threads:
            for images, labels in threads.map(source.read, [range(4)] * 8):
                self.assertEqual(labels.tolist(), [0, 1, 2, 3])
                self.assertTrue((images == expected).all())

    def test_a_photograph_cut_short_is_named(self) -> None:
        path = self.photo("dog/7.JPEG", (1, 2, 3))
        whole = path.read_bytes()
        for length in (len(whole) - 20, len(whole) // 2):
            with self.subTest(length):
                path.write_bytes(whole[:length])
                said = self.refusal(lambda: self.open().source.read([0]))
                self.assertTrue(said.startswith("dog/7.JPEG "), said)

    def test_what_is_no_photograph_is_named(self) -> None:
        path = self.photo("dog/7.jpg")
        for content in (b"", b"text", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, b"\xff\xd8\xff"):
            with self.subTest(content):
                path.write_bytes(content)
                said = self.refusal(lambda: self.open().source.read([0]))
                self.assertTrue(said.startswith("dog/7.jpg "), said)

    def test_a_photograph_that_vanished_is_named(self) -> None:
        path = self.photo("dog/7.jpg")
        source = self.open().source
        path.unlink()
        self.assertIn(
            "dog/7.jpg cannot be decoded: No such", self.refusal(lambda: source.read([0]))
        )

    def test_sixteen_bits_are_refused_rather_than_clipped(self) -> None:
        self.photo("dog/7.png", 40000, "I;16")
        self.assertIn("more than 8 bits", self.refusal(lambda: self.open().source.read([0])))

    def test_an_empty_class_is_named(self) -> None:
        self.photo("a/1.png")
        (self.folder / "b").mkdir()
        self.assertIn("class folder b holds no .jpeg", self.refusal(self.open))

    def test_no_class_at_all_is_refused(self) -> None:
        self.photo("1.png")
        self.assertEqual(self.refusal(self.open), "data holds no class folders")

    def test_imagenet_has_a_thousand_classes_at_most(self) -> None:
        for i in range(1001):
            (self.folder / "train" / f"n{i:08}").mkdir(parents=True)
            (self.folder / "train" / f"n{i:08}" / "1.JPEG").write_bytes(b"")
        imagenet = probe("datasets.imagenet")
        said = self.refusal(lambda: imagenet.open_source(str(self.folder), 1))
        self.assertEqual(said, "train holds 1001 class folders; ImageNet has 1000")

    def test_imagenet_may_be_a_part_of_it(self) -> None:
        self.photo("train/n01440764/1.JPEG")
        source = probe("datasets.imagenet").open_source(str(self.folder), 1)
        self.assertEqual(source.read([0])[0].shape, (1, 256, 256, 3))


if __name__ == "__main__":
    unittest.main()
