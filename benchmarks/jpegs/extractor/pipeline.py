from engine.plugins.extractors.pipeline import StepDefinition
from shared.plugins import open_asset

from . import thumbnail


class Thumbnails:
    def __init__(self, config=None, **kwargs):
        pass

    def __call__(self, batch):
        vectors = []
        for url in batch["data"]:
            with open_asset(url) as path:
                vectors.append(thumbnail.of(path))
        batch["thumbnail"] = vectors
        return batch


def build_steps(extractor_request, **kwargs):
    return {"steps": [StepDefinition(Thumbnails)]}
