"""Archives of the shapes that authors write: each dialect, each form of step, each form of realtime class.

Our own, made after those that are public. All of them probe a text: the vector is its length and 1.
"""

VECTOR = (
    '{"feature_type": "embedding", "feature_name": "vector", "embedding_dim": 2, "distance_metric": "dot"}'
)
OTHER_VECTOR = (
    '{"name": "vector", "type": "vector", "dimensions": 2, "distance": "dot"}, '
    '{"name": "length", "type": "number"}'
)
FLAT = f"""
feature_extractor_name = "probe"
version = "1.0.0"
description = "A probe"
dependencies = []
features = [{VECTOR}]
output_schema = {{"vector": {{"type": "array"}}, "length": {{"type": "integer"}}}}
input_mappings = {{"text": "text"}}
compute_profile = {{"resource_type": "cpu", "batch_size": 2}}
parameter_schema = {{"scale": {{"type": "integer", "default": 1}}}}
"""
SECOND_FEATURES = FLAT.replace(VECTOR, OTHER_VECTOR).replace('version = "1.0.0"', 'version = "v1"')
CLASSES = """
from typing import List, Optional
from pydantic import BaseModel, Field

class Input(BaseModel):
    text: str = Field(..., description="What is probed")

class Output(BaseModel):
    vector: List[float]
    length: int = Field(..., ge=0)

class Params(BaseModel):
    scale: int = Field(default=1, ge=1)
"""
SCHEMAS = """
input_schema = Input
output_schema = Output
parameter_schema = Params
supported_input_types = ["text"]
"""
PYDANTIC = f"""{CLASSES}
metadata = {{"feature_extractor_name": "probe", "version": "1.0", "description": "A", "category": "text"}}
{SCHEMAS}
features = [{VECTOR}]
"""
FIRST_CLI = f"""{CLASSES}
metadata = {{"name": "probe", "version": "v1", "description": "A probe", "icon": "zap", "author": "me"}}
{SCHEMAS}
"""
DIALECTS = {
    "flat": (FLAT, set()),
    "flat with the template's features": (SECOND_FEATURES, {"M04"}),
    "metadata and classes": (PYDANTIC, set()),
    "the first CLI's metadata": (FIRST_CLI, {"M02"}),
}

CORE = """
from dataclasses import dataclass

def probe(text, scale=1):
    return [float(len(text) * scale), 1.0]

@dataclass
class Config:
    scale: int = 1

class Processor:
    def __init__(self, config: Config, progress_actor=None):
        self.config = config

    def __call__(self, batch):
        texts = batch["text"].fillna("").tolist()
        batch["vector"] = [probe(text, self.config.scale) for text in texts]
        batch["length"] = [len(text) for text in texts]
        return batch
"""
DEFINITION = """
from engine.plugins.extractors.pipeline import (
    PipelineDefinition, ResourceType, RowCondition, StepDefinition, build_pipeline_steps,
)
"""
STEPS: dict[str, str] = {
    "a function": """
from processors.core import probe

def process(batch):
    batch["vector"] = [probe(text) for text in batch["data"]]
    batch["length"] = batch["data"].str.len()
    return batch

def build_steps(extractor_request, container=None, base_steps=None, **kwargs):
    steps = base_steps or []
    steps.append(process)
    return {"steps": steps, "prepare": lambda ds: ds}
""",
    "an instance, with optional arguments only": """
from .processors.core import Config, Processor

def build_steps(extractor_request=None, container=None, base_steps=None, dataset_size=None,
                content_flags=None):
    return {"steps": list(base_steps or []) + [Processor(Config())]}
""",
    "a definition": f"""{DEFINITION}
from .processors.core import Config, Processor

def build_steps(extractor_request, **kwargs):
    parameters = extractor_request.extractor_config.parameters or {{}}
    step = StepDefinition(
        service_class=Processor, resource_type=ResourceType.CPU, config=Config(parameters["scale"]),
        condition=RowCondition.IS_TEXT,
    )
    skipped = StepDefinition(service_class=None, resource_type=ResourceType.GPU, enabled=False)
    pipeline = PipelineDefinition(name="probe", version="v1", steps=[step, skipped])
    return {{"steps": build_pipeline_steps(pipeline, dataset_size=kwargs["dataset_size"])}}
""",
    "a class as its own config's reader": f"""{DEFINITION}
from processors.core import probe

class Lenient:
    def __init__(self, config=None, **kwargs):
        self.scale = (config or {{}}).get("scale", 1)

    def __call__(self, batch):
        batch = batch.reset_index(drop=True)
        batch["vector"] = None
        for index, text in enumerate(batch["data"]):
            batch.at[index, "vector"] = probe(text, self.scale)
        batch["length"] = batch["data"].str.len()
        return batch

def build_steps(request):
    pipeline = PipelineDefinition("probe", "v1", [StepDefinition(Lenient, config={{"scale": 1}})])
    return {{"steps": build_pipeline_steps(pipeline)}}
""",
    "a builder": f"""{DEFINITION}
from engine.pipelines.models import ExtractorRequest, PipelineStepsAndPrepare
from engine.plugins.extractors.builder import BaseExtractorBuilder, DatasetPreparationBuilder, InputFieldType
from pydantic import BaseModel
from shared.collection.features.extractors.models import ExtractorDefinition
from shared.utilities.content.enums import ContentCategory
from .processors.core import Config, Processor

class Params(BaseModel):
    scale: int = 1

def build_steps(extractor_request: ExtractorRequest, container=None, base_steps=None, dataset_size=None,
                content_flags=None):
    builder = BaseExtractorBuilder(
        extractor_request=extractor_request, extractor_name="Probe", inputs_model=Params, params_model=Params
    )
    step = StepDefinition(service_class=Processor, config=Config(builder.params.scale))
    prepare = DatasetPreparationBuilder(
        extractor_request=extractor_request, extractor_name="Probe",
        supported_content_types=[ContentCategory.TEXT], input_field_mapping=InputFieldType.TEXT,
    ).build_prepare_function()
    result = builder.build_pipeline(
        pipeline_steps=build_pipeline_steps(PipelineDefinition("probe", "v1", [step])),
        prepare_function=prepare, base_steps=base_steps, content_flags=content_flags,
    )
    return {{"steps": result.steps, "prepare": result.prepare}}

def extract(extractor_request: ExtractorRequest, base_steps=None, dataset_size=None, content_flags=None):
    result = build_steps(extractor_request, base_steps=base_steps)
    return PipelineStepsAndPrepare(steps=result["steps"], prepare=result["prepare"])

extractor_definition = ExtractorDefinition(
    name="probe", version="v1", extractor_function_path=extract, requires_file_resolution=False
)
""",
    "extract alone": """
import types
from processors import core

def extract(extractor_request, base_steps=None, dataset_size=None, content_flags=None):
    assert extractor_request.params["scale"] == extractor_request.parameters["scale"] == 1
    return types.SimpleNamespace(steps=[core.Processor(core.Config())], prepare=lambda ds: ds)
""",
    "a batch service": f"""{DEFINITION}
from shared.loggers.services import get_logger
from shared.plugins.inference.batch import BaseBatchInferenceService
from processors.core import probe

class Service(BaseBatchInferenceService):
    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.config = config

    def _process_batch(self, batch):
        get_logger(__name__).debug("%s", self.config)
        batch["vector"] = batch["data"].map(probe)
        batch["length"] = batch["data"].str.len()
        return batch

def build_steps(extractor_request, **kwargs):
    return {{"steps": build_pipeline_steps(PipelineDefinition("probe", "v1", [StepDefinition(Service)]))}}
""",
    "helpers of the library": f"""{DEFINITION}
from shared.plugins.sdk import concurrent_api_calls, parallel_io
from processors.core import probe

class Remote:
    def __init__(self, config, **kwargs):
        self.llm = config["llm_service"]

    def __call__(self, batch):
        async def measure(text):
            return len(text)

        lengths = concurrent_api_calls(items=batch["data"].tolist(), async_fn=measure, max_concurrent=10)
        vectors = parallel_io(batch["data"].tolist(), probe, max_workers=2)
        batch["length"] = [length or 0 for length in lengths]
        batch["vector"] = [vectors[index] for index in sorted(vectors)]
        return batch

def build_steps(extractor_request, container=None, **kwargs):
    step = StepDefinition(Remote, ResourceType.API, config={{"llm_service": container.llm}})
    return {{"steps": build_pipeline_steps(PipelineDefinition("probe", "v1", [step]))}}
""",
    "a built-in model that is not enabled": f"""{DEFINITION}
from engine.inference.openai.whisper_api.services import WhisperTranscriptionBatch
from shared.inference.openai.whisper_api.models import InferenceConfigs as WhisperConfig
from shared.inference.registry import get_batch_service
from processors.core import Config, Processor

def build_steps(extractor_request, **kwargs):
    steps = [
        StepDefinition(WhisperTranscriptionBatch, ResourceType.API, WhisperConfig(model="w"), enabled=False),
        StepDefinition(get_batch_service("org/model"), enabled=False),
        StepDefinition(Processor, config=Config()),
    ]
    return {{"steps": build_pipeline_steps(PipelineDefinition("probe", "v1", steps))}}
""",
}
BASE = "from shared.plugins.inference.serve import BaseInferenceService, ServeDeploymentConfig\n"
CLASS_FORMS = {
    "InferenceService, called": f"""{BASE}
from processors.core import probe

class InferenceService(BaseInferenceService):
    def __init__(self):
        super().__init__()

    async def __call__(self, inputs: dict, parameters: dict) -> dict:
        return {{"embedding": probe(inputs.get("text", ""))}}
""",
    "a factory, and run_inference": f"""
try:
    {BASE}
except ImportError:
    BaseInferenceService = object
from .processors.core import probe

class ProbeInferenceService(BaseInferenceService):
    def __init__(self, embedding_dim: int = 2):
        super().__init__()
        self.embedding_dim = embedding_dim

    async def run_inference(self, inputs, parameters):
        texts = inputs.get("texts", []) or [inputs["text"]]
        return {{"embeddings": [probe(text)[: self.embedding_dim] for text in texts]}}

    async def __call__(self, inputs, parameters):
        return await self.run_inference(inputs, parameters)

def get_inference_service(**kwargs):
    return ProbeInferenceService(**kwargs)
""",
    "RealtimeService, _process_single": f"""{BASE}
from .processors.core import probe

class ProbeRealtimeService(BaseInferenceService):
    serve_config = ServeDeploymentConfig(enabled=True, num_replicas=1)

    async def _process_single(self, inputs, parameters):
        self.logger.debug("asked")
        return {{"vector": probe(inputs["text"])}}

__all__ = ["ProbeRealtimeService"]
""",
    "the engine's base": """
from engine.services.batch import BaseInferenceService
from .processors.core import probe

class ProbeService(BaseInferenceService):
    async def _process_single(self, inputs, parameters):
        return {"embedding": probe(inputs["text"])}
""",
    "RealtimeHandler, predict": """
from processors.core import probe

class RealtimeHandler:
    def predict(self, request: dict) -> dict:
        return {"embedding": probe(request["text"])}
""",
}
