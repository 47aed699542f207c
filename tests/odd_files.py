"""Unusual and damaged image files.

`make` writes them all to a folder. `IMAGES` has the pixels of the readable ones, `REFUSED` a word
of the error message of each of the others.
"""

import io
import os
import struct
import zlib

import numpy as np
import tifffile
import tiny
from PIL import Image, ImageCms, PngImagePlugin

RGB = tiny.image(12, 16)
GREY = RGB[..., :1]
ALPHA = np.tile(np.linspace(0, 255, 16).astype(np.uint8), (12, 1))[..., None]
RGBA = np.concatenate([RGB, ALPHA], axis=-1)
DEEP = RGB.astype(np.uint16) * 257 + np.arange(16, dtype=np.uint16)[None, :, None] % 7
DEEP_GREY = DEEP[..., :1]
DEEP_ALPHA = np.concatenate([DEEP, ALPHA.astype(np.uint16) * 257], axis=-1)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

BITS = np.where(GREY > 127, 255, 0).astype(np.uint8)
INDEXED = Image.fromarray(RGB).quantize(32)
KEYED = np.asarray(Image.fromarray(RGB).quantize(32).convert("RGB"))


def encoded(image, image_format="PNG", **options):
    """The bytes of a file."""
    file = io.BytesIO()
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    image.save(file, image_format, **options)
    return file.getvalue()


def chunk(kind, content):
    """A chunk of a PNG file."""
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def png(width, height, depth, colour, rows=b"", *extra):
    """A PNG file that Pillow cannot write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*chunks, chunk(b"IEND", b"")])


def deep_png(pixels, *extra):
    """A PNG file of 16 bits a channel."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return png(width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], rows, *extra)


def deep_tiff(pixels, **options):
    """A TIFF file of 16 bits a channel, in colour."""
    file = io.BytesIO()
    options = {"metadata": None, "software": False, **options}
    tifffile.imwrite(file, pixels, photometric="rgb", **options)
    return file.getvalue()


def oriented(number):
    """A PNG file with an EXIF orientation, equal to RGB once it is upright."""
    stored = {
        1: RGB,
        2: RGB[:, ::-1],
        3: RGB[::-1, ::-1],
        4: RGB[::-1],
        5: RGB.transpose(1, 0, 2),
        6: RGB.transpose(1, 0, 2)[::-1],
        7: RGB[::-1, ::-1].transpose(1, 0, 2),
        8: RGB.transpose(1, 0, 2)[:, ::-1],
    }[number]
    exif = Image.Exif()
    exif[0x0112] = number
    return encoded(np.ascontiguousarray(stored), exif=exif)


def keyed_png():
    """RGB with one colour declared transparent."""
    info = PngImagePlugin.PngInfo()
    return encoded(RGB, transparency=tuple(int(c) for c in RGB[0, 0]), pnginfo=info)


def keyed_pixels():
    hidden = (RGB == RGB[0, 0]).all(axis=-1, keepdims=True)
    return np.concatenate([RGB, np.where(hidden, 0, 255).astype(np.uint8)], axis=-1)


def keyed_16_bits(pixels):
    """A 16-bit PNG file with its first colour declared transparent, and its pixels."""
    key = pixels[0, 0]
    hidden = (pixels == key).all(axis=-1, keepdims=True)
    content = deep_png(pixels, chunk(b"tRNS", key.astype(">u2").tobytes()))
    return content, np.concatenate([pixels, np.where(hidden, 0, 65535).astype(np.uint16)], axis=-1)


def twelve_bits():
    """A TIFF file of 12 bits of grey, as microscopes write, and its pixels."""
    levels = DEEP_GREY[..., 0] >> 4
    first, second = levels[:, ::2], levels[:, 1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1)
    strip = packed.astype(np.uint8).tobytes()
    tags = ((256, 16), (257, 12), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 12))
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in (*tags, (279, len(strip)))]
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    content = struct.pack("<2sHI", b"II", 42, 8 + len(strip)) + strip + directory
    return content, np.round(levels[..., None] / 4095 * 65535).astype(np.uint16)


def white_is_zero():
    """A 16-bit TIFF file in which 0 is white."""
    file = io.BytesIO()
    options = {"photometric": "miniswhite", "metadata": None, "software": False}
    tifffile.imwrite(file, 65535 - DEEP_GREY[..., 0], **options)
    return file.getvalue()


def indexed_transparent():
    """A palette image with one transparent entry, and its pixels."""
    content = encoded(INDEXED, transparency=3)
    with Image.open(io.BytesIO(content)) as image:
        return content, np.array(image.convert("RGBA"))


def animation(image_format):
    """Three frames."""
    frames = [Image.fromarray(tiny.image(12, 16, seed)) for seed in range(3)]
    return encoded(
        frames[0], image_format, save_all=True, append_images=frames[1:], duration=70, lossless=True
    )


# Name: (content, its pixels; None for lossy formats).
IMAGES = {
    "rgb.png": (encoded(RGB), RGB),
    "grey.png": (encoded(GREY), GREY),
    "grey-alpha.png": (
        encoded(np.concatenate([GREY, ALPHA], -1)),
        np.concatenate([GREY, ALPHA], -1),
    ),
    "alpha.png": (encoded(RGBA), RGBA),
    "keyed.png": (keyed_png(), keyed_pixels()),
    "palette.png": (encoded(INDEXED), KEYED),
    "palette-clear.png": indexed_transparent(),
    "1-bit.png": (encoded(Image.fromarray(BITS[..., 0]).convert("1")), BITS),
    "1-bit.tif": (
        encoded(Image.fromarray(BITS[..., 0]).convert("1"), "TIFF", compression="group4"),
        BITS,
    ),
    "grey16.png": (encoded(DEEP_GREY), DEEP_GREY),
    "rgb16.png": (deep_png(DEEP), DEEP),
    "rgba16.png": (deep_png(DEEP_ALPHA), DEEP_ALPHA),
    "la16.png": (deep_png(DEEP_ALPHA[..., 2:]), DEEP_ALPHA[..., 2:]),
    "keyed-rgb16.png": keyed_16_bits(DEEP),
    "keyed-grey16.png": keyed_16_bits(DEEP_GREY),
    "grey16.tif": (encoded(DEEP_GREY, "TIFF"), DEEP_GREY),
    "grey12.tif": twelve_bits(),
    "white-is-zero16.tif": (white_is_zero(), DEEP_GREY),
    "rgb16.tif": (deep_tiff(DEEP, compression="zlib", predictor=True), DEEP),
    "rgb16-big-endian.tif": (deep_tiff(DEEP, byteorder=">"), DEEP),
    "rgb16-planes.tiff": (
        deep_tiff(np.moveaxis(DEEP, -1, 0), planarconfig="separate"),
        DEEP,
    ),
    "rgb-lzw.tif": (encoded(RGB, "TIFF", compression="tiff_lzw"), RGB),
    "rgb.bmp": (encoded(RGB, "BMP"), RGB),
    "lossless.webp": (encoded(RGBA, "WEBP", lossless=True, exact=True), RGBA),
    "lossy.webp": (encoded(RGB, "WEBP"), None),
    "photo.jpg": (encoded(RGB, "JPEG"), None),
    "progressive.jpeg": (encoded(RGB, "JPEG", progressive=True), None),
    "grey.jpg": (encoded(GREY, "JPEG"), None),
    "cmyk.jpg": (encoded(Image.fromarray(RGB).convert("CMYK"), "JPEG"), None),
    "cmyk.tif": (
        encoded(Image.fromarray(RGB).convert("CMYK"), "TIFF"),
        np.asarray(Image.fromarray(RGB).convert("CMYK").convert("RGB")),
    ),
    "photo.avif": (encoded(RGB, "AVIF"), None),
    "animated.webp": (animation("WEBP"), RGB),
    "animated.png": (animation("PNG"), RGB),
    "pages.tif": (animation("TIFF"), RGB),
    "profile.png": (encoded(RGB, icc_profile=PROFILE), RGB),
    "profile16.png": (
        deep_png(DEEP, chunk(b"iCCP", b"x\0\0" + zlib.compress(PROFILE))),
        DEEP,
    ),
    "broken-profile.png": (encoded(RGB, icc_profile=b"no profile"), RGB),
    "broken-exif.jpg": (encoded(RGB, "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff junk"), None),
    "wrong-suffix.png": (encoded(RGB, "JPEG"), None),
    "LOUD.PNG": (encoded(RGB), RGB),
    "1x1.png": (encoded(RGB[:1, :1]), RGB[:1, :1]),
    "1x200.png": (
        encoded(np.tile(RGB[:, :1], (17, 1, 1))[:200]),
        np.tile(RGB[:, :1], (17, 1, 1))[:200],
    ),
    "trailing-rubbish.png": (encoded(RGB) + b"rubbish", RGB),
    "ünïcödé 顔.png": (encoded(RGB), RGB),
    "two\nlines.png": (encoded(RGB), RGB),
    os.fsdecode(b"no text \xff.png"): (encoded(RGB), RGB),
    "-o.png": (encoded(RGB), RGB),
    "a" * 251 + ".png": (encoded(RGB), RGB),
    "[*?].png": (encoded(RGB), RGB),
    **{f"orientation-{number}.png": (oriented(number), RGB) for number in range(1, 9)},
}

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
# Name: (content, a word of the message).
REFUSED = {
    "empty.png": (b"", "empty"),
    # Pillow does not read HEIC, only AVIF, which comes in the same container.
    **{
        f"{brand}.{suffix}": (
            b"\0\0\0\x18ftyp" + brand.encode() + b"\0\0\0\0mif1heic\0\0\0\x10meta" + bytes(40),
            "not a PNG" if suffix == "png" else "suffix must be one of .* received '.heic'",
        )
        for brand, suffix in (("heic", "png"), ("mif1", "png"), ("heic", "heic"))
    },
    "text.png": (b"a face, in words\n" * 20, "not a PNG"),
    "drawing.png": (_SVG, "not a PNG"),
    "drawing.svg": (_SVG, "suffix"),
    "print.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a PNG"),
    "document.png": (b"%PDF-1.4\n", "not a PNG"),
    "gif.png": (encoded(INDEXED, "GIF"), "not a PNG"),
    "cut.png": (encoded(RGB)[:200], "cut short"),
    "cut.jpg": (encoded(RGB, "JPEG")[:-60], "cut short"),
    "cut.webp": (encoded(RGB, "WEBP", lossless=True)[:-80], "damaged|not a PNG"),
    "cut.bmp": (encoded(RGB, "BMP")[:-100], "cut short"),
    "cut.tif": (encoded(RGB, "TIFF", compression="tiff_lzw")[:150], "cut short|not a PNG"),
    "cut.avif": (encoded(RGB, "AVIF")[:-100], "cut short|not a PNG"),
    "cut16.png": (deep_png(DEEP)[:-60], "cut short"),
    "cut16.tif": (deep_tiff(DEEP)[:-100], "cut short"),
    "damaged16.png": (deep_png(DEEP)[:70] + b"????" + deep_png(DEEP)[74:], "damaged"),
    "bomb.png": (png(20000, 20000, 8, 2), "178956970"),
    "large.png": (png(10000, 10000, 8, 2), "max_input"),
    "hollow.png": (png(4, 4, 8, 2), "cut short"),
    "no-pixels.png": (png(0, 0, 8, 2), "damaged|not a PNG"),
    "float.tif": (encoded(Image.fromarray(np.float32(RGB[..., 0])), "TIFF"), "32-bit"),
    "lab.tif": (encoded(Image.merge("LAB", Image.fromarray(RGB).split()), "TIFF"), "Lab"),
}
# Not made by writing content to a file.
REFUSED_OTHERWISE = {
    "folder.png": "no image in it",
    "loop.png": "symbolic links",
    "broken-link.png": "No such file",
    "pipe.png": "not a regular file",
    "missing.png": "no such file",
    "unreadable.png": "Permission denied",
}


def make(folder):
    """Write every file and return their paths; missing.png does not exist."""
    folder.mkdir()
    for name, (content, _) in {**IMAGES, **REFUSED}.items():
        (folder / name).write_bytes(content)
    (folder / "folder.png").mkdir()
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "broken-link.png").symlink_to(folder / "gone.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "unreadable.png").write_bytes(encoded(RGB))
    (folder / "unreadable.png").chmod(0)
    return [folder / name for name in (*IMAGES, *REFUSED, *REFUSED_OTHERWISE)]
