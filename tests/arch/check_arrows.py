#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that the source tree obeys ARCHITECTURE.md.

Reads the allowed arrows between the folders of host/ out of the fenced block that starts with ```arrows, then checks
every include and every link against them, who may include which third-party library, and the shape of files (README,
SPDX line, opening comment, length). Prints one line per offence and exits with 1 when there is any.

  check_arrows.py [ROOT]      check a tree (default: the one this script lies in)
  check_arrows.py --self-test show that each rule finds what it forbids
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

INCLUDE = re.compile(r'^\s*(?:#|%:)\s*(?:include(?:_next)?|import)\b\s*(.*)', re.MULTILINE)
# What may hold the beginning of a comment without being one comes first.
COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*"|//[^\n]*)|/\*.*?\*/', re.DOTALL)
CODE = {".c", ".cpp", ".h", ".hpp"}
LICENCE_LINE = "SPDX-License-Identifier: Apache-2.0"
# What has no room for the line above: JSON, the licence itself, what a program writes and a test compares, data of tests.
WITHOUT_LICENCE_LINE = (".json", "LICENSE", "sdk/abi/draft0.golden.txt")
DATA = ("tests/fuzz/corpus/", "tests/blackbox/data/")

LINES_WITHOUT_COMMENT = 60  # a source as short as that may speak for itself

# (what an include starts with, where it is allowed, what to call it)
OWNERS = [
    ("libssh/", ("host/ssh/", "bench/", "tests/"), "libssh"),
    ("boost/dll", ("host/plugin/loader.cpp",), "Boost.DLL"),
    ("CLI/", ("host/cli/", "bench/"), "CLI11"),
    ("Poco/", ("host/app/", "plugins/", "tests/"), "Poco"),
]
# Their types stand in no header that another folder includes, but for what ARCHITECTURE.md excepts.
THIRD_PARTY = ("boost/", "CLI/", "Poco/", "argon2.h", "crypt.h", "fmt/", "libssh/", "nlohmann/", "openssl/", "spdlog/", "sqlite3.h", "zlib.h")
EXCEPTED = [("host/core/result.h", "boost/system/result.hpp"), ("_json.h", "nlohmann/")]
SOURCE_ELSEWHERE = re.compile(r"(?:\bhost|\.\.)/(\w+)/[\w./-]*\.(?:c|cpp|h|hpp)\b")
# The first rule whose prefix and ending fit a file holds.
LINE_LIMITS = [
    ("sdk/include/", ".h", 200),  # one ABI kind stays in one header
    ("sdk/include/", ".hpp", 300),
    ("", ".h", 150),
    ("", ".cpp", 400),
    ("", ".c", 400),
    ("", ".py", 400),
    ("", "ARCHITECTURE.md", 200),
]


def read_arrows(text):
    """The block as {folder: set of folders}; raises ValueError when there is none or it makes no sense."""
    block = re.search(r"^```arrows\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    if not block:
        raise ValueError("ARCHITECTURE.md has no ```arrows block")
    arrows = {}
    for line in filter(str.strip, block.group(1).splitlines()):
        folder, arrow, lower = line.partition("->")
        if not arrow or not folder.strip() or folder.strip() in arrows:
            raise ValueError(f"ARCHITECTURE.md: not an arrow, or a second one for the same folder: {line!r}")
        arrows[folder.strip()] = set(lower.split())
    for folder, lower in arrows.items():
        for name in sorted(lower - set(arrows)):
            raise ValueError(f"ARCHITECTURE.md: {folder} -> {name}, but {name} has no line of its own")
    return arrows


def find_cycle(arrows):
    """Folders left over when whatever has no open arrow is taken away, again and again."""
    left = {folder: set(lower) for folder, lower in arrows.items()}
    while True:
        free = {folder for folder, lower in left.items() if not lower}
        if not free:
            return sorted(left)
        left = {folder: lower - free for folder, lower in left.items() if folder not in free}


def files_of(root):
    """Files git knows or would add; without git everything outside build folders."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, text=True)
    if listed.returncode == 0:
        names = set(listed.stdout.split("\0")) - {""}
    else:
        names = {str(path.relative_to(root)) for path in root.rglob("*") if path.suffix != ".pyc"}
        names = {name for name in names if not name.startswith(("build", "run/", "bench/results/", ".cache/"))}
    return sorted(name for name in names if (root / name).is_file())


def host_folder(name):
    """The folder of host/ that a file or include belongs to; what lies in host/ itself is 'main'."""
    parts = name.split("/")
    if parts[0] != "host" or len(parts) < 2:
        return None
    return parts[1] if len(parts) > 2 else "main"


def includes_of(text):
    """As a compiler finds them: behind comments and across lines too. (what is included, or None where a macro says it; the line)"""
    for line in INCLUDE.findall(COMMENT.sub(lambda found: found[1] or " ", text.replace("\\\n", ""))):
        quoted = re.match(r'[<"]([^>"]+)[>"]', line)
        yield quoted and quoted[1], line


def check_includes(name, text, arrows):
    folder = host_folder(name)
    for include, line in includes_of(text):
        if include is None:
            yield f"{name}: includes {line}; a macro hides what"
            continue
        if ".." in include.split("/") and not name.startswith("sdk/"):
            yield f"{name}: includes {include}; what lies elsewhere is included by its path from the top"
        target = host_folder(include)
        if folder is not None and target is not None and target != folder:
            if folder not in arrows:
                yield f"{name}: host/{folder} has no line in the arrows of ARCHITECTURE.md"
            elif target not in arrows[folder]:
                yield f"{name}: includes {include}, but there is no arrow {folder} -> {target}"
        if target is not None and name.startswith(("plugins/", "sdk/", "tests/plugins/")):
            yield f"{name}: includes {include}; plugins and the SDK never see the host"
        # A test may stand in for a plugin, so it may build the plugin's side of the border. version.h is the product's.
        if folder not in (None, "plugin") and include.startswith("sallyport/") and "_test." not in name and include != "sallyport/version.h":
            yield f"{name}: includes {include}; inside host/ only host/plugin sees the SDK"
        for prefix, allowed, title in OWNERS:
            if include.startswith(prefix) and not name.startswith(allowed):
                yield f"{name}: includes {include}; {title} belongs into {', '.join(allowed)} only"
        if folder is not None and include.startswith("nlohmann/") and name.endswith(".h") and not name.endswith(("_json.h", "_test.h")):
            yield f"{name}: includes {include}; JSON types stand in .cpp files and *_json.h only"


def check_headers(texts):
    """No header that another folder of host/ includes shows it a type of a third party, not even through further headers."""
    headers = {name for name in texts if host_folder(name) and name.endswith(".h") and not name.endswith("_test.h") and "/testing/" not in name}
    included = {name: [include for include, _ in includes_of(text) if include] for name, text in texts.items() if host_folder(name)}

    def shown(header, seen):
        for include in included[header]:
            if include.startswith(THIRD_PARTY) and not any(header.endswith(end) and include.startswith(what) for end, what in EXCEPTED):
                yield header, include
            if include in headers and include not in seen:
                yield from shown(include, seen | {include})

    told = set()
    for name, includes in included.items():
        for header in headers & set(includes):
            if host_folder(header) != host_folder(name):
                told |= set(shown(header, {header}))
    for header, include in sorted(told):
        yield f"{header}: includes {include}, and other folders see this header; no third party's type may stand there"


def check_sources(name, text):
    """A source is compiled by the folder it lies in, or its includes would be judged by the wrong arrows."""
    if name.startswith(("tests/", "bench/")) or not name.endswith(("CMakeLists.txt", ".cmake")):
        return
    folder, uncommented = host_folder(name), re.sub(r"#.*", "", text)
    for found in SOURCE_ELSEWHERE.finditer(uncommented):
        if found[1] != folder and (folder is not None or found[0].startswith("host/")):
            yield f"{name}: names {found[0]}; a source belongs to the CMakeLists.txt beside it"
    for target in re.findall(r"\btarget_sources\s*\(\s*host_(\w+)", uncommented):
        if target != folder and not target.startswith(f"{folder}_"):
            yield f"{name}: adds to host_{target}; a source belongs to the target of its folder"


def check_links(name, text, arrows):
    """What host_library(... USES ...) and target_link_libraries of a folder link."""
    if not name.endswith("/CMakeLists.txt"):
        return
    folder = host_folder(name)
    uncommented = re.sub(r"#.*", "", text)
    if folder is None:
        if name.startswith("plugins/") and (host := re.search(r"\bhost_\w+\b(?!\.)", uncommented)):
            yield f"{name}: links {host[0]}; plugins never see the host"
        return
    linked = set()
    for call in re.findall(r"host_library\s*\((.*?)\)", uncommented, re.DOTALL):
        uses = re.search(r"\bUSES\b(.*?)(?=\b(?:SOURCES|LINK|TESTS|TEST_LINK)\b|$)", call, re.DOTALL)
        linked |= set(uses.group(1).split()) if uses else set()
        # host_sftp_testing and the like are of a folder's tests.
        linked |= {name for name in re.findall(r"\bhost_(\w+)\b(?!\.)", call) if not name.endswith("_testing")}
    for call in re.findall(r"target_link_libraries\s*\((.*?)\)", uncommented, re.DOTALL):
        # host_sftp_test and the like are the folder's own.
        linked |= {name for name in re.findall(r"\bhost_(\w+)", call) if name != folder and not name.startswith(folder + "_")}
    for lower in sorted(linked - arrows.get(folder, set())):
        yield f"{name}: links host_{lower}, but there is no arrow {folder} -> {lower}"


def check_shape(name, text):
    lines = text.splitlines()
    if not name.endswith(WITHOUT_LICENCE_LINE) and not any(LICENCE_LINE in line for line in lines[:2]):
        yield f"{name}: no {LICENCE_LINE} in its first lines"
    if name.startswith(("host/", "plugins/")) and name.endswith(".cpp") and not name.endswith("_test.cpp"):
        if len(lines) > LINES_WITHOUT_COMMENT and not (lines[1] == "//" and lines[2].startswith("// ")):
            yield f"{name}: no comment after the SPDX line that says what one cannot see"
    for prefix, ending, limit in LINE_LIMITS:
        if name.startswith(prefix) and name.endswith(ending):
            if len(lines) > limit:
                yield f"{name}: {len(lines)} lines, at most {limit} allowed"
            break


def check_readmes(names):
    folders = {"/".join(name.split("/")[:2]) for name in names if re.match(r"(host|plugins|tests)/[^/]+/.", name)}
    folders |= {top for top in ("sdk", "bench") if any(name.startswith(top + "/") for name in names)}
    for folder in sorted(folders):
        if f"{folder}/README.md" not in names:
            yield f"{folder}: no README.md"


def check(root):
    """All offences of a tree, as lines."""
    root = Path(root)
    try:
        arrows = read_arrows((root / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [str(error)]
    offences = []
    if cycle := find_cycle(arrows):
        offences.append(f"ARCHITECTURE.md: the arrows run in a circle through {', '.join(cycle)}")
    names, code = files_of(root), {}
    for name in names:
        if name.startswith(DATA):
            continue
        text = (root / name).read_text(encoding="utf-8", errors="replace")
        if Path(name).suffix in CODE:
            code[name] = text
            offences += check_includes(name, text, arrows)
        offences += check_links(name, text, arrows)
        offences += check_sources(name, text)
        offences += check_shape(name, text)
    offences += check_headers(code)
    offences += check_readmes(set(names))
    return offences


SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
MD_SPDX = "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
CLEAN = {
    "ARCHITECTURE.md": MD_SPDX + "```arrows\ncore ->\nplugin -> core\nsftp -> core plugin\nmain -> sftp\n```\n",
    "host/core/README.md": MD_SPDX, "host/plugin/README.md": MD_SPDX, "host/sftp/README.md": MD_SPDX, "plugins/fs-x/README.md": MD_SPDX,
    "host/core/a.h": SPDX, "host/core/a_test.cpp": SPDX + "\n" * 60, "host/core/small.cpp": SPDX + "\n" * 59,
    "plugins/fs-x/long.cpp": SPDX + "//\n// Why.\n" + "\n" * 60,
    "host/plugin/loader.cpp": SPDX + "#include <boost/dll.hpp>\n#include <sallyport/abi.h>\n#include \"host/core/a.h\"\n",
    "host/sftp/b_test.cpp": SPDX + "#include <sallyport/abi.h>\n",
    "host/sftp/CMakeLists.txt": "#" + SPDX + "host_library(sftp SOURCES b.cpp USES core plugin LINK x)\n",
    "LICENSE": "", "CMakePresets.json": "{}", "tests/fuzz/README.md": MD_SPDX, "tests/fuzz/corpus/sftp/bytes": "\0", "dev": "#!/bin/sh\n#" + SPDX,
    "host/main.cpp": SPDX + "#include \"host/sftp/b.h\"\n",
    "plugins/fs-x/p.cpp": SPDX + "#include <sallyport/abi.h>\n",
    "host/core/own.h": SPDX + "#include <spdlog/spdlog.h>\n", "host/core/own.cpp": SPDX + '#include "host/core/own.h"\n/*\n#include "host/sftp/b.h"\n*/\n',
    "host/core/result.h": SPDX + "#include <boost/system/result.hpp>\n", "host/plugin/uses.cpp": SPDX + '#include "host/core/result.h"\n',
}
# What is added to the clean tree, and what must be said about it.
FORBIDDEN = [
    ({"host/core/bad.cpp": SPDX + '#include "host/sftp/b.h"\n'}, "no arrow core -> sftp"),
    ({"host/main.cpp": SPDX + '#include "host/core/a.h"\n'}, "no arrow main -> core"),
    ({"host/new/README.md": MD_SPDX, "host/new/x.cpp": SPDX + '#include "host/core/a.h"\n'}, "host/new has no line"),
    ({"host/core/CMakeLists.txt": "#" + SPDX + "host_library(core SOURCES a.cpp USES sftp)\n"}, "no arrow core -> sftp"),
    ({"host/core/CMakeLists.txt": "#" + SPDX + "target_link_libraries(host_core PUBLIC host_plugin)\n"}, "no arrow core -> plugin"),
    ({"host/core/CMakeLists.txt": "#" + SPDX + "host_library(core SOURCES a.cpp LINK host_sftp)\n"}, "no arrow core -> sftp"),
    ({"host/core/bad.cpp": SPDX + '/* a */ #include "host/sftp/b.h"\n'}, "no arrow core -> sftp"),
    ({"host/core/bad.cpp": SPDX + '# /*\n*/ include /**/ "host/sftp/b.h"\n'}, "no arrow core -> sftp"),
    ({"host/core/bad.cpp": SPDX + '#\\\ninclude "host/sftp/b.h"\n'}, "no arrow core -> sftp"),
    ({"host/core/bad.cpp": SPDX + 'auto glob = "/*"; // /*\n#include "host/sftp/b.h"\n/**/\n'}, "no arrow core -> sftp"),
    ({"host/core/bad.cpp": SPDX + '#define B "host/sftp/b.h"\n#include B\n'}, "a macro hides what"),
    ({"host/core/CMakeLists.txt": "#" + SPDX + "target_sources(host_core PRIVATE ${PROJECT_SOURCE_DIR}/host/sftp/b.cpp)\n"}, "names host/sftp/b.cpp"),
    ({"host/core/CMakeLists.txt": "#" + SPDX + "host_library(core SOURCES ../sftp/b.cpp)\n"}, "names ../sftp/b.cpp"),
    ({"host/core/CMakeLists.txt": "#" + SPDX + "target_sources(host_sftp PRIVATE a.cpp)\n"}, "adds to host_sftp"),
    ({"plugins/fs-x/CMakeLists.txt": "#" + SPDX + "sallyport_plugin(fs-x SOURCES ${PROJECT_SOURCE_DIR}/host/core/a.cpp)\n"}, "names host/core/a.cpp"),
    ({"CMakeLists.txt": "#" + SPDX + "add_library(all host/sftp/b.cpp)\n"}, "names host/sftp/b.cpp"),
    ({"host/core/a.h": SPDX + "#include <spdlog/spdlog.h>\n"}, "host/core/a.h: includes spdlog/spdlog.h"),
    ({"host/core/a.h": SPDX + '#include "host/core/deep.h"\n', "host/core/deep.h": SPDX + "#include <boost/asio.hpp>\n"}, "host/core/deep.h: includes boost/asio.hpp"),
    ({"host/core/bad.cpp": SPDX + '#include "../sftp/b.h"\n'}, "by its path from the top"),
    ({"plugins/fs-x/CMakeLists.txt": "#" + SPDX + "target_link_libraries(fs-x PRIVATE host_core)\n"}, "plugins never see the host"),
    ({"host/sftp/b.cpp": SPDX + "#include <sallyport/abi.h>\n"}, "only host/plugin sees the SDK"),
    ({"host/sftp/b.cpp": SPDX + "#include <libssh/libssh.h>\n"}, "libssh belongs into host/ssh/"),
    ({"host/plugin/r.cpp": SPDX + "#include <boost/dll/import.hpp>\n"}, "Boost.DLL belongs into host/plugin/loader.cpp"),
    ({"host/core/c.cpp": SPDX + "#include <Poco/Net/Socket.h>\n"}, "Poco belongs into"),
    ({"host/core/c.cpp": SPDX + "#  include <CLI/CLI.hpp>\n"}, "CLI11 belongs into"),
    ({"host/core/c.h": SPDX + "#include <nlohmann/json.hpp>\n"}, "JSON types stand in"),
    ({"plugins/fs-x/p.cpp": SPDX + '#include "host/core/a.h"\n'}, "never see the host"),
    ({"plugins/fs-y/p.cpp": SPDX}, "plugins/fs-y: no README.md"),
    ({"host/core/c.cpp": "int x;\n"}, "no SPDX"),
    ({"docs/page.md": "# Page\n"}, "docs/page.md: no SPDX"),
    ({"tool": "#!/bin/sh\ntrue\n"}, "tool: no SPDX"),
    ({"host/core/c.cpp": SPDX + "#include <string>\n" * 60}, "host/core/c.cpp: no comment"),
    ({"host/core/c.h": SPDX + "//\n" * 150}, "151 lines, at most 150"),
    ({"host/core/c.cpp": SPDX + "//\n// Why.\n" + "//\n" * 398}, "401 lines, at most 400"),
    ({"ARCHITECTURE.md": CLEAN["ARCHITECTURE.md"] + "\n" * 200}, "at most 200"),
    ({"ARCHITECTURE.md": "no block\n"}, "no ```arrows block"),
    ({"ARCHITECTURE.md": MD_SPDX + "```arrows\ncore -> plugin\nplugin -> core\nsftp -> plugin core\nmain -> sftp\n```\n"}, "in a circle through core, main"),
]


def tree_offences(extra):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**CLEAN, **extra}.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return check(folder)


def self_test():
    failures = [f"a clean tree was accused: {line}" for line in tree_offences({})]
    for extra, expected in FORBIDDEN:
        found = tree_offences(extra)
        if len(found) != 1 or expected not in found[0]:
            failures.append(f"expected exactly one offence with {expected!r}, found {found}")
    return failures


def main():
    arguments = sys.argv[1:]
    if arguments in (["-h"], ["--help"]) or len(arguments) > 1:
        print(__doc__)
        return 0
    lines = self_test() if arguments == ["--self-test"] else check(arguments[0] if arguments else Path(__file__).parents[2])
    print("\n".join(lines) if lines else "nothing found")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
