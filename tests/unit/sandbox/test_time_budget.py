"""What repeats itself takes no longer than its length: no expression of ours goes over it again and again."""

import time

import pytest

from support.archives import extractor, judge_bytes

BYTES = 128 << 10
SECONDS = 2.0
"""Of the processor; what grows with the square of the length takes more at a few times this length."""

REPEATED = (
    *("-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "PRIVATE KEY ", "AKIA", "ghp_", "sk-", "hf_", "xoxb-"),
    *("{", "{0.", "{0:{", "{{", "'", '"""', "# coding:", "\\N{", "a.", "a ", "- ", " ", "\t", "\n", "é"),
    *("\u202e", "A" * 64, "%s", "@x ", "'{0.a}' ", "__", "a_", "|attr", "../", "eyJ"),
)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("unit", REPEATED, ids=ascii)
@pytest.mark.parametrize("path", ["core.py", "notes.txt", "manifest.py"])
def test_a_file_that_repeats_one_thing_is_judged_in_little_time(path: str, unit: str) -> None:
    archive = extractor({path: "'" + unit * (BYTES // len(unit.encode())) + "'\n"})
    started = time.process_time()

    judge_bytes(archive)

    assert time.process_time() - started < SECONDS
