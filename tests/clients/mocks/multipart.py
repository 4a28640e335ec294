"""Reads a multipart form strictly, and keeps what is in it byte for byte."""

from dataclasses import dataclass
from email.message import Message


@dataclass
class Part:
    name: str
    filename: str | None
    content: bytes


@dataclass
class Form:
    parts: list[Part]

    @classmethod
    def read(cls, content_type: str, body: bytes) -> "Form":
        kind = _header(content_type)
        boundary = kind.get_param("boundary")
        if kind.get_content_type() != "multipart/form-data" or not boundary:
            raise ValueError(f"the content type is {content_type!r}")
        opening, *parts, closing = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
        if opening or closing not in (b"--", b"--\r\n"):
            raise ValueError("it does not begin and end with its boundary")
        return cls([_part(part) for part in parts])

    def values(self, name: str) -> list[bytes]:
        return [part.content for part in self.parts if part.name == name]

    @property
    def names(self) -> list[str]:
        """The names of the parts, in their order."""
        return [part.name for part in self.parts]


def _part(raw: bytes) -> Part:
    head, gap, content = raw.partition(b"\r\n\r\n")
    if not gap or not head.startswith(b"\r\n"):
        raise ValueError("a part has no head")
    lines = (line.partition(b":") for line in head[2:].split(b"\r\n"))
    headers = {name.strip().lower(): value.strip().decode() for name, _, value in lines}
    disposition = _header(headers[b"content-disposition"])
    return Part(disposition.get_param("name"), disposition.get_param("filename"), content)


def _header(value: str) -> Message:
    message = Message()
    message["Content-Type"] = value
    return message
