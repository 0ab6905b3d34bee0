"""Questions to the realtime half: each sample, and the text of each document where it became several."""

import asyncio
import contextlib
import copy
import time
from collections.abc import Sequence

import numpy as np

from extractor_apis.manifest import JsonObject, Manifest
from extractor_runtime import errors
from extractor_runtime.realtime import answers, query_inputs
from extractor_runtime.realtime.realtime_service import RealtimeService
from extractor_runtime.trial import samples
from extractor_runtime.trial.observed import Batch, Fault, Realtime, fault_of
from extractor_runtime.trial.parity import Answer, Document
from extractor_runtime.trial.samples import Sample, Samples

MAX_SAMPLES = 32
MAX_DOCUMENTS = 3
"""Documents of one sample whose own text is asked with."""
_TIMED_ANSWERS = 10
_TIMED_SECONDS = 2.0


class _HangsError(Exception):
    """The author's thread is lost: further questions would wait behind this one."""


class Interview:
    """Asks one realtime service, and notes what it says; one that hangs is not asked again."""

    def __init__(
        self,
        service: RealtimeService,
        manifest: Manifest,
        parameters: JsonObject,
        *,
        load_seconds: float,
        answer_seconds: float = 60.0,
    ) -> None:
        self._service = service
        self._manifest = manifest
        self._parameters = parameters
        self._load_seconds = load_seconds
        self._answer_seconds = answer_seconds
        self._features: Sequence[str | None] = [feature.name for feature in manifest.vectors] or [None]
        self._latencies: list[float] = []
        self._answers: list[Answer] = []
        self._faults: list[tuple[str, Fault]] = []
        self._unpromised: list[tuple[str, Fault]] = []

    async def hold(self, tried: Samples, ran: Batch) -> Realtime:
        """Ask everything that there is to ask."""
        asked = [sample for sample in tried.all if sample.inputs][:MAX_SAMPLES]
        answered: list[Sample] = []
        with contextlib.suppress(_HangsError):
            for sample in asked:
                if await self._ask_sample(sample):
                    answered.append(sample)
            for sample in answered:
                documents = [document for document in ran.documents if document.object_id == sample.name]
                for document in documents[:MAX_DOCUMENTS] if len(documents) > 1 else ():
                    await self._ask_document(document)
            if answered:
                await self._repeat(answered[0])
        return Realtime(
            load_seconds=self._load_seconds,
            asked=len(asked),
            answered=len(answered),
            latencies=tuple(self._latencies[1:]),
            answers=tuple(self._answers),
            faults=tuple(self._faults),
            unpromised=tuple(self._unpromised),
        )

    async def _ask_sample(self, sample: Sample) -> bool:
        """Ask for every feature, as searches do; note a fault if there is an answer for none."""
        faults = [
            fault for name in self._features if (fault := await self._ask(sample.name, sample.inputs, name))
        ]
        if len(faults) < len(self._features):
            return True
        (self._faults if self._is_promised(sample) else self._unpromised).append((sample.name, faults[0]))
        return False

    def _is_promised(self, sample: Sample) -> bool:
        """Tell whether an answer is due: to a question, to the manifest's example, to a text to search by."""
        if not sample.in_batch or sample.name.startswith(samples.EXAMPLE):
            return True
        return sample.kind == "text" and bool(self._manifest.vectors)

    async def _ask_document(self, document: Document) -> None:
        if document.text is None:
            return
        inputs = query_inputs.named(document.text, "text", self._manifest.input_names)
        for name in self._features:
            if fault := await self._ask(document.object_id, inputs, name, document.document_id):
                self._faults.append((document.object_id, fault))

    async def _repeat(self, sample: Sample) -> None:
        """Ask until there are enough answers for a median; one that fails now and then is a fault, too."""
        until = time.perf_counter() + _TIMED_SECONDS
        answered = {answer.feature for answer in self._answers if answer.sample == sample.name}
        name = next((each for each in self._features if each in answered), None)
        while len(self._latencies) <= _TIMED_ANSWERS and time.perf_counter() < until:
            if fault := await self._ask(sample.name, sample.inputs, name, keep=False):
                return self._faults.append((sample.name, fault))

    async def _ask(
        self,
        sample: str,
        inputs: JsonObject,
        name: str | None,
        document_id: str | None = None,
        *,
        keep: bool = True,
    ) -> Fault | None:
        """Ask for one feature, or for none, and keep its vector; say what is wrong with the answer."""
        feature = self._manifest.feature(name) if name else None
        # The author's code may write into what it is given.
        question = copy.deepcopy({"vector_index": name, **inputs} if name else inputs)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._answer_seconds):
                answer = await self._service.answer(question, dict(self._parameters))
            self._latencies.append(time.perf_counter() - started)
            if feature and keep:
                vector = np.asarray(answers.embedding(answer, self._manifest, feature), np.float32)
                self._answers.append(Answer(sample, feature.name, vector, document_id))
        except TimeoutError:
            self._faults.append((sample, Fault(f"there was no answer within {self._answer_seconds:g} s")))
            raise _HangsError from None
        except errors.AuthorError as error:
            return fault_of(error)
        return None
