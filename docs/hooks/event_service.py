#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A service for http_notification_url: prints what it is told, and refuses to let `pre-delete` touch names with "keep".

    event_service.py PORT
"""
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit


class Events(BaseHTTPRequestHandler):
    def do_GET(self):
        event = dict(parse_qsl(urlsplit(self.path).query))
        refused = event["action"] == "pre-delete" and "keep" in event["path"]
        print(event["action"], event["username"], event["path"], "refused" if refused else "", flush=True)
        self.send_response(403 if refused else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Events)
print("listening on", server.server_address[1], flush=True)
server.serve_forever()
