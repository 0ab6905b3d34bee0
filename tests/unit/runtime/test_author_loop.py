"""The realtime class's own thread, and those for plain functions that wait for an API."""

import asyncio
from pathlib import Path

import pytest

from extractor_runtime.realtime import author_loop


def test_a_coroutine_is_never_given_to_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # asyncio refuses it only when it debugs; uvloop, which Serve runs on, always.
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    loop = author_loop.AuthorLoop(tmp_path, threads=2)

    async def answer(text: str) -> str:
        return text.upper()

    try:
        assert asyncio.run(loop.run(answer, "tea")) == "TEA"
    finally:
        loop.close()
