"""What names a person or a machine is taken out, the rest stays readable."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cnnbench.redact import Identity, here, redact, redact_facts

if TYPE_CHECKING:
    from cnnbench.record import Scalar

ANN = Identity(home="/home/ann", user="ann", host="gpu1.acme.example")
SECRET = "s3cret"  # noqa: S105


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'File "/opt/py/lib/python3.6/site-packages/keras/models.py", line 3, in fit',
            'File ".../keras/models.py", line 3, in fit',
        ),
        ("No such file: '/my data/of acme/x y.bin'", "No such file: '.../of acme/x y.bin'"),
        ("PATH=/usr/local/bin:/usr/bin:/bin", "PATH=.../local/bin:.../bin:/bin"),
        ("/srv/acme", ".../acme"),
        ("file:///srv/acme/a/b", "file://.../a/b"),
        ("sqlite:////srv/acme/a/b.db", "sqlite://.../a/b.db"),
        (
            "gcc -I/opt/acme/x/include \u2018/opt/acme/x/y\u2019",
            "gcc -I.../x/include \u2018.../x/y\u2019",
        ),
        (r"b'no\n/opt/acme/x/y\n'", r"b'no\n.../x/y\n'"),
        ("#!/opt/acme/bin/python", "#!.../bin/python"),
        ("see (/opt/acme/x/log), [/opt/acme/x/y]", "see (.../x/log), [.../x/y]"),
    ],
)
def test_absolute_paths_keep_their_last_two_parts_but_not_the_first(
    text: str, expected: str
) -> None:
    assert redact(text, ANN) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ann/x/y/z.py", "~/x/y/z.py"),
        ("--dir=/home/ann:/home/ann/", "--dir=~:~/"),
        ("/home/bob/x/y/z.py", "~/x/y/z.py"),
        ("'/Users/Bob Lee/x y/z'", "'~/x y/z'"),
        ("/home/annabel/x", "~/x"),
        ("-DHOME_DIR=x/home/ann/x", "-DHOME_DIR=x~/x"),
        ("'/home/bob/x /home/zoe/y'", "'~/x ~/y'"),
        ("/mnt//home//ann/x", ".../~/x"),
    ],
)
def test_home_folders_are_a_tilde(text: str, expected: str) -> None:
    assert redact(text, ANN) == expected


def test_a_home_outside_the_usual_places_is_found_with_its_spaces() -> None:
    odd = Identity(home="/srv/x/Ann Lee/", user="", host="")
    assert (
        redact("cd /srv/x/Ann Lee/a b; ls /srv/x/Ann Leeds", odd) == "cd ~/a b; ls .../x/Ann Leeds"
    )


def test_a_home_of_one_part_is_not_the_end_of_another_path() -> None:
    root = Identity(home="/root", user="root", host="")
    assert redact("/root/x chroot/root/x /mnt/root", root) == "~/x chroot/root/x .../root"


def test_a_home_that_is_the_root_takes_nothing_out() -> None:
    assert redact("/bin and / or", Identity(home="/", user="", host="")) == "/bin and / or"


@pytest.mark.parametrize(
    "text",
    [
        "1.5 images/s and 3/4 and/or a/b/c ./x/y/z ../x/y ~/x/y $HOME/x/y ${X}/y/z **/x/y",
        "https://example.org:8080/a/b/c@d?e=f",
        "os.path.join('/', x)  # // no path",
        "loss: 0.5\n\tacc: 0.9",
    ],
)
def test_what_is_no_machine_path_stays(text: str) -> None:
    assert redact(text, ANN) == text


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://joe:{SECRET}@db.example:5432/x/y/z?a=b",
        f"https://{SECRET}@db.example/x",
        f"https://:{SECRET}@db.example/x",
        f"mysql://joe:p@{SECRET}/w?#@db.example",
        f"https://oauth2:{SECRET * 1000}@db.example",
        f'{{"url":"redis://joe:{SECRET}@db.example"}}',
    ],
)
def test_credentials_in_urls_are_stars(url: str) -> None:
    shown = redact(url, ANN)
    assert SECRET not in shown
    assert "joe" not in shown
    assert "://***@db.example" in shown


def test_names_go_as_whole_words_in_any_case() -> None:
    text = "ann@gpu1: GPU1.acme.example ANN annabel joann gpu11 ann_x"
    assert redact(text, ANN) == "<user>@<host>: <host> <user> annabel joann gpu11 ann_x"


@pytest.mark.parametrize("name", ["root", "Ubuntu", "keras", "vm", ""])
def test_names_that_are_common_or_very_short_are_words_like_others(name: str) -> None:
    text = "the root of keras on Ubuntu in a vm"
    assert redact(text, Identity(home="", user=name, host=name)) == text


def test_terminal_codes_go_and_lines_and_tabs_stay() -> None:
    text = "\x1b[1;31mred\x1b[0m\x07 \x1b]0;title\x07a\x08b\x00\r\nc\td\re \x9b2Kf"
    assert redact(text, ANN) == "red ab\nc\td\ne f"


def test_facts_keep_their_names_and_what_is_no_text() -> None:
    facts: dict[str, Scalar] = {
        "path": "/home/ann/x",
        "cpus": 2,
        "quota": 1.5,
        "turbo": True,
        "gpu": None,
    }
    assert redact_facts(facts, ANN) == {**facts, "path": "~/x"}


def test_this_process_has_an_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    here.cache_clear()
    monkeypatch.setenv("HOME", "/srv/homes/zoe")
    monkeypatch.setenv("LOGNAME", "zoe")
    monkeypatch.setattr("socket.gethostname", lambda: "gpu7")
    try:
        assert redact("zoe@gpu7 in /srv/homes/zoe/x") == "<user>@<host> in ~/x"
        assert redact_facts({"a": "gpu7"}) == {"a": "<host>"}
    finally:
        here.cache_clear()


def test_a_user_without_an_account_has_an_empty_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_account() -> str:
        raise KeyError("uid not found")

    here.cache_clear()
    monkeypatch.setattr("getpass.getuser", no_account)
    try:
        assert (here().home, here().user) == ("", "")
    finally:
        here.cache_clear()


MARKS = "-I \\n ! \u2018 / // : :// @ *** ~ ... < > ( ] } * ' \" = ? # , ; . - 80 a b/c \\"
NAMES = "ann gpu1 .acme.example /home/ann /home/ /Users/ <user> <host>"
CODES = [" ", "\n", "\t", "\r", "\x1b", "\x1b[", "\x1b]", "\x07", "m", "\x9b", "\x00", "\u2028"]
PIECES = st.sampled_from([*MARKS.split(), *NAMES.split(), *CODES])
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=24).map("".join)
IDENTITIES = st.sampled_from(
    [
        ANN,
        Identity(home="/root", user="root", host="vm"),
        Identity(home="/a/b c", user="user", host="host.ann"),
        Identity(home="", user="", host=""),
    ]
)


@given(TEXTS, IDENTITIES)
@example("x://~:q@c/home/ann:q@c", ANN)
@example("/home/ann0/\\/home/@", ANN)
@example("'/home/bob/x -I/home/zoe/y'", ANN)
@example("/x/y//a//b c", Identity(home="/a/b c", user="user", host="host.ann"))
def test_redacting_twice_is_redacting_once(text: str, identity: Identity) -> None:
    once = redact(text, identity)
    assert redact(once, identity) == once


@given(TEXTS)
def test_no_control_code_and_no_name_survives(text: str) -> None:
    shown = redact(text, ANN)
    assert not re.search(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]", shown)
    assert not re.search(r"(?<!\w)(ann|gpu1)(?!\w)", shown, re.IGNORECASE)


@given(st.text(st.characters(codec="ascii", categories=["Lu", "Nd", "Zs"])))
def test_a_text_without_any_of_it_is_unchanged(text: str) -> None:
    assert redact(text, ANN) == text


@pytest.mark.parametrize(
    "piece",
    [
        "/",
        "a",
        "/a",
        " /a",
        "/home/b ",
        "'/home/b ",
        "://",
        "://a:b",
        "://a@",
        '"/',
        "'/a\"",
        "\x1b[",
        "\x1b]",
        "@",
        ":",
        ".",
    ],
)
def test_a_megabyte_in_one_line_is_quick(piece: str) -> None:
    text = piece * (2**20 // len(piece))
    began = time.perf_counter()
    redact(text, ANN)
    # Linear patterns take a tenth to one second; a quadratic one takes an hour.
    assert time.perf_counter() - began < 20
