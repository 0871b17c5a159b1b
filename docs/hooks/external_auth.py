#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""External authentication for passwords and keys: a JSON file (SALLYPORT_SAMPLE_USERS) says who has which.

{"ada": {"password": "...", "public_keys": ["ssh-ed25519 AAAA..."], "home_dir": "/srv/ada"}}
"""
import hmac
import json
import os


def authenticate(environment):
    """The user who may come in, or None."""
    with open(environment["SALLYPORT_SAMPLE_USERS"], encoding="utf-8") as file:
        known = json.load(file).get(environment["SFTPGO_AUTHD_USERNAME"])
    if known is None:
        return None
    password, key = environment["SFTPGO_AUTHD_PASSWORD"], environment["SFTPGO_AUTHD_PUBLIC_KEY"].split()[:2]
    if password:
        right = hmac.compare_digest(password.encode(errors="surrogateescape"), known.get("password", "").encode())
    else:
        right = bool(key) and any(line.split()[:2] == key for line in known.get("public_keys", []))
    if not right:
        return None
    return {"status": 1, "username": environment["SFTPGO_AUTHD_USERNAME"], "home_dir": known["home_dir"],
            "permissions": {"/": ["*"]}}


print(json.dumps(authenticate(os.environ) or {"username": ""}))
