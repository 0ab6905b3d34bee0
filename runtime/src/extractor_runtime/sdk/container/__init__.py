"""What an author's code may use beside its own archive."""

from extractor_runtime.sdk.container.service_container import ServiceContainer as ServiceContainer
