# SPDX-License-Identifier: Apache-2.0
"""From flags to an account as the REST API takes it. What was not given is left out: the server keeps it, or has a default."""
import datetime

from . import secrets

PROVIDERS = {"local": 0, "S3": 1, "GCS": 2}
PLAIN = {"home_dir": str, "uid": int, "gid": int, "max_sessions": int, "quota_size": int, "quota_files": int,
         "upload_bandwidth": int, "download_bandwidth": int, "status": int}
S3 = ["bucket", "key_prefix", "region", "access_key", "endpoint", "storage_class"]
GCS = ["bucket", "key_prefix", "storage_class"]


class AccountError(Exception):
    pass


def add_flags(parser):
    secrets.ACCOUNT.add_to(parser, "the account's password")
    parser.add_argument("-K", "--public-keys", nargs="*", metavar="KEY", help="none after the flag: take all away")
    parser.add_argument("-H", "--home-dir")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("-C", "--max-sessions", type=int, metavar="NUMBER", help="0: no limit")
    parser.add_argument("-S", "--quota-size", type=int, metavar="BYTES", help="0: no limit")
    parser.add_argument("-F", "--quota-files", type=int, metavar="NUMBER", help="0: no limit")
    parser.add_argument("-G", "--permissions", nargs="*", metavar="RIGHT", help="for the root directory; * is all")
    parser.add_argument("-L", "--denied-login-methods", nargs="*", metavar="METHOD")
    parser.add_argument("--subdirs-permissions", nargs="*", metavar="/DIR::RIGHT,RIGHT", default=[])
    parser.add_argument("--virtual-folders", nargs="*", metavar="/VIRTUAL::/REAL")
    parser.add_argument("-U", "--upload-bandwidth", type=int, metavar="KB/S")
    parser.add_argument("-D", "--download-bandwidth", type=int, metavar="KB/S")
    parser.add_argument("--status", type=int, choices=[0, 1], help="1: may log in")
    parser.add_argument("-E", "--expiration-date", metavar="YYYY-MM-DD", help="empty: never")
    parser.add_argument("-Y", "--allowed-ip", nargs="*", metavar="NETWORK")
    parser.add_argument("-N", "--denied-ip", nargs="*", metavar="NETWORK")
    parser.add_argument("--denied-extensions", nargs="*", metavar="/DIR::.A,.B")
    parser.add_argument("--allowed-extensions", nargs="*", metavar="/DIR::.A,.B")
    parser.add_argument("--fs", choices=sorted(PROVIDERS))
    for name in S3:
        parser.add_argument(f"--s3-{name.replace('_', '-')}", metavar="TEXT")
    secrets.S3.add_to(parser, "the S3 access secret")
    for name in GCS:
        parser.add_argument(f"--gcs-{name.replace('_', '-')}", metavar="TEXT")
    parser.add_argument("--gcs-credentials-file", metavar="FILE")
    parser.add_argument("--gcs-automatic-credentials", choices=["explicit", "automatic"])


def split(entry, what):
    directory, mark, rest = entry.partition("::")
    if not mark or not directory.startswith("/"):
        raise AccountError(f"{what}: found {entry!r}, wanted is /DIRECTORY::...")
    return directory, rest


def words(text):
    return [word.strip() for word in text.split(",") if word.strip()]


def given(values):
    """One empty word means the same as none at all: shells make it easier to write."""
    return [value for value in values if value]


def milliseconds(date):
    if not date:
        return 0
    try:
        day = datetime.datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise AccountError(f"--expiration-date: found {date!r}, wanted is YYYY-MM-DD") from None
    return int(day.timestamp()) * 1000


def permissions(arguments):
    rights = {}
    if arguments.permissions is not None:
        rights["/"] = given(arguments.permissions)
    for entry in given(arguments.subdirs_permissions):
        directory, names = split(entry, "--subdirs-permissions")
        rights[directory] = words(names)
    return rights


def filters(arguments):
    found = {}
    for name in ("denied_login_methods", "allowed_ip", "denied_ip"):
        values = getattr(arguments, name)
        if values is not None:
            found[name] = given(values)
    by_directory = {}
    for name in ("allowed_extensions", "denied_extensions"):
        for entry in given(getattr(arguments, name) or []):
            directory, endings = split(entry, f"--{name.replace('_', '-')}")
            by_directory.setdefault(directory, {"path": directory})[name] = words(endings)
    if arguments.allowed_extensions is not None or arguments.denied_extensions is not None:
        found["file_extensions"] = list(by_directory.values())
    return found


def filesystem(arguments):
    found = {}
    if arguments.fs is not None:
        found["provider"] = PROVIDERS[arguments.fs]
    s3 = {name: value for name in S3 if (value := getattr(arguments, f"s3_{name}")) is not None}
    secret = secrets.S3.given(arguments)
    if secret is not None:
        s3["access_secret"] = secret
    gcs = {name: value for name in GCS if (value := getattr(arguments, f"gcs_{name}")) is not None}
    if arguments.gcs_credentials_file:
        import base64
        with open(arguments.gcs_credentials_file, "rb") as file:
            gcs["credentials"] = base64.b64encode(file.read()).decode()
    if arguments.gcs_automatic_credentials:
        gcs["automatic_credentials"] = 1 if arguments.gcs_automatic_credentials == "automatic" else 0
    if s3:
        found["s3config"] = s3
    if gcs:
        found["gcsconfig"] = gcs
    return found


def account(arguments):
    found = {}
    if arguments.username is not None:
        found["username"] = arguments.username
    for name, kind in PLAIN.items():
        value = getattr(arguments, name)
        if value is not None:
            found[name] = kind(value)
    password = secrets.ACCOUNT.given(arguments)
    if password is not None:
        found["password"] = password
    if arguments.expiration_date is not None:
        found["expiration_date"] = milliseconds(arguments.expiration_date)
    if arguments.public_keys is not None:
        found["public_keys"] = given(arguments.public_keys)
    if arguments.virtual_folders is not None:
        pairs = [split(entry, "--virtual-folders") for entry in given(arguments.virtual_folders)]
        found["virtual_folders"] = [{"virtual_path": virtual, "mapped_path": real} for virtual, real in pairs]
    for name, made in (("permissions", permissions(arguments)), ("filters", filters(arguments)),
                       ("filesystem", filesystem(arguments))):
        if made:
            found[name] = made
    return found
