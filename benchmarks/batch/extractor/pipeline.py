from engine.plugins.extractors.pipeline import StepDefinition

from .model import Model


class Embed:
    def __init__(self, config=None, **kwargs):
        self._model = Model()

    def __call__(self, batch):
        batch["vector"] = list(self._model.encode(batch["data"].tolist()))
        return batch


def build_steps(extractor_request, **kwargs):
    return {"steps": [StepDefinition(Embed)]}
