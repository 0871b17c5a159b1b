# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the Avahi daemon: its name and the part of its interface that publishing uses, on the bus of the
environment. Says one line of JSON for each thing it is asked for; the names in its arguments it calls taken."""
import json
import sys

import dbus
import dbus.lowlevel
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

SERVER, GROUP = "org.freedesktop.Avahi.Server", "org.freedesktop.Avahi.EntryGroup"
RUNNING, ESTABLISHED, COLLISION = 2, 2, 3
TAKEN = set(sys.argv[1:])


def say(**what):
    print(json.dumps(what), flush=True)


class Group(dbus.service.Object):
    state, name, client = 0, "", None

    @dbus.service.method(GROUP, in_signature="iiussssqaay")
    def AddService(self, interface, protocol, flags, name, kind, domain, host, port, texts):
        self.name = str(name)
        say(added=self.name, type=str(kind), domain=str(domain), host=str(host), port=int(port), interface=int(interface),
            protocol=int(protocol), texts=sorted(bytes(text).decode() for text in texts))

    @dbus.service.method(GROUP)
    def Commit(self):
        self.become(COLLISION if self.name in TAKEN else ESTABLISHED)

    @dbus.service.method(GROUP)
    def Reset(self):
        self.become(0)

    def owner_is(self, name):
        """As the daemon does: what its client leaves behind is freed."""
        if not name:
            say(freed=self.name)

    @dbus.service.method(GROUP, out_signature="b")
    def IsEmpty(self):
        return not self.name

    @dbus.service.method(GROUP, out_signature="i")
    def GetState(self):
        return self.state

    def become(self, state):
        """Tells the client, and nobody else: it asks the bus for no such signals."""
        self.state = state
        signal = dbus.lowlevel.SignalMessage("/Client1/EntryGroup1", GROUP, "StateChanged")
        signal.append(state, "org.freedesktop.Avahi.Success", signature="is")
        signal.set_destination(self.client)
        self.connection.send_message(signal)


class Server(dbus.service.Object):
    @dbus.service.method(SERVER, out_signature="u")
    def GetAPIVersion(self):
        return 0x0204

    @dbus.service.method(SERVER, out_signature="s")
    def GetVersionString(self):
        return "stand-in"

    @dbus.service.method(SERVER, out_signature="i")
    def GetState(self):
        return RUNNING

    @dbus.service.method(SERVER, out_signature="s")
    def GetAlternativeServiceName(self, name):
        return f"{name} #2"

    @dbus.service.method(SERVER, out_signature="o", sender_keyword="client")
    def EntryGroupNew(self, client):
        group = Group(self.connection, "/Client1/EntryGroup1")
        group.client = client
        self.connection.watch_name_owner(client, group.owner_is)
        return group


DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
Server(bus, "/")
owned = dbus.service.BusName("org.freedesktop.Avahi", bus)
say(ready=True)
GLib.MainLoop().run()
