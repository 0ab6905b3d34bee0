"""The query side: the vectors of one picture."""

from typing import Any

from shared.plugins.inference.serve import BaseInferenceService

from .processors import descriptors, picture

JsonObject = dict[str, Any]


class InferenceService(BaseInferenceService):
    """Answers ``image``, a data: URL or the address of a file, with both vectors by their names."""

    def run_inference(self, inputs: JsonObject, parameters: JsonObject) -> JsonObject:
        """Answer one request."""
        address = inputs.get("image")
        if not isinstance(address, str):
            raise ValueError('inputs hold no image: send {"image": "data:image/jpeg;base64,…"} or a URL')
        rgb = picture.load(address).rgb
        return {"colour": descriptors.colour(rgb), "structure": descriptors.structure(rgb)}
