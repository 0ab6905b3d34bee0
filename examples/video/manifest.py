"""Video: the scenes of a video, to find the one that a still comes from, and when it is."""

feature_extractor_name = "video"
version = "1.0.0"
description = "Cuts videos into scenes and describes a frame of each by its layout of colours."

supported_input_types = ["video"]
input_mappings = {"video": "video"}
parameter_schema = {
    "type": "object",
    "properties": {
        "frames_per_second": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 60,
            "default": 4,
            "description": "Frames to look at; times are as exact as they are apart.",
        },
        "difference": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
            "default": 0.2,
            "description": "How different two frames are where a scene ends: 0 alike, 1 black and white.",
        },
        "shortest": {
            "type": "number",
            "minimum": 0,
            "default": 1,
            "description": "Seconds that a scene lasts at least.",
        },
    },
}

features = [
    {
        "feature_type": "embedding",
        "feature_name": "keyframe",
        "embedding_dim": 75,
        "distance_metric": "euclid",
    }
]
output_schema = {
    "keyframe": {"type": "array", "items": {"type": "number"}, "minItems": 75, "maxItems": 75},
    "keyframe_at": {"type": "number", "description": "Seconds from the beginning."},
    "start": {"type": "number", "description": "Seconds from the beginning."},
    "end": {"type": "number", "description": "Seconds from the beginning."},
}
feature_uri = "mixpeek://video@1.0.0/keyframe"

compute_profile = {"resource_type": "cpu", "batch_size": 2, "actor_memory_gb": 1.0}
# A second of red: four frames of 2 by 2 pixels.
example_input = {
    "video": "data:video/x-yuv4mpeg;base64,"
    "WVVWNE1QRUcyIFcyIEgyIEY0OjEgSXAgQTE6MSBDNDIwanBlZwpGUkFNRQpMTExMVf9GUkFNRQpMTExMVf9GUkFNRQpMTExMVf9G"
    "UkFNRQpMTExMVf8="
}
