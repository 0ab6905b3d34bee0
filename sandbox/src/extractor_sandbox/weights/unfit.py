"""What a reader of model files holds against one."""


class Unfit(Exception):
    """Raised by a reader that found what it cannot accept, or cannot read past."""

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice
