"""The scan of a folder, under the name that authors import."""

from extractor_sandbox.folder_scan import PluginSecurityScanner

__all__ = ["PluginSecurityScanner"]
