"""A file keeps its earlier content until the next one is complete, whoever writes it at the same time."""

from pathlib import Path

import pytest

from agent_memory.cli.output_files import write_text
from agent_memory.core.errors import InvalidInput
from agent_memory.core.files import replacing


def test_of_two_writers_each_writes_a_complete_file_and_no_other_file_is_touched(tmp_path):
    path, other = tmp_path / "export.zip", tmp_path / "export.zip.part"
    other.write_text("not ours")
    with replacing(path) as first, replacing(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"
    assert sorted(one.name for one in tmp_path.iterdir()) == [path.name, other.name]
    assert other.read_text() == "not ours"


def test_an_error_leaves_the_earlier_content(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("earlier")

    def write_half():
        with replacing(path) as partial:
            partial.write_text("half of")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    with pytest.raises(UnicodeEncodeError):
        write_text("--out", path, "half of \ud800")
    assert [one.read_text() for one in tmp_path.iterdir()] == ["earlier"]


def test_a_link_and_the_mode_of_a_file_stay(tmp_path):
    path, link = tmp_path / "report.html", tmp_path / "link.html"
    path.touch(mode=0o600)
    link.symlink_to(path)
    write_text("--out", link, "new")
    assert link.is_symlink()
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)


def test_what_is_no_file_is_written_to(tmp_path):
    write_text("--out", Path("/dev/null"), "text")
    with pytest.raises(InvalidInput, match="--out: cannot write"):
        write_text("--out", tmp_path / "missing" / "report.html", "text")
