"""No secret in what people read: errors, dead letters, HTTP answers, log lines.

A process remembers every secret's value that it reads, and takes it out of whatever text passes here. What an
author's code prints by itself does not.
"""

import json
import logging
import re
import traceback
import urllib.parse
from functools import lru_cache
from typing import Any

_SHORTEST = 4
"""Characters; a shorter value cannot be told from ordinary text."""
_names: dict[str, str] = {}
"""What each form of a value is replaced by, by form."""


def remember(name: str, value: str) -> None:
    """Keep a secret's value out of texts and log records of this process from now on."""
    if len(value) < _SHORTEST:
        return
    if not _names:
        _redact_log_records()
    _names.update({form: name for form in _forms(value) if form not in _names})


def redact(text: str) -> str:
    """Put names in place of secrets' values: ``[secret OPENAI_API_KEY]``."""
    if not _names:
        return text
    return _pattern(tuple(_names)).sub(lambda match: f"[secret {_names[match[0]]}]", text)


def _forms(value: str) -> set[str]:
    """Say how a value looks in an error: as it is, on one line, in quotes, in a URL."""
    return {
        value,
        " ".join(value.split()),
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        urllib.parse.quote(value),
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote_plus(value),
    }


@lru_cache(maxsize=1)
def _pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def _redact_log_records() -> None:
    make = logging.getLogRecordFactory()

    def make_redacted(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            message = record.getMessage()
        except Exception:
            # Arguments that do not fit are the handler's to report: it would show them all.
            message = f"{record.msg} {record.args}"
            record.msg, record.args = message, None
        if (redacted := redact(message)) != message:
            record.msg, record.args = redacted, None
        if record.exc_info and record.exc_info[0] is not None:
            trace = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            if (redacted := redact(trace)) != trace:
                record.exc_info, record.exc_text = None, redacted
        return record

    logging.setLogRecordFactory(make_redacted)
