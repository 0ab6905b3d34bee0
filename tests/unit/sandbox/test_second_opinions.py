"""What bandit and detect-secrets say, as findings of ours: in this process, fed from memory."""

import pytest

from extractor_sandbox.finding import Problem
from extractor_sandbox.opinions import bandit, detect_secrets
from support.evidence import make_evidence

SECRET = "c9Zk2xQ7Wm4TtYb1LpR8vNs3"


def warning(message: str, path: str, line: int) -> Problem:
    return Problem(message, path, line, severity="warn")


def test_bandit_warns_of_code_with_its_own_ids() -> None:
    code = "try:\n    assert True\nexcept Exception:\n    pass\n"

    problems = list(bandit.problems(make_evidence({"core.py": code, "notes.txt": code})))

    assert problems == [
        warning("bandit B101: Use of assert detected", "core.py", 2),
        warning("bandit B110: Try, Except, Pass detected", "core.py", 3),
    ]


def test_a_nosec_does_not_silence_bandit() -> None:
    problems = list(bandit.problems(make_evidence({"core.py": "assert True  # nosec\n"})))

    assert problems == [warning("bandit B101: Use of assert detected", "core.py", 1)]


def test_bandit_reads_the_text_of_a_file_as_well_as_its_syntax() -> None:
    problems = list(bandit.problems(make_evidence({"core.py": "a = '\N{RIGHT-TO-LEFT OVERRIDE}'\n"})))

    assert [(each.message.partition(":")[0], each.line) for each in problems] == [("bandit B613", 1)]


def test_a_file_that_bandit_cannot_read_rejects_and_the_others_are_read() -> None:
    deep = "x = " + "-" * 5_000 + "1\n"

    problems = list(bandit.problems(make_evidence({"a.py": deep, "b.py": "def f(:\n", "c.py": "assert 1\n"})))

    assert [(each.path, each.severity) for each in problems] == [
        ("a.py", "reject"),
        ("b.py", "reject"),
        ("c.py", "warn"),
    ]


def test_a_test_of_bandit_that_fails_is_not_passed_over_in_silence() -> None:
    code = "import importlib\nimportlib.import_module()\nassert 1\n"

    problems = list(bandit.problems(make_evidence({"core.py": code})))

    assert problems == [
        warning("bandit B101: Use of assert detected", "core.py", 3),
        Problem("1 of bandit's tests failed on the file, and say nothing of it", "core.py", severity="warn"),
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("core.py", f"password = '{SECRET}'\n", id="assigned in code"),
        pytest.param("core.py", f"connect(password='{SECRET}')\n", id="an argument"),
        pytest.param("core.py", f"def connect(password='{SECRET}'):\n    pass\n", id="a default"),
        pytest.param("settings.yaml", f"api_key: {SECRET}\n", id="in YAML without quotes"),
        pytest.param("settings.json", f'{{"secret": "{SECRET}"}}\n', id="in JSON"),
        pytest.param("README.md", f"[db](https://admin:{SECRET}@example.test)\n", id="in an address"),
        pytest.param(
            "core.py", f"password = '{SECRET}'  # pragma: allowlist secret\n", id="a comment excuses it"
        ),
        pytest.param("a.txt", "x" * 4_000 + f" password = '{SECRET}'\n", id="where a long line is cut"),
    ],
)
def test_a_secret_is_pointed_at_and_never_shown(path: str, text: str) -> None:
    evidence = make_evidence({path: text})

    problems = [*detect_secrets.problems(evidence), *bandit.problems(evidence)]

    assert any(each.message.startswith("detect-secrets takes something for a secret: ") for each in problems)
    assert {(each.path, each.line, each.severity) for each in problems} == {(path, 1, "warn")}
    assert SECRET not in repr(problems)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("password = ''\n", id="an empty string"),
        pytest.param("password = get_secret('database')\n", id="read from elsewhere"),
        pytest.param("password: ${PASSWORD}\n", id="a placeholder"),
        pytest.param("run_id = '6f1b9a52-0f5e-4f43-9d3c-2f2f6d1f8a11'\n", id="a UUID"),
    ],
)
def test_what_is_no_secret_is_not_pointed_at(text: str) -> None:
    assert list(detect_secrets.problems(make_evidence({"settings.yaml": text, "core.py": text}))) == []


def test_each_kind_of_secret_is_said_once_for_a_line() -> None:
    text = f"a = 1\npassword = '{SECRET}'; password = '{SECRET}'\n"

    lines = [(each.line, each.message) for each in detect_secrets.problems(make_evidence({"core.py": text}))]

    assert len(lines) == len(set(lines)) and {line for line, _ in lines} == {2}


def test_detect_secrets_says_what_it_did_not_look_at() -> None:
    problems = list(detect_secrets.problems(make_evidence({"large.txt": "password = 'x'\n" * 100_000})))

    assert problems == [
        Problem(
            "detect-secrets did not look at it: it is larger than 1048576 bytes", "large.txt", severity="warn"
        )
    ]
