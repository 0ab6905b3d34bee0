"""What the operator writes for one object, to be written for others by whoever is compared with it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

NAME = "burst-0"
"""Of the extractor, and of the collection, whose writes are kept."""
_JSON = "application/json"


@dataclass(frozen=True)
class Write:
    """One write, as it was for the object that was watched."""

    method: str
    path: str
    body: Json
    form: str | None = None
    """The content type of a patch."""
    uid: str | None = None
    """Of what it made or changed."""

    @property
    def url(self) -> str:
        """The path, with what an apply needs besides."""
        return f"{self.path}?fieldManager=bench&force=true" if self.form else self.path

    @property
    def content_type(self) -> str:
        """How the body is to be read."""
        return self.form or _JSON

    @property
    def is_child(self) -> bool:
        """Tell whether it made an object that lasts: no status, and no event."""
        return not (self.path.endswith("/status") or "/events.k8s.io/" in self.path)


@dataclass
class Copy:
    """The same for another object: its name, its namespace, and the uids that were given."""

    name: str
    was: str
    """The namespace of the object that was watched."""
    namespace: str
    uids: dict[str, str] = field(default_factory=dict)

    def of(self, write: Write) -> Write:
        """Give a write as it is for this object."""
        text = json.dumps([write.path, write.body]).replace(NAME, self.name).replace(self.was, self.namespace)
        for old, new in self.uids.items():
            text = text.replace(old, new)
        path, body = json.loads(text)
        return Write(write.method, path, body, write.form, write.uid)

    def learn(self, write: Write, answer: Json) -> None:
        """Note the uid that was given to what a write made."""
        if write.method == "POST" and write.uid:
            self.uids[write.uid] = answer["metadata"]["uid"]


def read(file: Path) -> list[Write]:
    """Read what was recorded, in order."""
    return [Write(**json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def about(writes: Iterable[Write], uid: str) -> list[Write]:
    """Pick what was written for an object, and for what was made for it."""
    known, found = {uid}, []
    for write in writes:
        text = json.dumps(write.body)
        if any(each in text for each in known):
            found.append(write)
            known |= {write.uid} if write.method == "POST" and write.uid else set()
    return found
