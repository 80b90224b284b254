"""What a file holds before it is understood: text or Parquet, decompressed and decoded, or refused by name."""

import bz2
import codecs
import gzip
import io
import lzma
import re
import struct
import zipfile
import zlib
from pathlib import Path

from trading_agents.bars.errors import BarsError

_DECOMPRESSORS = ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ\x00", lzma.decompress))
_COMPRESSED_ENDINGS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zip": "zip"}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
PARQUET = b"PAR1"
_REFUSED = (
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard", "decompress it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x04\x22\x4d\x18", "compressed with LZ4", "decompress it first"),
    (b"\x1f\x8b", "compressed twice", "decompress it once"),
    (b"BZh", "compressed twice", "decompress it once"),
    (b"\xfd7zXZ", "compressed twice", "decompress it once"),
    (b"PK\x03\x04", "an archive in an archive", "unpack it first"),
    (b"ARROW1", "a Feather file", "save it as Parquet or CSV"),
    (b"FEA1", "a Feather file", "save it as Parquet or CSV"),
    (b"\x89HDF", "an HDF5 file", "save it as Parquet or CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook", "save the sheet as CSV"),
    (b"SQLite format 3", "an SQLite database", "save the table as CSV"),
    (b"\xff\xff\xff\xff", "an Arrow stream", "save it as Parquet or CSV"),
    (b"Obj\x01", "an Avro file", "save it as Parquet or CSV"),
    (b"\x93NUMPY", "an array of NumPy", "save it as Parquet or CSV"),
    *((b"\x80" + bytes([protocol]), "a Python pickle", "save it as Parquet or CSV") for protocol in range(2, 6)),
    (b"%PDF", "a PDF document", "download the data as CSV"),
)
_REFUSED_TEXTS = (
    ("<", "an HTML or XML document", "download the data as CSV"),
    ("{", "JSON", "save it as CSV or Parquet"),
    ("[", "JSON", "save it as CSV or Parquet"),
)
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ENDINGS = re.compile(r"(\.(csv|txt|tsv|parquet|pq|gz|bz2|xz|zip))+$", re.IGNORECASE)
_TAR_MAGIC = slice(257, 262)


def read_contents(path: Path) -> bytes:
    """Return the decompressed bytes of a file: text, or Parquet (which begins with `PARQUET`).

    Raises:
        BarsError: the file cannot be read or decompressed, or has a format that is not read.
    """
    try:
        content = _decompressed(path.name, path.read_bytes(), ending=path.suffix.lower())
    except BarsError:
        raise
    except (
        *(OSError, EOFError, ValueError, NotImplementedError),
        *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, struct.error),
    ) as error:
        raise BarsError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    for magic, kind, advice in _REFUSED:
        if content.startswith(magic):
            raise BarsError(f"{path.name} is {kind}: {advice}")
    if content[_TAR_MAGIC] == b"ustar":
        raise BarsError(f"{path.name} is a tar archive: unpack it first")
    return content


def without_endings(name: str) -> str:
    """Return the name of a file without the endings of its format and its compression."""
    return _ENDINGS.sub("", name) or name


def decode(name: str, content: bytes) -> str:
    """Return the text of a file in UTF-8, or UTF-16 with a byte order mark. `BarsError` if it is no such text."""
    encoding = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise BarsError(f"{name} is not a CSV file in UTF-8: {error}; save it as UTF-8") from error
    if "\0" in text:
        raise BarsError(f"{name} is not a CSV file in UTF-8: it has NUL characters; save it as UTF-8")
    for start, kind, advice in _REFUSED_TEXTS:
        if text.lstrip()[:1] == start and not _is_angled_header(text):
            raise BarsError(f"{name} is {kind}: {advice}")
    return text


def _is_angled_header(text: str) -> bool:
    """Whether the first line is a header such as `<DATE> <TIME> <OPEN> ...`, as trading terminals write it."""
    return "<close>" in text.lstrip().partition("\n")[0].lower()


def _decompressed(name: str, content: bytes, *, ending: str) -> bytes:
    for magic, decompress in _DECOMPRESSORS:
        if content.startswith(magic):
            return decompress(content)
    if content.startswith(_ZIP):
        return _only_member(name, content)
    if ending in _COMPRESSED_ENDINGS:
        raise OSError(f"it is not compressed with {_COMPRESSED_ENDINGS[ending]}, as its name says, or is damaged")
    return content


def _only_member(name: str, content: bytes) -> bytes:
    """Return the only file of a ZIP archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [one.filename for one in archive.infolist() if not one.is_dir()]
        members = [member for member in members if not member.startswith("__MACOSX/")]
        if "[Content_Types].xml" in members:
            raise BarsError(f"{name} is an Excel workbook: save the sheet as CSV")
        if members[:1] == ["mimetype"]:
            raise BarsError(f"{name} is an OpenDocument file: save the sheet as CSV")
        if members and all(member.endswith(".npy") for member in members):
            raise BarsError(f"{name} holds arrays of NumPy: save them as Parquet or CSV")
        if not members:
            raise BarsError(f"{name} is an empty ZIP archive: pass a file of bars")
        if len(members) != 1:
            raise BarsError(f"{name} has {len(members)} files ({', '.join(members[:5])}): unpack the one to read")
        try:
            return archive.read(members[0])
        except RuntimeError as error:  # a password is needed
            raise OSError(str(error)) from error
