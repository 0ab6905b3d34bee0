"""What an author's batch class may derive from.

Re-exported as ``shared.plugins.inference.batch``, ``engine.services.batch``, ``engine.inference.services``.
"""

import logging
from typing import Any


class BaseBatchInferenceService:
    """The base of batch classes: override `_process_batch`, and get batches with an index from 0."""

    config: Any = None
    progress_actor: Any = None

    def __init__(self, config: Any = None, progress_actor: Any = None, **kwargs: Any) -> None:
        # Not over what a subclass has set before it called this.
        if config is not None:
            self.config = config
        if progress_actor is not None:
            self.progress_actor = progress_actor
        self.logger = logging.getLogger(type(self).__module__)

    def __call__(self, batch: Any) -> Any:
        logger = logging.getLogger(type(self).__module__)
        logger.info("%s: a batch of %d rows", type(self).__name__, len(batch))
        return self._process_batch(batch.reset_index(drop=True) if hasattr(batch, "reset_index") else batch)

    def _process_batch(self, batch: Any) -> Any:
        """Return the batch with the columns that this step adds."""
        raise NotImplementedError(f"{type(self).__name__} must define _process_batch(self, batch)")
