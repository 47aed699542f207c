# %% [markdown]
# # Restore a photograph
#
# **Author:** the tfsr maintainers<br>
# **Date created:** 2026/11/30<br>
# **Last modified:** 2026/11/30<br>
# **Description:** Enlarge a small photograph with the faces in it, and choose how much is restored.

# %% [markdown]
# ## Introduction
#
# A bicubic filter makes a small photograph large, but not sharp. tfsr computes each pixel of the
# output with a neural network: the faces with one preset, everything else with another. The output
# can have any size.
#
# This guide restores a photograph of four people. On the command line it is one line:
#
#     tfsr upscale docs/images/group.png -o large.png --scale 4
#
# Install tfsr with `pip install '.[faces]'`, and run the guide from the root of the repository; or
# set `PHOTOGRAPH` to a photograph of your own.

# %% [markdown]
# ## Setup

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from PIL import Image

import tfsr

tf.get_logger().setLevel("ERROR")
PHOTOGRAPH = "docs/images/group.png"
SCALE = 4

# %% [markdown]
# ## The photograph
#
# `tfsr.images.read` returns the pixels of a file as (height, width, 3) uint8, with EXIF rotation
# applied. The faces of this one are 30 pixels wide.

# %%
photograph = tfsr.images.read(PHOTOGRAPH)
print(photograph.shape, photograph.dtype)
Image.fromarray(photograph)

# %% [markdown]
# ## Enlarge it
#
# `faces="auto"` finds the faces in the image and restores each with the preset `faces`, from the
# photograph's own pixels. The preset `photos` upscales the rest. Load an upscaler once and use it
# for many images: it caches what it compiles.

# %%
upscaler = tfsr.load_upscaler(faces="auto")
restored = upscaler.upscale(photograph, scale=SCALE)
print(restored.shape, restored.dtype)
Image.fromarray(restored)

# %% [markdown]
# The result has the type of the input: an array here, a Pillow image for a Pillow image or a path,
# a tensor for a tensor.
#
# ## Look closely
#
# `details` describes the last image: where its faces are, in pixels of the photograph, and whether
# each was restored. Faces that are large enough already are left to the background's preset.

# %%
for face in upscaler.details["faces"]:
    print(face)

# %% [markdown]
# One of the faces beside the output of the bicubic filter, on the left:

# %%
bicubic = tfsr.upscale(photograph, scale=SCALE, preset="bicubic")


def around(image, face, margin=12, scale=SCALE):
    """Crop the surroundings of a face from an image that is `scale` times the photograph."""
    x, y, width, height = face["box"]
    left, top = max(0, x - margin), max(0, y - margin)
    rows = slice(scale * top, scale * (y + height + margin))
    return image[rows, scale * left : scale * (x + width + margin)]


def side_by_side(*images):
    """Join images of the same height."""
    return Image.fromarray(np.concatenate(images, axis=1))


face = upscaler.details["faces"][0]
side_by_side(around(bicubic, face), around(restored, face))

# %% [markdown]
# The presets minimise the mean error. They restore what the small image implies and invent no
# details, so a very small face stays soft. Nothing in the output is evidence of who somebody is.
#
# ## Choose the strength
#
# The default presets remove the blur, noise and JPEG blocks that photographs usually have, and
# with them some fine texture. `strength` interpolates between the clean twin of a preset (0),
# which keeps both texture and damage, and the preset (1, the default). Here are 0, 0.5 and 1:

# %%
columns = []
for strength in (0, 0.5, 1):
    variant = tfsr.load_upscaler("faces", strength=strength)
    crop = np.ascontiguousarray(around(photograph, face, scale=1))
    columns.append(variant.upscale(crop, scale=SCALE))
side_by_side(*columns)

# %% [markdown]
# Take the smallest strength without visible damage.
#
# ## Any size
#
# Give exactly one of `scale`, `size`, `long_side`, `short_side` and `megapixels`. In Python, sizes
# are (height, width), as in arrays.

# %%
crop = photograph[60:120, 180:260]
faces = tfsr.load_upscaler("faces")
print(faces.upscale(crop, scale=1.7).shape)
print(faces.upscale(crop, size=(211, 173), fit="cover").shape)
print(faces.upscale(crop, long_side=333).shape)

# %% [markdown]
# ## Write a file
#
# With a path as input and `output`, the result is a file with the transparency, ICC profile, EXIF
# and resolution of the original. An existing file is replaced only with `overwrite=True`.

# %%
os.makedirs("out", exist_ok=True)
path = upscaler.upscale(PHOTOGRAPH, scale=2, output="out/group-x2.jpg", overwrite=True)
with Image.open(path) as image:
    print(path, image.format, image.size)

# %% [markdown]
# ## What to read next
#
# - [Photographs](../photographs.md): faces that are not found, self-ensemble, every option.
# - [From Python](../python.md): types, sizes, errors, and the model itself.
# - [Train on your own pictures](train_on_your_own_pictures.py): for damage that no preset knows.
