"""The query side: a clip, described as the segments are."""

from typing import Any

from shared.plugins.inference.serve import BaseInferenceService

from .processors import recording, sound

JsonObject = dict[str, Any]

_SECONDS = 60
"""Of a clip, what comes later is not listened to."""


class InferenceService(BaseInferenceService):
    """Answers ``audio``, a data: URL or the address of a file, with ``embedding``."""

    def run_inference(self, inputs: JsonObject, parameters: JsonObject) -> JsonObject:
        """Answer one request."""
        address = inputs.get("audio")
        if not isinstance(address, str):
            raise ValueError('inputs hold no audio: send {"audio": "data:audio/wav;base64,…"} or a URL')
        return {"embedding": sound.describe(recording.read(address, seconds=_SECONDS))}
