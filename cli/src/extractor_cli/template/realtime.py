"""The query-time half: the same model, so that a query's vector lies in the space of the stored ones."""

from shared.plugins.inference.serve import BaseInferenceService

from .processors.embed import embed


class InferenceService(BaseInferenceService):
    """Answers {"inputs": {"text": …}} with {"embedding": […]}."""

    async def run_inference(self, inputs, parameters):
        return {"embedding": embed([inputs["text"]])[0].tolist()}
