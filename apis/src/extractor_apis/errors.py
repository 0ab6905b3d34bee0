"""The one error that reaches a user as a sentence."""


class ExtractorError(Exception):
    """Something the user can act on: what failed, on what, and what to do next, in one line.

    The command prints it without a traceback. Rooms derive their own errors from it; anything else that
    escapes is a bug of ours.
    """
