"""What an extractor is tried on: its example in every form, files, and records with the files they name."""

from pathlib import Path
from typing import Any

import pytest

from extractor_runtime import sources
from extractor_runtime.realtime import query_inputs
from extractor_runtime.sources import SourceError
from extractor_runtime.trial import samples
from extractor_runtime.trial.samples import Samples
from support.runs import make_manifest

PIXEL = b"\x89PNG\r\n\x1a\n"
PIXEL_URL = "data:image/png;base64,iVBORw0KGgo="


def collected(folder: Path, *files: Path, **manifest: Any) -> Samples:
    return samples.collect(make_manifest(**manifest), folder, files, folder / "source")


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("example", "want"),
    [
        pytest.param(None, [], id="none"),
        pytest.param({"text": "tea"}, [{"text": "tea"}], id="a dict"),
        pytest.param({"inputs": {"text": "tea"}, "parameters": {}}, [{"text": "tea"}], id="a request"),
        pytest.param([{"text": "tea"}, {"text": "bread"}], [{"text": "tea"}, {"text": "bread"}], id="a list"),
        pytest.param({"texts": ["tea", "bread"]}, [{"text": "tea"}, {"text": "bread"}], id="many texts"),
        pytest.param("tea", [{"text": "tea"}], id="a text"),
        pytest.param({"text": "tea", "lang": "en"}, [{"text": "tea", "lang": "en"}], id="more fields"),
    ],
)
def test_an_example_is_taken_in_every_form(tmp_path: Path, example: Any, want: list[dict[str, Any]]) -> None:
    found = collected(tmp_path, example_input=example)

    assert [sample.inputs for sample in found.all] == want
    assert [sample.name for sample in found.in_batch] == ["example_input", "example_input-2"][: len(want)]


def test_an_example_is_read_by_the_field_that_the_input_schema_requires(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"title": {}, "lang": {}}, "required": ["title"]}

    found = collected(tmp_path, example_input={"lang": "en", "title": "tea"}, input_schema=schema)

    assert found.all[0].inputs == {"text": "tea", "title": "tea", "lang": "en"}


def test_pairs_are_a_question_and_no_object(tmp_path: Path) -> None:
    example = {"pairs": [["tea", "green tea"]]}

    found = collected(tmp_path, example_input=example)

    assert [sample.inputs for sample in found.all] == [example]
    assert found.in_batch == []


def test_a_mapped_field_is_asked_with_by_both_its_names(tmp_path: Path) -> None:
    found = collected(tmp_path, example_input={"title": "tea"}, input_mappings={"text": "title"})

    assert found.all[0].inputs == {"title": "tea", "text": "tea"}


def test_an_object_is_asked_with_by_the_field_that_the_input_schema_requires(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"caption": {}, "lang": {}}, "required": ["caption"]}

    found = collected(tmp_path, example_input={"text": "tea"}, input_schema=schema)

    assert found.all[0].inputs == {"text": "tea", "caption": "tea"}


def test_an_example_that_nobody_has_is_left_out_and_named(tmp_path: Path) -> None:
    found = collected(tmp_path, example_input={"image": "https://example.com/car.jpg"})

    assert found.all == ()
    assert found.skipped == ("example_input refers to https://example.com/car.jpg, which is not fetched",)


def test_an_example_may_be_the_bytes_of_a_picture(tmp_path: Path) -> None:
    (sample,) = collected(tmp_path, example_input={"image": PIXEL_URL}).all

    assert (sample.kind, sample.inputs, sample.in_batch) == ("image", {"image": PIXEL_URL}, True)


def test_an_example_may_name_a_file_of_the_archive(tmp_path: Path) -> None:
    write(tmp_path / "samples" / "pixel.png", PIXEL)

    (sample,) = collected(tmp_path, example_input={"image": "samples/pixel.png"}).all

    assert (sample.kind, sample.inputs) == ("image", {"image": PIXEL_URL})


def test_a_media_file_is_asked_with_as_a_data_url_under_its_kind_and_mapped_names(tmp_path: Path) -> None:
    file = write(tmp_path / "pixel.png", PIXEL)

    (sample,) = collected(tmp_path, file, input_mappings={"photo": "url", "text": "caption"}).all

    assert (sample.name, sample.kind) == ("pixel.png", "image")
    assert sample.inputs == {"image": PIXEL_URL, "photo": PIXEL_URL}


def test_a_file_is_in_the_batch_what_it_is_in_a_run(tmp_path: Path) -> None:
    file = write(tmp_path / "my photo 1.png", PIXEL)

    collected(tmp_path, file, input_mappings={"image": "image", "image_url": "url"})

    (table,) = sources.open_source(str(tmp_path / "source"), mappings={}).read()
    assert table.select(["data", "mime_type"]).to_pylist() == [{"data": str(file), "mime_type": "image/png"}]


def test_a_file_beside_a_record_is_found_under_the_same_mapped_name(tmp_path: Path) -> None:
    file = write(tmp_path / "pixel.png", PIXEL)
    records = write(tmp_path / "all.jsonl", '{"image_url": "pixel.png"}')

    found = collected(tmp_path, file, records, input_mappings={"image": "image_url", "text": "caption"})

    source = sources.open_source(str(tmp_path / "source"), mappings={"image": "image_url"})
    (table,) = source.read()
    assert table.column("image").to_pylist() == [str(file), str(file)]
    assert [sample.inputs["image"] for sample in found.all] == [PIXEL_URL, PIXEL_URL]


def test_a_text_file_is_its_content(tmp_path: Path) -> None:
    (sample,) = collected(tmp_path, write(tmp_path / "notes.md", "# Tea")).all

    assert (sample.name, sample.kind, sample.inputs["text"]) == ("notes.md", "text", "# Tea")


def test_records_name_files_beside_their_own(tmp_path: Path) -> None:
    write(tmp_path / "in" / "shots" / "pixel.png", PIXEL)
    records = write(
        tmp_path / "in" / "all.jsonl", '{"id": "p", "url": "shots/pixel.png"}\n{"url": "shots/pixel.png"}'
    )

    found = collected(tmp_path, records)

    assert [(sample.name, sample.kind) for sample in found.all] == [("p", "image"), ("all.jsonl:2", "image")]
    assert found.all[0].inputs["url"] == PIXEL_URL


def test_inputs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a" / "x.txt", "tea"), write(tmp_path / "b" / "x.txt", "bread")

    found = collected(tmp_path, one, other)

    assert [(sample.name, sample.inputs["text"]) for sample in found.all] == [
        ("x.txt", "tea"),
        ("x.txt-2", "bread"),
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(samples.SampleError, match=r"--input .*absent\.png: there is no such file"):
        collected(tmp_path, tmp_path / "absent.png")


def test_a_record_that_does_not_say_what_its_data_is_names_itself(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"example_input\.jsonl line 1: no field says what the data is"):
        collected(tmp_path, example_input={"query": "tea", "category": "drinks"})


def test_too_many_inputs_are_refused(tmp_path: Path) -> None:
    records = write(tmp_path / "all.jsonl", '{"text": "tea"}\n' * (samples.MAX_SAMPLES + 1))

    with pytest.raises(samples.SampleError, match="more than 1,000 inputs"):
        collected(tmp_path, records)


@pytest.mark.parametrize(
    ("names", "want"),
    [
        pytest.param([], {"image"}, id="none"),
        pytest.param(["image"], {"image"}, id="its kind"),
        pytest.param(["photo"], {"image", "photo"}, id="a name of its own"),
        pytest.param(["text", "image"], {"image"}, id="another kind"),
    ],
)
def test_a_query_file_goes_under_its_kind_and_the_authors_names(
    tmp_path: Path, names: list[str], want: set[str]
) -> None:
    inputs = query_inputs.of_file(write(tmp_path / "pixel.png", PIXEL), names)

    assert inputs == dict.fromkeys(want, PIXEL_URL)


def test_a_query_with_a_text_file_is_its_text(tmp_path: Path) -> None:
    assert query_inputs.of_file(write(tmp_path / "q.txt", "green tea"), []) == {"text": "green tea"}


def test_a_file_that_no_endpoint_would_take_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    with file.open("wb") as stream:
        stream.truncate(query_inputs.MAX_FILE + 1)

    with pytest.raises(
        query_inputs.QueryError, match=r"film\.mp4 is larger than the 23 MiB that a query may send"
    ):
        query_inputs.of_file(file, [])


def test_a_folder_is_no_query(tmp_path: Path) -> None:
    with pytest.raises(query_inputs.QueryError, match="is no file"):
        query_inputs.of_file(tmp_path, [])
