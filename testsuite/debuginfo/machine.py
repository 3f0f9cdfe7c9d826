# SPDX-License-Identifier: GPL-2.0
"""A machine that never ran: registers and memory full of numbers that its seed and their place fix.

gdb talks to it as to any remote target (gdb manual, "Remote Serial Protocol"), moves its pc to an
instruction and reads variables there as it would in a crash dump. Whoever knows the seed can compute
the same variables from a location in words; nothing depends on what a kernel would have held.

    target remote | machine.py SEED
"""
import random
import sys

NAMES = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()
MASK = (1 << 64) - 1


def registers(seed):
    numbers = random.Random(seed)
    values = {name: numbers.getrandbits(64) for name in NAMES}
    # What unwinders ask of a stack pointer.
    values["rsp"] = 0xFFFFC90000000000 | numbers.getrandbits(30) << 4
    return values


def memory(seed, address, size):
    return bytes(
        ((((address + i) & MASK) ^ seed) * 0x9E3779B97F4A7C15 & MASK) >> 56 for i in range(size)
    )


class Stub:
    def __init__(self, seed):
        self.seed = seed
        self.registers = [registers(seed)[name] for name in NAMES]

    def answer(self, packet):
        kind, rest = packet[:1], packet[1:]
        if kind == "?":
            return "S05"
        if kind == "g":
            return "".join(r.to_bytes(8, "little").hex() for r in self.registers) + "00" * 28
        if kind == "m":
            address, size = (int(part, 16) for part in rest.split(","))
            return memory(self.seed, address, size).hex()
        if kind == "G":
            for i in range(len(NAMES)):
                self.registers[i] = int.from_bytes(bytes.fromhex(rest[16 * i : 16 * i + 16]), "little")
            return "OK"
        if kind == "P":
            number, value = rest.split("=")
            if int(number, 16) < len(NAMES):
                self.registers[int(number, 16)] = int.from_bytes(bytes.fromhex(value)[:8], "little")
            return "OK"
        if kind in "HD" or packet.startswith("qSymbol"):
            return "OK"
        if packet.startswith("qSupported"):
            return "PacketSize=4000"
        if packet.startswith("qAttached"):
            return "1"
        return ""

    def serve(self, source, sink):
        while byte := source.read(1):
            if byte != b"$":
                continue
            packet = b""
            while (byte := source.read(1)) not in (b"#", b""):
                packet += byte
            source.read(2)
            if packet == b"k":
                return
            text = self.answer(packet.decode("latin-1")).encode()
            sink.write(b"+$" + text + b"#" + b"%02x" % (sum(text) & 255))
            sink.flush()


if __name__ == "__main__":
    Stub(int(sys.argv[1])).serve(sys.stdin.buffer, sys.stdout.buffer)
