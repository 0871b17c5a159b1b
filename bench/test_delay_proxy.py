# SPDX-License-Identifier: Apache-2.0
"""The proxy delays, loses nothing, and passes the end of a stream on."""
import os
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from clients import DelayProxy  # noqa: E402


def echo(listener):
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(1 << 16):
            connection.sendall(data)


class Proxy(unittest.TestCase):
    def setUp(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.echo = threading.Thread(target=echo, args=(self.listener,))
        self.echo.start()

    def test_round_trip_takes_twice_the_delay_and_keeps_every_byte(self):
        sent = os.urandom(1 << 20)
        with DelayProxy(self.listener.getsockname()[1], 20) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as client:
            start = time.monotonic()
            client.sendall(b"x")
            self.assertEqual(client.recv(1), b"x")
            self.assertGreaterEqual(time.monotonic() - start, 0.04)
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            found = b""
            while data := client.recv(1 << 16):
                found += data
            self.assertEqual(found, sent)
            self.echo.join(10)
            self.assertFalse(self.echo.is_alive())


if __name__ == "__main__":
    unittest.main()
