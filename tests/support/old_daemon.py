#!/usr/bin/env python3
"""Stands at a daemon's socket as one of an older version, and leaves when it is asked to: old_daemon.py PATH

Ends with 0 once it was greeted and then asked to leave. What it is told is printed, a line each.
"""
import os
import socket
import sys


def main(path):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    if os.path.exists(path):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen()
        greeted = False
        while True:
            client, _ = listener.accept()
            with client:
                line = client.makefile("rb").readline().decode(errors="replace").strip()
                print(line, flush=True)
                leaves = greeted and line.startswith("cinnabar drain ")
                greeted = greeted or line.startswith("cinnabar hello ")
                client.sendall(b"cinnabar draining 0.0.1\n" if leaves else b"cinnabar ready 0.0.1\n")
                if leaves:
                    os.unlink(path)
                    return


if __name__ == "__main__":
    main(sys.argv[1])
