"""Archives carry no secrets, in whatever file."""

import pytest

from extractor_sandbox.extent import PIECE
from support.archives import extractor, judge_bytes, rejections, warnings

# Put together here, so that this file holds none.
SECRETS = {
    "an RSA key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "a PKCS8 key": "-----BEGIN " + "PRIVATE KEY-----",
    "an encrypted key": "-----BEGIN " + "ENCRYPTED PRIVATE KEY-----",
    "an SSH key": "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "a PGP key": "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----",
    "AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub": "ghp_" + "a1B2" * 9,
    "a GitHub app": "ghs_" + "a1B2" * 9,
    "a fine-grained GitHub token": "github_pat_" + "a1B2" * 20,
    "Slack": "xoxb-" + "123456789012-abcdefGHIJ",
    "Slack for people": "xoxp-" + "123456789012-abcdefGHIJ",
    "Hugging Face": "hf_" + "aBcDeFgHiJ" * 3 + "kLmN",
    "OpenAI": "sk-" + "aB3d" * 12,
    "an OpenAI project": "sk-proj-" + "aB3d_-" * 8,
    "Anthropic": "sk-ant-api03-" + "aB3d_-" * 8,
}


@pytest.mark.parametrize(
    "path", ["core.py", "config.json", "NOTES.md", ".".join(["settings", "yaml"]), "LICENSE"]
)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_secrets_are_found_in_every_kind_of_text(secret: str, path: str) -> None:
    outcome = judge_bytes(extractor({path: f'\nKEY = "{secret}"\n'}))

    [finding] = [finding for finding in outcome.findings if finding.rejects]
    assert (finding.rule, finding.problem.path, finding.problem.line) == ("S01", path, 2)
    assert secret not in str(outcome)


@pytest.mark.parametrize("code", ["# {0}\n", '"""{0}"""\n', "x = ['{0}']\n", "'''\n{0}\nMIIB\n'''\n"])
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_secrets_are_found_wherever_they_are_written(secret: str, code: str) -> None:
    assert rejections(judge_bytes(extractor({"core.py": code.format(secret)}))) == {"S01"}


@pytest.mark.parametrize(
    "code", ["x = '{0}' '{1}'\n", "x = '{0}' + '{1}'\n", "x = b'{0}' b'{1}'\n", "x = '%s{1}' % '{0}'\n"]
)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_secrets_are_found_in_pieces(secret: str, code: str) -> None:
    outcome = judge_bytes(extractor({"core.py": code.format(secret[:7], secret[7:])}))

    assert rejections(outcome) == {"S01"}
    assert secret not in str(outcome)


@pytest.mark.parametrize("before", [PIECE - 10, PIECE - 1, PIECE, 2 * PIECE - 20])
def test_secrets_are_found_between_two_pieces_of_a_file(before: int) -> None:
    text = "\n" * before + SECRETS["AWS"] + "\n"

    [finding] = judge_bytes(extractor({"notes.txt": text})).findings
    assert (finding.rule, finding.problem.line) == ("S01", before + 1)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "AKIA",
            "AKIAlowercase1234567",
            "XAKIAIOSFODNN7EXAMPLE",
            "hf_hub_download",
            "hf_model_id",
            "sk-learn",
        ),
        *("sk-estimator-doc-link-fitted", "task-aaaaaaaaaaaaaaaaaaaaaaaa", "ghp_token", "xoxo", "gho_"),
        *(
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----",
            "PRIVATE KEY",
            "risk-assessmentassessment1",
        ),
        *("https://hf.co/org/model", "hf_transformers_cache_directory_name", "openai_api_key"),
    ],
)
def test_words_that_look_like_the_beginning_of_a_secret_are_fine(text: str) -> None:
    outcome = judge_bytes(extractor({"core.py": f"x = {text!r}\n", "notes.txt": text}))

    assert not outcome.findings


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("dGhpcyBpcyBub3QgYSBzZWNyZXQ5OTEyMzQ1Njc4OTBhYmM", {"S01"}, id="base64"),
        pytest.param("Zm9vYmFyMTIzNDU2Nzg5MHF3ZXJ0eVVJT1BBU0RGR0hKSw==", {"S01"}, id="padded"),
        pytest.param("1110a243fdf4706b3f48f1d95db1a4f5529b4d41", set(), id="a revision"),
        pytest.param("intfloat/multilingual-e5-large-instruct", set(), id="a model"),
        pytest.param("The quick brown fox jumps over the lazy dog 123", set(), id="a sentence"),
        pytest.param("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", set(), id="an alphabet"),
        pytest.param("multilingual_e5_large_instruct_v1_embedding", set(), id="a name"),
    ],
)
def test_strings_that_look_random_are_warnings(text: str, want: set[str]) -> None:
    outcome = judge_bytes(extractor({"core.py": f"x = {text!r}\n"}))

    assert (rejections(outcome), warnings(outcome)) == (set(), want)
