"""Assets: what a row's ``data`` names, as a file of this machine for as long as it is needed."""

from extractor_runtime.sdk.assets.admission import restrict
from extractor_runtime.sdk.assets.asset import download_asset, open_asset, resolve_url_to_local_path
from extractor_runtime.sdk.assets.errors import AssetError

__all__ = ["AssetError", "download_asset", "open_asset", "resolve_url_to_local_path", "restrict"]
