feature_extractor_name = "bench_realtime"
version = "1.0.0"
description = "Ten milliseconds of computation, and a vector."
features = [
    {"feature_type": "embedding", "feature_name": "vector", "embedding_dim": 384, "distance_metric": "cosine"}
]
output_schema = {"vector": {"type": "array", "items": {"type": "number"}}}
compute_profile = {"resource_type": "cpu"}
