# SPDX-License-Identifier: Apache-2.0
"""Accounts of other systems as a file for loaddata: unix passwd and shadow, Pure-FTPd (pure-pw), ProFTPD (ftpasswd). An
account that cannot be taken over as it is, is left out and named on standard error; nothing is guessed."""
import ipaddress
import json
import os
import sys
import tempfile
import time

DAY_S = 86400
# What the server can check a password against. Anything else it would take for the password itself.
HASHES = ("$argon2id$", "$2a$", "$2b$", "$2y$", "$1$", "$apr1$", "$5$", "$6$", "$pbkdf2-sha1$", "$pbkdf2-sha256$",
          "$pbkdf2-sha512$", "$y$")
LARGEST_ID = 65535  # the server maps no more to owners of files


class ConvertError(Exception):
    pass


class Refused(Exception):
    """Why one account is left out."""


def add_arguments(parser):
    parser.add_argument("input_file")
    parser.add_argument("users_format", choices=sorted(FORMATS))
    parser.add_argument("output_file", help="holds password hashes: only you can read it")
    parser.add_argument("--shadow", metavar="FILE", help="of unix-passwd; default: `shadow` beside the input file")
    parser.add_argument("--min-uid", type=int, default=-1, metavar="UID", help="leave out accounts below")
    parser.add_argument("--max-uid", type=int, default=-1, metavar="UID", help="leave out accounts above")
    parser.add_argument("--usernames", nargs="*", default=[], metavar="NAME", help="these only")
    parser.add_argument("--force-uid", type=int, default=-1, metavar="UID", help="for all of them")
    parser.add_argument("--force-gid", type=int, default=-1, metavar="GID", help="for all of them")


def warn(text):
    print(f"sallyport-cli: {text}", file=sys.stderr)


def usable(hash_):
    if hash_.startswith(HASHES):
        return hash_
    if not hash_ or hash_.strip("*!x") == "":
        raise Refused("it has no password")
    shown = hash_[:hash_.index("$", 1) + 1] if hash_.startswith("$") and "$" in hash_[1:] else "of an old kind"
    raise Refused(f"the server cannot check a password hash {shown}")


def number(text, what):
    try:
        return int(text or 0)
    except ValueError:
        raise Refused(f"{what} is no number: {text!r}") from None


def made(name, hash_, uid, gid, home, **more):
    if home and not home.startswith("/"):
        raise Refused(f"its home {home!r} is no absolute path")
    try:
        (name + home).encode()
    except UnicodeEncodeError:
        raise Refused("its name or home is not UTF-8") from None
    return {"username": name, "status": 1, "password": usable(hash_), "home_dir": home, "uid": number(uid, "the uid"),
            "gid": number(gid, "the gid"), "permissions": {"/": ["*"]}, **more}


def fields_of(path, least, most):
    """Number and fields of each line that is one."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for count, line in enumerate(file, 1):
            line = line.rstrip("\r\n")
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split(":")
            if not least <= len(fields) <= most:
                warn(f"{path} line {count} is left out: {len(fields)} fields, wanted are {least}")
                continue
            yield count, fields


def shadow_of(arguments):
    path = arguments.shadow or os.path.join(os.path.dirname(arguments.input_file), "shadow")
    if not arguments.shadow and not os.path.exists(path):
        return {}
    return {fields[0]: fields for _, fields in fields_of(path, 9, 9)}


def unix_passwd(arguments):
    shadow = shadow_of(arguments)
    for count, (name, hash_, uid, gid, _, home, _) in fields_of(arguments.input_file, 7, 7):
        def account():
            status, expires = 1, 0
            found = hash_
            if name in shadow:
                found, days = shadow[name][1], number(shadow[name][7], "the day of expiry")
                expires = days * DAY_S * 1000
                status = 0 if found.startswith("!") or (expires and expires <= time.time() * 1000) else 1
            return {**made(name, found.lstrip("!"), uid, gid, home), "status": status, "expiration_date": expires}
        yield count, name, uid, account


def networks(text):
    """"192.0.2.1,10.0.0.0/8" as the server wants it."""
    found = []
    for word in filter(None, text.replace(",", " ").split()):
        try:
            found.append(str(ipaddress.ip_network(word, strict=False)))
        except ValueError:
            raise Refused(f"it is bound to {word!r}, which is no address") from None
    return found


def pure_ftpd(arguments):
    for count, fields in fields_of(arguments.input_file, 18, 18):
        (name, hash_, uid, gid, _, home, upload, download, up_ratio, down_ratio, sessions, files, size, here, not_here,
         allowed, denied, hours) = fields

        def account():
            if hours:
                raise Refused(f"it may log in at certain hours only ({hours})")
            if up_ratio or down_ratio:
                raise Refused(f"it has a ratio of uploads to downloads ({up_ratio}:{down_ratio})")
            if here or not_here:
                raise Refused("it may use certain addresses of the server only")
            limits = {member: networks(text) for member, text in (("allowed_ip", allowed), ("denied_ip", denied)) if text}
            return made(name, hash_, uid, gid, home.split("/./")[0] or "/", filters=limits,
                        upload_bandwidth=-(-number(upload, "the bandwidth") // 1024),
                        download_bandwidth=-(-number(download, "the bandwidth") // 1024),
                        max_sessions=number(sessions, "the number of sessions"), quota_files=number(files, "the quota"),
                        quota_size=number(size, "the quota"))
        yield count, name, uid, account


def proftpd(arguments):
    for count, (name, hash_, uid, gid, _, home, _) in fields_of(arguments.input_file, 7, 7):
        yield count, name, uid, lambda: made(name, hash_, uid, gid, home)


FORMATS = {"unix-passwd": unix_passwd, "pure-ftpd": pure_ftpd, "proftpd": proftpd}


def bound_of(uid, arguments):
    """The option that leaves it out, or None."""
    if arguments.min_uid >= 0 and uid < arguments.min_uid:
        return f"below --min-uid {arguments.min_uid}"
    if arguments.max_uid >= 0 and uid > arguments.max_uid:
        return f"above --max-uid {arguments.max_uid}"
    return None


def write(path, users):
    """Whole or not at all, and for nobody else's eyes."""
    directory = os.path.dirname(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(dir=directory)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"users": users}, file, indent=2)
            file.write("\n")
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def run(arguments):
    users, outside = [], {}
    for count, name, uid, account in FORMATS[arguments.users_format](arguments):
        if arguments.usernames and name not in arguments.usernames:
            continue
        try:
            bound = bound_of(number(uid, "the uid"), arguments)
            if bound:
                outside.setdefault(bound, []).append(f"{name} ({uid or 0})")
                continue
            user = account()
        except Refused as reason:
            warn(f"{arguments.input_file} line {count}: {name} is left out: {reason}")
            continue
        user["uid"] = arguments.force_uid if arguments.force_uid >= 0 else user["uid"]
        user["gid"] = arguments.force_gid if arguments.force_gid >= 0 else user["gid"]
        for what in ("uid", "gid"):
            if user[what] > LARGEST_ID:
                warn(f"{arguments.input_file} line {count}: the {what} {user[what]} of {name} is above {LARGEST_ID}: it has no effect, new "
                     "files keep the server's owner")
        users.append(user)
    for bound, names in outside.items():
        warn(f"left out because of a uid {bound}: {', '.join(names)}")
    if not users:
        raise ConvertError(f"no account was converted: {arguments.input_file} holds none that is wanted and can be taken over")
    write(arguments.output_file, users)
    print(f"{len(users)} accounts in {arguments.output_file}")
    return 0
