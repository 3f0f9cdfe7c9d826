# SPDX-License-Identifier: GPL-2.0
"""Runs inside gdb (see `compare`): asks gdb and stp for the variables of many instructions.

gdb reads each variable on the machine of machine.py; stp tells where the variable is, in words, and
those are computed on the same machine. So two locations agree when they lead to the same address or
give the same number, however they are written.

Where the two may differ is in the functions called rule_*, each with its reason. Whatever else
differs is printed, and makes the exit status 1.
"""
import argparse
import collections
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

import gdb

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import machine  # noqa: E402
import scope  # noqa: E402

MASK = machine.MASK


# ---------------------------------------------------------------- values, from locations in words


class Word:
    """64 bits, which wrap; compared and divided as signed numbers, as DWARF does."""

    def __init__(self, value):
        self.bits = int(value) & MASK

    def signed(self):
        return self.bits - (self.bits >> 63 << 64)

    def __index__(self):
        return self.bits


def operator(compute):
    def with_words(a, b):
        return Word(compute(word(a), word(b)))

    return with_words


def word(value):
    return value if isinstance(value, Word) else Word(value)


for name, compute in {
    "add": lambda a, b: a.bits + b.bits,
    "sub": lambda a, b: a.bits - b.bits,
    "mul": lambda a, b: a.bits * b.bits,
    "and": lambda a, b: a.bits & b.bits,
    "or": lambda a, b: a.bits | b.bits,
    "xor": lambda a, b: a.bits ^ b.bits,
    "lshift": lambda a, b: a.bits << b.bits if b.bits < 64 else 0,
    "rshift": lambda a, b: a.bits >> b.bits if b.bits < 64 else 0,
}.items():
    setattr(Word, f"__{name}__", operator(compute))
    setattr(Word, f"__r{name}__", operator(lambda b, a, compute=compute: compute(a, b)))
for name, compute in {
    "truediv": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "mod": lambda a, b: a - b * int(a / b),
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}.items():
    setattr(Word, f"__{name}__", operator(lambda a, b, f=compute: f(a.signed(), b.signed())))
    if name in ("truediv", "mod"):  # of a number and a word; Python turns comparisons around itself
        setattr(Word, f"__r{name}__", operator(lambda b, a, f=compute: f(a.signed(), b.signed())))
Word.__neg__ = lambda a: Word(-a.bits)
Word.__invert__ = lambda a: Word(~a.bits)
Word.__abs__ = lambda a: Word(abs(a.signed()))


UNSIGNED = {
    "udiv": lambda a, b: a // b,
    "umod": lambda a, b: a % b,
    "ult": lambda a, b: a < b,
    "ule": lambda a, b: a <= b,
    "ugt": lambda a, b: a > b,
    "uge": lambda a, b: a >= b,
}


class Memory:
    def __init__(self, seed, size):
        self.seed, self.size = seed, size

    def __getitem__(self, address):
        return Word(int.from_bytes(machine.memory(self.seed, word(address).bits, self.size), "little"))


class NoCaller(Exception):
    """This machine has no caller that could tell what it passed; nor has gdb here."""


def by_caller(back, *callers):
    for address, passed in callers:
        if word(back).bits == word(address).bits:
            return passed
    raise NoCaller


class Machine:
    def __init__(self, seed, pc):
        self.seed = seed
        self.names = {n: Word(v) for n, v in machine.registers(seed).items()}
        self.names["rip"] = Word(pc)
        self.names.update({f"u{8 * n}": Memory(seed, n) for n in range(1, 9)})
        self.names["sar"] = lambda a, b: Word(word(a).signed() >> min(word(b).bits, 63))
        for name, compute in UNSIGNED.items():
            self.names[name] = operator(lambda a, b, f=compute: f(a.bits, b.bits))
        self.names["by_caller"] = by_caller
        self.names["select"] = lambda c, a, b: a if word(c).bits else b

    def compute(self, text):
        return word(eval(text, {"__builtins__": {}, "abs": abs}, self.names)).bits

    def place(self, text, size):
        """("at", address), ("is", bytes; None for a lost one), or ("none", why)."""
        try:
            return self.known_place(text, size)
        except ZeroDivisionError:
            return "none", "division by zero"
        except NoCaller:
            return "none", "by caller"

    def known_place(self, text, size):
        if text.startswith("no value"):
            return "none", text
        if match := re.fullmatch(r"pointer to \((.*)\) \+ (-?\d+)", text):
            kind, value = self.known_place(match[1], 1 << 8)
            return "to", value[int(match[2]) :] if kind == "is" else [None] * size
        if text.startswith("at "):
            return "at", self.compute(text[3:])
        if text.startswith(("in ", "computed: ")):
            bits = self.compute(text.split(" ", 1)[1])
            return "is", [(bits >> (8 * i)) & 255 if i < 8 else None for i in range(size)]
        found = []
        for part in re.split(r", (?=\d+ (?:bytes|bits) )", text):
            length, unit, how = part.split(" ", 2)
            if unit == "bits":
                return "none", "parts that are no bytes"
            kind, value = self.known_place(how, int(length)) if how != "lost" else ("is", [None] * int(length))
            found += machine.memory(self.seed, value, int(length)) if kind == "at" else value
        return "is", found


# -------------------------------------------------------------------------------- what gdb says


# gdb sometimes shortens what DWARF writes.
SPELLINGS = [
    ("(?<!long )unsigned long long", "long long unsigned int"),
    ("(?<!long )unsigned long", "long unsigned int"),
    ("unsigned short", "short unsigned int"),
    ("long long", "long long int"),
    ("(?<!long )long", "long int"),
    ("short", "short int"),
]


def c_type(type):
    """A type as stp writes it: without qualifiers, and functions without their parameters."""
    text = re.sub(r"\b(const|volatile|restrict|_Atomic)\b ?", "", str(type))
    text = without_parameters(text)
    for theirs, ours in SPELLINGS:
        text = re.sub(rf"\b{theirs}\b(?! int| long| unsigned| char)", ours, text)
    return re.sub(r" +", " ", re.sub(r"\* (?=[*)])", "*", text)).strip()


def without_parameters(text):
    """int (*)(u32 *, int (*)(int)) -> int (*)()"""
    kept, depth = "", 0
    for i, c in enumerate(text):
        if c == "(" and (depth or not text.startswith("(*", i)):
            kept += "" if depth else c
            depth += 1
        elif c == ")" and depth:
            depth -= 1
            kept += "" if depth else c
        elif not depth:
            kept += c
    return kept


def bare(type):
    return type.strip_typedefs().unqualified()


STRUCTURES = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION)


def members(type, start=0):
    """[(bit, bits or None, name, type)]; those of anonymous members among them, as scripts see it."""
    found = []
    for field in bare(type).fields():
        inner = bare(field.type)
        at = start + field.bitpos
        if not field.name and inner.code in STRUCTURES:
            found += members(inner, at)
        else:
            found.append((at, field.bitsize or None, field.name or "", field.type))
    return found


def layout(type):
    rows = [
        (at, bits, name, c_type(t), None if bits else t.sizeof) for at, bits, name, t in members(type)
    ]
    return tuple(rows), type.sizeof


def structure_of(type):
    type = bare(type)
    for _ in range(8):
        if type.code not in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ARRAY):
            break
        type = bare(type.target())
    return type if type.code in STRUCTURES and type.fields() else None


class Seen:
    """A variable as gdb knows it."""

    def __init__(self, symbol, frame, block):
        self.argument = symbol.is_argument
        self.static = symbol.addr_class == gdb.SYMBOL_LOC_STATIC
        self.unresolved = symbol.addr_class == gdb.SYMBOL_LOC_UNRESOLVED
        # As declared; a value's may have been cut to the members that its flexible array leaves.
        self.declared = self.type = symbol.type
        try:
            self.value = frame.read_var(symbol, block)
            self.type = self.value.type
        except gdb.error as error:
            self.value, self.why = None, str(error)

    def place(self):
        """As Machine.place(), but for what is no place in memory: {(byte, bytes): number}."""
        if self.value is None:
            return "none", self.why
        try:
            if self.value.is_optimized_out and bare(self.type).code not in (*STRUCTURES, gdb.TYPE_CODE_ARRAY):
                return "none", "optimised out"
            if self.value.address is not None:
                return "at", int(self.value.address) & MASK
            leaves = {}
            if self.is_synthetic(self.value):
                # What it points at has no address, but may have a value.
                self.leaves(self.value.dereference(), 0, leaves)
                return ("to", leaves) if leaves else ("none", "optimised out")
            self.leaves(self.value, 0, leaves)
            return ("is", leaves) if leaves else ("none", "optimised out")
        except gdb.error as error:
            return "none", str(error)

    @staticmethod
    def is_synthetic(value):
        pointer = bare(value.type).code == gdb.TYPE_CODE_PTR
        return pointer and "synthetic pointer" in value.format_string()

    def leaves(self, value, at, found):
        type = bare(value.type)
        if type.code in STRUCTURES:
            for field in value.type.strip_typedefs().fields():
                if not field.bitsize:
                    self.leaves(value[field], at + field.bitpos // 8, found)
                elif not value[field].is_optimized_out:
                    bits = int(value[field]) & ((1 << field.bitsize) - 1)
                    found["bits", 8 * at + field.bitpos, field.bitsize] = bits
        elif type.code == gdb.TYPE_CODE_ARRAY:
            low, high = type.range()
            for i in range(low, min(high, low + 64) + 1):
                self.leaves(value[i], at + (i - low) * type.target().sizeof, found)
        else:
            try:
                lost = value.is_optimized_out or self.is_synthetic(value)
                number = None if lost else int(value)
            except gdb.error:  # "value has been optimized out"
                return
            if number is not None:
                found[at, type.sizeof] = number & ((1 << (8 * type.sizeof)) - 1)


def frame_of(pc):
    """The frame of the function, not inlined, at an instruction."""
    gdb.execute(f"set $pc = {pc:#x}", to_string=True)
    frame = gdb.newest_frame()
    while frame.type() == gdb.INLINE_FRAME:
        frame = frame.older()
    return frame


def copies_at(pc, name):
    """The frames of what is inlined there by this name. A part of a function that the compiler split
    off and inlined into the rest of it has its name, too."""
    gdb.execute(f"set $pc = {pc:#x}", to_string=True)
    frame, found = gdb.newest_frame(), []
    while frame.type() == gdb.INLINE_FRAME:
        if frame.name() == name:
            found.append(frame)
        frame = frame.older()
    return found


def variables(frame):
    """{name: Seen}: of the frame's function, the innermost of a name."""
    found = {}
    block = frame.block()
    while block:
        for symbol in block:
            if symbol.name and (symbol.is_variable or symbol.is_argument) and symbol.name not in found:
                found[symbol.name] = Seen(symbol, frame, block)
        if block.function:
            break
        block = block.superblock
    return found


def own_block(pc):
    """The block of the function, not inlined, that holds an address; and the names and files of those
    inlined there."""
    inlined = []
    block = gdb.block_for_pc(pc)
    while block and not (block.function and block.superblock.is_static):
        if block.function:
            inlined.append((block.function.name, block.function.symtab.filename))
        block = block.superblock
    return block, inlined


# -------------------------------------------------------------------------------- what stp says


class Stp:
    def __init__(self, program, kernel):
        self.command = [program, "list", "-vvv", "-r", kernel]
        self.layouts = collections.defaultdict(set)
        self.refused = {}

    def ask(self, patterns):
        """{pattern: {address: {name: (type, place)}}}"""
        answers = {}
        for start in range(0, len(patterns), 400):
            some = patterns[start : start + 400]
            ran = subprocess.run(self.command + some, capture_output=True, text=True)
            if ran.returncode not in (0, 1) or "internal" in ran.stderr:
                raise SystemExit(f"{' '.join(self.command)} failed: {ran.stderr[-2000:]}")
            self.read(ran.stdout, answers)
            for line in ran.stderr.splitlines():
                if match := re.search(r"error: (0x[0-9a-f]+|'\S+') cannot be probed", line):
                    self.refused[match[1]] = line
        return answers

    def read(self, text, answers):
        point = rows = None
        for line in text.splitlines():
            if line.startswith(("kernel.", "module(")):
                name, at, address = line.rpartition(" at ")
                point = answers.setdefault(name, {}).setdefault(int(address, 16), {})
            elif match := re.fullmatch(r"  \$(.+?): (.+?), (.*)", line):
                point[match[1]] = match[2], match[3]
            elif match := re.fullmatch(r"    \+(\d+):(\d+) (\S*): (.*), (\d+) bits", line):
                rows.append((int(match[1]) * 8 + int(match[2]), int(match[5]), match[3], match[4], None))
            elif match := re.fullmatch(r"    \+(\d+) (\S*): (.*), (\d+) bytes", line):
                rows.append((int(match[1]) * 8, None, match[2], match[3], int(match[4])))
            elif match := re.fullmatch(r"  (\S.*), (\d+) bytes", line):
                rows = []
                self.layouts[match[1]].add((id(rows), int(match[2])))
                self.rows = getattr(self, "rows", {})
                self.rows[id(rows)] = rows
            else:
                raise SystemExit(f"compare: not understood: {line}")

    def layouts_of(self, name):
        return {(tuple(self.rows[rows]), size) for rows, size in self.layouts.get(name, ())}


# ------------------------------------------------------------------------------------ the rules


def rule_abstract(words):
    """A copy of a function names only variables that it has kept; stp also looks at the function that
    it is a copy of, for those that are lost, to say so, and for constants."""
    return words.startswith("no value") or re.fullmatch(r"computed: -?\w+", words)


def rule_no_code(theirs):
    """Variables of a block that has no code: gdb takes them for the function's. In C no instruction
    is in their scope; only static ones can be read."""
    return theirs.static or theirs.place()[0] == "none"


def rule_entry_outside(pc):
    """The compiler may say that a copy is entered at an instruction in front of its ranges
    (DW_AT_entry_pc): what it begins with was moved there. stp probes it there; gdb finds copies by
    their ranges alone, so there is nothing to compare with, but that it is code of a function."""
    return own_block(pc)[0] is not None


def rule_before_the_first(seen, at_entry, place, name, pc):
    """An empty range at a function's first instruction: gdb takes it for what holds there. That is so
    for parameters; of a local stp tells what holds behind it, if anything: it was not set before."""
    if not at_entry or seen.argument:
        return False
    scope = gdb.execute(f"info scope *{pc:#x}", to_string=True)
    told = re.search(rf"^Symbol {re.escape(name)} is (.*?)(?=^Symbol |\Z)", scope, re.M | re.S)
    empty = told and f"Range {pc:#x}-{pc:#x}:" in told[1]
    return place[0] == "none" or bool(empty)


def rule_copy(begins, seen, theirs):
    """Where an inlined copy begins, stp takes an empty range for its parameters as well: what was
    passed. gdb does so only at a function's entry, and may say what the copy makes of it. And of two
    copies that begin at one instruction it knows the one that holds the instruction."""
    return begins and (seen.argument or theirs[0] == "none")


def rule_passed(seen, at_entry, place):
    """At its function's first instruction an argument is where the calling convention puts it; gdb may
    take a range of the list that holds behind the first view."""
    return at_entry and seen.argument and place in (
        "in rdi", "in rsi", "in rdx", "in rcx", "in r8", "in r9")


def rule_uninitialised(words):
    """DW_OP_GNU_uninit marks what the program has not set; elfutils does not decode it, and nobody
    wants to read it."""
    return words.endswith("its location cannot be decoded")


def rule_branches(words):
    """Loops that count what no constant tells, as the compiler writes "count trailing zeros", would
    have to run when the probe is hit."""
    return words.endswith("its location branches too often")


def rule_constant(words, theirs):
    """Constants are the abstract function's; gdb asks the copy alone."""
    return theirs[0] == "none" and re.fullmatch(r"computed: -?\w+", words)


def rule_convention(theirs, place, at_entry):
    """At a function's first instruction stp knows from the calling convention, and gdb, which has no
    caller to ask on this machine, does not know entry values."""
    return at_entry and theirs[0] == "none" and place[0] != "none"


# -------------------------------------------------------------------------------- the comparison


class Comparison:
    def __init__(self, options, stp):
        self.o, self.stp = options, stp
        self.count = collections.Counter()
        self.explained = collections.Counter()
        self.their_layouts = collections.defaultdict(set)
        self.differences = []

    def differ(self, what):
        self.differences.append(what)

    def rule(self, rule, *args):
        if not rule(*args):
            return False
        self.explained[rule.__name__] += 1
        return True

    def any_of(self, frames, what, pc, listed, begins):
        """What fits one of the frames is right; else the differences from the outermost are told."""
        for frame in frames:
            trial = Comparison(self.o, self.stp)
            trial.point(what, pc, frame, listed, False, begins)
            if not trial.differences:
                break
        self.count += trial.count
        self.explained += trial.explained
        for name, layouts in trial.their_layouts.items():
            self.their_layouts[name] |= layouts
        self.differences += trial.differences

    def point(self, what, pc, frame, listed, at_entry, begins=False):
        self.count["places"] += 1
        theirs = variables(frame)
        for name, seen in theirs.items():
            if name in listed:
                if structure := structure_of(seen.declared):
                    self.their_layouts[c_type(structure)].add(layout(structure))
            elif not self.rule(rule_no_code, seen):
                self.differ(f"{what} ${name}: gdb knows it, stp does not")
        for name, (type, place) in listed.items():
            self.variable(f"{what} ${name}", pc, theirs.get(name), type, place, at_entry, begins)

    def variable(self, what, pc, seen, type, place, at_entry, begins):
        self.count["variables"] += 1
        # Arrays of variable length have, on this machine, any length.
        size = min(seen.type.sizeof, 1 << 14) if seen else 8
        ours = Machine(self.o.seed, pc).place(place, size)
        if seen is None:
            if not self.rule(rule_abstract, place):
                self.differ(f"{what}: stp knows it ({place}), gdb does not")
            return
        if type != c_type(seen.type):
            if self.rule(rule_no_code, seen):
                return
            self.differ(f"{what}: type {type}, gdb {c_type(seen.type)}")
        theirs = seen.place()
        if theirs[0] == "to" and ours[0] == "is" and None not in ours[1]:
            # What it points at is in memory: stp says where, gdb what is there.
            at = int.from_bytes(bytes(ours[1]), "little")
            ours = "to", list(machine.memory(self.o.seed, at, 1 << 8))
        self.count[theirs[0]] += 1
        if theirs[0] == ours[0] == "none" or theirs == ours:
            return
        if theirs[0] == ours[0] != "at" and self.same(theirs[1], ours[1]):
            return
        if (
            self.rule(rule_constant, place, theirs)
            or self.rule(rule_before_the_first, seen, at_entry, ours, what.split("$")[-1], pc)
            or self.rule(rule_uninitialised, place)
            or self.rule(rule_branches, place)
            or self.rule(rule_copy, begins, seen, theirs)
            or self.rule(rule_passed, seen, at_entry, place)
        ):
            return
        if not self.rule(rule_convention, theirs, ours, at_entry):
            told = f"at {theirs[1]:#x}" if theirs[0] == "at" else str(theirs)[:150]
            self.differ(f"{what}: stp {place} {str(ours)[:150]}, gdb {told}")

    def same(self, leaves, data):
        known = set()
        for where, number in leaves.items():
            at, size = where[-2:]
            if where[0] == "bits":
                if None in data:
                    return False
                if int.from_bytes(bytes(data), "little") >> at & ((1 << size) - 1) != number:
                    return False
                continue
            part = data[at : at + size]
            known |= set(range(at, at + size))
            if None in part or int.from_bytes(bytes(part), "little") != number:
                return False
        return True

    def layouts(self):
        for name, theirs in sorted(self.their_layouts.items()):
            self.count["structures"] += 1
            ours = self.stp.layouts_of(name)
            if not theirs <= ours:
                self.differ(f"layout of {name}: {differences(ours - theirs, theirs - ours)}")


def differences(ours, theirs):
    """What two layouts do not share."""
    if len(ours) != 1 or len(theirs) != 1:
        return f"stp has {len(ours)} that gdb has not, gdb {len(theirs)} that stp has not"
    (a, a_size), (b, b_size) = *ours, *theirs
    mine, its = [r for r in a if r not in b][:3], [r for r in b if r not in a][:3]
    return f"stp {a_size} bytes {mine}, gdb {b_size} bytes {its}"


def pick(options, where):
    found = where.symbols()
    random.Random(options.seed).shuffle(found)
    return found


def instructions(entry, options):
    """The entry and some beginnings of lines inside."""
    table = gdb.find_pc_line(entry).symtab.linetable()
    block, _ = own_block(entry)
    inside = sorted({row.pc for row in table if block.start < row.pc < block.end})
    around = {pc: own_block(pc)[0] for pc in inside}
    inside = [pc for pc in inside if around[pc] and around[pc].start == block.start]
    chosen = random.Random(options.seed ^ entry)
    return [entry] + sorted(chosen.sample(inside, min(len(inside), options.statements)))


def functions(options, where, most, comparison):
    places, inlined = {}, set()
    for entry, name in pick(options, where):
        if len(places) == most:
            break
        block, _ = own_block(entry)
        if not block or block.function.name != name:
            continue  # assembler; another name of a function
        places[entry] = name, instructions(entry, options)
        for pc in places[entry][1]:
            inlined |= set(own_block(pc)[1])
    answers = comparison.stp.ask(
        [f"{where.prefix}.statement({pc:#x})" for _, pcs in places.values() for pc in pcs]
    )
    by_pc = {pc: v for points in answers.values() for pc, v in points.items()}
    for entry, (name, pcs) in places.items():
        for pc in pcs:
            what = f"{name}+{pc - entry:#x} ({pc:#x})"
            if pc in by_pc:
                comparison.point(what, pc, frame_of(pc), by_pc[pc], pc == entry)
            elif f"{pc:#x}" in comparison.stp.refused:
                comparison.count["not to be probed"] += 1
            else:
                comparison.differ(f"{what}: stp lists nothing")
    return [name for name, _ in places.values()], sorted(inlined)


def copies(options, where, names, comparison):
    """Inlined copies, where they begin, and at lines inside of those that come from no header."""
    random.Random(options.seed).shuffle(names)
    names = names[: options.inlined]
    begin = [f'{where.prefix}.function("{n}").inline' for n, _ in names]
    inside = [f'{where.prefix}.statement("{n}@*:*")' for n, file in names if file.endswith(".c")]
    begins = {(n, pc) for n, pc, _ in named_points(comparison.stp.ask(begin), options, 1 << 30)}
    for patterns, most in (begin, 3), (inside, 6):
        for name, pc, listed in named_points(comparison.stp.ask(patterns), options, most):
            what, frames = f"copy of {name} ({pc:#x})", copies_at(pc, name)
            if frames:
                comparison.any_of(frames, what, pc, listed, (name, pc) in begins)
            elif patterns is begin and not comparison.rule(rule_entry_outside, pc):
                comparison.differ(f"{what}: gdb knows of none here")


def named_points(answers, options, most):
    """Some points of each function's."""
    by_name = collections.defaultdict(dict)
    for pattern, points in answers.items():
        by_name[re.search(r'(?:function|statement)\("([^"@]+)', pattern)[1]].update(points)
    for name, points in sorted(by_name.items()):
        for pc in random.Random(options.seed).sample(sorted(points), min(most, len(points))):
            yield name, pc, points[pc]


def with_stap(options, vmlinux, names, comparison):
    """Names and types of what stap -L shows of function entries."""
    stap_type = lambda text: re.sub(r" ?\*", "*", re.sub(r" ?\b(const|volatile|restrict)\b| ?(?=\[)|(?<=\[)\d+(?=\])", "", text)).strip()
    with tempfile.TemporaryDirectory() as build:
        headers = os.path.join(os.path.dirname(vmlinux), "../../../src", "linux-headers-" + options.release)
        for entry in os.listdir(headers):
            os.symlink(os.path.abspath(os.path.join(headers, entry)), os.path.join(build, entry))
        if not os.path.exists(os.path.join(build, "vmlinux")):
            os.symlink(vmlinux, os.path.join(build, "vmlinux"))
        for name in names[: options.stap]:
            ran = subprocess.run(
                ["stap", "-L", f'kernel.function("{name}").call', "-r", build], capture_output=True, text=True
            )
            ours = comparison.stp.ask([f'kernel.function("{name}").call'])
            for line in ran.stdout.splitlines():
                point, *shown = re.split(r" (?=\$)", line)
                point = point.split(").")[0].rstrip(")")
                listed = [v for p, points in ours.items() if p.startswith(point) for v in points.values()]
                comparison.count["points of stap"] += 1
                if f"'{name}'" in comparison.stp.refused:
                    comparison.explained["rule_forbidden"] += 1  # stap leaves that to the kernel
                    continue
                if not listed:
                    comparison.differ(f"stap has {point}, stp has not")
                for variable in shown:
                    its, type = variable[1:].split(":", 1)
                    mine = [v[its] for v in listed if its in v]
                    if not any(stap_type(t) == stap_type(type) for t, _ in mine):
                        comparison.differ(f"{point} ${its}: stap {type}, stp {mine}")
                    elif all(p.startswith("no value") for _, p in mine):
                        comparison.differ(f"{point} ${its}: stap can read it, stp says {mine[0][1]}")


def compare(options, where, most, comparison):
    gdb.execute(f"file {where.file}")
    gdb.execute(f"target remote | python3 {HERE}/machine.py {options.seed}", to_string=True)
    names, inlined = functions(options, where, most, comparison)
    copies(options, where, inlined, comparison)
    gdb.execute("disconnect", to_string=True)
    return names


def main():
    parser = argparse.ArgumentParser(prog="compare")
    parser.add_argument("--kernel", default="6.1")
    parser.add_argument("--functions", type=int, default=300)
    parser.add_argument("--statements", type=int, default=3)
    parser.add_argument("--inlined", type=int, default=60)
    parser.add_argument("--modules", type=int, default=0)
    parser.add_argument("--stap", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stp", default=os.path.join(HERE, "../../stp"))
    options = parser.parse_args(os.environ.get("COMPARE_ARGS", "").split())
    kernels = os.path.expanduser("~/.cache/stp/kernels")
    options.release = next(
        (k for k in sorted(os.listdir(kernels)) if k.startswith(options.kernel)), None
    ) or sys.exit(f"no kernel {options.kernel} in {kernels}")
    tree = os.path.join(kernels, options.release)
    gdb.execute("set pagination off")
    gdb.execute("set confirm off")
    # Return addresses here lead anywhere, and gdb would follow them for ever.
    gdb.execute("set backtrace limit 40")
    comparison = Comparison(options, Stp(options.stp, options.kernel))
    kernel = scope.Scope(tree, options.release)
    names = compare(options, kernel, options.functions, comparison)
    with_stap(options, kernel.file, names, comparison)
    with tempfile.TemporaryDirectory() as folder:
        for module in sorted(scope.debuginfo(tree, options.release)) if options.modules else ():
            where = scope.Scope(tree, options.release, module, folder)
            compared = compare(options, where, options.modules, comparison)
            comparison.count[f"functions of {module}"] += len(compared)
    comparison.layouts()
    lines = [f"DIFFERS {what}" for what in comparison.differences]
    lines.append(", ".join(f"{n} {what}" for what, n in comparison.count.items()))
    lines += [f"{n} explained by {rule}" for rule, n in comparison.explained.items()]
    lines.append(f"{len(comparison.differences)} differences")
    # gdb's own words about the machine are silenced, and with them what print() writes.
    os.write(1, ("\n".join(lines) + "\n").encode())
    return 1 if comparison.differences or not comparison.count["variables"] else 0


def run():
    """gdb's own way out tidies up for seconds."""
    status = 2
    try:
        status = main()
    except SystemExit as end:
        print(end, file=sys.stderr)
    except Exception:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)


run()
