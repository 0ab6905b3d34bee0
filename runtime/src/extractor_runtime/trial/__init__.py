"""`extractor test`: both halves of an extractor tried on samples, and what that shows."""
