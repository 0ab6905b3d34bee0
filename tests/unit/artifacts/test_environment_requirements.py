import pytest

from extractor_artifacts.environments import DependencyConflict, requirement


def test_one_set_of_requirements_is_spelt_one_way() -> None:
    assert requirement.lines(["b <2,>=1", "a[x , y]", "b>=1,<2"]) == ("a[x,y]", "b<2,>=1")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("--index-url http://evil", "is no name", id="an option"),
        pytest.param("-r /etc/passwd", "is no name", id="a file"),
        pytest.param("./package", "is no name", id="a path"),
        pytest.param("a @ http://host/a.whl", "points to a URL", id="a URL"),
        pytest.param("a; python_version > '${UV_DEFAULT_INDEX}'", "has a character", id="a variable"),
        pytest.param("a; python_version > '3\n--index-url x'", "is no name", id="a line in a marker"),
        pytest.param("a; python_version > '3\x1b'", "has a character", id="an escape in a marker"),
        pytest.param("a\n-r /etc/passwd", "is no name", id="a second line"),
    ],
)
def test_what_a_requirements_file_would_obey_is_refused(text: str, want: str) -> None:
    with pytest.raises(DependencyConflict, match=want):
        requirement.lines([text])


@pytest.mark.parametrize(
    ("names", "want"),
    [
        pytest.param(["Foo_Bar"], ("foo.bar>=1",), id="one, however it is spelt"),
        pytest.param(["*"], ("baz", "foo.bar>=1"), id="all"),
        pytest.param([], (), id="none"),
    ],
)
def test_only_allowed_distributions_are_kept(names: list[str], want: tuple[str, ...]) -> None:
    assert requirement.allowed(["foo.bar>=1", "baz"], names) == want
