"""Where artifacts are: S3 URLs, read to the letter.

S3 knows no folders: a key is a text, and ``..`` or ``//`` in it are characters like others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key, or what keys begin with, or a pattern of keys."""

    bucket: str
    key: str

    @property
    def url(self) -> str:
        """As ``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


def parse_s3(url: str) -> S3Location | None:
    """The location that an ``s3://`` URL names; None where a text is no such URL."""
    found = _URL.fullmatch(url)
    return None if found is None else S3Location(found[1], found[2] or "")
