"""Audio: segments of recordings, to find the recording that a clip comes from."""

feature_extractor_name = "audio"
version = "1.0.0"
description = "Cuts recordings into segments and describes how each sounds, by its log-mel spectrum."

supported_input_types = ["audio"]
input_mappings = {"audio": "audio"}
parameter_schema = {
    "type": "object",
    "properties": {
        "seconds": {
            "type": "number",
            "minimum": 0.5,
            "maximum": 60,
            "default": 5,
            "description": "How long a segment is; each begins half of that after the one before.",
        }
    },
}

features = [
    {"feature_type": "embedding", "feature_name": "sound", "embedding_dim": 120, "distance_metric": "cosine"}
]
output_schema = {
    "sound": {"type": "array", "items": {"type": "number"}, "minItems": 120, "maxItems": 120},
    "start": {"type": "number", "description": "Seconds from the beginning."},
    "end": {"type": "number", "description": "Seconds from the beginning."},
}
feature_uri = "mixpeek://audio@1.0.0/sound"

compute_profile = {"resource_type": "cpu", "batch_size": 2, "actor_memory_gb": 2.0}
# A 32nd of a second of 440 Hz.
example_input = {
    "audio": "data:audio/wav;base64,"
    "UklGRiQBAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQABAACAosDW4uPYwqWDYUMsHh0nPFh6nLvT4eTax6uJZ0gv"
    "IBwkN1NzlrbP3+Tdy7CQbU0zIhwiM01tkLDL3eTfz7aWc1M3JBwgL0hniavH2uTh07ucelg8Jx0eLENhg6XC2OPi1sCigF5AKh4d"
    "KD5bfZ+91OLj2cSohmRFLR8cJjlVd5m40eDk3MmtjWpKMSEcIzVQcJOzzd7k3s2zk3BQNSMcITFKao2tydzk4NG4mXdVOSYcHy1F"
    "ZIaoxNnj4tS9n31bPigdHipAXoCiwNbi49jCpYNhQyweHSc8WHqcu9Ph5NrHq4lnSC8gHCQ3U3OWts/f5N3LsJBtTTMiHCIzTW2Q"
}
