"""Hand a file in to the operator's artifact endpoint: what a Job has made, for who sent it."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pydantic

from extractor_apis.meta import Struct
from extractor_artifacts import digest, session, urls, web
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.login import Login
from extractor_artifacts.patience import Patience
from extractor_artifacts.session import Session

_CHUNK = 1 << 20
_SAID_BYTES = 4096


class HandInRefused(ArtifactError):
    """The endpoint does not take it, and would not the next time."""


class _Problem(Struct, extra="ignore"):
    detail: str


def hand_in(file: Path, url: str, *, login: Login, patience: Patience, authority: str | None = None) -> None:
    """Send a file; the same again changes nothing, so that what may pass is tried again.

    ``authority`` is who vouches for the endpoint, in PEM; None is whom this machine trusts.
    Raises HandInRefused, and FetchFailed when patience ends. Must not be called on a running event loop.
    """
    found = digest.of_file(file)
    headers = {
        **login.headers(),
        "Content-Length": str(file.stat().st_size),
        "Content-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(digest.digits(found))).decode()}:",
    }

    async def send(asking: Session) -> None:
        for number in range(1, patience.attempts + 1):
            after = None
            try:
                answer = await asking.client.put(url, content=_pieces(file), headers=headers)
                if answer.is_success:
                    return
                reason = f"HTTP {answer.status_code}, {_detail(answer)}"
                if answer.status_code not in web.TRANSIENT:
                    raise HandInRefused(f"{urls.redact(url)} refuses what was made: {reason}")
                after = web.retry_after(answer.headers)
            except httpx2.TransportError as err:
                reason = str(err) or type(err).__name__
            if number < patience.attempts:
                await asyncio.sleep(patience.before_attempt(number + 1, after))
        raise ArtifactError(f"cannot send to {urls.redact(url)}: {reason}; gave up after {number} attempts")

    session.run(send, origin=urls.redact(url), patience=patience, authority=authority)


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_CHUNK):
            yield piece


def _detail(answer: httpx2.Response) -> str:
    try:
        return _Problem.model_validate_json(answer.content[:_SAID_BYTES]).detail
    except pydantic.ValidationError:
        return "and does not say why"
