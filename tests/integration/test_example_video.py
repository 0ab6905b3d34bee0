"""The video example: a still finds its scene, and the scene says when it is."""

from pathlib import Path

import pytest

from extractor_runtime.sdk.tools import run_tool
from support import media
from support.example_runs import Example

pytestmark = pytest.mark.integration

# Sources of ffmpeg's, and for how many seconds each is shown.
SCENES = {
    "smptebars=": 2.0,
    "mandelbrot=": 3.0,
    "testsrc2=": 2.5,
    "color=c=darkgreen:": 1.5,
}
OTHERS = {"pal100bars=": 2.0, "life=ratio=0.5:": 2.0}


def make_video(path: Path, scenes: dict[str, float]) -> Path:
    """Make a video of generated scenes of so many seconds, one after the other, with a tone under all."""
    inputs = [
        word
        for source, seconds in scenes.items()
        for word in ("-f", "lavfi", "-t", str(seconds), "-i", f"{source}size=160x120:rate=20")
    ]
    tone = ["-f", "lavfi", "-t", str(sum(scenes.values())), "-i", "sine=440"]
    same = "".join(f"[{index}:v]format=yuv420p,setsar=1[v{index}];" for index in range(len(scenes)))
    joined = "".join(f"[v{index}]" for index in range(len(scenes))) + f"concat=n={len(scenes)}[v]"
    mapped = ["-filter_complex", same + joined, "-map", "[v]", "-map", f"{len(scenes)}:a"]
    run_tool("ffmpeg", [*inputs, *tone, *mapped, "-c:v", "libx264", "-preset", "ultrafast", str(path)])
    return path


def make_still(video: Path, seconds: float, path: Path) -> Path:
    """Take a frame of a video, half as large and with another shape."""
    still = ["-frames:v", "1", "-vf", "scale=100:60"]
    run_tool("ffmpeg", ["-ss", str(seconds), "-i", str(video), *still, str(path)])
    return path


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    media.need("ffmpeg")
    folder = tmp_path_factory.mktemp("videos")
    make_video(folder / "first.mp4", SCENES)
    make_video(folder / "second.mp4", OTHERS)
    media.make_wav(folder / "sound.wav")
    (folder / "broken.mp4").write_bytes(b"this is no video")
    return folder


@pytest.fixture(scope="module")
def example(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Example:
    example = Example.admit("video", tmp_path_factory.mktemp("store"))
    state = example.run(videos)
    assert state.objects_failed == 1
    return example


def test_scenes_of_a_video_are_found_with_their_times(example: Example) -> None:
    ends = [2.0, 5.0, 7.5, 9.0]

    scenes = [document for document in example.documents() if document["object_id"] == "first.mp4"]

    assert sorted(scene["start"] for scene in scenes) == pytest.approx([0.0, *ends[:-1]], abs=0.25)
    assert sorted(scene["end"] for scene in scenes) == pytest.approx(ends, abs=0.25)


@pytest.mark.parametrize(
    ("video", "seconds", "want"),
    [
        pytest.param("first.mp4", 1.0, (0.0, 2.0), id="bars"),
        pytest.param("first.mp4", 2.6, (2.0, 5.0), id="the beginning of a moving scene"),
        pytest.param("first.mp4", 7.0, (5.0, 7.5), id="the end of another"),
        pytest.param("first.mp4", 8.0, (7.5, 9.0), id="one colour"),
        pytest.param("second.mp4", 1.9, (0.0, 2.0), id="bars of another video"),
    ],
)
def test_still_finds_its_scene(
    video: str, seconds: float, want: tuple[float, float], example: Example, videos: Path, tmp_path: Path
) -> None:
    still = make_still(videos / video, seconds, tmp_path / "still.png")

    [answer] = example.answer([{"image": str(still)}])

    [[hit]] = example.nearest("keyframe", [answer["embedding"]])
    assert hit.object_id == video
    assert (hit.document["start"], hit.document["end"]) == pytest.approx(want, abs=0.25)


def test_clip_is_asked_by_as_well_as_a_still(example: Example, videos: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    run_tool("ffmpeg", ["-ss", "0.5", "-t", "1", "-i", str(videos / "second.mp4"), str(clip)])

    [answer] = example.answer([{"video": str(clip)}])

    [[hit]] = example.nearest("keyframe", [answer["embedding"]])
    assert (hit.object_id, hit.document["start"]) == ("second.mp4", 0.0)


def test_file_of_another_kind_becomes_a_document_without_scenes(example: Example) -> None:
    [document] = [each for each in example.documents() if each["object_id"] == "sound.wav"]

    assert document["mime_type"] == "audio/wav"
    assert document.get("start") is None
