"""An API server in memory, as far as the operator's client goes: objects by path, versions, and faults."""

import copy
import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

from extractor_operator.errors import ApiUnavailable, Exists, Gone


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
            raise Exists(f"{target} is there already")
        return self.put(target, _made(target, body))

    async def replace(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._note("replace", path, body)
        known = self.objects.get(path, {}).get("metadata", {}).get("resourceVersion")
        if known is None or known != body["metadata"].get("resourceVersion"):
            raise Gone(f"{path} has changed")
        return self.put(path, body)

    async def apply(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._note("apply", path, body)
        target = path.removesuffix("/status")
        known = self.objects.get(target)
        if target == path and known is None:
            return self.put(target, _made(target, body))
        if known is None or body["metadata"].get("uid", known["metadata"]["uid"]) != known["metadata"]["uid"]:
            raise Gone(f"{path} is not there")
        if target != path:
            return self.put(target, {**known, "status": body["status"]})
        kept = {name: known["metadata"][name] for name in ("uid", "generation")}
        return self.put(target, {**known, **body, "metadata": {**body["metadata"], **kept}})

    async def delete(self, path: str, uid: str) -> None:
        self._note("delete", path, {"uid": uid})
        known = self.objects.get(path)
        if known and known["metadata"]["uid"] == uid:
            del self.objects[path]

    async def find(self, path: str, labels: str, *, limit: int = 500) -> list[dict[str, Any]]:
        self._check()
        wanted = dict(each.split("=") for each in labels.split(","))
        return [
            copy.deepcopy(each)
            for name, each in self.objects.items()
            if name.startswith(f"{path}/") and wanted.items() <= each["metadata"].get("labels", {}).items()
        ][:limit]

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


def _made(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give an object what the API server gives a new one."""
    given = {"uid": f"uid-of-{path}", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    metadata = {**given, **body["metadata"]}
    return {**body, "metadata": metadata}
