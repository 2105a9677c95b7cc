"""Archives: wheels and sdists are read; one that was made to do harm does none."""

from __future__ import annotations

import gzip
import io
import resource
import tarfile
import zipfile

import pytest

from codewright.corpus import sources, sources_archives
from codewright.corpus.recipe import SourceConfig
from codewright.corpus.sources_archives import project_of, wanted
from codewright.errors import DataError
from tests.corpus.planting import GPL, MIT, Books, add, program, sdist, wheel, write


def read(folder, **keys):
    source = SourceConfig(kind="archives", path=folder, **keys)
    books, found = Books("read"), {}
    for unit in sources.units(0, source):
        for document in sources.documents(unit, source, books.drops):
            found[f"{document.origin} {document.path}"] = (document.licence, document.text)
    return found, books


def test_wheels_and_sdists_with_the_licence_that_is_in_them(tmp_path):
    wheel(
        tmp_path / "some_thing-1.2-py3-none-any.whl",
        {"some/a.py": "a = 1\n", "some/b.txt": "x", "some-1.2.data/x.py": "d = 1\n"},
        "License: MIT\n",
    )
    wheel(tmp_path / "gpl-2-py3-none-any.whl", {"g.py": "g = 1\n"}, "", GPL)
    sdist(
        tmp_path / "other.lib-0.3.tar.gz", {"src/o.py": "o = 1\n", "setup.py": "s = 1\n"}, "", MIT
    )
    sdist(tmp_path / "nothing-1.tar.gz", {"n.py": "n = 1\n"})
    with zipfile.ZipFile(tmp_path / "repo-main.zip", "w") as archive:
        archive.writestr("repo-main/LICENSE", MIT)
        archive.writestr("repo-main/r.py", "r = 1\n")
    write(tmp_path / "readme.txt", "x")
    found, books = read(tmp_path)
    assert {key: licence for key, (licence, _) in found.items()} == {
        "gpl==2 g.py": "GPL-3.0-or-later",
        "nothing==1 n.py": "",
        "other-lib==0.3 setup.py": "MIT",
        "other-lib==0.3 src/o.py": "MIT",
        "repo-main r.py": "MIT",
        "some-thing==1.2 some/a.py": "MIT",
        "some-thing==1.2 some-1.2.data/x.py": "MIT",
    }
    assert not books.told


def test_only_the_projects_of_a_list_and_all_of_them(tmp_path):
    for name in ("one", "two", "three"):
        wheel(tmp_path / f"{name}-1-py3-none-any.whl", {f"{name}.py": "x = 1\n"}, "License: MIT\n")
    listed = write(tmp_path / "list.txt", "# words\nOne==1  # here\n\nTHREE>=1 ; x\n")
    assert wanted(listed) == {"one", "three"}
    assert [key.split("==")[0] for key in read(tmp_path, list=listed)[0]] == ["one", "three"]
    listed.write_text("one\nfour\nFi.ve\n")
    with pytest.raises(DataError, match="lacks fi-ve, four") as raised:
        read(tmp_path, list=listed)
    assert "pip download --no-deps" in raised.value.hint
    with pytest.raises(DataError, match="is no folder"):
        read(tmp_path / "none")
    with pytest.raises(DataError, match="lacks any archive"):
        read(write(tmp_path / "empty" / "x", "").parent)
    with pytest.raises(DataError, match="cannot be read"):
        wanted(tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("name", "project"),
    [
        ("Foo_Bar-1.0-py3-none-any.whl", ("foo-bar", "1.0")),
        ("foo.bar-1.0.post1-cp311-cp311-manylinux_2_17_x86_64.whl", ("foo-bar", "1.0.post1")),
        ("foo-bar-1.0.tar.gz", ("foo-bar", "1.0")),
        ("zope.interface-7.0b1.zip", ("zope-interface", "7.0b1")),
        ("python-dateutil-2.9.0.tar.bz2", ("python-dateutil", "2.9.0")),
        ("main.zip", ("main", "")),
    ],
)
def test_the_name_of_an_archive_says_project_and_version(name, project):
    assert project_of(name) == project


HOSTILE = ["../../evil.py", "/tmp/evil.py", "a/../../evil.py", "..\\evil.py", "x/../y.py"]


def test_paths_that_leave_the_archive_are_refused(tmp_path):
    wheel(tmp_path / "a-1-py3-none-any.whl", dict.fromkeys([*HOSTILE, "ok.py"], "e = 1\n"), "")
    with tarfile.open(tmp_path / "b-1.tar.gz", "w:gz") as archive:
        for name in [*HOSTILE, "b-1/ok.py"]:
            add(archive, name, b"e = 1\n")
    before = sorted(tmp_path.rglob("*"))
    found, books = read(tmp_path)
    assert sorted(found) == ["a==1 ok.py", "b==1 ok.py"]
    assert sorted(drop.path for drop in books.told) == sorted(HOSTILE * 2)
    assert {drop.reason for drop in books.told} == {"leaves-the-archive"}
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_devices_are_passed_over(tmp_path):
    with tarfile.open(tmp_path / "a-1.tar.gz", "w:gz") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            entry = tarfile.TarInfo(f"a-1/{kind.decode()}.py")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        add(archive, "a-1/ok.py", b"ok = 1\n")
    with zipfile.ZipFile(tmp_path / "b-1.zip", "w") as archive:
        entry = zipfile.ZipInfo("b-1/link.py")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
        archive.writestr("b-1/ok.py", "ok = 1\n")
    found, books = read(tmp_path)
    assert sorted(found) == ["a==1 ok.py", "b==1 ok.py"]
    assert not books.told


def test_bombs_fill_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_archives, "FILE_BYTES", 1_000_000)
    monkeypatch.setattr(sources_archives, "UNPACKED", 5_000_000)
    zeros = b"#" * 1_500_000
    wheel(tmp_path / "member-1-py3-none-any.whl", {"big.py": zeros, "ok.py": "ok = 1\n"}, "")
    many = {f"m{n}.py": b"#" * 900_000 for n in range(9)}
    wheel(tmp_path / "many-1-py3-none-any.whl", many, "")
    sdist(tmp_path / "tarred-1.tar.gz", {"big.py": zeros, "ok.py": "ok = 1\n"})
    sdist(tmp_path / "total-1.tar.gz", {"data.bin": b"\0" * 6_000_000, "late.py": "x = 1\n"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, books = read(tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB
    told = {(drop.origin, drop.reason) for drop in books.told}
    assert told == {
        ("member==1", "too-big"),
        ("many==1", "archive-too-big"),
        ("tarred==1", "too-big"),
        ("total==1", "archive-too-big"),
    }
    assert {"member==1 ok.py", "tarred==1 ok.py"} <= set(found)
    assert "total==1 late.py" not in found


def test_a_header_that_asks_for_too_much_is_not_given_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_archives, "FILE_BYTES", 100_000)
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, 900_000_000
    with gzip.open(tmp_path / "pax-1.tar.gz", "wb") as file:
        file.write(entry.tobuf())
    found, books = read(tmp_path)
    assert not found
    assert books.reasons() == {"pax-1.tar.gz": "archive-too-big"}


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_archives, "MEMBERS", 20)
    files = {f"m{n}.py": "x = 1\n" for n in range(30)}
    wheel(tmp_path / "a-1-py3-none-any.whl", files, "")
    sdist(tmp_path / "b-1.tar.gz", files)
    _, books = read(tmp_path)
    assert set(books.reasons().values()) == {"archive-too-big"}


def test_damaged_archives_are_told_and_end_where_they_are_damaged(tmp_path):
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        for number in range(40):
            add(archive, f"cut-1/m{number:02d}.py", program(number).encode())
    data = whole.getvalue()
    write(tmp_path / "cut-1.tar.gz", data[: len(data) // 2])
    write(
        tmp_path / "flip-1.tar.gz", data[:900] + bytes(b ^ 255 for b in data[900:950]) + data[950:]
    )
    write(tmp_path / "noise-1.tar.gz", bytes(range(256)) * 9)
    write(tmp_path / "empty-1.tar.gz", b"")
    write(tmp_path / "noise-1.zip", b"PK\3\4" + bytes(range(256)) * 9)
    write(tmp_path / "xz-1.tar.xz", b"\xfd7zXZ\0" + bytes(99))
    write(tmp_path / "bz-1.tar.bz2", b"BZh9" + bytes(99))
    wheel(tmp_path / "secret-1-py3-none-any.whl", {"s.py": "s = 1\n" * 99}, "")
    path = tmp_path / "secret-1-py3-none-any.whl"
    sealed = bytearray(path.read_bytes())
    for marker, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flag of an encrypted member
        at = sealed.find(marker)
        sealed[at + place] |= 1
    path.write_bytes(sealed)
    found, books = read(tmp_path)
    damaged = {drop.path for drop in books.told if drop.reason == "damaged-archive"}
    assert damaged == {path.name for path in tmp_path.iterdir()}
    assert all(key.startswith(("cut==1", "flip==1")) for key in found)
    assert 0 < len(found) < 40


def test_all_forms_of_tar(tmp_path):
    for suffix, mode in (("tar.gz", "w:gz"), ("tgz", "w:gz"), ("tar.bz2", "w:bz2"),
                         ("tar.xz", "w:xz")):  # fmt: skip
        with tarfile.open(tmp_path / f"{suffix.replace('.', '')}-1.{suffix}", mode) as archive:
            for number in range(6):
                # Sizes around the block of 512 bytes, where the reader steps back by one byte.
                add(archive, f"top/m{number}.py", b"#" * (510 + number))
    found, books = read(tmp_path)
    assert len(found) == 24
    assert {len(text) for _, text in found.values()} == set(range(510, 516))
    assert not books.told
