"""An API server in memory, as far as the operator's client goes: objects by path, versions, and faults."""

import copy
import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

from extractor_operator.errors import ApiUnavailable, Gone


class FakeClient:
    """Answers like `extractor_operator.kube.Client`, and remembers what was written."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.writes: list[tuple[str, str, dict[str, Any]]] = []
        """Method, path and body of each."""
        self.is_down = False
        self._versions = itertools.count(100)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have an object at a path, whoever wrote it."""
        kept = copy.deepcopy(dict(body))
        kept.setdefault("metadata", {})["resourceVersion"] = str(next(self._versions))
        self.objects[path] = kept
        return copy.deepcopy(kept)

    async def get(self, path: str) -> dict[str, Any]:
        self._check()
        if path not in self.objects:
            raise Gone(f"{path} is not there")
        return copy.deepcopy(self.objects[path])

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._note("create", path, body)
        target = f"{path}/{body['metadata']['name']}"
        if target in self.objects:
            raise Gone(f"{target} is there already")
        return self.put(target, body)

    async def replace(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._note("replace", path, body)
        known = self.objects.get(path, {}).get("metadata", {}).get("resourceVersion")
        if known is None or known != body["metadata"].get("resourceVersion"):
            raise Gone(f"{path} has changed")
        return self.put(path, body)

    async def apply(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._note("apply", path, body)
        known = self.objects.get(path.removesuffix("/status"))
        if known is None or known["metadata"]["uid"] != body["metadata"]["uid"]:
            raise Gone(f"{path} is not there")
        return self.put(path.removesuffix("/status"), {**known, "status": body["status"]})

    async def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        self._check()
        found = [each for name, each in self.objects.items() if name.startswith(f"{path}/")]
        for each in found:
            yield [copy.deepcopy(each)]

    def _note(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        self._check()
        self.writes.append((method, path, copy.deepcopy(dict(body))))

    def _check(self) -> None:
        if self.is_down:
            raise ApiUnavailable("the API server does not answer")
