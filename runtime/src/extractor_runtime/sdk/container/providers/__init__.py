"""The protocols of language models, each behind the same two methods."""
