"""A capability allows one verb on one version, to whoever has it, for as long as the key is the same."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from extractor_operator.endpoint import capability
from extractor_operator.endpoint.capability import Capabilities, KeyDamaged, Verb

OURS = Capabilities(b"k" * 32)
TOKEN = OURS.token("team", "uid-1", Verb.SCAN, "errand-1")


def test_a_token_gives_the_errand_that_it_is_for() -> None:
    assert OURS.errand(TOKEN, "team", "uid-1", Verb.SCAN) == "errand-1"


def test_a_token_for_no_errand_is_told_from_one_that_allows_nothing() -> None:
    token = OURS.token("team", "uid-1", Verb.READ)

    assert OURS.errand(token, "team", "uid-1", Verb.READ) == ""


@pytest.mark.parametrize(
    ("token", "namespace", "uid", "verb"),
    [
        pytest.param(TOKEN, "other", "uid-1", Verb.SCAN, id="in another namespace"),
        pytest.param(TOKEN, "team", "uid-2", Verb.SCAN, id="on another version"),
        pytest.param(TOKEN, "team", "uid-1", Verb.READ, id="with another verb"),
        pytest.param(
            TOKEN.replace("errand-1", "errand-2"), "team", "uid-1", Verb.SCAN, id="for another errand"
        ),
        pytest.param(TOKEN.partition(".")[2], "team", "uid-1", Verb.SCAN, id="for no errand"),
        pytest.param(TOKEN[:-1], "team", "uid-1", Verb.SCAN, id="cut off"),
        pytest.param("", "team", "uid-1", Verb.SCAN, id="empty"),
        pytest.param("\udcff.ü", "team", "uid-1", Verb.SCAN, id="of bytes that are no text"),
        pytest.param(
            Capabilities(b"j" * 32).token("team", "uid-1", Verb.SCAN, "errand-1"),
            *("team", "uid-1", Verb.SCAN),
            id="of another key",
        ),
    ],
)
def test_a_token_allows_nothing_else(token: str, namespace: str, uid: str, verb: Verb) -> None:
    assert OURS.errand(token, namespace, uid, verb) is None


def test_a_key_is_shown_in_no_message() -> None:
    assert "kkk" not in repr(OURS)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "store" / "capability.key"

    first, again = capability.load(file), capability.load(file)

    assert first == again
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["capability.key"]


def test_who_makes_the_key_at_the_same_time_has_the_same_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: capability.load(tmp_path / "capability.key").key, range(32)))

    assert len(found) == 1


def test_a_key_that_is_cut_off_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "capability.key"
    file.write_bytes(b"short")

    with pytest.raises(KeyDamaged, match=r"capability\.key is no key of 32 bytes: remove it"):
        capability.load(file)
