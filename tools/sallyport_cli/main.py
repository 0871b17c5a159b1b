# SPDX-License-Identifier: Apache-2.0
"""The command line. Exit code 0: done; 1: the server refused or did not answer; 2: the command line is wrong."""
import argparse
import json
import os
import re
import sys
import urllib.parse

from . import accounts, convert, secrets
from .api import Api, Unreachable, segment

COLOURS = {"key": "\033[34m", "text": "\033[32m", "end": "\033[0m"}


def show(answer, coloured):
    if isinstance(answer, str):
        print(answer, end="" if answer.endswith("\n") else "\n")
        return
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    if coloured:
        def paint(found):
            kind = "key" if found.group(2) else "text"
            return COLOURS[kind] + found.group(1) + COLOURS["end"] + found.group(2)
        text = re.sub(r'("(?:[^"\\]|\\.)*")(:?)', paint, text)
    print(text)


COMMANDS = {}


def command(name, help):
    def note(function):
        COMMANDS[name] = (function, help)
        return function
    return note


@command("add-user", "add an account")
def add_user(api, arguments):
    return api.call("POST", "user", {"status": 1, **accounts.account(arguments)})


@command("update-user", "change what is given of an account")
def update_user(api, arguments):
    return api.call("PUT", f"user/{arguments.id}", accounts.account(arguments))


@command("delete-user", "delete an account; its files stay")
def delete_user(api, arguments):
    return api.call("DELETE", f"user/{arguments.id}")


@command("get-users", "list accounts")
def get_users(api, arguments):
    return api.call("GET", "user", limit=arguments.limit, offset=arguments.offset, username=arguments.username,
                    order=arguments.order)


@command("get-user-by-id", "show an account")
def get_user_by_id(api, arguments):
    return api.call("GET", f"user/{arguments.id}")


@command("get-connections", "list live connections")
def get_connections(api, arguments):
    return api.call("GET", "connection")


@command("close-connection", "close a connection")
def close_connection(api, arguments):
    return api.call("DELETE", f"connection/{segment(arguments.connection_id)}")


@command("close-connections", "close all connections of an account")
def close_connections(api, arguments):
    return api.call("DELETE", "connection", username=arguments.username)


@command("get-bans", "list who is refused because of failed logins")
def get_bans(api, arguments):
    return api.call("GET", "ban")


@command("lift-ban", "let an address, or one name there, in again")
def lift_ban(api, arguments):
    return api.call("DELETE", "ban", network=arguments.network, username=arguments.username)


@command("get-quota-scans", "list quota scans that run")
def get_quota_scans(api, arguments):
    return api.call("GET", "quota_scan")


@command("start-quota-scan", "count the files of an account")
def start_quota_scan(api, arguments):
    return api.call("POST", "quota_scan", {"username": arguments.username})


@command("get-version", "what runs there")
def get_version(api, arguments):
    return api.call("GET", "version")


@command("get-provider-status", "does the data provider answer?")
def get_provider_status(api, arguments):
    return api.call("GET", "providerstatus")


@command("dumpdata", "write all accounts to a file of the server's backup directory")
def dumpdata(api, arguments):
    return api.call("GET", "dumpdata", output_file=arguments.output_file, indent=arguments.indent)


@command("loaddata", "take accounts from a file on the server")
def loaddata(api, arguments):
    return api.call("GET", "loaddata", input_file=arguments.input_file, scan_quota=arguments.scan_quota, mode=arguments.mode)


@command("convert-users", "make a file for loaddata from the accounts of another system")
def convert_users(api, arguments):
    return convert.run(arguments)


def add_arguments(name, parser):
    if name == "add-user":
        parser.add_argument("username")
        accounts.add_flags(parser)
    elif name == "update-user":
        parser.add_argument("id", type=int)
        parser.add_argument("username", nargs="?", help="cannot be changed")
        accounts.add_flags(parser)
    elif name in ("delete-user", "get-user-by-id"):
        parser.add_argument("id", type=int)
    elif name == "get-users":
        parser.add_argument("-L", "--limit", type=int, help="1 to 500")
        parser.add_argument("-O", "--offset", type=int)
        parser.add_argument("-U", "--username")
        parser.add_argument("-S", "--order", choices=["ASC", "DESC"])
    elif name == "close-connection":
        parser.add_argument("connection_id")
    elif name in ("start-quota-scan", "close-connections"):
        parser.add_argument("username")
    elif name == "lift-ban":
        parser.add_argument("network", help="as get-bans shows it, or an address in it")
        parser.add_argument("username", nargs="?")
    elif name == "dumpdata":
        parser.add_argument("output_file")
        parser.add_argument("-I", "--indent", type=int, choices=[0, 1])
    elif name == "loaddata":
        parser.add_argument("input_file")
        parser.add_argument("-Q", "--scan-quota", type=int, choices=[0, 1, 2])
        parser.add_argument("-M", "--mode", type=int, choices=[0, 1])
    elif name == "convert-users":
        convert.add_arguments(parser)


def make_parser():
    parser = argparse.ArgumentParser(prog="sallyport-cli", description="Administers a running server through its REST API.")
    parser.add_argument("-b", "--base-url", default="http://127.0.0.1:8080", help="default: %(default)s")
    parser.add_argument("-a", "--auth-type", choices=["basic", "digest"], default="basic")
    parser.add_argument("-u", "--auth-user", metavar="NAME")
    secrets.ADMINISTRATOR.add_to(parser, "the administrator's password")
    parser.add_argument("-d", "--debug", action="store_true", help="show requests and answers on standard error")
    parser.add_argument("-i", "--insecure", action="store_true", help="take any certificate")
    parser.add_argument("-t", "--no-color", dest="color", action="store_false", default=None)
    parser.add_argument("-c", "--color", dest="color", action="store_true", help="default: on a terminal")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, help) in COMMANDS.items():
        add_arguments(name, commands.add_parser(name, help=help, description=help))
    return parser


def refuse_secrets(argv):
    """Scripts for the replaced system's client give passwords as values; the usual complaints would repeat them."""
    for flag, value in zip(argv, argv[1:]):
        if flag in secrets.ADMINISTRATOR.flags and not value.startswith("-") and value not in COMMANDS:
            secrets.ADMINISTRATOR.refuse_value()
    for secret in (secrets.ADMINISTRATOR, secrets.ACCOUNT, secrets.S3):
        joined = [f"{flag}=" if flag.startswith("--") else flag for flag in secret.flags]
        if any(word.startswith(mark) and len(word) > 2 for word in argv for mark in joined):
            secret.refuse_value()
    for secret in (secrets.ACCOUNT, secrets.S3):
        if set(secret.flags) & set(argv) and make_parser().parse_known_args(argv)[1]:
            secret.refuse_value()


def is_base_url(text):
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, an address that is none
        return False


def main(argv):
    parser = make_parser()
    try:
        refuse_secrets(argv)
        arguments = parser.parse_args(argv)
        if not is_base_url(arguments.base_url):
            parser.error(f"--base-url: {arguments.base_url!r} is not http://HOST[:PORT] or https://HOST[:PORT]")
        password = secrets.ADMINISTRATOR.given(arguments)
        if arguments.auth_user is not None and password is None:
            password = secrets.ADMINISTRATOR.ask()
        api = Api(arguments.base_url, arguments.auth_user, password, arguments.auth_type, arguments.insecure, arguments.debug)
        done = COMMANDS[arguments.command][0](api, arguments)
    except (secrets.SecretError, accounts.AccountError) as problem:
        parser.error(str(problem))
    except (Unreachable, convert.ConvertError, OSError) as problem:
        print(f"sallyport-cli: {problem}", file=sys.stderr)
        return 1
    if isinstance(done, int):
        return done
    status, answer = done
    try:
        show(answer, sys.stdout.isatty() if arguments.color is None else arguments.color)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if 200 <= status < 300 else 1
