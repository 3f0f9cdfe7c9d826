# SPDX-License-Identifier: GPL-2.0
"""What is compared: a kernel's own code, or that of one of its modules.

A module's file is relocatable: each of its sections begins at 0 until the kernel loads it. stp gives
them the addresses that libdwfl would, one behind the other in the order of the file; gdb makes up
others. So for gdb the module is linked, without what it calls of others, with its sections where
stp has them: a function with other variables at an address shows up as a difference.
"""
import glob
import os
import re
import subprocess

# Where libdwfl lays out the first module.
FIRST = 0x10000


class Scope:
    def __init__(self, tree, release, module="", folder=""):
        self.module = module
        self.prefix = f'module("{module}")' if module else "kernel"
        self.file = os.path.join(tree, "usr/lib/debug/boot", f"vmlinux-{release}")
        if module:
            self.file = linked(debuginfo(tree, release)[module], os.path.join(folder, module))

    def symbols(self):
        """[(address, name)] of functions, from the symbol table."""
        text = output_of("nm", self.file)
        rows = [row for row in (line.split() for line in text.splitlines()) if len(row) == 3]
        marks = {name: int(at, 16) for at, kind, name in rows}
        begin, end = (0, 1 << 64) if self.module else (marks["_stext"], marks["_etext"])
        return [
            (int(at, 16), name)
            for at, kind, name in rows
            if kind in "tT" and "." not in name and begin <= int(at, 16) < end
        ]


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def debuginfo(tree, release):
    """{module: file}: the modules whose debug information the tree has."""
    found = {}
    for folder in ("usr/lib/debug/lib/modules", "usr/lib/debug/usr/lib/modules"):
        for path in glob.glob(os.path.join(tree, folder, release, "kernel/**/*.ko"), recursive=True):
            found[os.path.basename(path)[:-3]] = path
    return found


def linked(file, out):
    listing = output_of("readelf", "-SW", file)
    row = r" *\[ *\d+\] (\S+) +\S+ +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +(\w*) +\d+ +\d+ +(\d+)"
    at, script, unmerged = FIRST, "SECTIONS {\n", []
    for name, size, flags, alignment in re.findall(row, listing):
        if "A" in flags:
            step = max(int(alignment), 1)
            at = -(-at // step) * step
            script += f'  "{name}" {at:#x} : {{ *("{name}") }}\n'
            at += int(size, 16)
            if "M" in flags:  # or the linker would move the texts in it
                unmerged.append(f"--set-section-flags={name}=alloc,readonly,data")
    with open(out + ".lds", "w") as to:
        to.write(script + "}\n")
    output_of("objcopy", *unmerged, file, out + ".ko")
    # What the module takes from the kernel stays 0; nobody runs it.
    ignored = ["--unresolved-symbols=ignore-all", "--noinhibit-exec", "--no-relax", "--build-id=none"]
    output_of("ld", "-T", out + ".lds", "-e", "0", *ignored, "-o", out, out + ".ko")
    return out
