# SPDX-License-Identifier: Apache-2.0
"""sallyport-cli convert-users on files that the other systems' own tools wrote, and what the server makes of the result."""
import json
import stat
import subprocess

import paramiko
import pytest

import rawsftp as s
from server import REPOSITORY
from util import run

pytestmark = pytest.mark.ours
CLI = REPOSITORY / "tools/sallyport-cli"
DATA = REPOSITORY / "tests/blackbox/data/convert"
JANUARY_2030_MS = 1893542400000


def convert(tmp_path, kind, *flags, source=None):
    source = source or DATA / {"unix-passwd": "passwd", "pure-ftpd": "pureftpd.passwd", "proftpd": "proftpd.passwd"}[kind]
    made = tmp_path / "users.json"
    done = run([CLI, "convert-users", source, kind, made, *flags], check=False)
    users = {user["username"]: user for user in json.loads(made.read_text())["users"]} if made.exists() else {}
    return users, done


def test_unix(tmp_path):
    users, done = convert(tmp_path, "unix-passwd")
    assert set(users) == {"ann", "bob", "cem", "deb"} and done.returncode == 0
    ann = users["ann"]
    assert (ann["uid"], ann["gid"], ann["home_dir"], ann["status"]) == (1107, 0, "/home/ann", 1)
    assert ann["permissions"] == {"/": ["*"]}
    assert ann["expiration_date"] == JANUARY_2030_MS, "days since 1970, as milliseconds"
    assert users["bob"]["status"] == 0, "expired"
    assert users["cem"]["status"] == 0 and users["cem"]["password"].startswith("$5$"), "locked"
    assert users["deb"]["password"].startswith("$y$")
    assert "line 5: eve is left out: it has no password" in done.stderr


def test_pure_ftpd(tmp_path):
    users, done = convert(tmp_path, "pure-ftpd")
    assert set(users) == {"ann", "bob"} and done.returncode == 0
    ann = users["ann"]
    assert ann["home_dir"] == "/srv/ftp/ann" and users["bob"]["home_dir"] == "/srv/ftp/bob"
    assert (ann["upload_bandwidth"], ann["download_bandwidth"], ann["max_sessions"]) == (200, 100, 3)
    assert (ann["quota_files"], ann["quota_size"]) == (50, 10 * 1024 * 1024)
    assert ann["filters"] == {"allowed_ip": ["192.0.2.7/32", "198.51.100.0/24"], "denied_ip": ["203.0.113.9/32"]}
    assert "line 3: cem is left out: it may log in at certain hours only (900-1800)" in done.stderr
    assert "line 4: deb is left out: it has a ratio of uploads to downloads (1:5)" in done.stderr
    assert "line 5: eve is left out: it may use certain addresses of the server only" in done.stderr


def test_proftpd(tmp_path):
    users, done = convert(tmp_path, "proftpd")
    assert set(users) == {"umd5", "usha256", "usha512"}
    assert "udes is left out: the server cannot check a password hash of an old kind" in done.stderr


def test_selection_and_other_ids(tmp_path):
    assert set(convert(tmp_path, "unix-passwd", "--min-uid", "1108", "--max-uid", "1108")[0]) == {"bob"}
    users, _ = convert(tmp_path, "unix-passwd", "--usernames", "ann", "cem", "--force-uid", "7", "--force-gid", "8")
    assert {name: (user["uid"], user["gid"]) for name, user in users.items()} == {"ann": (7, 8), "cem": (7, 8)}


def test_who_is_outside_the_bounds_is_named_with_the_bound(tmp_path):
    _, done = convert(tmp_path, "unix-passwd", "--min-uid", "1108", "--max-uid", "1109")
    told = done.stderr.splitlines()
    assert "sallyport-cli: left out because of a uid below --min-uid 1108: ann (1107)" in told
    assert [line for line in told if "above --max-uid 1109: " in line and "deb" in line]
    assert not [line for line in told if "eve" in line and "password" in line], "it is not about what else is wrong with them"
    _, done = convert(tmp_path, "unix-passwd", "--min-uid", "60000")
    assert done.returncode == 1 and "below --min-uid 60000: ann (1107), " in done.stderr
    assert f"no account was converted: {DATA}/passwd holds none" in done.stderr


def test_what_is_no_account_is_left_out_and_named(tmp_path):
    source = tmp_path / "strange"
    good = (DATA / "proftpd.passwd").read_text().splitlines()[0]
    relative, large, other = good.split(":"), good.split(":"), good.split(":")
    other[:2] = "odd", "$7$CU..../....salt$digest"
    relative[0], relative[5] = "rel", "home/rel"
    large[0], large[2] = "big", "70000"
    source.write_text("\n".join(["half:line", ":".join(relative), ":".join(large), ":".join(other), good]) + "\n")
    users, done = convert(tmp_path, "proftpd", source=source)
    assert (done.returncode, set(users)) == (0, {"big", good.split(":")[0]})
    assert "strange line 1 is left out: 2 fields" in done.stderr
    assert "line 2: rel is left out: its home 'home/rel' is no absolute path" in done.stderr
    assert "line 4: odd is left out: the server cannot check a password hash $7$" in done.stderr
    assert "line 3: the uid 70000 of big is above 65535" in done.stderr


def test_the_file_is_nobody_elses_and_whole_or_not_there(tmp_path):
    convert(tmp_path, "proftpd")
    assert stat.S_IMODE((tmp_path / "users.json").stat().st_mode) == 0o600
    (tmp_path / "users.json").unlink()
    users, done = convert(tmp_path, "unix-passwd", "--usernames", "nobody")
    assert (done.returncode, users) == (1, {}) and "no account was converted" in done.stderr
    assert convert(tmp_path, "proftpd", source=tmp_path / "none")[1].returncode == 1


@pytest.mark.parametrize("kind, passwords", [
    ("unix-passwd", {"ann": "unix one", "deb": "unix four"}),
    ("pure-ftpd", {"ann": "secret one", "bob": "two"}),
    ("proftpd", {"umd5": "pass umd5", "usha256": "pass usha256", "usha512": "pass usha512"}),
])
def test_they_log_in_with_the_passwords_they_had(rest, rest_server, tmp_path, kind, passwords):
    users, _ = convert(tmp_path, kind)
    made = tmp_path / "users.json"
    for user in users.values():  # homes of their own, which the server can make here, and from here
        user["home_dir"] = str(rest_server.directory / "homes" / kind / user["username"])
        user["uid"] = user["gid"] = 0
        user.pop("filters", None)
    made.write_text(json.dumps({"users": list(users.values())}))
    answer = rest.get("loaddata", input_file=made)
    assert answer.status == 200 and answer.json["summary"]["added"] == len(users), answer.text
    try:
        for name, password in passwords.items():
            with s.transport(rest_server, None, login=False) as link:
                with pytest.raises(paramiko.AuthenticationException):
                    link.auth_password(name, password + "x")
                link.auth_password(name, password)
                assert s.subsystem(link).stat("/").permissions
    finally:
        for name in users:
            rest.delete(f"user/{rest.user(name)['id']}")


def test_nothing_but_the_standard_library():
    """Without anything that was installed beside Python."""
    done = subprocess.run(["/usr/bin/python3", "-I", "-S", CLI, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "convert-users" in done.stdout, done.stderr
