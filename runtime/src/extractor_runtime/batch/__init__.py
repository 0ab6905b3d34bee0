"""A batch run: a source's objects through the author's steps into a store, on Ray Data."""
