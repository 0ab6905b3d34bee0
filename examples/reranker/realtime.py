"""The query side, all there is: pairs in, scores out."""

from collections import defaultdict
from typing import Any

from shared.plugins.inference.serve import BaseInferenceService

from .processors import bm25

JsonObject = dict[str, Any]


class InferenceService(BaseInferenceService):
    """Answers ``pairs`` of query and document with ``scores``, one a pair, in their order."""

    def run_inference(self, inputs: JsonObject, parameters: JsonObject) -> JsonObject:
        """Answer one request; pairs with the same query are compared with each other."""
        pairs = _pairs(inputs)
        places = defaultdict(list)
        for place, (query, _) in enumerate(pairs):
            places[query].append(place)
        scores = [0.0] * len(pairs)
        for query, same in places.items():
            for place, score in zip(same, bm25.scores(query, [pairs[at][1] for at in same]), strict=True):
                scores[place] = score
        return {"scores": scores}


def _pairs(inputs: JsonObject) -> list[list[str]]:
    pairs = inputs.get("pairs")
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        raise ValueError('inputs hold no pairs: send {"pairs": [["query", "document"], …]}')
    return pairs


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
