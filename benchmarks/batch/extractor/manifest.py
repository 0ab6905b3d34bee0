feature_extractor_name = "bench"
version = "1.0.0"
features = [
    {"feature_type": "embedding", "feature_name": "vector", "embedding_dim": 384, "distance_metric": "cosine"}
]
output_schema = {"vector": {"type": "array"}}
compute_profile = {"resource_type": "cpu", "batch_size": 256, "max_concurrency": 2}
