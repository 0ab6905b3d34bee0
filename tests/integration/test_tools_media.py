"""Every tool, for what authors use it for, on real media; and what must not happen, tried for real."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor_runtime.sdk.tools import ToolError, run_tool
from support import media
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    media.need("ffmpeg", "ffprobe", "exiftool", "mediainfo", "convert", "identify", "sox", "soxi")
    folder = tmp_path_factory.mktemp("media")
    media.make_video(folder / "video.mp4")
    media.make_photo(folder / "photo.jpg")
    media.make_wav(folder / "tone.wav")
    return folder


def test_ffprobe_describes_a_video(folder: Path) -> None:
    answer = run_tool("ffprobe", ["-v", "error", "-of", "json", "-show_streams", folder / "video.mp4"])

    streams = json.loads(answer.stdout)["streams"]
    assert [stream["codec_type"] for stream in streams] == ["video", "audio"]
    assert (streams[0]["width"], streams[0]["height"]) == (64, 48)


def test_ffmpeg_gives_a_frame_of_each_scene(folder: Path, tmp_path: Path) -> None:
    scenes = "select='eq(n,0)+gt(scene,0.3)'"
    run_tool("ffmpeg", ["-i", folder / "video.mp4", "-vf", scenes, "-fps_mode", "vfr", tmp_path / "%d.png"])

    frames = sorted(tmp_path.iterdir())
    colours = [run_tool("convert", [frame, "-resize", "1x1!", "rgb:-"]).stdout[:3] for frame in frames]
    assert [max(range(3), key=colour.__getitem__) for colour in colours] == [0, 2]


def test_ffmpeg_gives_the_sound_of_a_video_through_pipes(folder: Path) -> None:
    video = (folder / "video.mp4").read_bytes()

    sound = run_tool(
        "ffmpeg", ["-i", "pipe:0", "-f", "s16le", "-ar", "8000", "-ac", "1", "pipe:1"], input=video
    )

    assert len(sound.stdout) == pytest.approx(2 * 8000 * media.VIDEO_SECONDS, rel=0.05)


def test_exiftool_reads_camera_and_place(folder: Path) -> None:
    [tags] = json.loads(run_tool("exiftool", ["-json", "-n", folder / "photo.jpg"]).stdout)

    assert (tags["Make"], tags["DateTimeOriginal"]) == ("Lumen", "2026:11:22 10:00:00")
    assert tags["GPSLatitude"] == pytest.approx(48.2)


def test_mediainfo_describes_a_video(folder: Path) -> None:
    report = json.loads(run_tool("mediainfo", ["--Output=JSON", folder / "video.mp4"]).stdout)

    general = report["media"]["track"][0]
    assert general["Format"] == "MPEG-4"
    assert float(general["Duration"]) == pytest.approx(media.VIDEO_SECONDS, abs=0.1)


def test_convert_resizes_and_identify_measures(folder: Path, tmp_path: Path) -> None:
    run_tool("convert", [folder / "photo.jpg", "-resize", "50%", tmp_path / "small.webp"])

    assert run_tool("identify", ["-format", "%m %w %h", tmp_path / "small.webp"]).stdout == b"WEBP 32 24"


def test_sox_resamples_and_soxi_measures(folder: Path, tmp_path: Path) -> None:
    run_tool("sox", [folder / "tone.wav", "-r", "16000", tmp_path / "tone.flac"])

    assert run_tool("soxi", ["-r", tmp_path / "tone.flac"]).stdout == b"16000\n"
    assert float(run_tool("soxi", ["-D", tmp_path / "tone.flac"]).stdout) == pytest.approx(1.0)


def test_damaged_file_is_told_with_the_tools_own_words(tmp_path: Path) -> None:
    media.need("ffprobe")
    (tmp_path / "video.mp4").write_bytes(b"no video")

    with pytest.raises(ToolError, match=r"ffprobe failed with code 1: .*Invalid data found") as raised:
        run_tool("ffprobe", ["-v", "error", tmp_path / "video.mp4"])

    assert raised.value.returncode == 1
    assert b"Invalid data" in raised.value.stderr


# Each of these creates the file "canary" in the working folder when the tool is run without `run_tool`.
EXECUTING = {
    "a condition of exiftool": ("exiftool", ["-if", "system('touch canary')", "photo.jpg"]),
    "an expression of exiftool": ("exiftool", ["-Comment<${Make;system('touch canary')}", "photo.jpg"]),
    "a configuration in exiftool's home": ("exiftool", ["-Make", "photo.jpg"]),
    "a command for sox": ("sox", ["|touch canary; cat tone.wav", "out.wav"]),
    "an address for sox": ("sox", ['http://x";touch canary;"', "out.wav"]),
    "a playlist for soxi": ("soxi", ["evil.m3u"]),
    "a script for convert": ("convert", ["msl:evil.msl", "out.png"]),
}
# Each of these asks the server when the tool is run without `run_tool`, or would with a laxer policy.
REACHING = {
    "ffmpeg with an address": ("ffmpeg", ["-i", "{url}/v.mp4", "out.mp4"]),
    "ffmpeg with a playlist that says it is a video": ("ffmpeg", ["-i", "playlist.mp4", "out.mp4"]),
    "ffprobe with a playlist inside a filter": ("ffprobe", ["-f", "lavfi", "-i", "movie=playlist.mp4"]),
    "mediainfo with a playlist that says it is a video": ("mediainfo", ["playlist.mp4"]),
    "convert with an address": ("convert", ["{url}/p.png", "out.png"]),
    "convert with a drawing": ("convert", ["evil.svg", "out.png"]),
    "convert with a drawing that says it is a photo": ("convert", ["photo.svg.jpg", "out.png"]),
    "identify with a vector graphic": ("identify", ["mvg:evil.mvg"]),
}
READING = {
    "a caption from a file": ["-size", "64x64", "caption:@secret.txt", "txt:-"],
    "a label from a file": ["label:@secret.txt", "txt:-"],
    "a format from a file": ["photo.jpg", "-format", "@secret.txt", "info:"],
    "a page of a text file": ["text:secret.txt", "txt:-"],
    "file names from a file": ["@names.txt", "txt:-"],
}


def is_run(tool: str, args: list[str], folder: Path) -> bool:
    try:
        run_tool(tool, args, cwd=folder, timeout=20)
    except ToolError:
        return False
    return True


@pytest.mark.parametrize(("tool", "args"), EXECUTING.values(), ids=EXECUTING.keys())
def test_attack_runs_no_code(
    tool: str, args: list[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / ".ExifTool_config").write_text("system('touch canary'); 1;")
    (tmp_path / "evil.m3u").write_text("|touch canary\n")
    (tmp_path / "evil.msl").write_text(
        '<image><read filename="photo.jpg"/><write filename="canary"/></image>'
    )
    monkeypatch.setenv("HOME", str(tmp_path))

    is_run(tool, args, tmp_path)

    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(("tool", "args"), REACHING.values(), ids=REACHING.keys())
def test_attack_reaches_no_server(tool: str, args: list[str], folder: Path, tmp_path: Path) -> None:
    with serve(Answer((folder / "photo.jpg").read_bytes())) as server:
        segment = f"{server.url}/segment.ts"
        (tmp_path / "playlist.mp4").write_text(f"#EXTM3U\n#EXTINF:10.0,\n{segment}\n#EXT-X-ENDLIST\n")
        image = f'<image href="{server.url}/x.png" width="8" height="8"/>'
        drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">{image}</svg>'
        (tmp_path / "evil.svg").write_text(drawing)
        (tmp_path / "photo.svg.jpg").write_text(drawing)
        (tmp_path / "evil.mvg").write_text(f"viewbox 0 0 8 8\nimage over 0,0 0,0 'url({server.url}/x.png)'\n")

        is_run(tool, [argument.format(url=server.url) for argument in args], tmp_path)

    assert server.requests == []


@pytest.mark.parametrize("args", READING.values(), ids=READING.keys())
def test_convert_shows_no_file_that_is_no_picture(args: list[str], folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "photo.jpg", tmp_path)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "names.txt").write_text("photo.jpg")

    assert not is_run("convert", args, tmp_path)


@pytest.fixture
def huge(tmp_path: Path) -> Callable[[int], Path]:
    def make(side: int) -> Path:
        path = tmp_path / "huge.ppm"
        path.write_bytes(b"P6 %d %d 255\n" % (side, side))
        return path

    return make


def test_picture_larger_than_the_policy_is_refused_unread(huge: Callable[[int], Path]) -> None:
    media.need("identify")

    with pytest.raises(ToolError, match="identify failed"):
        run_tool("identify", [huge(100_000)])
