"""Files behind URLs, under the name that old archives import."""

from extractor_runtime.sdk.assets import resolve_url_to_local_path

__all__ = ["resolve_url_to_local_path"]
