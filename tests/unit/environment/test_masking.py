"""Secrets are masked, and nothing else."""

from __future__ import annotations

import pytest

from vizkit.environment.masking import is_secret_name, mask, mask_arguments


@pytest.mark.parametrize(
    "name",
    ["HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "BCE_AK", "bos_sk", "apiKey", "apikey", "--db-password",
     "DBPASSWORD", "MYSECRET", "wandb.api_key", "GIT_PAT", "Authorization", "X-Amz-Signature", "TOKEN2",
     "session_cookie"],
)  # fmt: skip
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "tokenizer", "monitor", "--passes", "author", "task", "FLAGS_use_mkldnn", "keyboard"],
)  # fmt: skip
def test_other_names_are_not_taken_for_secrets(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--token=hunter2"], ["--token=***"]),
        (["--password", "hunter2", "--lr", "0.1"], ["--password", "***", "--lr", "0.1"]),
        (["--use-token", "--lr", "3"], ["--use-token", "--lr", "3"]),
        (["api_key=hunter2", "lr=0.1"], ["api_key=***", "lr=0.1"]),
        (["-o", "Global.secret=hunter2"], ["-o", "Global.secret=***"]),
        (['{"api_key": "hunter2", "lr": 1}'], ['{"api_key": "***", "lr": 1}']),
        (["mysql://me:hunter2@host/db"], ["mysql://***@host/db"]),
        (["me:hunter2@host:80"], ["***@host:80"]),
        (["https://h/x?token=hunter2&page=2"], ["https://h/x?token=***&page=2"]),
        (["-H", "Authorization: Basic hunter2hunter2"], ["-H", "Authorization: *** ***"]),
        (["ghp_" + "hunter2" * 5], ["***"]),
        (["git@github.com:a/b", "https://h/p@1.2"], ["git@github.com:a/b", "https://h/p@1.2"]),
        (["t.py", "--max-tokens", "512", "--epochs=3"], ["t.py", "--max-tokens", "512", "--epochs=3"]),
    ],
)  # fmt: skip
def test_secrets_in_arguments_are_masked_and_nothing_else(arguments: list[str], shown: list[str]) -> None:
    assert mask_arguments(arguments) == shown


def test_code_is_masked_by_shape_only() -> None:
    code = "f = lambda x:x@w  # basic concepts\nkey = 'train/loss'\nurl = 'http://me:hunter2@host'\n"
    assert mask(code) == code.replace("me:hunter2", "***")
