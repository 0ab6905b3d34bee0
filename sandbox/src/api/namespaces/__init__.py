"""Names that authors import; the behaviour lives in extractor_sandbox."""
