"""The instance type: read from firmware, else asked of a metadata service, which is a local one."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.errors import UsageError
from cnnbench.machine import instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Tree = Callable[[dict[str, str]], Path]

DMI = "sys/class/dmi/id"
NITRO = {f"{DMI}/sys_vendor": "Amazon EC2", f"{DMI}/product_name": "c5.18xlarge"}
XEN = {
    f"{DMI}/sys_vendor": "Xen",
    f"{DMI}/product_name": "HVM domU",
    f"{DMI}/bios_version": "4.11.amazon",
}
PARAVIRTUAL = {"sys/hypervisor/uuid": "ec2e1916-9099-7caf-fd21-012345abcdef"}
GOOGLE = {f"{DMI}/sys_vendor": "Google", f"{DMI}/product_name": "Google Compute Engine"}
AZURE = {
    f"{DMI}/sys_vendor": "Microsoft Corporation",
    f"{DMI}/product_name": "Virtual Machine",
    f"{DMI}/chassis_asset_tag": instance.AZURE_CHASSIS,
}
HYPER_V = {**AZURE, f"{DMI}/chassis_asset_tag": "0000-0014"}
QEMU = {f"{DMI}/sys_vendor": "QEMU", f"{DMI}/product_name": "Standard PC"}
LAPTOP = {f"{DMI}/sys_vendor": "LENOVO", f"{DMI}/product_name": "20XW"}

EC2_TYPE = ("GET", "/latest/meta-data/instance-type")
GOOGLE_TYPE = ("GET", "/computeMetadata/v1/instance/machine-type")
AZURE_TYPE = ("GET", instance.AZURE_PATH)
PAGE = "<html><body>Please log in</body></html>"


class Service:
    """A metadata service; `answers` by method and path, what it was asked is in `asked`."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.answers: dict[tuple[str, str], str] = {}
        self.status = 200
        self.drip = 0.0
        self.asked: list[tuple[str, str, dict[str, str]]] = []


@pytest.fixture
def service() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            told.asked.append((self.command, self.path, dict(self.headers)))
            text = told.answers.get((self.command, self.path), "")
            self.send_response(told.status if text else 404)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            for character in text:
                time.sleep(told.drip)
                try:
                    self.wfile.write(character.encode())
                except OSError:
                    return

        do_GET = do_PUT = answer  # noqa: N815 - named by the library

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told = Service(("127.0.0.1", server.server_port))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["c5.18xlarge", "c5.metal", "u-6tb1.metal", "c7i.metal-24xl"])
def test_nitro_tells_the_type_in_its_firmware_and_nobody_is_asked(
    tree: Tree, service: Service, name: str
) -> None:
    root = tree({**NITRO, f"{DMI}/product_name": name})
    assert instance.instance_type(root, service.address) == (name, "dmi")
    assert service.asked == []


@pytest.mark.parametrize("texts", [XEN, PARAVIRTUAL, {f"{DMI}/sys_vendor": "Amazon EC2"}])
def test_another_ec2_asks_for_a_token_and_then_for_the_type(
    tree: Tree, service: Service, texts: dict[str, str]
) -> None:
    service.answers = {("PUT", instance.TOKEN_PATH): "token==", EC2_TYPE: "m4.large\n"}
    assert instance.instance_type(tree(texts), service.address) == ("m4.large", "metadata")
    first, second = service.asked
    assert int(first[2]["X-aws-ec2-metadata-token-ttl-seconds"]) > 0
    assert second[2]["X-aws-ec2-metadata-token"] == "token=="


def test_without_a_token_no_type_is_asked_for(tree: Tree, service: Service) -> None:
    service.answers = {EC2_TYPE: "m4.large"}
    assert instance.instance_type(tree(XEN), service.address) is None
    assert [asked[0] for asked in service.asked] == ["PUT"]


def test_google_gives_the_last_part_of_the_machine_type(tree: Tree, service: Service) -> None:
    service.answers = {GOOGLE_TYPE: "projects/123/machineTypes/n2-custom-4-8192-ext"}
    found = instance.instance_type(tree(GOOGLE), service.address)
    assert found == ("n2-custom-4-8192-ext", "metadata")
    assert service.asked[0][2]["Metadata-Flavor"] == "Google"


def test_azure_gives_the_size(tree: Tree, service: Service) -> None:
    service.answers = {AZURE_TYPE: "Standard_NC24ads_A100_v4"}
    found = instance.instance_type(tree(AZURE), service.address)
    assert found == ("Standard_NC24ads_A100_v4", "metadata")
    assert service.asked[0][2]["Metadata"] == "true"


@pytest.mark.parametrize("texts", [QEMU, LAPTOP, HYPER_V, {}])
def test_a_machine_that_is_no_known_cloud_asks_nobody(
    tree: Tree, service: Service, texts: dict[str, str]
) -> None:
    assert instance.instance_type(tree(texts), service.address) is None
    assert service.asked == []


@pytest.mark.parametrize(
    "answer", [PAGE, "x" * 10_000, "projects/1/machineTypes/a b", "n1-standard-1", "a\nb", "é"]
)
def test_what_is_no_machine_type_is_not_taken_for_one(
    tree: Tree, service: Service, answer: str
) -> None:
    service.answers = {GOOGLE_TYPE: answer}
    assert instance.instance_type(tree(GOOGLE), service.address) is None
    assert service.asked


def test_a_token_that_is_a_page_of_lines_goes_into_no_header(tree: Tree, service: Service) -> None:
    service.answers = {("PUT", instance.TOKEN_PATH): "a\r\nX-Evil: 1", EC2_TYPE: "m4.large"}
    assert instance.instance_type(tree(XEN), service.address) is None
    assert len(service.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 401, 500])
def test_no_answer_but_success_counts_and_no_redirection_is_followed(
    tree: Tree, service: Service, status: int
) -> None:
    service.answers = {AZURE_TYPE: "Standard_D2s_v3", ("GET", "/elsewhere"): "Standard_X"}
    service.status = status
    assert instance.instance_type(tree(AZURE), service.address) is None
    assert len(service.asked) == 1


def test_no_proxy_is_asked(tree: Tree, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    service.answers = {AZURE_TYPE: "Standard_D2s_v3"}
    assert instance.instance_type(tree(AZURE), service.address) is not None


def test_a_service_that_is_not_there_is_none(tree: Tree, service: Service) -> None:
    nobody = ("127.0.0.1", 1)
    assert instance.instance_type(tree(GOOGLE), nobody) is None
    assert service.asked == []


def test_a_service_that_drips_is_given_up(
    tree: Tree, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "SECONDS", 0.05)
    service.answers = {GOOGLE_TYPE: "projects/1/machineTypes/n1-standard-1"}
    service.drip = 0.04  # each byte is in time, their sum is not
    assert instance.instance_type(tree(GOOGLE), service.address) is None


def test_a_service_is_asked_once_a_process(tree: Tree, service: Service) -> None:
    service.answers = {AZURE_TYPE: "Standard_D2s_v3"}
    root = tree(AZURE)
    first = instance.instance_type(root, service.address)
    assert instance.instance_type(root, service.address) == first
    assert len(service.asked) == 1


def test_facts_name_type_and_source(tree: Tree) -> None:
    nitro = {"instance_type": "c5.18xlarge", "instance_type_source": "dmi"}
    assert instance.facts(tree(NITRO)) == nitro


def test_facts_name_neither_where_nothing_is_known(tmp_path: Path) -> None:
    assert set(instance.facts(tmp_path).values()) == {None}


def test_what_the_user_gives_is_taken_as_given() -> None:
    assert instance.given(None) == {}
    assert instance.given(" P3.16xLarge ") == {
        "instance_type": "P3.16xLarge",
        "instance_type_source": "given",
    }


@pytest.mark.parametrize("name", ["", "  ", "a|b", "a\nb", "a\tb", "a\x1b[31m", "x" * 65])
def test_what_would_break_a_table_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(UsageError, match="--instance-type must be") as refused:
        instance.given(name)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=100))
def test_a_given_name_is_refused_or_fits_a_cell(name: str) -> None:
    try:
        (told, _) = instance.given(name).values()
    except UsageError:
        return
    assert isinstance(told, str)
    assert told
    assert "|" not in told
    assert len(told.splitlines()) == 1
