import pyarrow as pa

from engine.plugins.extractors.pipeline import StepDefinition

from .model import DIMENSIONS, Model


class Embed:
    def __init__(self, config=None, **kwargs):
        self._model = Model()

    def __call__(self, batch):
        batch["vector"] = list(self._model.encode(batch["data"].tolist()))
        return batch


class EmbedArrow:
    batch_format = "pyarrow"

    def __init__(self, config=None, **kwargs):
        self._model = Model()

    def __call__(self, batch):
        vectors = self._model.encode(batch.column("data").to_pylist())
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIMENSIONS)
        return batch.append_column("vector", column)


def build_steps(extractor_request, **kwargs):
    arrow = extractor_request.parameters.get("batch_format") == "pyarrow"
    return {"steps": [StepDefinition(EmbedArrow if arrow else Embed)]}
