"""Where data sets are looked for, and what a download leaves behind."""

from __future__ import annotations

import errno
import gc
import hashlib
import importlib
import os
import threading
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pooch
import pytest

from cnnbench import data
from cnnbench.errors import DataError, UsageError
from cnnbench.probe.datasets import cifar10

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = b"what the publisher offers" * 10_000


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(data.VARIABLE, raising=False)
    monkeypatch.delenv("CNNBENCH_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cifar10, "SHA256", hashlib.sha256(CONTENT).hexdigest())


@contextmanager
def server(
    content: bytes = CONTENT, *, status: int = 200, length: int | None = None
) -> Iterator[str]:
    """The address of an archive that is answered so; `length` is what the answer promises."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}/cifar-10-python.tar.gz"
        finally:
            httpd.shutdown()


def files(directory: Path) -> list[str]:
    return sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()
    )


def refused(name: str, directory: Path, **options: Any) -> str:
    """What `get` says when it fails: one line."""
    with warnings.catch_warnings():
        # Pooch leaves the connection of a refused answer to the collector.
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(DataError) as caught:
            data.get(name, directory, progress=False, **options)
        said = str(caught.value)
        del caught
        gc.collect()
    assert "\n" not in said
    return said


def test_the_directory_given_comes_before_the_environment_and_that_before_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data.root(None) == tmp_path / "cache" / "cnnbench" / "data"
    monkeypatch.setenv(data.VARIABLE, "~/set")
    assert data.root(None) == tmp_path / "home" / "set"
    assert data.root(tmp_path) == tmp_path


def test_an_empty_variable_is_not_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(data.VARIABLE, "")
    assert data.root(None) == tmp_path / "cache" / "cnnbench" / "data"


def test_the_guest_is_given_an_absolute_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert data.root(Path("here")) == tmp_path / "here"


@pytest.mark.parametrize("place", [".", "cifar10"])
@pytest.mark.parametrize("held", ["cifar-10-batches-py", "cifar-10-python.tar.gz"])
def test_cifar10_is_found_in_the_directory_or_its_folder(
    tmp_path: Path, place: str, held: str
) -> None:
    (tmp_path / place / held).mkdir(parents=True)
    assert data.locate("cifar10", tmp_path) == tmp_path / place


@pytest.mark.parametrize("place", [".", "imagenet", "imagenet-sample"])
def test_imagenet_is_found_in_the_directory_its_folder_or_the_sample(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / place / "train").mkdir(parents=True)
    assert data.locate("imagenet", tmp_path) == tmp_path / place


def test_the_whole_set_is_preferred_to_its_sample(tmp_path: Path) -> None:
    (tmp_path / "imagenet-sample" / "train").mkdir(parents=True)
    (tmp_path / "imagenet" / "train").mkdir(parents=True)
    assert data.locate("imagenet", tmp_path) == tmp_path / "imagenet"


def test_made_images_need_no_directory(tmp_path: Path) -> None:
    assert data.locate("synthetic-32", tmp_path) is None


def test_an_absent_data_set_is_told_with_both_remedies(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        data.locate("cifar10", tmp_path)
    said = str(caught.value)
    assert "--data-dir DIR (or CNNBENCH_DATA_DIR)" in said
    assert "cifar-10-batches-py/ or cifar-10-python.tar.gz" in said
    assert "cnnbench data get cifar10" in said


def test_imagenet_is_told_by_its_layout_and_that_nobody_can_download_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train/<wnid>/\*\.JPEG.*cannot be downloaded"):
        data.locate("imagenet", tmp_path)
    assert "cannot be downloaded" in refused("imagenet", tmp_path)


def test_data_elsewhere_does_not_stand_in_for_the_directory_that_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(data.VARIABLE, str(tmp_path / "set"))
    (tmp_path / "set" / "cifar-10-batches-py").mkdir(parents=True)
    assert data.locate("cifar10", None) == tmp_path / "set"
    with pytest.raises(DataError):
        data.locate("cifar10", tmp_path / "given")


def test_an_unknown_data_set_is_told_with_its_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean cifar10"):
        data.locate("cifar-10", tmp_path)
    with pytest.raises(UsageError, match="unknown data set '_own'"):
        data.get("_own", tmp_path, progress=False)


def test_the_status_of_every_data_set_is_listed(tmp_path: Path) -> None:
    (tmp_path / "imagenet" / "train").mkdir(parents=True)
    rows = {row.name: row for row in data.status(tmp_path)}
    assert list(rows) == sorted(rows)
    assert not rows["cifar10"].available
    assert "cnnbench data get cifar10" in rows["cifar10"].reason
    assert rows["imagenet"].available
    assert rows["imagenet"].path == tmp_path / "imagenet"
    assert rows["synthetic-256"].available
    assert rows["synthetic-256"].path is None


def test_a_download_stands_where_it_is_looked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    pooch.get_logger().addHandler(caplog.handler)
    with server() as url:
        got = data.get("cifar10", tmp_path, progress=False, url=url)
    assert got == data.locate("cifar10", tmp_path) == tmp_path / "cifar10"
    assert files(tmp_path) == ["cifar10/cifar-10-python.tar.gz"]
    assert (got / "cifar-10-python.tar.gz").read_bytes() == CONTENT
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_download_shows_its_progress_when_asked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with server() as url:
        data.get("cifar10", tmp_path, progress=True, url=url)
    assert "100%" in capfd.readouterr().err


def test_what_is_there_and_right_is_not_downloaded_again(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(CONTENT)
    got = data.get("cifar10", tmp_path, progress=False, url="http://127.0.0.1:9/unused")
    assert got == tmp_path


def test_unpacked_batches_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cifar10" / "cifar-10-batches-py").mkdir(parents=True)
    got = data.get("cifar10", tmp_path, progress=False, url="http://127.0.0.1:9/unused")
    assert got == tmp_path / "cifar10"
    assert files(tmp_path) == []


def test_a_damaged_archive_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"damaged")
    with server() as url:
        data.get("cifar10", tmp_path, progress=False, url=url)
    assert (tmp_path / "cifar-10-python.tar.gz").read_bytes() == CONTENT


def test_another_content_is_refused_and_not_kept(tmp_path: Path) -> None:
    with server(b"something else") as url:
        assert "SHA-256 differs" in refused("cifar10", tmp_path, url=url)
    assert files(tmp_path) == []


def test_a_download_cut_short_is_refused_and_not_kept(tmp_path: Path) -> None:
    with server(CONTENT[:-1]) as url:
        assert "SHA-256 differs" in refused("cifar10", tmp_path, url=url)
    with server(CONTENT[:100], length=len(CONTENT)) as url:
        assert "cannot download" in refused("cifar10", tmp_path, url=url)
    assert files(tmp_path) == []


def test_a_server_without_the_file_is_told(tmp_path: Path) -> None:
    with server(b"not here", status=404) as url:
        assert "404" in refused("cifar10", tmp_path, url=url)
    assert files(tmp_path) == []


def test_a_server_that_is_not_there_is_told_with_another_way(tmp_path: Path) -> None:
    with server() as url:
        pass
    said = refused("cifar10", tmp_path, url=url)
    assert "cannot download" in said
    assert f"put cifar-10-python.tar.gz into {tmp_path / 'cifar10'}" in said


def test_a_full_disk_is_told_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(_self: object, _url: str, output: str, _pooch: object) -> None:
        Path(output).write_bytes(CONTENT[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", fill)
    assert "no space left" in refused("cifar10", tmp_path)
    assert files(tmp_path) == []


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with server() as url:
        assert "cannot write" in refused("cifar10", tmp_path / "file", url=url)


def test_made_images_cannot_be_downloaded(tmp_path: Path) -> None:
    assert "nothing to download" in refused("synthetic-32", tmp_path)


def opened(name: str, root: Path) -> Any:
    module = importlib.import_module(f"cnnbench.probe.datasets.{name}")
    return module.open_source(str(data.locate(name, root)), 1)


@pytest.mark.images
def test_the_real_cifar10_is_read(real_images: Path) -> None:
    source = opened("cifar10", real_images)
    images, labels = source.read(np.arange(50_000))
    assert np.bincount(labels).tolist() == [5000] * 10
    # The mean colour of the training images, as often printed: 125.3, 123.0, 113.9.
    assert images.reshape(-1, 3).mean(axis=0) == pytest.approx([125.3, 123.0, 113.9], abs=0.5)
    # These were kept as JPEG, so they are not the publisher's bytes.
    assert source.facts() == {
        "images": 50_000,
        "classes": 10,
        "from": "cifar-10-batches-py",
        "checksum": "differs",
    }


@pytest.mark.images
def test_the_real_imagenet_photographs_are_read(real_images: Path) -> None:
    source = opened("imagenet", real_images)
    images, labels = source.read([0, 500, 999])
    assert source.facts()["images"] == source.facts()["classes"] == 1000
    assert images.shape == (3, 256, 256, 3)
    assert labels.tolist() == [0, 500, 999]
    assert all(image.std() > 10 for image in images)
