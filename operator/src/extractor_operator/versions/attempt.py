"""How an ExtractorVersion is reconciled: the steps, and the status that they make."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from extractor_apis.conditions import Outcome, Stage
from extractor_apis.extractorversion import ExtractorVersion, ExtractorVersionStatus
from extractor_operator.context import Context
from extractor_operator.kind import Kind
from extractor_operator.versions import status, steps
from extractor_operator.versions.status import Draft
from extractor_operator.versions.steps import STEPS, Step


@dataclass
class VersionAttempt:
    """One reconcile of one version."""

    version: ExtractorVersion
    ctx: Context
    steps: tuple[Step, ...]
    clock: Callable[[], datetime]
    draft: Draft = field(default_factory=Draft)

    @property
    def stages(self) -> list[Stage]:
        """What the steps have said."""
        return self.draft.stages

    @property
    def doing(self) -> str:
        """The step that it is at."""
        return self.draft.doing

    async def work(self) -> Outcome:
        """Do the steps."""
        return await steps.reconcile(self.version, self.draft, self.ctx, self.steps, self.clock())

    def status(self, known: ExtractorVersion, outcome: Outcome, *, now: str) -> ExtractorVersionStatus:
        """Make the status of the draft."""
        return status.render(known, self.draft, outcome, now=now)


def kind(
    steps: tuple[Step, ...] = STEPS, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Kind[ExtractorVersion]:
    """Give the kind; tests bring steps and a clock of their own."""
    return Kind(
        ExtractorVersion, lambda version, ctx, _: VersionAttempt(version, ctx, steps, clock), is_heavy=True
    )
