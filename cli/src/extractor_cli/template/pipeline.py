"""The batch half: the steps that every object of a collection goes through."""

from engine.plugins.extractors.pipeline import PipelineDefinition, StepDefinition, build_pipeline_steps

from .processors.embed import EmbedProcessor


def build_steps(extractor_request, **kwargs):
    """Return the steps; parameters of the run are in extractor_request.extractor_config.parameters."""
    steps = [StepDefinition(service_class=EmbedProcessor)]
    pipeline = PipelineDefinition(name="my_extractor", version="1.0.0", steps=steps)
    return {"steps": build_pipeline_steps(pipeline)}
