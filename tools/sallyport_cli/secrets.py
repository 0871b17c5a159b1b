# SPDX-License-Identifier: Apache-2.0
"""Passwords from a prompt, the environment or a file. Never from the command line, which everybody on the machine can see."""
import getpass
import os
import sys

PROMPT = object()


class SecretError(Exception):
    pass


class Secret:
    """One secret and its flags: `-p` asks for it, `--...-file` reads it, and there is a variable of the environment."""

    def __init__(self, name, flags, variable, asked):
        self.name, self.flags, self.variable, self.asked = name, flags, variable, asked

    def add_to(self, parser, what):
        parser.add_argument(*self.flags, dest=self.name, action="store_const", const=PROMPT,
                            help=f"ask for {what} on the terminal, or read a line from standard input")
        parser.add_argument(f"{self.flags[-1]}-file", dest=f"{self.name}_file", metavar="FILE",
                            help=f"read {what} from FILE; or set {self.variable}")

    def given(self, arguments):
        """The secret, or None when nobody gave one."""
        file = getattr(arguments, f"{self.name}_file")
        if file is not None:
            try:
                with open(file, encoding="utf-8") as source:
                    return source.readline().rstrip("\r\n")
            except OSError as problem:
                raise SecretError(f"cannot read {file}: {problem.strerror}") from None
        if getattr(arguments, self.name) is PROMPT:
            return self.ask()
        return os.environ.get(self.variable)

    def refuse_value(self):
        flag = self.flags[-1]
        raise SecretError(f"{flag} takes no value: everybody on this machine could read it. Give the flag alone to be asked, "
                          f"or {flag}-file FILE, or set {self.variable}")

    def ask(self):
        if sys.stdin.isatty():
            return getpass.getpass(f"{self.asked}: ")
        return sys.stdin.readline().rstrip("\r\n")


ADMINISTRATOR = Secret("auth_password", ["-p", "--auth-password"], "SALLYPORT_CLI_AUTH_PASSWORD", "Administrator's password")
ACCOUNT = Secret("password", ["-P", "--password"], "SALLYPORT_CLI_PASSWORD", "Password of the account")
S3 = Secret("s3_access_secret", ["--s3-access-secret"], "SALLYPORT_CLI_S3_ACCESS_SECRET", "S3 access secret")
