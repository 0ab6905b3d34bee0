"""The query side: the same model, so that a question lands where its answers are."""

from typing import Any

from shared.plugins.inference.serve import BaseInferenceService

from .processors import minilm

JsonObject = dict[str, Any]


class InferenceService(BaseInferenceService):
    """Embeds ``text`` into ``embedding``, or each of ``texts`` into ``embeddings``."""

    def __init__(self) -> None:
        super().__init__()
        self._model = minilm.load()

    def run_inference(self, inputs: JsonObject, parameters: JsonObject) -> JsonObject:
        """Answer one request."""
        return self.run_inference_batch([inputs], [parameters])[0]

    def run_inference_batch(self, inputs: list[JsonObject], parameters: list[JsonObject]) -> list[JsonObject]:
        """Answer concurrent requests with one call of the model."""
        asked = [_texts(one) for one in inputs]
        vectors = iter(self._model.encode([text for texts in asked for text in texts]).tolist())
        answers = []
        for one, texts in zip(inputs, asked, strict=True):
            embeddings = [next(vectors) for _ in texts]
            answers.append({"embeddings": embeddings} if "texts" in one else {"embedding": embeddings[0]})
        return answers


def _texts(inputs: JsonObject) -> list[str]:
    texts = inputs["texts"] if "texts" in inputs else [inputs.get("text")]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError('inputs hold no text: send {"text": "…"} or {"texts": ["…", …]}')
    return texts
