# SPDX-License-Identifier: Apache-2.0
"""virtual_folders: directories of the server mounted into a home, as part of it for everything but being moved."""
import json
import stat

import paramiko
import pytest

import rawsftp as s
from util import tree

pytestmark = pytest.mark.ours


@pytest.fixture(scope="module")
def fred(server):
    shared = server.directory / "shared"
    folders = [{"virtual_path": "/pool", "mapped_path": str(shared / "pool")},
               {"virtual_path": "/deep/way/to", "mapped_path": str(shared / "to")},
               {"virtual_path": "/pool2/inner", "mapped_path": str(shared / "inner")},
               {"virtual_path": "/absent", "mapped_path": str(shared / "absent")}]
    for name in ("pool", "to", "inner"):
        (shared / name).mkdir(parents=True)
    record = server.directory / "fred.json"
    record.write_text(json.dumps({"virtual_folders": folders,
                                  "permissions": {"/": ["*"], "/pool/readonly": ["list", "download"]}}))
    account = server.add_account("fred", options=["--json", record])
    account.shared = shared
    return account


@pytest.fixture
def sftp(server, fred):
    (fred.home / "pool").mkdir(exist_ok=True)
    (fred.home / "pool" / "hidden").write_text("by the folder")
    for name in ("pool/readonly", "pool/sub"):
        (fred.shared / name).mkdir(exist_ok=True)
    (fred.shared / "pool/readonly/r").write_text("r")
    (fred.shared / "pool/data").write_text("data")
    (fred.home / "plain").write_text("plain")
    with s.transport(server, fred) as link, paramiko.SFTPClient.from_transport(link) as client:
        yield client


def test_the_folder_is_listed_once_with_its_real_attributes(sftp, fred):
    entries = {entry.filename: entry for entry in sftp.listdir_attr("/")}
    assert set(entries) >= {"pool", "deep", "pool2", "absent", "plain"}
    assert [entry.filename for entry in sftp.listdir_attr("/")].count("pool") == 1
    real = (fred.shared / "pool").stat()
    assert (entries["pool"].st_mode, entries["pool"].st_mtime) == (real.st_mode, int(real.st_mtime))
    assert stat.S_ISDIR(entries["absent"].st_mode)
    assert set(sftp.listdir("/pool")) == {"readonly", "sub", "data"}, "the home's own directory is hidden"
    assert sftp.listdir("/deep") == ["way"] and sftp.listdir("/deep/way") == ["to"] and sftp.listdir("/pool2") == ["inner"]


def test_files_in_it_are_files_of_the_mapped_directory(sftp, fred):
    with sftp.open("/pool/sub/new", "wb") as file:
        file.write(b"new")
    assert (fred.shared / "pool/sub/new").read_bytes() == b"new"
    with sftp.open("/deep/way/to/there", "wb") as file:
        file.write(b"there")
    assert (fred.shared / "to/there").read_bytes() == b"there"
    sftp.rename("/pool/sub/new", "/pool/renamed")
    assert sftp.stat("/pool/renamed").st_size == 3
    sftp.remove("/pool/renamed")
    assert not (fred.shared / "pool/renamed").exists()
    with pytest.raises(PermissionError):
        sftp.open("/pool/readonly/w", "wb")


def test_mount_points_and_the_ways_to_them_stay_where_they_are(sftp, fred):
    for attempt in (lambda: sftp.rename("/pool", "/elsewhere"), lambda: sftp.rename("/deep", "/elsewhere"),
                    lambda: sftp.posix_rename("/plain", "/pool"), lambda: sftp.rename("/pool2", "/elsewhere"),
                    lambda: sftp.rmdir("/pool"), lambda: sftp.rmdir("/deep/way"), lambda: sftp.rmdir("/deep"),
                    lambda: sftp.mkdir("/pool"), lambda: sftp.symlink("/plain", "/pool")):
        with pytest.raises(PermissionError):
            attempt()
    with pytest.raises(OSError):
        sftp.remove("/pool")
    assert (fred.home / "plain").exists() and (fred.shared / "pool").is_dir()


def test_across_folders_nothing_is_renamed_or_linked(sftp, fred):
    before = tree(fred.home)
    for attempt in (lambda: sftp.rename("/plain", "/pool/plain"), lambda: sftp.rename("/pool/data", "/data"),
                    lambda: sftp.symlink("/pool/data", "/link"), lambda: sftp.posix_rename("/pool/sub", "/pool2/inner/sub")):
        with pytest.raises(OSError) as refusal:
            attempt()
        assert not isinstance(refusal.value, (PermissionError, FileNotFoundError))
    assert tree(fred.home) == before
    sftp.listdir("/")


def test_no_link_leads_from_a_folder_into_the_home_or_out_of_it(sftp, fred):
    sftp.symlink("/pool/data", "/pool/inside")
    assert sftp.stat("/pool/inside").st_size == 4 and sftp.readlink("/pool/inside") == "/pool/data"
    (fred.shared / "pool/outside").unlink(missing_ok=True)
    (fred.shared / "pool/outside").symlink_to(fred.home / "plain")
    with pytest.raises(OSError):
        sftp.open("/pool/outside")
    sftp.remove("/pool/inside")
    sftp.remove("/pool/outside")


def test_a_missing_mapped_directory_is_missing_and_nothing_is_made(sftp, fred, server):
    warned = server.wait_log(lambda line: line["level"] == "warn" and "/absent" in line.get("message", ""))
    assert warned["message"] == \
        f'virtual folder "/absent" of user "fred" cannot be used: directory {fred.shared}/absent: No such file or directory'
    for attempt in (lambda: sftp.stat("/absent"), lambda: sftp.listdir("/absent"), lambda: sftp.open("/absent/f", "wb"),
                    lambda: sftp.mkdir("/absent/d"), lambda: sftp.stat("/absent/f")):
        with pytest.raises(FileNotFoundError):
            attempt()
    assert not (fred.shared / "absent").exists() and not (fred.home / "absent").exists()
