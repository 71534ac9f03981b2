"""Masking of secrets, which are recognised by a name or by their form.

A value is a secret if its name is that of a token, key or password. The form reveals secrets without a name:
user and password of a URL, and the tokens of well-known services.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["MASK", "is_secret_name", "mask", "mask_arguments", "mask_settings"]

MASK = "***"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET_WORDS = frozenset(
    ("ak", "auth", "authorization", "bearer", "cookie", "credential", "jwt", "key", "keys", "pass", "pat",
     "psk", "pwd", "sig", "signature", "sk", "token")
)  # fmt: skip
# Also within words: "apikey", "mysecret", "DBPASSWORD".
_SECRET_PARTS = ("secret", "passw", "passphrase", "credential", "apikey", "accesskey", "privatekey")

# https://user:password@host, but no https://host/path@version.
_URL_USER = re.compile(r"(://)[^\s/?#'\"<>]+@")
# user:password@host; in code it may be a matrix product.
_PLAIN_USER = re.compile(r"(?<![\w/.+-])[\w.+-]+:[^\s/@:'\"]+@(?=[\w.-])")
_QUERY = re.compile(r"([?&;])([\w.~%-]+)=([^\s&;#'\"]+)")
_HEADER = re.compile(
    r"((?i:authorization)[\"']?\s*[:=]\s*[\"']?(?i:basic|bearer|token)\s+|\bBearer\s+)[\w.~+/=-]{8,}"
)
_SHAPES = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_\w{20,}|sk-[\w-]{20,}|xox[a-z]-[\w-]{10,}"
    r"|(?:AKIA|ASIA|ALTAK|LTAI|AKID)\w{12,}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
# name=value, name: value, "name": "value" within an argument.
_ASSIGNED = re.compile(r"([\w.-]+)([\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s\"',;&{}\[\]()]+)")


def is_secret_name(name: str) -> bool:
    """True if the name of a variable or option is that of a secret.

    Example:
        >>> [is_secret_name(n) for n in ("HF_TOKEN", "apiKey", "--db-password", "max_tokens", "monitor")]
        [True, True, True, False, False]
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not _SECRET_WORDS.isdisjoint(words):
        return True
    return any(part in word for word in words for part in _SECRET_PARTS)


def mask(text: str) -> str:
    """Mask secrets that their form reveals: users of URLs, secret query parameters, known tokens."""
    text = _URL_USER.sub(rf"\1{MASK}@", text)
    text = _QUERY.sub(lambda m: f"{m[1]}{m[2]}={MASK}" if is_secret_name(m[2]) else m[0], text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    return _SHAPES.sub(MASK, text)


def mask_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """Mask the secrets among settings whose nested names are joined with ``/``."""
    return {name: _masked(name, value) for name, value in settings.items()}


def _masked(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    return MASK if value and is_secret_name(name.rpartition("/")[2]) else mask(value)


def mask_arguments(arguments: Iterable[str]) -> list[str]:
    """Mask the secrets of a command line: ``--token=x``, ``--token x``, ``api_key=x``, JSON and URLs."""
    out = []
    named = False  # True if the argument before names a secret
    for argument in arguments:
        if named and not argument.startswith("-"):
            out.append(MASK)
            named = False
            continue
        option, equals, _ = argument.partition("=")
        is_option = argument.startswith("-") and not any(c.isspace() for c in option)
        if equals and is_option and is_secret_name(option):
            out.append(f"{option}={MASK}")
        else:
            out.append(_ASSIGNED.sub(_mask_assigned, _PLAIN_USER.sub(f"{MASK}@", mask(argument))))
        named = is_option and not equals and is_secret_name(argument)
    return out


def _mask_assigned(match: re.Match[str]) -> str:
    name, between, value = match.groups()
    if not is_secret_name(name):
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{name}{between}{quote}{MASK}{quote}"
