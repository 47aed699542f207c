"""Files as they come out of broken disks, half-done copies and ill will."""

import struct
import zlib

_PNG = b"\x89PNG\r\n\x1a\n"
_EXTREMES = (b"\0", b"\xff", b"\x7f", b"\x80")
_SPAN = 64
_TIFF_TAGS = (
    *(256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324),
    *(325, 330, 338, 339, 347, 530, 32997, 32998, 34665, 34675, 37724),
)
_HDF5_MARKS = (b"\x89HDF", b"TREE", b"HEAP", b"SNOD", b"\1\0\x05\0", b"\1\0\1\0\1\0\0\0")


def mutate(content, random):
    """The same bytes with one to three things wrong with them.

    Args:
        content: bytes of a good file.
        random: a `random.Random`; the same state gives the same output.
    """
    damaged = bytearray(content)
    for _ in range(random.randint(1, 3)):
        random.choice(_WAYS)(damaged, random)
    return bytes(damaged)


def with_right_checks(png):
    """A PNG file whose chunks have the checks of what is in them now.

    Without this, hardly any damage would get past the reader's first look.
    """
    if not png.startswith(_PNG):
        return png
    output, place = bytearray(png), len(_PNG)
    while place + 12 <= len(output):
        length = int.from_bytes(output[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(output):
            break
        output[end : end + 4] = struct.pack(">I", zlib.crc32(output[place + 4 : end]))
        place = end + 4
    return bytes(output)


def with_other_tags(tiff, random):
    """A TIFF file with one to three entries of its first directory changed, or one more.

    Damage anywhere seldom meets the few numbers that decide what a decoder allocates.
    """
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return tiff
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return tiff
    (count,) = struct.unpack_from(order + "H", tiff, start)
    first, end = start + 2, start + 2 + 12 * count
    entries = [tiff[i : i + 12] for i in range(first, min(end, len(tiff)), 12)]
    for _ in range(random.randint(1, 3)):
        tag = random.choice(_TIFF_TAGS)
        value = random.choice((0, 1, 2, 3, 7, 16, 255, 65_535, 10**6, 2**31, 2**32 - 1))
        number = random.choice((1, 1, 1, 3, 300, 10**6, 2**32 - 1))
        kind = random.choice((1, 2, 3, 4, 5, 12, 13, 16))
        entry = struct.pack(order + "HHII", tag, kind, number, value)
        others = [x for x in entries if x[:2] != entry[:2]] if random.random() < 0.8 else entries
        entries = sorted([*others, entry], key=lambda x: struct.unpack_from(order + "H", x))
    # At the end: the directory may have become longer.
    head = tiff[:4] + struct.pack(order + "I", len(tiff)) + tiff[8:]
    return head + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)


def with_other_structure(hdf5, random):
    """An HDF5 file whose headers, trees and names are changed, not its numbers."""
    damaged = bytearray(hdf5)
    marks = [i for mark in _HDF5_MARKS for i in _all(hdf5, mark)]
    for _ in range(random.randint(1, 4)):
        place = random.choice(marks) + random.randrange(96) if marks else 0
        value = random.choice((b"\0", b"\xff", random.randbytes(1))) * random.choice((1, 2, 8))
        damaged[place : place + len(value)] = value[: len(damaged[place : place + len(value)])]
    return bytes(damaged)


def with_aliases(recipe, random):
    """A YAML file in which values stand for values that stand for values."""
    depth, width = random.randint(1, 12), random.randint(1, 12)
    lines = ["a0: &a0 [1, 2]"]
    for i in range(1, depth):
        names = ", ".join([f"*a{i - 1}"] * width)
        form = random.choice(("[{}]", "{{k: [{}]}}", "{{<<: [{}]}}"))
        lines.append(f"a{i}: &a{i} " + form.format(names))
    if random.random() < 0.3:
        lines.append("self: &self [*self]")
    return "\n".join(lines).encode() + b"\n" + recipe


def _all(content, mark):
    place = content.find(mark)
    while place >= 0:
        yield place
        place = content.find(mark, place + 1)


def _place(damaged, random):
    """Half of all places are near an end, where formats keep what decides about the rest."""
    length = len(damaged)
    near = random.randrange(min(length, 512)) if length else 0
    return random.choice((random.randrange(length or 1), near, max(0, length - 1 - near)))


def _flip(damaged, random):
    for _ in range(random.randint(1, 8)):
        if damaged:
            damaged[_place(damaged, random)] ^= 1 << random.randrange(8)


def _cut(damaged, random):
    del damaged[_place(damaged, random) :]


def _insert(damaged, random):
    place = _place(damaged, random)
    damaged[place:place] = random.randbytes(random.randint(1, _SPAN))


def _splice(damaged, random):
    """A piece of the file over another."""
    start, place = _place(damaged, random), _place(damaged, random)
    piece = damaged[start : start + random.randint(1, _SPAN)]
    damaged[place : place + len(piece)] = piece


def _zero(damaged, random):
    place = _place(damaged, random)
    length = len(damaged[place : place + random.randint(1, _SPAN)])
    damaged[place : place + length] = bytes(length)


def _extreme(damaged, random):
    """What may be a length: nothing, the most, or the most with a sign."""
    place, size = _place(damaged, random), random.choice((1, 2, 4, 8))
    first, others = random.choice(_EXTREMES), random.choice((b"\0", b"\xff"))
    value = first + others * (size - 1)
    value = value if random.random() < 0.5 else value[::-1]
    damaged[place : place + size] = value[: len(damaged[place : place + size])]


_WAYS = (_flip, _cut, _insert, _splice, _zero, _extreme)
