"""LLM tagger: what texts are about, as a language model says. Attributes only, batch only."""

feature_extractor_name = "llm_tagger"
version = "1.0.0"
description = "Asks a language model for the topics, the language and a summary of each text."

inference_type = "generate"
supported_input_types = ["text"]
input_mappings = {"text": "text"}
parameter_schema = {
    "type": "object",
    "properties": {
        "provider": {
            "type": ["string", "null"],
            "default": None,
            "description": "Language model to ask, as the run calls it; null for its first.",
        },
        "model": {
            "type": ["string", "null"],
            "default": None,
            "description": "Model of that provider; null for its own choice.",
        },
        "concurrent": {
            "type": "integer",
            "minimum": 1,
            "default": 8,
            "description": "Texts that are asked about at a time, in each batch.",
        },
    },
}

# No vectors: the documents are found by what else is written of them.
features = [
    {"name": "topics", "type": "text"},
    {"name": "language", "type": "text"},
    {"name": "summary", "type": "text"},
]
output_schema = {
    "topics": {"type": "array", "items": {"type": "string"}, "description": "The first matters most."},
    "language": {"type": "string", "description": "Two letters, as in ISO 639-1."},
    "summary": {"type": "string", "description": "One sentence."},
}

compute_profile = {"resource_type": "api", "batch_size": 32, "max_concurrency": 2}
cost_rates = [{"unit": "1k_tokens", "credits_per_unit": 1.0}]
example_input = {"text": "Green tea is steamed soon after it is picked, which keeps its leaves green."}
