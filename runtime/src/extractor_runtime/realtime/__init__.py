"""The author's realtime class: found, asked and checked, and served by Ray Serve."""
