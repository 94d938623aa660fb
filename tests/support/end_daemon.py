#!/usr/bin/env python3
"""Asks the daemon at a socket to end, as a newer proxy does, and waits until it has left its place: end_daemon.py PATH"""
import socket
import sys
import time


def listens(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def end_daemon(path, seconds=20):
    with socket.socket(socket.AF_UNIX) as wish:
        if wish.connect_ex(path) != 0:
            return
        wish.sendall(b"cinnabar drain 0\n")
        wish.recv(256)
    end = time.monotonic() + seconds
    while listens(path):
        if time.monotonic() > end:
            raise SystemExit(f"the daemon at {path} does not go")
        time.sleep(0.02)


if __name__ == "__main__":
    end_daemon(sys.argv[1])
