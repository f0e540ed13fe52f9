"""What may be told of an error: its text without secrets and without what looks like a personal value.

The secrets are those of the settings: every value that an entry names by `${ENV_NAME}`, and what is written there
itself. Personal values are masked by pattern (see `privacy.mask_text`): phones, mail addresses, document, card and
account numbers. A person's name in an error message has no pattern and is not found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from workbook.data.privacy import mask_text
from workbook.data.settings import Settings

SHORTEST = 4  # characters; anything shorter would be masked inside of words
FILE = "sqlite:///"  # an address of a source that is a file, and holds no password
LONGEST = 400  # characters that are told of an error
_ENV = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PASSWORD = re.compile(r"(?<=://)[^/\s@]*:[^/\s@]+@")


def told(text: str, settings: Settings, *, environment: Mapping[str, str] = os.environ) -> str:
    """An error message that may be logged, shown and sent.

    The ends of a long message are kept: the first part says where, the last what.
    """
    text = masked(text, settings, environment=environment)
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} … {text[-half:]}"


def masked(text: str, settings: Settings, *, environment: Mapping[str, str] = os.environ) -> str:
    """A text without secrets and personal values."""
    for value in sorted(set(_values(settings, environment)), key=len, reverse=True):
        text = text.replace(value, "[secret]")
    return mask_text(_PASSWORD.sub("[secret] at ", text))


def names(settings: Settings) -> list[str]:
    """The environment variables that the settings name, sorted."""
    return sorted({name for text in _texts(settings) for name in _ENV.findall(text)})


def _values(settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    named = (environment.get(name, "") for name in names(settings))
    written = (_ENV.sub("", value.get_secret_value()) for value in _secrets(settings))
    yield from (value for value in (*named, *written) if len(value) >= SHORTEST and not value.startswith(FILE))


def _secrets(part: Any) -> Iterator[SecretStr]:
    if isinstance(part, SecretStr):
        yield part
    for inner in _inside(part):
        yield from _secrets(inner)


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str | SecretStr):
        yield part if isinstance(part, str) else part.get_secret_value()
    for inner in _inside(part):
        yield from _texts(inner)


def _inside(part: Any) -> list[Any]:
    if isinstance(part, BaseModel):
        return [getattr(part, name) for name in type(part).model_fields]
    if isinstance(part, Mapping):
        return list(part.values())
    return list(part) if isinstance(part, list | tuple) else []
