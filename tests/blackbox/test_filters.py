# SPDX-License-Identifier: Apache-2.0
"""filters.file_extensions: files whose names a filter denies are neither moved nor reached by another way."""
import json
import os

import paramiko
import pytest

import rawsftp as s
from util import tree

pytestmark = pytest.mark.ours
FILTERS = {"file_extensions": [{"path": "/", "denied_extensions": [".ExE"]},
                               {"path": "/photos", "allowed_extensions": [".jpg", ".png"]},
                               {"path": "/photos/raw", "denied_extensions": [".tmp"]}]}


@pytest.fixture(scope="module")
def vera(server):
    record = server.directory / "vera.json"
    record.write_text(json.dumps({"filters": FILTERS}))
    return server.add_account("vera", options=["--json", record])


@pytest.fixture
def sftp(server, vera):
    for entry in sorted(vera.home.rglob("*"), reverse=True):
        entry.rmdir() if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    for name in ("photos/raw", "docs"):
        (vera.home / name).mkdir(parents=True)
    for name in ("tool.exe", "note.txt", "photos/a.jpg", "photos/a.txt", "photos/raw/a.nef"):
        (vera.home / name).write_text(f"content of {name}")
    with s.transport(server, vera) as link, paramiko.SFTPClient.from_transport(link) as client:
        yield client


def read(sftp, path):
    with sftp.open(path, "rb") as file:
        return file.read().decode()


@pytest.mark.parametrize("path", ["/note.txt", "/photos/a.jpg", "/photos/raw/a.nef"])
def test_allowed_names_work(sftp, path):
    assert read(sftp, path) == f"content of {path[1:]}"
    with sftp.open(path, "wb") as file:
        file.write(b"new")
    assert read(sftp, path) == "new"
    sftp.rename(path, path + ".jpg")
    sftp.remove(path + ".jpg")


@pytest.mark.parametrize("path", ["/tool.exe", "/TOOL.EXE", "/photos/a.txt", "/photos/raw/x.TMP", "/docs/x.exe"])
def test_denied_names_are_untouchable(sftp, vera, path):
    before = tree(vera.home)
    for attempt in (lambda: sftp.open(path, "rb"), lambda: sftp.open(path, "wb"), lambda: sftp.open(path, "ab"),
                    lambda: sftp.remove(path), lambda: sftp.truncate(path, 0)):
        with pytest.raises(PermissionError):
            attempt()
    beside = os.path.join(os.path.dirname(path), "beside.jpg")
    sftp.symlink("nothing", beside)
    before = tree(vera.home)
    for attempt in (lambda: sftp.rename("/note.txt", path), lambda: sftp.posix_rename(beside, path), lambda: sftp.rename(beside, path)):
        with pytest.raises(OSError):
            attempt()
    assert tree(vera.home) == before


def test_they_stay_visible(sftp):
    assert set(sftp.listdir("/photos")) == {"a.jpg", "a.txt", "raw"}
    assert sftp.stat("/tool.exe").st_size == len("content of tool.exe")


def test_no_link_leads_to_a_denied_file(sftp, vera):
    sftp.symlink("tool.exe", "/innocent.txt")
    sftp.symlink("/photos", "/docs/pictures")
    os.symlink(vera.home / "tool.exe", vera.home / "made-by-the-operator.txt")
    for path in ("/innocent.txt", "/docs/pictures/a.txt", "/made-by-the-operator.txt"):
        for mode in ("rb", "wb", "r+b"):
            with pytest.raises(PermissionError):
                sftp.open(path, mode)
        with pytest.raises(PermissionError):
            sftp.truncate(path, 0)
    for attempt in (lambda: sftp.rename("/docs/pictures/a.txt", "/a.txt"), lambda: sftp.posix_rename("/note.txt", "/docs/pictures/n.txt"),
                    lambda: sftp.remove("/docs/pictures/a.txt"), lambda: sftp.rename("/docs/pictures/raw", "/raw")):
        with pytest.raises(OSError):
            attempt()
    assert (vera.home / "tool.exe").read_text() == "content of tool.exe"
    assert (vera.home / "photos/a.txt").read_text() == "content of photos/a.txt"


def test_no_directory_is_moved_from_under_its_filter(sftp, vera):
    before = tree(vera.home)
    for old, new in (("/photos", "/pictures"), ("/photos/raw", "/raw"), ("/docs", "/photos/docs")):
        with pytest.raises(OSError):
            sftp.rename(old, new)
    assert tree(vera.home) == before
    sftp.rename("/docs", "/papers.exe")
    assert (vera.home / "papers.exe").is_dir()


def test_a_directory_may_have_any_name(sftp, vera):
    sftp.mkdir("/photos/holidays")
    sftp.rename("/photos/holidays", "/photos/summer")
    sftp.posix_rename("/photos/summer", "/photos/winter")
    assert (vera.home / "photos/winter").is_dir()
    with pytest.raises(PermissionError):
        sftp.rename("/photos/a.jpg", "/photos/summer")
