"""What this extractor is. The platform reads this file and never runs it: plain values only."""

feature_extractor_name = "my_extractor"
version = "1.0.0"
description = "Embeds a text by hashing its words; replace it with your model"
category = "text"
supported_input_types = ["text"]

# A batch column is written for each feature, and found as mixpeek://my_extractor@1.0.0/my_extractor_embedding.
features = [
    {
        "feature_type": "embedding",
        "feature_name": "my_extractor_embedding",
        "embedding_dim": 256,
        "distance_metric": "cosine",
    }
]
# Further columns named here become attributes of the document.
output_schema = {
    "my_extractor_embedding": {"type": "array", "items": {"type": "number"}},
    "words": {"type": "integer"},
}
input_mappings = {"text": "text"}
compute_profile = {"resource_type": "cpu", "batch_size": 64}
dependencies = []
feature_uri = "mixpeek://my_extractor@1.0.0/my_extractor_embedding"
example_input = {"text": "hello world"}
