"""The bytes of a piece as a stream: unpacked, in their encoding, with their fingerprint."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

import numpy as np

from workbook.data.errors import WorkbookError
from workbook.data.sources.piece import Piece, broken

HEAD = 256 << 10  # bytes looked at to find encoding, delimiter and header


def fingerprint(piece: Piece) -> str:
    """SHA-256 of the bytes of a piece; "" for a database server, which has none."""
    if piece.path is None:
        return ""
    digest = hashlib.sha256()
    try:
        with raw_bytes(piece) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise broken(piece.name, error) from error
    return digest.hexdigest()


def raw_bytes(piece: Piece) -> IO[bytes]:
    return zipfile.ZipFile(piece.path).open(piece.member) if piece.member else piece.path.open("rb")


class _Stream(io.RawIOBase):
    """Blocks of bytes as a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def file_of(blocks: Iterator[bytes]) -> io.BufferedReader:
    return io.BufferedReader(_Stream(blocks), 1 << 20)


def unpacked(piece: Piece, tick: Callable[[int], object] = int) -> Iterator[bytes]:
    """The bytes of a text piece, unpacked; a damaged archive is told as such."""
    try:
        with raw_bytes(piece) as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            told = 0
            with gzip.open(raw) if packed else raw as stream:
                while block := stream.read(1 << 20):
                    tick(raw.tell() - told)
                    told = raw.tell()
                    yield block
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise broken(piece.name, error) from error


def decoded(piece: Piece, encoding: str, tick: Callable[[int], object] = int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    try:
        for block in unpacked(piece, tick):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise WorkbookError(
            f"{piece.name} is not {encoding}: byte 0x{error.object[error.start]:02x} does not fit.",
            why="Reading it anyway would spoil names and categories without a word.",
            way_out="Leave `encoding` out and it is found for each file, or name the right one (gb18030, cp1252, …).",
        ) from None


def find_encoding(piece: Piece) -> str:
    """The encoding of a text piece, by decisive tests on the whole of it.

    A byte order mark decides; so do zero bytes (UTF-16 without mark); what is valid UTF-8 to the
    last byte is UTF-8; what is valid GB18030 and is mostly everyday Chinese characters is GB18030;
    anything else is Windows' Latin-1.
    """
    head = next(unpacked(piece), b"")
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = np.frombuffer(head[:HEAD], dtype=np.uint8) == 0
    if zeros.mean() > 0.2 if len(zeros) else False:
        return "utf-16-le" if zeros[1::2].mean() > zeros[0::2].mean() else "utf-16-be"
    if _fits(piece, "utf-8"):
        return "utf-8"
    if _fits(piece, "gb18030") and _is_everyday_chinese(piece):
        return "gb18030"
    return "cp1252" if _fits(piece, "cp1252") else "latin-1"


def _fits(piece: Piece, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    try:
        for block in unpacked(piece):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_everyday_chinese(piece: Piece) -> bool:
    """Whether most bytes beyond ASCII are pairs of GB 2312, where accented Latin letters stand alone."""
    pairs = beyond = 0
    for block in unpacked(piece):
        high = re.findall(rb"[\x80-\xff]+[\x30-\x7e]?", block)
        beyond += sum(len(run.rstrip(bytes(range(0x80)))) for run in high)
        pairs += sum(2 * len(re.findall(rb"[\xa1-\xa9\xb0-\xf7][\xa1-\xfe]", run)) for run in high)
        if beyond > 1 << 16:
            break
    return pairs >= 0.8 * beyond
