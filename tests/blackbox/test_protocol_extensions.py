# SPDX-License-Identifier: Apache-2.0
"""SFTP extensions, handles, several channels, and requests in flight together."""
import os
import random

import paramiko
import pytest

import clients
import rawsftp as s
from rawsftp import Fields, StatusError, string, u32, u64
from util import pattern, seconds


@pytest.fixture
def sftp(server, alice, home):
    with s.session(server, alice) as session:
        yield session


def code_of(call, *args, **kw):
    with pytest.raises(StatusError) as error:
        call(*args, **kw)
    return error.value.code


# -- extensions

def statvfs(fields):
    names = ("bsize", "frsize", "blocks", "bfree", "bavail", "files", "ffree", "favail", "fsid", "flag", "namemax")
    return dict(zip(names, (fields.u64() for _ in names)))


def test_statvfs(sftp, home):
    want = os.statvfs(home)
    got = statvfs(sftp.extended("statvfs@openssh.com", string("/"), wanted=s.EXTENDED_REPLY))
    assert (got["frsize"], got["blocks"], got["namemax"]) == (want.f_frsize, want.f_blocks, want.f_namemax)
    handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
    by_handle = statvfs(sftp.extended("fstatvfs@openssh.com", string(handle), wanted=s.EXTENDED_REPLY))
    assert by_handle["blocks"] == want.f_blocks
    assert code_of(sftp.extended, "statvfs@openssh.com", string("/none"), wanted=s.EXTENDED_REPLY) == s.NO_SUCH_FILE


def test_hardlink(sftp, home):
    (home / "f").write_text("content")
    sftp.extended("hardlink@openssh.com", string("/f"), string("/g"))
    assert (home / "g").stat().st_ino == (home / "f").stat().st_ino
    assert code_of(sftp.extended, "hardlink@openssh.com", string("/none"), string("/h")) == s.NO_SUCH_FILE
    assert code_of(sftp.extended, "hardlink@openssh.com", string("/f"), string("/g")) == s.FAILURE


def test_fsync(sftp, home):
    handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
    sftp.write(handle, 0, b"data")
    sftp.extended("fsync@openssh.com", string(handle))
    assert (home / "f").read_bytes() == b"data"
    sftp.close(handle)
    assert code_of(sftp.extended, "fsync@openssh.com", string(handle)) in (s.FAILURE, s.NO_SUCH_FILE)


def test_limits_are_true(sftp, home):
    """What the server promises it must take: a write and a read of the promised size."""
    fields = sftp.extended("limits@openssh.com", wanted=s.EXTENDED_REPLY)
    packet, read, write, handles = (fields.u64() for _ in range(4))
    assert packet >= 34_000 and 32_768 <= read <= packet and 32_768 <= write <= packet and handles > 0
    data = pattern(write)
    handle = sftp.open("/f", s.F_READ | s.F_WRITE | s.F_CREAT)
    sftp.write(handle, 0, data)
    assert sftp.read(handle, 0, read) == data[:read]
    sftp.close(handle)


@pytest.mark.ours
def test_expand_path_and_home_directory(sftp, alice):
    def name(extension, argument):
        fields = sftp.extended(extension, string(argument), wanted=s.NAME)
        assert fields.u32() == 1
        return fields.string().decode()
    assert name("expand-path@openssh.com", "/a/../b") == "/b"
    assert name("expand-path@openssh.com", "x") == "/x"
    assert name("expand-path@openssh.com", "~") == "/"
    assert name("expand-path@openssh.com", "~/x") == "/x"
    assert name("home-directory", "") == "/"
    assert name("home-directory", alice.name) == "/"


def test_copy_data(sftp, home):
    data = pattern(1_000_000)
    (home / "from").write_bytes(data)
    source = sftp.open("/from", s.F_READ)
    target = sftp.open("/to", s.F_WRITE | s.F_CREAT | s.F_TRUNC)
    sftp.extended("copy-data", string(source), u64(1000), u64(500_000), string(target), u64(0))
    assert (home / "to").read_bytes() == data[1000:501_000]
    sftp.extended("copy-data", string(source), u64(0), u64(0), string(target), u64(0))
    assert (home / "to").read_bytes() == data
    assert code_of(sftp.extended, "copy-data", string(source), u64(0), u64(0), string(b"nonsense"), u64(0)) != s.OK
    sftp.close(source)
    sftp.close(target)


def test_users_groups_by_id(sftp):
    ids = u32(0) + u32(4_000_000)
    fields = sftp.extended("users-groups-by-id@openssh.com", string(ids), string(u32(0)), wanted=s.EXTENDED_REPLY)
    users, groups = Fields(fields.string()), Fields(fields.string())
    names = [users.string(), users.string()]
    assert names[1] == b"" and not users.rest
    groups.string()
    assert not groups.rest


def test_unknown_extension(sftp):
    assert code_of(sftp.extended, "no-such@example.com", string("x")) == s.OP_UNSUPPORTED


# -- handles

@pytest.mark.ours
def test_closed_and_invented_handles(sftp, home):
    (home / "f").write_text("content")
    handle = sftp.open("/f", s.F_READ)
    sftp.close(handle)
    for bad in (handle, b"", b"x", b"\x00" * 8, b"h" * 300):
        assert sftp.status(s.READ, string(bad), u64(0), u32(10)) == s.FAILURE
        assert sftp.status(s.WRITE, string(bad), u64(0), string(b"x")) == s.FAILURE
        assert sftp.status(s.CLOSE, string(bad)) == s.FAILURE
        assert sftp.status(s.FSTAT, string(bad)) == s.FAILURE
        assert sftp.status(s.READDIR, string(bad)) == s.FAILURE
    handle = sftp.open("/f", s.F_READ)
    assert sftp.status(s.READDIR, string(handle)) == s.FAILURE
    assert sftp.read(handle, 0, 7) == b"content"


@pytest.mark.ours
def test_limit_of_open_handles(sftp, server, home):
    """The limit is what limits@openssh.com says; one more gets a clear status, and closing one makes room again."""
    (home / "f").write_text("content")
    fields = sftp.extended("limits@openssh.com", wanted=s.EXTENDED_REPLY)
    limit = [fields.u64() for _ in range(4)][3]
    handles = [sftp.open("/f", s.F_READ) for _ in range(limit)]
    assert len(set(handles)) == limit
    with pytest.raises(StatusError) as error:
        sftp.open("/f", s.F_READ)
    assert error.value.code == s.FAILURE and error.value.text
    sftp.close(handles.pop())
    handles.append(sftp.open("/f", s.F_READ))
    assert sftp.read(handles[0], 0, 7) == b"content"
    for handle in handles:
        sftp.close(handle)


# -- several channels, several requests

def test_first_bytes_do_not_wait_for_the_subsystem(server, alice, home):
    """OpenSSH sends INIT together with the subsystem request. Many logins, because the server is busiest just after one."""
    for _ in range(25):
        with s.transport(server, alice) as link:
            channel = link.open_session(timeout=seconds(20))
            channel.settimeout(seconds(20))
            request = paramiko.Message()
            request.add_byte(bytes([98]))  # SSH_MSG_CHANNEL_REQUEST
            request.add_int(channel.remote_chanid)
            request.add_string("subsystem")
            request.add_boolean(False)
            request.add_string("sftp")
            link._send_user_message(request)
            assert s.RawSftp(channel).name(s.REALPATH, ".") == b"/"


@pytest.mark.ours
def test_openssh_client_in_a_row(server, alice, home):
    """Short sessions of a client that never waits: none may hang."""
    client = clients.OpenSshSftp(server, alice)
    for n in range(40):
        client.batch(f"mkdir /d{n}", timeout=15)
    assert len(list(home.iterdir())) == 40



def test_several_channels_on_one_connection(server, alice, home):
    with s.transport(server, alice) as link:
        channels = [s.subsystem(link) for _ in range(5)]
        handles = [sftp.open(f"/f{n}", s.F_WRITE | s.F_CREAT) for n, sftp in enumerate(channels)]
        for round_number in range(20):
            for n, sftp in enumerate(channels):
                sftp.write(handles[n], round_number * 1000, pattern(1000, f"{n}/{round_number}"))
        channels[0].channel.close()
        for n, sftp in list(enumerate(channels))[1:]:
            sftp.close(handles[n])
            assert (home / f"f{n}").read_bytes() == b"".join(pattern(1000, f"{n}/{r}") for r in range(20))
        assert s.subsystem(link).read_file("/f1")


def test_a_handle_of_one_channel_is_nothing_in_another(server, alice, home):
    (home / "f").write_text("content")
    with s.transport(server, alice) as link:
        one, two = s.subsystem(link), s.subsystem(link)
        handle = one.open("/f", s.F_READ)
        assert two.status(s.READ, string(handle), u64(0), u32(7)) == s.FAILURE


def test_pipelined_requests(sftp, home):
    """A thousand requests sent before the first answer is read; every one is answered, by its id."""
    data = pattern(1000 * 2000)
    (home / "f").write_bytes(data)
    handle = sftp.open("/f", s.F_READ)
    offsets = [n * 2000 for n in range(1000)]
    random.Random(1).shuffle(offsets)
    requests = {sftp.send(s.READ, string(handle), u64(offset), u32(2000)): offset for offset in offsets}
    for request, offset in requests.items():
        assert sftp.expect(request, s.DATA).string() == data[offset:offset + 2000]


def test_pipelined_mixture_up_to_close(sftp, home):
    """OPEN..CLOSE of many files with everything in flight that does not need an answer first."""
    handles = [sftp.expect(r, s.HANDLE).string() for r in
               [sftp.send(s.OPEN, string(f"/f{n}"), u32(s.F_WRITE | s.F_CREAT), u32(0)) for n in range(50)]]
    requests = []
    for n, handle in enumerate(handles):
        requests += [sftp.send(s.WRITE, string(handle), u64(k * 5000), string(pattern(5000, f"{n}/{k}"))) for k in range(10)]
        requests.append(sftp.send(s.CLOSE, string(handle)))
    for request in requests:
        sftp.expect(request, s.STATUS)
    for n in range(50):
        assert (home / f"f{n}").read_bytes() == b"".join(pattern(5000, f"{n}/{k}") for k in range(10))


def test_overlapping_writes_keep_arrival_order(sftp, home):
    """Without waiting, each write covers part of the one before; the last to arrive must be what the file holds."""
    rng, want = random.Random(2), bytearray(200_000)
    handle = sftp.open("/f", s.F_WRITE | s.F_CREAT)
    requests = [sftp.send(s.WRITE, string(handle), u64(0), string(bytes(200_000)))]
    for n in range(600):
        offset, size = rng.randrange(190_000), rng.randrange(1, 10_000)
        data = bytes([n % 255 + 1]) * size
        want[offset:offset + size] = data
        requests.append(sftp.send(s.WRITE, string(handle), u64(offset), string(data)))
    requests.append(sftp.send(s.CLOSE, string(handle)))
    for request in requests:
        sftp.expect(request, s.STATUS)
    assert (home / "f").read_bytes() == bytes(want)


def test_a_read_sees_the_write_sent_before_it(sftp, home):
    handle = sftp.open("/f", s.F_READ | s.F_WRITE | s.F_CREAT)
    pairs = []
    for n in range(300):
        sftp.send(s.WRITE, string(handle), u64(0), string(n.to_bytes(4, "big") * 1000))
        pairs.append((n, sftp.send(s.READ, string(handle), u64(0), u32(4000))))
    for n, request in pairs:
        assert sftp.expect(request, s.DATA).string() == n.to_bytes(4, "big") * 1000


def test_the_end_of_a_channel_has_an_exit_status(server, alice):
    with s.transport(server, alice) as link:
        sftp = s.subsystem(link)
        sftp.channel.shutdown_write()
        assert sftp.channel.recv_exit_status() == 0
        assert s.subsystem(link).name(s.REALPATH, ".") == b"/", "the connection stays"
