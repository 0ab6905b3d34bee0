"""Images: two vectors of each, by its colours and by its structure, to find a picture by a part of it."""

feature_extractor_name = "images"
version = "1.0.0"
description = "Describes pictures by their colours and by their structure, turned or not."

supported_input_types = ["image"]
input_mappings = {"image": "image"}

features = [
    {
        "feature_type": "embedding",
        "feature_name": "colour",
        "embedding_dim": 360,
        "distance_metric": "cosine",
    },
    {
        "feature_type": "embedding",
        "feature_name": "structure",
        "embedding_dim": 300,
        "distance_metric": "cosine",
    },
]
output_schema = {
    "colour": {"type": "array", "items": {"type": "number"}, "minItems": 360, "maxItems": 360},
    "structure": {"type": "array", "items": {"type": "number"}, "minItems": 300, "maxItems": 300},
    "colour_name": {"type": "string", "description": "What one would call the average colour."},
    "width": {"type": "integer", "description": "Pixels, as the picture is looked at."},
    "height": {"type": "integer"},
}
feature_uri = "mixpeek://images@1.0.0/structure"

dependencies = ["pillow>=11", "scipy>=1.14"]
compute_profile = {"resource_type": "cpu", "batch_size": 32, "actor_memory_gb": 1.0}
# A square of 16 pixels, half orange and half blue.
example_input = {
    "image": "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAIElEQVR42mN81qTBQApgYiARjGogBjBqRO0bDaWB1wAA4GoC"
    "79gv2HsAAAAASUVORK5CYII="
}
