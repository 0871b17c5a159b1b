# SPDX-License-Identifier: Apache-2.0
"""Runs the real executable with plugins that are wrong in one way each: one clear message, exit code 1, never a crash.

Needs SALLYPORT_BIN and SALLYPORT_TEST_PLUGINS (the folder tests/plugins builds into).
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

BIN = Path(os.environ["SALLYPORT_BIN"])
TEST_PLUGINS = Path(os.environ["SALLYPORT_TEST_PLUGINS"])
TIMEOUT = 60 * int(os.environ.get("SALLYPORT_TEST_SLOWDOWN", "1"))

# plugin -> what its refusal must say
REFUSED_AT_LOAD = {
    "bad-symbol": "without the symbol sp_plugin_v1, wanted a plugin",
    "bad-null": "found NULL from sp_plugin_v1, wanted",
    "bad-draft": "found a plugin built for plugin ABI draft 1, wanted draft 0",
    "bad-kind": "storage ABI draft 7, wanted draft 0",
    "bad-name": 'found a plugin that calls itself "fs-other", wanted "bad-name"',
    "bad-init": "its init failed: it threw an unknown exception",
}
REFUSED_AT_CREATE = {
    "bad-throw": "cannot be set up: it threw an exception: thrown on purpose",
    "bad-create": "cannot be set up: the bucket is not there",
    "bad-slots": "the required slot sp_storage_ops.mount",
}


class Site:
    """A configuration directory of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.plugins = {}
        self.provider = {"driver": "memory", "name": ""}
        self.directory = folder / "plugins"
        self.directory.mkdir(mode=0o755)

    def run(self, *command):
        config = {"sftpd": {"bind_port": 0, "bind_address": "127.0.0.1"}, "httpd": {"bind_port": 0}, "data_provider": self.provider, "plugins": self.plugins}
        (self.folder / "sallyport.json").write_text(json.dumps(config))
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SFTPGO_")}
        done = subprocess.run([BIN, *command, "-c", self.folder], capture_output=True, text=True, timeout=TIMEOUT, env=environment)
        assert not re.search("Sanitizer|runtime error:", done.stderr), done.stderr  # whose exit code is 1 too
        return done

    def use(self, name, text=None):
        """Copies a test plugin into the site's own plugin directory, which then is the configured one."""
        target = self.directory / f"{name}.so"
        if text is None:
            shutil.copy(TEST_PLUGINS / f"{name}.so", target)
        else:
            target.write_text(text)
        target.chmod(0o755)
        self.plugins["directory"] = str(self.directory)
        return target


@pytest.fixture
def site(tmp_path):
    tmp_path.chmod(0o700)
    return Site(tmp_path)


def one_error(result):
    """The single line a refused start leaves on standard error."""
    assert result.returncode == 1, f"exit {result.returncode}\n{result.stdout}\n{result.stderr}"
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    return lines[0]


def serve_error(site):
    return one_error(site.run("serve", "-l", ""))


@pytest.mark.parametrize("name", REFUSED_AT_LOAD | REFUSED_AT_CREATE)
def test_serve_refuses_a_bad_storage(site, name):
    file = TEST_PLUGINS / f"{name}.so"
    site.plugins = {"paths": [str(file)], "storage": {name: {}}}
    line = serve_error(site)
    assert (REFUSED_AT_LOAD | REFUSED_AT_CREATE)[name] in line
    assert str(file) in line


@pytest.mark.parametrize("name", REFUSED_AT_LOAD)
@pytest.mark.parametrize("list_of", ["authenticators", "notifiers"])
def test_serve_refuses_a_bad_plugin_of_another_kind(site, list_of, name):
    file = TEST_PLUGINS / f"{name}.so"
    site.plugins = {"paths": [str(file)], list_of: [name]}
    line = serve_error(site)
    assert REFUSED_AT_LOAD[name] in line and str(file) in line


@pytest.mark.parametrize("list_of, wanted", [("authenticators", "authenticator"), ("notifiers", "notifier")])
def test_serve_refuses_a_plugin_in_the_place_of_another_kind(site, list_of, wanted):
    site.plugins = {"paths": [str(TEST_PLUGINS / "fs-slow.so")], list_of: ["fs-slow"]}
    line = serve_error(site)
    assert "fs-slow" in line and "storage" in line and wanted in line


def test_the_refusal_is_logged_too(site):
    site.plugins = {"paths": [str(TEST_PLUGINS / "bad-draft.so")], "storage": {"bad-draft": {}}}
    result = site.run("serve", "-l", "")
    errors = [json.loads(line) for line in result.stdout.splitlines() if '"error"' in line]
    assert len(errors) == 1 and REFUSED_AT_LOAD["bad-draft"] in errors[0]["message"], result.stdout


@pytest.mark.parametrize("name", REFUSED_AT_LOAD)
def test_show_refuses_a_bad_plugin(site, name):
    site.plugins = {"directory": str(TEST_PLUGINS)}
    line = one_error(site.run("plugin", "show", name))
    assert REFUSED_AT_LOAD[name] in line


@pytest.mark.parametrize("name", REFUSED_AT_CREATE)
def test_show_describes_what_loads_but_cannot_be_set_up(site, name):
    site.plugins = {"directory": str(TEST_PLUGINS)}
    result = site.run("plugin", "show", name)
    assert result.returncode == 0, result.stderr
    assert REFUSED_AT_CREATE[name] in result.stdout


def test_show_tells_version_kind_capabilities_and_schema(site):
    site.plugins = {"directory": str(TEST_PLUGINS), "storage": {"fs-slow": {"delay_ms": 0}}}
    result = site.run("plugin", "show", "fs-slow")
    assert result.returncode == 0, result.stderr
    for wanted in ("1.0.0", "storage", "parallel-io", '"delay_ms"', '"maximum": 60000'):
        assert wanted in result.stdout
    assert "symlinks" not in result.stdout


def test_list_shows_good_and_bad_side_by_side(site):
    site.plugins = {"directory": str(TEST_PLUGINS)}
    result = site.run("plugin", "list", "--json")
    assert result.returncode == 1, "a plugin that does not load is a failure for scripts"
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert set(rows) == {path.stem for path in TEST_PLUGINS.glob("*.so")}
    assert rows["fs-slow"]["ok"] and rows["fs-slow"]["version"] == "1.0.0" and rows["fs-slow"]["kind"] == "storage"
    for name, wanted in REFUSED_AT_LOAD.items():
        assert not rows[name]["ok"] and wanted in rows[name]["status"]


def test_list_of_a_directory_that_is_not_there(site):
    site.plugins = {"directory": "/nonexistent"}
    result = site.run("plugin", "list")
    assert result.returncode == 1 and "there is no directory /nonexistent" in result.stderr


def test_list_shows_the_built_in_plugins(site):
    result = site.run("plugin", "list", "--json")
    assert result.returncode == 0, result.stderr
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert {"fs-local", "provider-memory", "provider-sqlite"} <= set(rows)
    assert all(row["ok"] for row in rows.values()), result.stdout


def test_missing_storage(site):
    site.plugins = {"storage": {"fs-nowhere": {}}}
    line = serve_error(site)
    assert "fs-nowhere" in line and "plugins that are there: " in line and "fs-local" in line


def test_missing_provider(site):
    site.use("fs-slow")
    shutil.copy(BIN.parent.parent / "lib/sallyport/plugins/fs-local.so", site.directory)
    line = serve_error(site)
    assert "provider-memory" in line and "found no file" in line


def test_corrupt_file(site):
    file = site.use("fs-corrupt", "this is no library\n")
    site.plugins = {"paths": [str(file)], "storage": {"fs-corrupt": {}}}
    line = serve_error(site)
    assert str(file) in line and "no shared library" in line


@pytest.mark.parametrize("part", [0.01, 0.1, 0.2])  # debug information lies behind; losing that harms nobody
def test_truncated_file(site, part):
    file = site.use("fs-slow")
    os.truncate(file, int(file.stat().st_size * part))
    site.plugins = {"paths": [str(file)], "storage": {"fs-slow": {}}}
    line = serve_error(site)
    assert str(file) in line and re.search("no shared library|cut short", line)


def test_world_writable_file(site):
    file = site.use("fs-slow")
    file.chmod(0o757)
    line = one_error(site.run("plugin", "show", "fs-slow"))
    assert str(file) in line and "everybody may write" in line


def test_world_writable_directory(site):
    file = site.use("fs-slow")
    site.directory.chmod(0o777)
    line = one_error(site.run("plugin", "show", "fs-slow"))
    assert str(file) in line and "directory that everybody may write" in line
    site.directory.chmod(0o1777)
    assert site.run("plugin", "show", "fs-slow").returncode == 0


def test_sha256_pin(site):
    file = site.use("fs-slow")
    site.plugins["storage"] = {"fs-slow": {"delay_ms": 0}}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    site.plugins["sha256"] = {"fs-slow": digest}
    assert site.run("plugin", "show", "fs-slow").returncode == 0
    with file.open("ab") as appended:
        appended.write(b"\0")
    line = one_error(site.run("plugin", "show", "fs-slow"))
    assert str(file) in line and f"wanted {digest} as pinned" in line


def test_wrong_settings(site):
    site.plugins = {"paths": [str(TEST_PLUGINS / "fs-slow.so")], "storage": {"fs-slow": {"delay_ms": "soon"}}}
    line = serve_error(site)
    assert 'plugins.storage.fs-slow.delay_ms: found "soon", allowed is an integer, at least 0, at most 60000' in line
