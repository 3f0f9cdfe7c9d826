# gdb -batch -ex 'python file = "p.c"' -x gdb_facts.py PROGRAM: what gdb says of the source file, in
# the form of user_facts.cc.
#
# Lines of instructions are not asked for: of several rows of the line table for one address gdb takes
# the last that begins a statement, others take the last; user-compare asks addr2line.
import gdb
import re

lines = set()
seen = set()


def plain(name):
    for drop in ('(anonymous namespace)::', '{anonymous}::'):
        name = name.replace(drop, '')
    while re.search(r'\([^()]*\)|<[^<>]*>', name):
        name = re.sub(r'\([^()]*\)|<[^<>]*>', '', name)
    # Functions of local classes and closures: what is around them is written in many ways.
    name = name.split(' const')[0]
    return re.sub(r'.*(\bLocal|\bcalled|\{lambda[^{}]*\}|\$_\d+)::', '', name)


def text_of(written, depth=0):
    t = written.strip_typedefs().unqualified()
    code = t.code
    if code == gdb.TYPE_CODE_VOID:
        return 'void'
    if code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
        mark = {gdb.TYPE_CODE_PTR: '*', gdb.TYPE_CODE_REF: '&'}.get(code, '&&')
        return mark + ('' if depth >= 8 else text_of(t.target(), depth + 1))
    if code == gdb.TYPE_CODE_ARRAY:
        low, high = t.range()
        return '[%s]%s' % (high - low + 1 if high >= low else '', text_of(t.target(), depth))
    if code == gdb.TYPE_CODE_BOOL:
        return 'bool'
    if code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR):
        return 'int%d' % t.sizeof
    if code == gdb.TYPE_CODE_FLT:
        return 'float%d' % t.sizeof
    if code == gdb.TYPE_CODE_ENUM:
        return 'enum%d' % t.sizeof
    if code in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_METHOD):
        return 'function'
    if code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        members(t, depth)
        return '%s%d' % ('struct' if code == gdb.TYPE_CODE_STRUCT else 'union', t.sizeof)
    return '?'


def members(t, depth):
    name = (t.tag or t.name or '').replace('(anonymous namespace)::', '')
    name = plain(name).split('::')[-1]
    if not name or str(t) in seen or len(seen) > 300:
        return
    seen.add(str(t))
    for f in t.fields():
        if f.is_base_class or not f.name or not hasattr(f, 'bitpos'):
            continue
        bits = ' bit %d of %d' % (f.bitpos, f.bitsize) if f.bitsize else ''
        lines.add('M %s %s %d%s %s' % (name, f.name, 0 if bits else f.bitpos // 8, bits,
                                       text_of(f.type, depth)))


def around(block):
    """The block around a block; None around functions of local classes, which gdb nests in the function
    that the class is in."""
    outer = block.superblock
    if outer and not (outer.is_global or outer.is_static):
        return outer if outer.start <= block.start < outer.end else None
    return None


def instruction(pc):
    chain = []
    block = gdb.block_for_pc(pc)
    while block and not block.is_global and not block.is_static:
        if block.function:
            name = plain(block.function.print_name)
            inner = around(block)
            inlined = False
            while inner:
                inlined = inlined or inner.function is not None
                inner = around(inner)
            chain.append(name.split('::')[-1] if inlined else name)
        block = around(block)
    if chain:
        lines.add('P %#x %s' % (pc, ' '.join(chain)))


def function(symbol, block):
    name = plain(symbol.print_name)
    address = int(symbol.value().address)
    lines.add('F %s %#x %d' % (name, address, symbol.line))
    known = set()
    for pc in range(block.start, block.end):
        instruction(pc)
        inner = gdb.block_for_pc(pc)
        while inner and not (inner.function and inner.start == block.start and
                             inner.function.print_name == symbol.print_name):
            if inner.function:  # what is inlined has variables of its own
                inner = None
                break
            inner = inner.superblock
        if not inner:
            continue
        inner = gdb.block_for_pc(pc)
        while inner:
            for v in inner:
                if (v.is_variable or v.is_argument) and v.name not in known:
                    known.add(v.name)
                    lines.add('V %s %s %s' % (name, v.name, text_of(v.type)))
            if inner.function:
                break
            inner = inner.superblock


def outermost(pc):
    block = gdb.block_for_pc(pc)
    found = None
    while block and not block.is_static and not block.is_global:
        if block.function:
            found = block
        block = around(block)
    return found


# Every address of the text leads to its function: lists of symbols leave out what dwz has moved.
text = re.search(r'(0x[0-9a-f]+) - (0x[0-9a-f]+) is \.text', gdb.execute('info files', to_string=True))
done = set()
for pc in range(int(text.group(1), 16), int(text.group(2), 16)):
    block = outermost(pc)
    if not block or block.start in done:
        continue
    done.add(block.start)
    # Not the symtab of the function: of one that dwz has moved it is another.
    symtab = gdb.find_pc_line(block.start).symtab
    if symtab and symtab.filename.endswith(file):
        function(block.function, block)
for line in sorted(lines):
    print(line)
