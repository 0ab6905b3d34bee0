"""Reranker: order documents by how well their words answer a query. Answers at query time only."""

feature_extractor_name = "reranker"
version = "1.0.0"
description = "Scores pairs of a query and a document with BM25 over the documents given."

inference_type = "rerank"
supported_input_types = ["text"]
input_schema = {
    "type": "object",
    "required": ["pairs"],
    "properties": {
        "pairs": {
            "type": "array",
            "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
            "description": "A query and a document each; what one query is asked with is compared.",
        }
    },
}

# A number and no vector: there is nothing to store, and nothing to search by.
features = [{"name": "scores", "type": "number"}]
output_schema = {"scores": {"type": "array", "items": {"type": "number"}}}

compute_profile = {"resource_type": "cpu"}
example_input = {
    "pairs": [["green tea", "Tea is picked by hand."], ["green tea", "Green tea is not roasted."]]
}
