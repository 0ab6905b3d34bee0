import pickle
from pathlib import Path

import pytest

from extractor_runtime.sdk.tools import ToolError, arguments

REFUSED = {
    "ffmpeg reads an address": ("ffmpeg", ["-i", "http://host/v.mp4"]),
    "ffmpeg reads an address in capitals": ("ffmpeg", ["-i", "HTTPS://host/v.mp4"]),
    "ffmpeg writes to a socket": ("ffmpeg", ["-i", "v.mp4", "-f", "mpegts", "tcp:10.0.0.1:80"]),
    "an address is nested": ("ffmpeg", ["-i", "crypto+http://host/v.mp4"]),
    "an address is joined": ("ffmpeg", ["-i", "concat:a.ts|http://host/b.ts"]),
    "an address is one of many outputs": ("ffmpeg", ["-f", "tee", "a.mp4|[f=mpegts]udp://10.0.0.1:1"]),
    "progress goes to an address": ("ffmpeg", ["-progress", "http://host/"]),
    "an address after what is no tag": ("ffmpeg", ["-passlogfile", "-metadata", "http://host/v.mp4"]),
    "one of many outputs after what is no tag": ("ffmpeg", ["-passlogfile", "-metadata", "x=|tcp://host:1"]),
    "movie reads an address": ("ffprobe", ["-f", "lavfi", "-i", r"movie=http\\://host/v.mp4"]),
    "movie reads an escaped address": ("ffprobe", ["-f", "lavfi", "-i", r"movie=h\ttp\\://host/v.mp4"]),
    "a filter writes to a quoted address": ("ffmpeg", ["-vf", "metadata=print:file='t'cp\\://host"]),
    "a filter loads a library": ("ffmpeg", ["-af", "volume=2,ladspa=file=evil.so:plugin=x"]),
    "a filter's name is escaped": ("ffmpeg", ["-af", r"lad\spa=file=evil.so"]),
    "a filter follows a label": ("ffmpeg", ["-filter_complex", "[0:v] frei0r=../../evil[out]"]),
    "a filter listens": ("ffmpeg", ["-vf", "scale=64:64,zmq"]),
    "a filter runs a kernel": ("ffmpeg", ["-vf", "program_opencl=source=evil.cl"]),
    "a filter runs a model": ("ffmpeg", ["-vf", "dnn_processing=model=evil.pb"]),
    "filters come from a file": ("ffmpeg", ["-filter_script:v", "filters.txt"]),
    "any option comes from a file": ("ffmpeg", ["-/filter:v", "filters.txt"]),
    "the protocols are widened": ("ffmpeg", ["-protocol_whitelist", "file,tcp", "-i", "list.m3u8"]),
    "a video is a script": ("ffmpeg", ["-i", "evil.AVS"]),
    "a format is a script": ("ffmpeg", ["-f", "vapoursynth", "-i", "video"]),
    "an attachment names its file": ("ffmpeg", ["-dump_attachment:t", "", "-i", "v.mkv"]),
    "exiftool's condition": ("exiftool", ["-if", "system('id')", "p.jpg"]),
    "exiftool's numbered condition": ("exiftool", ["-IF2", "system('id')", "p.jpg"]),
    "exiftool's condition after a minus sign": ("exiftool", ["\u2212if", "system('id')", "p.jpg"]),
    "exiftool's configuration": ("exiftool", ["-config", "evil.pl", "p.jpg"]),
    "exiftool's arguments from a file": ("exiftool", ["-@", "args.txt"]),
    "exiftool's further commands": ("exiftool", ["-execute1", "p.jpg"]),
    "exiftool's print format": ("exiftool", ["-p", "format.txt", "p.jpg"]),
    "exiftool's module": ("exiftool", ["-use", "Evil", "p.jpg"]),
    "exiftool's filter": ("exiftool", ["-api", "filter=system('id')", "p.jpg"]),
    "exiftool's expression": ("exiftool", ["-Comment<${Make;system('id')}", "p.jpg"]),
    "exiftool's expression over lines": ("exiftool", ["-Comment<${\nMake\n;`id`}", "p.jpg"]),
    "sox reads a command": ("sox", ["|id", "out.wav"]),
    "soxi reads a command": ("soxi", ["|id"]),
    "sox reads an address": ("sox", ["http://host/a.wav", "out.wav"]),
    "sox reads a playlist": ("sox", ["songs.M3U", "out.wav"]),
    "sox loads a library": ("sox", ["a.wav", "out.wav", "ladspa", "evil"]),
    "sox reads its effects from a file": ("sox", ["--effects-f", "effects.txt", "a.wav", "out.wav"]),
    "mediainfo reads an address": ("mediainfo", ["--Output=JSON", "ftp://host/v.mp4"]),
}
ALLOWED = {
    "ffmpeg generates": ("ffmpeg", ["-f", "lavfi", "-i", "testsrc=duration=1:size=64x64:rate=5", "v.mp4"]),
    "ffmpeg takes frames": ("ffmpeg", ["-i", "v.mp4", "-vf", "select='gt(scene,0.4)',scale=64:-1", "%d.png"]),
    "ffmpeg burns subtitles in": (
        "ffmpeg",
        ["-i", "v.mp4", "-vf", "subtitles=in.srt:force_style=x", "o.mp4"],
    ),
    "ffmpeg sends to a pipe": ("ffmpeg", ["-i", "pipe:0", "-f", "wav", "pipe:1"]),
    "ffmpeg joins": ("ffmpeg", ["-f", "concat", "-safe", "0", "-i", "list.txt", "-c", "copy", "o.mp4"]),
    "ffmpeg writes an address as a tag": ("ffmpeg", ["-i", "a.mp3", "-metadata", "url=https://x", "b.mp3"]),
    "ffmpeg writes a stream's tag": ("ffmpeg", ["-i", "a.mp4", "-metadata:s:a:0", "title=http://x", "b.mp4"]),
    "ffprobe finds scenes": ("ffprobe", ["-f", "lavfi", "movie=in.mp4,select=gt(scene\\,0.4)"]),
    "a file is called like a protocol": ("ffmpeg", ["-i", "folder/tcp", "my-http.mp4"]),
    "exiftool reads": ("exiftool", ["-json", "-G", "-n", "-if-modified", "p.jpg"]),
    "exiftool writes, and keeps the time": ("exiftool", ["-P", "-Artist=Me; ${you}", "p.jpg"]),
    "exiftool copies": ("exiftool", ["-tagsFromFile", "a.jpg", "-Comment<$Make $Model", "b.jpg"]),
    "sox synthesises": ("sox", ["-n", "-r", "16k", "out.wav", "synth", "1", "sine", "440|880"]),
    "mediainfo takes a template": ("mediainfo", ["--Inform=file://template.txt", "v.mp4"]),
    "convert draws": ("convert", ["-size", "8x8", "xc:red", "-draw", "point 1,1", "o.png"]),
    "REDline is given what it takes": ("REDline", ["--i", "A001.R3D", "--o", "out", "--format", "201"]),
}


@pytest.mark.parametrize(("tool", "args"), REFUSED.values(), ids=REFUSED.keys())
def test_argument_that_runs_code_or_reaches_out_is_refused(tool: str, args: list[str]) -> None:
    with pytest.raises(ToolError, match=f"^{tool} was not run, because of the argument "):
        arguments.checked(tool, args)


@pytest.mark.parametrize(("tool", "args"), ALLOWED.values(), ids=ALLOWED.keys())
def test_argument_that_does_neither_is_passed_on(tool: str, args: list[str]) -> None:
    given = arguments.checked(tool, args)

    assert given[len(given) - len(args) :] == args


def test_path_is_an_argument() -> None:
    assert arguments.checked("identify", [Path("p.jpg")]) == ["p.jpg"]


@pytest.mark.parametrize(
    "args",
    [
        pytest.param("-i v.mp4", id="a command line"),
        pytest.param([1], id="a number"),
        pytest.param(["a\0b"], id="a null character"),
    ],
)
def test_what_is_no_list_of_text_is_no_argument(args: list[str]) -> None:
    with pytest.raises(TypeError, match="ffmpeg"):
        arguments.checked("ffmpeg", args)


def test_tool_error_survives_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(ToolError("sox failed", 2, b"why")))

    assert (str(error), error.returncode, error.stderr) == ("sox failed", 2, b"why")
