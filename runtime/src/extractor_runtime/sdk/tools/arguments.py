"""Arguments that are refused: those by which a tool would run code, or reach another machine.

An archive may start no program of its own, and its input comes from strangers. `run_tool` would be the way
around both: a tool takes Perl, a shell command or a shared library as readily as a file name. What
ImageMagick may do is its own policy's business (``policy.xml``).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from os import PathLike, fspath

from extractor_runtime.sdk.tools.errors import ToolError

_FETCH_FIRST = "get it with open_asset, and give the tool its path"

# A playlist with addresses in it needs no rule: FFmpeg lets a local file name local ones only.
_NETWORK = re.compile(
    r"(?<![\w./-])(amqp|bluray|ffrtmp\w+|ftp|gophers?|hls|httpproxy|https?|icecast|ip[fn]s|mms[ht]?|prompeg"
    r"|rist|rtmp\w*|rtp|rtsps?|sap|sctp|sftp|smb|srtp?|tcp|tls|udp|udplite|unix|zmq)\s*:",
    re.IGNORECASE,
)
# ladspa, lv2 and frei0r load a shared library, the OpenCL and DNN ones run a program or model, zmq listens.
_FILTERS = re.compile(
    r"(?:^|[,;=\]])\s*(ladspa|lv2|frei0r|frei0r_src|program_opencl|openclsrc|dnn_\w+)\s*[@=]"
    r"|(?:^|[,;=\]])\s*(a?zmq)\s*(?:[@=,;\[]|$)"
)
_FFMPEG_OPTIONS = re.compile(
    r"-(/.*|filter_script.*|filter_complex_script|protocol_whitelist|protocol_blacklist|[avsf]?pre)$"
)
# Another option's value may be -metadata, and an output come after it: a tag is never an address.
_TAG = re.compile(r"[\w .-]+=[^|]*")
_SCRIPTS = re.compile(r"(avisynth|vapoursynth|.*\.(avs|vpy))$", re.IGNORECASE)

# ExifTool takes the minus sign of typeset text for a dash, and option names in any case.
_EXIFTOOL_OPTIONS = re.compile(
    r"[-\u2212]+(if\d*|config|@|execute\d*|stay_open|common_args|(?-i:p)|printformat|use)$", re.IGNORECASE
)
_PERL = re.compile(r"\$\s*\{.*;", re.DOTALL)

_SOX_OPTIONS = re.compile(r"--ef")
_PLAYLIST = re.compile(r"(?:.*\.)?(m3u8?|pls)$", re.IGNORECASE | re.DOTALL)
_URL = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def checked(tool: str, args: Iterable[str | PathLike[str]]) -> list[str]:
    """Give the arguments as the tool takes them.

    Raises ToolError for one that is refused, and TypeError for what are no arguments.
    """
    if isinstance(args, str | bytes):
        raise TypeError(f'give the arguments of {tool} as a list, ["-i", path], not as one string')
    given = [_text(tool, argument) for argument in args]
    for position, argument in enumerate(given):
        before = given[position - 1] if position else ""
        if reason := _RULES.get(tool, _nothing)(argument, before):
            raise ToolError(f"{tool} was not run, because of the argument {argument[:200]!r}: {reason}")
    return [*_FIRST.get(tool, ()), *given]


def _text(tool: str, argument: str | PathLike[str]) -> str:
    text = fspath(argument) if isinstance(argument, PathLike) else argument
    if not isinstance(text, str) or "\0" in text:
        raise TypeError(f"an argument of {tool} is no text: {argument!r:.100}")
    return text


def _ffmpeg(argument: str, before: str) -> str | None:
    if before.startswith("-metadata") and _TAG.fullmatch(argument):
        return None
    # Anything in a filter graph may be quoted or escaped, names and protocols too.
    plain = re.sub(r"[\\']", "", argument)
    if _FFMPEG_OPTIONS.match(argument):
        return "it takes options from a file, or opens the network; write the options themselves"
    if match := _NETWORK.search(plain):
        return f"it reaches the network ({match[1]}); {_FETCH_FIRST}"
    if match := _FILTERS.search(plain):
        return f"the filter {match[1] or match[2]} loads code, or listens on the network"
    if _SCRIPTS.match(plain):
        return "such a script runs code"
    if before.startswith("-dump_attachment") and not argument:
        return "the file itself would choose where it is written; name the file to write"
    return None


def _exiftool(argument: str, before: str) -> str | None:
    if _EXIFTOOL_OPTIONS.match(argument):
        return "it makes ExifTool run code, or take more arguments from a file; read tags with -json"
    if _PERL.search(argument):
        return "${TAG;EXPRESSION} is Perl that would be run"
    if before.lower().endswith("-api") and argument.lower().startswith("filter"):
        return "the filter is Perl that would be run"
    return None


def _sox(argument: str, before: str) -> str | None:
    if argument.lstrip().startswith("|"):
        return "it would be run by a shell"
    if _URL.match(argument):
        return f"it would be fetched by a shell; {_FETCH_FIRST}"
    if _PLAYLIST.match(argument):
        return "a playlist may name shell commands; give the files themselves"
    if argument == "ladspa":
        return "the effect loads a shared library"
    if _SOX_OPTIONS.match(argument):
        return "it takes effects from a file; write the effects themselves"
    return None


def _mediainfo(argument: str, before: str) -> str | None:
    return f"it reaches the network; {_FETCH_FIRST}" if _URL.match(argument) else None


def _nothing(argument: str, before: str) -> str | None:
    return None


_RULES: dict[str, Callable[[str, str], str | None]] = {
    "ffmpeg": _ffmpeg,
    "ffprobe": _ffmpeg,
    "exiftool": _exiftool,
    "mediainfo": _mediainfo,
    "sox": _sox,
    "soxi": _sox,
}
_FIRST: dict[str, Sequence[str]] = {
    "ffmpeg": ("-nostdin", "-hide_banner"),
    "ffprobe": ("-hide_banner",),
    # A configuration file is Perl: not even one beside the binary, or in the home folder, is read.
    "exiftool": ("-config", ""),
}
