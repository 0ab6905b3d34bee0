"""Near duplicates: a fingerprint of each text, to find the texts that say almost the same. Batch only."""

feature_extractor_name = "near_duplicates"
version = "1.0.0"
description = "Counts words and lines of texts and fingerprints them with one-bit MinHash."

supported_input_types = ["text"]
input_mappings = {"text": "text"}

features = [
    {
        "feature_type": "embedding",
        "feature_name": "fingerprint",
        "embedding_dim": 256,
        "distance_metric": "cosine",
    }
]
output_schema = {
    "fingerprint": {"type": "array", "items": {"type": "number"}, "minItems": 256, "maxItems": 256},
    "characters": {"type": "integer"},
    "words": {"type": "integer"},
    "lines": {"type": "integer"},
}

compute_profile = {"resource_type": "cpu", "batch_size": 256}
example_input = {"text": "The quick brown fox jumps over the lazy dog."}
