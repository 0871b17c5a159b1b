# SPDX-License-Identifier: Apache-2.0
"""Installs the build, moves the tree, and shows that it is complete, holds nothing else and works from where it lies.

SALLYPORT_BUILD_DIR names the build folder (default: build). Nothing is compiled but minimal_plugin/, outside of the sources.
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

import pytest

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(REPOSITORY / "tests/blackbox"))

from client_programs import OpenSshSftp  # noqa: E402
from server import KeyRing, Sallyport  # noqa: E402
from util import pattern, run  # noqa: E402

BUILD = Path(os.environ.get("SALLYPORT_BUILD_DIR") or REPOSITORY / "build")
CMAKE = os.environ.get("SALLYPORT_CMAKE") or "cmake"
PLUGINS = {"actions", "admin-http", "advertise-mdns", "auth-external", "fs-fault", "fs-local", "fs-s3", "provider-memory",
           "provider-sqlite"}

# Every installed file matches one of these, and each of these matches a file. `*` does not match a slash.
LAYOUT = [
    "bin/sallyport",
    "bin/sallyport-cli",
    "share/sallyport/sallyport_cli/*.py",
    "share/doc/sallyport/docs/hooks/*",
    *(f"lib/sallyport/plugins/{name}.so" for name in sorted(PLUGINS)),
    "lib/cmake/sallyport-sdk/sallyport-sdk-config.cmake",
    "lib/cmake/sallyport-sdk/sallyport-sdk-config-version.cmake",
    "include/sallyport/*.h",
    "include/sallyport/ext/*.h",
    "include/sallyport/cpp/*.hpp",
    "share/sallyport/sallyport.json",
    "share/sallyport/openapi.yaml",
    "share/sallyport/schema/collections.json",
    "share/sallyport/schema/event.json",
    "share/doc/sallyport/LICENSE",
    "share/doc/sallyport/README.md",
    "share/doc/sallyport/ARCHITECTURE.md",
    "share/doc/sallyport/CONTRIBUTING.md",
    "share/doc/sallyport/sdk/README.md",
    "share/doc/sallyport/docs/*.md",
    "share/doc/sallyport/docs/sallyport.json",
    "share/doc/sallyport/docs/sallyport.service",
    "share/doc/sallyport/docs/adr/*.md",
]


@pytest.fixture(scope="module")
def work():
    with tempfile.TemporaryDirectory(prefix="sallyport-package-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def tools(work):
    """An environment in which nothing but the arguments steers CMake and the compiler."""
    (work / "home").mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "CC", "CMAKE_GENERATOR") if name in os.environ}
    return {**kept, "HOME": str(work / "home"), "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="module")
def tree(work, tools):
    """The installed tree, at a place that was unknown when it was installed."""
    done = run([CMAKE, "--install", BUILD, "--prefix", work / "installed"], env=tools)
    (work / "install.log").write_text(done.stdout)
    return (work / "installed").rename(work / "moved tree")


@pytest.fixture
def sallyport(tree, work):
    """sallyport(..., plugins=SETTINGS, program=PATH, env=ENVIRONMENT): one command in / with a configuration of its own."""
    def call(*command, plugins=None, program=tree / "bin/sallyport", env=None):
        folder = Path(tempfile.mkdtemp(dir=work))
        (folder / "sallyport.json").write_text(json.dumps({"plugins": plugins or {}}))
        return run([program, *command, "-c", folder], env=env or {}, cwd="/")
    return call


def inside(tree, folder="."):
    return {path.relative_to(tree / folder).as_posix() for path in (tree / folder).rglob("*") if not path.is_dir()}


def matches(file, wanted):
    return PurePosixPath("/", file).match("/" + wanted)


def test_the_list_of_installed_files(tree):
    files = inside(tree)
    assert sorted(file for file in files if not any(matches(file, wanted) for wanted in LAYOUT)) == [], "not in LAYOUT"
    assert [wanted for wanted in LAYOUT if not any(matches(file, wanted) for file in files)] == [], "not installed"
    assert [path for path in tree.rglob("*") if path.is_symlink()] == []
    for copied, source in (("include", "sdk/include"), ("share/sallyport/schema", "sdk/schema")):
        assert inside(tree, copied) == inside(REPOSITORY, source)


def test_no_file_is_installed_twice(tree, work):
    lines = (work / "install.log").read_text().splitlines()
    assert len(lines) > len(LAYOUT) and [line for line in lines if "Up-to-date" in line] == []


def test_nothing_points_back_to_the_build_or_at_tests(tree):
    for file in [tree / "bin/sallyport", *(tree / "lib").rglob("*.so")]:
        entries = run(["readelf", "-W", "-d", file]).stdout
        assert "Dynamic section" in entries
        assert not re.search(r"RPATH|RUNPATH|gtest|gmock", entries), f"{file}\n{entries}"
    for file in (tree / "lib/cmake").rglob("*"):
        assert file.is_dir() or not any(str(place) in file.read_text() for place in (BUILD, REPOSITORY)), file


def test_version_is_that_of_the_headers(tree):
    version = re.search(r'SALLYPORT_VERSION_STRING "(.+)"', (tree / "include/sallyport/version.h").read_text()).group(1)
    assert run([tree / "bin/sallyport", "--version"], env={}, cwd="/").stdout == f"Sallyport version: {version}\n"


def test_the_client_of_the_rest_api_runs_from_where_it_lies(tree):
    assert "convert-users" in run([tree / "bin/sallyport-cli", "--help"]).stdout


@pytest.mark.parametrize("way", ["usual", "empty-environment", "symlink", "by-path"])
def test_plugins_are_found_beside_the_executable(tree, work, sallyport, way):
    options = {}
    if way == "usual":
        options["env"] = {name: value for name, value in os.environ.items() if not name.startswith("SFTPGO_")}
    elif way == "symlink":
        options["program"] = work / "linked-sallyport"
        options["program"].symlink_to(tree / "bin/sallyport")
    elif way == "by-path":
        options.update(program="sallyport", env={"PATH": str(tree / "bin")})
    rows = json.loads(sallyport("plugin", "list", "--json", **options).stdout)
    found = {row["name"]: (row["ok"], row["file"]) for row in rows}
    assert found == {name: (True, str(tree / f"lib/sallyport/plugins/{name}.so")) for name in PLUGINS}


def test_links_between_installed_documents_lead_somewhere(tree):
    for page in (tree / "share/doc").rglob("*.md"):
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
        assert [target for target in targets if not (page.parent / target).exists()] == [], page


def test_the_sample_configuration_is_good(tree, work):
    sample = tree / "share/sallyport/sallyport.json"
    folder = work / "sample"
    folder.mkdir()
    shutil.copy(sample, folder)
    run([tree / "bin/sallyport", "initprovider", "-c", folder], env={}, cwd="/")
    done = run([tree / "bin/sallyport", "check-config", "-c", folder], env={}, cwd="/")
    assert "good" in done.stdout and done.stderr == ""
    assert (tree / "share/doc/sallyport/docs/sallyport.json").read_bytes() == sample.read_bytes()


def test_the_systemd_unit_starts_the_server(tree, work):
    text = (tree / "share/doc/sallyport/docs/sallyport.service").read_text()
    folder = work / "state"
    folder.mkdir()
    for there, here in (("/usr/local/bin/sallyport", tree / "bin/sallyport"), ("/var/lib/sallyport", folder)):
        assert there in text
        text = text.replace(there, str(here).replace(" ", "\\x20"))
    unit = work / "sallyport.service"
    unit.write_text(text)
    (folder / "sallyport.json").write_text(json.dumps({
        "sftpd": {"bind_port": 0, "bind_address": "127.0.0.1"}, "httpd": {"bind_port": 0},
        "data_provider": {"driver": "sqlite", "name": "accounts.db"}}))
    run([tree / "bin/sallyport", "initprovider", "-c", folder], env={}, cwd="/")
    command = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE).group(1)
    argv = [word.replace("\\x20", " ") for word in shlex.split(command.replace("\\", "\\\\"))]
    with subprocess.Popen(argv, env={}, cwd="/", stdout=subprocess.PIPE, text=True) as server:
        try:
            assert any("listening on 127.0.0.1" in line for line in server.stdout)
        finally:
            server.terminate()
    assert server.returncode == 0
    if not shutil.which("systemd-analyze"):
        pytest.skip("it starts, but there is no systemd-analyze here to verify the unit")
    run(["systemd-analyze", "verify", "--man=no", unit])


def test_serve_put_and_get(tree, work, monkeypatch):
    monkeypatch.setenv("SALLYPORT_BIN", str(tree / "bin/sallyport"))
    (work / "keys").mkdir()
    server = Sallyport(work / "server", KeyRing(work / "keys"))
    alice = server.add_account("alice")
    try:
        server.start()
        sent, received = work / "sent", work / "received"
        sent.write_bytes(pattern(3_000_001))
        client = OpenSshSftp(server, alice)
        client.put(sent, "/file")
        assert (alice.home / "file").read_bytes() == sent.read_bytes()
        client.get("/file", received)
        assert received.read_bytes() == sent.read_bytes()
        assert os.readlink(f"/proc/{server.pid}/exe") == str(tree / "bin/sallyport")
        maps = [line.split(maxsplit=5)[5:] for line in Path(f"/proc/{server.pid}/maps").read_text().splitlines()]
        loaded = {Path(name[0]) for name in maps if name and "/sallyport/plugins/" in name[0]}
        assert loaded == {tree / f"lib/sallyport/plugins/{name}.so" for name in ("fs-local", "provider-sqlite")}
    finally:
        server.stop()


@pytest.fixture(scope="module")
def outside_plugin(tree, work, tools):
    """minimal_plugin/ built in a copy, with the installed tree as the only thing to find."""
    source, build = work / "elsewhere", work / "elsewhere-build"
    shutil.copytree(HERE / "minimal_plugin", source)
    run([CMAKE, "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={tree}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
         # Warnings in our headers count too, which those of imported targets usually do not.
         "-DCMAKE_NO_SYSTEM_FROM_IMPORTED=ON", "-DCMAKE_C_FLAGS=-std=c11 -Wall -Wextra -Wpedantic -Werror"], env=tools)
    run([CMAKE, "--build", build], env=tools)
    return build / "fs-minimal.so"


def test_the_outside_plugin_saw_the_installed_headers_only(tree, outside_plugin):
    cache = (outside_plugin.parent / "CMakeCache.txt").read_text()
    assert f"sallyport-sdk_DIR:PATH={tree}/lib/cmake/sallyport-sdk\n" in cache
    commands = json.loads((outside_plugin.parent / "compile_commands.json").read_text())
    words = [word for command in commands for word in shlex.split(command["command"])]
    assert [word for word in words if re.match("-I|-i(system|quote|dirafter|nclude|macros)", word)] == [f"-I{tree}/include"]


def test_the_outside_plugin_is_loaded_and_described(sallyport, outside_plugin):
    plugins = {"paths": [str(outside_plugin)], "storage": {"fs-minimal": {"shelf": "top"}}}
    rows = {row["name"]: row for row in json.loads(sallyport("plugin", "list", "--json", plugins=plugins).stdout)}
    assert set(rows) == PLUGINS | {"fs-minimal"}
    assert rows["fs-minimal"] == {"name": "fs-minimal", "version": "7.8.9", "kind": "storage", "file": str(outside_plugin),
                                  "ok": True, "status": "ok"}
    shown = sallyport("plugin", "show", "fs-minimal", plugins=plugins).stdout
    for wanted in (f"file: {outside_plugin}\n", "storage fs-minimal: a storage from outside\n", "fs-minimal has no files",
                   '"default": "empty"'):
        assert wanted in shown, shown


def test_settings_of_the_outside_plugin_are_checked(sallyport, outside_plugin):
    with pytest.raises(AssertionError, match="plugins.storage.fs-minimal.shelf"):
        sallyport("check-config", plugins={"paths": [str(outside_plugin)], "storage": {"fs-minimal": {"shelf": 1}}})
