"""Names that archives import; the behaviour lives in extractor_runtime."""
