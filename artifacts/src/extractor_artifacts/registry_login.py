"""How a registry is told who asks: by a token of its authority, a password, or not at all if it lets us."""

import re
import urllib.parse
from collections.abc import Mapping

import httpx2
import pydantic
from pydantic import BaseModel

from extractor_artifacts.errors import AuthenticationFailed, FetchFailed
from extractor_artifacts.login import NOTHING
from extractor_artifacts.session import Session

_TOKEN_BYTES = 64 * 1024
_TOKEN = re.compile(r"[\x21-\x7e]+")


class RegistryLogin:
    """Asks for a token for one repository when the registry wants one, and again when it has expired."""

    def __init__(
        self, session: Session, *, root: str, repository: str, origin: str, authorization: str | None = None
    ) -> None:
        """Ask as ``authorization`` says, a header; ``root`` is the registry's URL that the user named."""
        self._session = session
        self._root = root
        self._repository = repository
        self._origin = origin
        self._authorization = authorization
        self._sent: str | None = None

    def headers(self) -> Mapping[str, str]:
        """Give what the registry asked for last."""
        return {"Authorization": self._sent} if self._sent else NOTHING

    async def renew(self, refusal: httpx2.Headers) -> bool:
        """Do what the registry asks for; raise AuthenticationFailed where that is impossible."""
        scheme, _, rest = refusal.get("WWW-Authenticate", "").partition(" ")
        asked = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if scheme.lower() == "bearer" and "realm" in asked and not self._is_token_given():
            self._sent = f"Bearer {await self._token(asked['realm'], asked.get('service'))}"
            return True
        if self._authorization is None:
            raise AuthenticationFailed(
                f"{self._origin} cannot be read: the registry asks for credentials; name a pull secret"
            )
        if self._sent == self._authorization:
            return False
        self._sent = self._authorization
        return True

    def _is_token_given(self) -> bool:
        return self._authorization is not None and self._authorization.startswith("Bearer ")

    async def _token(self, realm: str, service: str | None) -> str:
        """Ask for a token, the one that public registries want of everybody or one of our own."""
        query = urllib.parse.urlencode(
            {"scope": f"repository:{self._repository}:pull"} | ({"service": service} if service else {})
        )
        separator = "&" if "?" in realm else "?"
        headers = {"Authorization": self._authorization} if self._authorization else NOTHING
        answer = await self._session.get(
            f"{realm}{separator}{query}", headers, max_bytes=_TOKEN_BYTES, named=self._root
        )
        if answer.status in (400, 401, 403, 404):
            raise self._refused()
        if answer.status != 200:
            raise FetchFailed(f"cannot log in to read {self._origin}: HTTP {answer.status}; try again")
        try:
            read = _Token.model_validate_json(answer.body)
        except pydantic.ValidationError:
            # The library's message repeats what it read.
            read = _Token()
        token = read.token or read.access_token
        if _TOKEN.fullmatch(token) is None:
            raise FetchFailed(f"cannot log in to read {self._origin}: the registry gives no token; try again")
        return token

    def _refused(self) -> AuthenticationFailed:
        if self._authorization is None:
            return AuthenticationFailed(
                f"{self._origin} cannot be read without credentials: is it public? If not, name a pull secret"
            )
        return AuthenticationFailed(
            f"the registry of {self._origin} refuses the pull secret's login: check it, or make it again"
        )


class _Token(BaseModel):
    token: str = ""
    access_token: str = ""
