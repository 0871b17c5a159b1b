# SPDX-License-Identifier: Apache-2.0
"""A loopback TCP proxy that holds every byte back for a fixed time in each direction, without limiting the rate.

    delay_proxy.py TARGET_PORT ONE_WAY_MS

prints the port it listens on and runs until killed.
"""
import asyncio
import collections
import sys

# What a long pipe may hold per direction before we stop reading: far above rate x delay of any measurement.
MAX_QUEUED_BYTES = 256 << 20
END, LOST = object(), object()  # half-closed by the sender; connection gone


class Direction(asyncio.Protocol):
    """Everything that arrives here leaves through `sink` delay_s later."""

    def __init__(self, delay_s):
        self.delay_s = delay_s
        self.loop = asyncio.get_running_loop()
        self.queue = collections.deque()
        self.queued_bytes = 0
        self.timer = None
        self.transport = None
        self.sink = None

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(MAX_QUEUED_BYTES)

    def data_received(self, data):
        self._enqueue(data)
        if self.queued_bytes > MAX_QUEUED_BYTES:
            self.transport.pause_reading()

    def eof_received(self):
        self._enqueue(END)
        return True

    def connection_lost(self, error):
        self._enqueue(LOST)

    def _enqueue(self, item):
        self.queue.append((self.loop.time() + self.delay_s, item))
        self.queued_bytes += len(item) if isinstance(item, bytes) else 0
        if self.timer is None:
            self.timer = self.loop.call_at(self.queue[0][0], self._flush)

    def _pass_on(self, due):
        if due:
            self.sink.writelines(due)
            due.clear()

    def _pass_end_on(self):
        try:
            self.sink.write_eof()
        except OSError:
            self.sink.close()  # the other end has gone meanwhile

    def _flush(self):
        self.timer = None
        due = []
        while self.queue and self.queue[0][0] <= self.loop.time() and self.sink is not None:
            item = self.queue.popleft()[1]
            if isinstance(item, bytes):
                self.queued_bytes -= len(item)
                due.append(item)
                continue
            self._pass_on(due)
            if item is END:
                self._pass_end_on()
            elif item is LOST:
                self.sink.close()  # sends what is buffered first
                self.sink = None
        self._pass_on(due)
        if self.queued_bytes <= MAX_QUEUED_BYTES and not self.transport.is_closing():
            self.transport.resume_reading()
        if self.queue and self.sink is not None:
            self.timer = self.loop.call_at(self.queue[0][0], self._flush)


class Client(Direction):
    def __init__(self, target_port, delay_s):
        super().__init__(delay_s)
        self.target_port = target_port
        self.connecting = None

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.pause_reading()
        self.connecting = self.loop.create_task(self._connect())

    async def _connect(self):
        try:
            _, server = await self.loop.create_connection(lambda: Direction(self.delay_s), "127.0.0.1", self.target_port)
        except OSError:
            self.transport.abort()
            return
        self.sink, server.sink = server.transport, self.transport
        if not self.transport.is_closing():
            self.transport.resume_reading()


async def main(target_port, delay_s):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(target_port, delay_s), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
