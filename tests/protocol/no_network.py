#!/usr/bin/env python3
"""Completes a line in a network namespace that has no network, and finds no network socket there.

    no_network.py PROGRAM [ARGUMENT...]     the arguments are the daemon's, such as its model

Proxy and daemon run under unshare(1); whatever socket they opened other than unix ones would stand in the namespace's
/proc/net. Exit status 77: this machine lets nobody make a namespace.
"""
import os
import socket
import subprocess
import sys
import tempfile

from client import Document, ProxyClient

INSIDE = "--inside"
TABLES = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "icmp", "icmp6", "packet")


def sockets():
    """The lines of the namespace's tables of network sockets, headings left out."""
    found = []
    for name in TABLES:
        path = f"/proc/self/net/{name}"
        if os.path.exists(path):
            with open(path, encoding="ascii") as table:
                found += [f"{name}: {line.strip()}" for line in table.readlines()[1:]]
    return found


def check_that_it_can_fail():
    with socket.socket() as mine:
        mine.bind(("", 0))
        mine.listen()
        if not sockets():
            sys.exit("a listening socket does not show in /proc/net: this check could not fail")
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=2).close()
    except OSError:
        return
    sys.exit("the namespace has a network")


def complete(command):
    check_that_it_can_fail()
    with tempfile.TemporaryDirectory(prefix="cinnabar-") as folder:
        client = ProxyClient([command[0], "lsp", "--socket", folder + "/s", *command[1:]], timeout=120)
        try:
            server = client.initialize()["serverInfo"]["name"]
            document = Document(client, "file:///w/a.txt", "plaintext", "foo(; \n")
            items = client.answer(document.ask({"line": 0, "character": 6}))["result"]["items"]
            found = sockets()
            client.end_politely()
            client.close()
        finally:
            subprocess.run([sys.executable, os.path.dirname(os.path.abspath(__file__)) + "/../support/end_daemon.py", folder + "/s"],
                           check=False)
        if not items or client.faults or found:
            sys.exit(f"items {items}, faults {client.faults}, network sockets {found}")
        print(f"{server}: {len(items)} item(s), no network socket in {', '.join(TABLES)}")


def main():
    if sys.argv[1] == INSIDE:
        return complete(sys.argv[2:])
    unshare = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*unshare, "true"], check=False).returncode != 0:
        print("skipped: no network namespace can be made here")
        return sys.exit(77)
    return sys.exit(subprocess.run([*unshare, sys.executable, __file__, INSIDE, *sys.argv[1:]], check=False).returncode)


if __name__ == "__main__":
    main()
