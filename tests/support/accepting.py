"""A store of artifacts that has accepted every version, and threads that do at once what they are given."""

import concurrent.futures
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from extractor_apis.scan import ScanReport, Verdict
from extractor_artifacts import Artifact, ArtifactError
from support import workloads


class Artifacts:
    """Every version, but for those that are missing."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        """Digests."""

    def get(self, digest: str) -> Artifact:
        if digest in self.missing:
            raise ArtifactError(f"{digest} is not stored")
        report = ScanReport(
            verdict=Verdict.ACCEPT,
            source_digest=digest,
            manifest=workloads.make_code().manifest,
            python="3.11",
            ruleset="1",
        )
        return Artifact(cast("Any", digest), Path(), report)


class Inline(concurrent.futures.Executor):
    """No threads: what fails, fails where it is asked for."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **options: Any) -> Any:
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            done.set_result(call(*args, **options))
        except Exception as err:
            done.set_exception(err)
        return done
