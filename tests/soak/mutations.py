"""Files as they come out of broken disks, half-done copies and ill will."""

import struct
import zlib

_PNG = b"\x89PNG\r\n\x1a\n"
_EXTREMES = (b"\0", b"\xff", b"\x7f", b"\x80")
_SPAN = 64


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
