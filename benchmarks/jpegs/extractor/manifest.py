feature_extractor_name = "photos"
version = "1.0.0"
features = [
    {
        "feature_type": "embedding",
        "feature_name": "thumbnail",
        "embedding_dim": 192,
        "distance_metric": "euclid",
    }
]
output_schema = {"thumbnail": {"type": "array"}}
compute_profile = {"resource_type": "cpu", "batch_size": 64, "max_concurrency": 2}
