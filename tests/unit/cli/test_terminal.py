"""How verbs end: one line on stderr, a stable exit code."""

import errno
import logging

import pytest
import typer

from extractor_apis.errors import ExtractorError
from extractor_cli import terminal
from extractor_cli.terminal import ExitCode
from extractor_runtime import redaction


@pytest.mark.parametrize(
    ("error", "want_code", "want_line"),
    [
        pytest.param(ExtractorError("no\nsuch thing"), 1, "extractor: no such thing", id="an error of ours"),
        pytest.param(
            ExtractorError("\x1b[2Jdone"),
            1,
            r"extractor: \x1b[2Jdone",
            id="an error with what an archive's author wrote",
        ),
        pytest.param(KeyboardInterrupt(), 130, "extractor: interrupted", id="Ctrl-C"),
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device", "store/x"),
            1,
            "extractor: store/x: No space left on device; free some space and run again",
            id="a full disk",
        ),
        pytest.param(
            ModuleNotFoundError("x", name="ray"),
            1,
            "extractor: ray is not installed: install extractor-cli[local]",
            id="a verb whose packages are missing",
        ),
        pytest.param(
            KeyError("weights"),
            1,
            "extractor: internal error, please report it (KeyError: 'weights'); -v shows where",
            id="a bug",
        ),
    ],
)
def test_every_error_is_one_line_and_an_exit_code(
    error: BaseException, want_code: int, want_line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @terminal.verb
    def verb() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        verb()

    assert caught.value.exit_code == want_code
    assert capsys.readouterr() == ("", want_line + "\n")


@pytest.mark.parametrize("code", [None, ExitCode.FINDINGS])
def test_a_verb_ends_with_the_code_it_returns(code: ExitCode | None) -> None:
    @terminal.verb
    def verb() -> ExitCode | None:
        return code

    with pytest.raises(typer.Exit) as caught:
        verb()

    assert caught.value.exit_code == (code or 0)


def test_no_secret_is_in_an_error_or_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal, "_verbose", True)
    monkeypatch.setattr(redaction, "_names", {})
    factory = logging.getLogRecordFactory()
    value = "s3cr3t"
    redaction.remember("TOKEN", value)
    logging.setLogRecordFactory(factory)

    @terminal.verb
    def verb() -> None:
        try:
            raise LookupError(f"Bearer {value}")
        except LookupError as cause:
            raise RuntimeError("." * 480 + value) from cause

    with pytest.raises(typer.Exit):
        verb()

    printed = capsys.readouterr().err
    assert "LookupError: Bearer [secret TOKEN]" in printed
    assert "s3cr" not in printed
