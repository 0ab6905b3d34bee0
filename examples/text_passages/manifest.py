"""Text passages: cut texts into passages and embed each, to find the passage that answers a question."""

feature_extractor_name = "text_passages"
version = "1.0.0"
description = "Splits texts into passages and embeds each with all-MiniLM-L6-v2, in NumPy."

supported_input_types = ["text"]
input_mappings = {"text": "text"}
parameter_schema = {
    "type": "object",
    "properties": {
        "max_words": {
            "type": "integer",
            "minimum": 1,
            "default": 100,
            "description": "Most words of a passage; the model reads about 200 words of prose.",
        }
    },
}

features = [
    {
        "feature_type": "embedding",
        "feature_name": "passage_embedding",
        "embedding_dim": 384,
        "distance_metric": "cosine",
    }
]
output_schema = {
    "text": {"type": "string", "description": "The passage."},
    "passage_embedding": {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 384,
        "maxItems": 384,
    },
}
feature_uri = "mixpeek://text_passages@1.0.0/passage_embedding"

dependencies = ["safetensors>=0.4", "tokenizers>=0.20"]
compute_profile = {"resource_type": "cpu", "batch_size": 32, "actor_memory_gb": 1.0}
example_input = {
    "text": "The try statement specifies exception handlers and cleanup code for a group of statements."
}
