#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the power from an emulated board at one instruction.

    board_cut.py SOCKET ADDRESS HIT

QEMU waits at SOCKET (-gdb unix:...,server=on -S) with its processor stopped. It runs
until the instruction at ADDRESS is about to be executed for the HITth time, and ends
there, as if the plug were pulled: the instruction is not executed any more. Status 1 if
QEMU ended before.

Facts: the remote serial protocol of GDB (packets qXfer, p, s, Z1, c, k), as QEMU speaks it.
"""
import socket
import sys
import time

CONNECT_S = 10.0
RUN_S = 60.0


class Target:
    """QEMU's stub: packets of text with a sum."""

    def __init__(self, path):
        deadline = time.monotonic() + CONNECT_S
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.socket.settimeout(RUN_S)
        self.bytes = b""

    def send(self, text):
        body = text.encode()
        self.socket.sendall(b"$%s#%02x" % (body, sum(body) % 256))

    def receive(self):
        """The next packet, or None when QEMU is gone."""
        while True:
            begin = self.bytes.find(b"$")
            end = self.bytes.find(b"#", begin)
            if begin >= 0 and 0 <= end <= len(self.bytes) - 3:
                packet = self.bytes[begin + 1:end]
                self.bytes = self.bytes[end + 3:]
                self.socket.sendall(b"+")
                return packet.decode()
            part = self.socket.recv(4096)
            if not part:
                return None
            self.bytes += part

    def ask(self, text):
        self.send(text)
        return self.receive()


def program_counter(target):
    return int.from_bytes(bytes.fromhex(target.ask("p0f") or "00"), "little")


def main():
    path, address, hit = sys.argv[1], int(sys.argv[2], 0), int(sys.argv[3])
    target = Target(path)
    target.ask("qXfer:features:read:target.xml:0,ffb")  # or it tells no registers
    hits = 1 if program_counter(target) == address else 0
    while hits < hit:
        # A breakpoint at the instruction at hand would strike at once.
        target.ask("s")
        if target.ask(f"Z1,{address:x},2") != "OK":
            sys.exit("board_cut: no breakpoint")
        stop = target.ask("c")
        if stop is None or not stop.startswith(("T05", "S05")):
            sys.exit(f"board_cut: QEMU has ended: {stop}")
        target.ask(f"z1,{address:x},2")
        hits += 1
    target.send("k")


main()
