"""The query side: a still, or the frame in the middle of a clip, described as the scenes are."""

from typing import Any

from shared.plugins import open_asset
from shared.plugins.inference.serve import BaseInferenceService

from .processors import frames, layout

JsonObject = dict[str, Any]

_SECONDS = 60
"""Of a clip, what comes later is not looked at."""


class InferenceService(BaseInferenceService):
    """Answers ``image`` or ``video``, a data: URL or the address of a file, with ``embedding``."""

    def run_inference(self, inputs: JsonObject, parameters: JsonObject) -> JsonObject:
        """Answer one request."""
        address = inputs.get("image") or inputs.get("video")
        if not isinstance(address, str):
            raise ValueError('inputs hold no image: send {"image": "data:image/jpeg;base64,…"} or a URL')
        with open_asset(address) as path:
            described = layout.describe(frames.read(path, seconds=_SECONDS))
        return {"embedding": described[len(described) // 2]}
