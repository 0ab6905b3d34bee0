"""What others wrote, made fit for a message."""

import time

import pytest

from extractor_operator.kuberay.wording import quote, raised


@pytest.mark.parametrize(
    ("said", "want"),
    [
        pytest.param(
            "Get https://u:p@h.example/a?X-Amz-Signature=s3cret&e=1: refused",
            "Get https://h.example/a refused",
            id="a signed URL",
        ),
        pytest.param("s3://key:s3cret@bucket/a", "s3://bucket/a", id="credentials in a URL"),
        pytest.param("HF_TOKEN=hf_s3cret is set", "HF_TOKEN=… is set", id="a variable"),
        pytest.param('{"password": "s3 cret", "a": 1}', '{"password": …, "a": 1}', id="a field"),
        pytest.param("Authorization: Basic czNjcmV0", "Authorization: Basic …", id="a header"),
        pytest.param("sent Bearer s3cret.s3cret", "sent Bearer …", id="a token"),
        pytest.param(
            'secret "model-token" not found', 'secret "model-token" not found', id="a Secret's name"
        ),
        pytest.param("a\x1b[31mred\x1b[0m\nline\x00\u202eend", "ared line??end", id="what is not printable"),
        pytest.param("a  b\n\n c", "a b c", id="lines"),
    ],
)
def test_what_is_quoted_is_one_printable_line_without_credentials(said: str, want: str) -> None:
    assert quote(said) == want


def test_what_is_quoted_is_short() -> None:
    assert len(quote("x" * 100_000)) == 300


@pytest.mark.parametrize("unit", ["a-", "token-", "https://a:", 'secret="', "x@", "a.b+"])
def test_hostile_text_is_read_in_no_time(unit: str) -> None:
    started = time.process_time()
    quote(unit * 50_000)

    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("said", "want"),
    [
        pytest.param("Traceback\n  File x\nValueError: no port\n", "ValueError: no port", id="an exception"),
        pytest.param(
            "Traceback\nmy.own.Error: a\n  more of it\n", "my.own.Error: a", id="one that says more"
        ),
        pytest.param("loading\nboom\n", "boom", id="a last line"),
        pytest.param(
            "Traceback\nextractor_runtime.image.UnfitImage: Ray 2.1 is not 2.0\n",
            "Ray 2.1 is not 2.0",
            id="our error",
        ),
        pytest.param("extractor: no objects\nKilled\n", "no objects", id="our entry point"),
        pytest.param("ValueError: caught\n" + "line\n" * 20 + "end", "end", id="what was caught long before"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_last_word_of_a_log_is_found(said: str, want: str) -> None:
    assert raised(said) == want
