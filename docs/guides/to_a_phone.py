# %% [markdown]
# # To a phone
#
# **Author:** the tfsr maintainers<br>
# **Date created:** 2026/11/30<br>
# **Last modified:** 2026/11/30<br>
# **Description:** Export a preset as a TFLite file, quantize it, and run it as a phone does.

# %% [markdown]
# ## Introduction
#
# A phone runs TFLite files: a graph of fixed size with its weights, without Python and without
# Keras. This guide makes one from the preset `faces-mobile`, 0.12 million parameters, then smaller
# ones from the same weights, and compares them.
#
# Install tfsr with `pip install '.[export,faces]'`, and run the guide from the root of the
# repository.

# %% [markdown]
# ## Setup

# %%
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from PIL import Image

import tfsr

tf.get_logger().setLevel("ERROR")
OUT = Path("out/phone")
OUT.mkdir(parents=True, exist_ok=True)
LR, SIZE = (64, 64), (256, 256)

# %% [markdown]
# ## Faces to try it on
#
# The face presets expect aligned crops: square, upright, framed as `tfsr.faces.align` frames them.
# We crop all faces of a photograph, 64x64 pixels each. An app would use the face detector of its
# platform instead.

# %%
photograph = tfsr.images.read("export/web/test/photograph.jpg")
crops = []
for number, face in enumerate(tfsr.faces.find(photograph)):
    crop, _ = tfsr.faces.align(photograph, face, side=LR[0])
    crops.append(crop)
    Image.fromarray(crop).save(OUT / f"face-{number}.png")
Image.fromarray(np.concatenate(crops, axis=1))

# %% [markdown]
# ## Export
#
# A file has one input size and one or more output sizes, which share their weights. At integer
# scales it holds no gather, which is what GPU delegates need. Before the file is written it is run
# and compared with the Keras model; a file that disagrees is not written.

# %%
model = tfsr.from_preset("faces-mobile")
path = OUT / "face.tflite"
path.unlink(missing_ok=True)
report = tfsr.exporters.tflite(model, path, lr_size=LR, sizes=[SIZE, (192, 192)])
print(f"{report.bytes / 2**20:.2f} MiB, within {report.largest_difference:.0e} of the model")

# %% [markdown]
# The same on the command line, with the metadata of the preset in the file:
#
#     tfsr export tflite --preset faces-mobile --lr-size 64x64 --scales 3,4 -o face.tflite
#     tfsr inspect face.tflite
#
# ## Run it
#
# This is what an app does, written in Python: LiteRT, the runtime of phones, loads the file, and
# one signature is called for each output size. Its name is WxH.

# %%
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(str(path))
for name, signature in interpreter.get_signature_list().items():
    print(name, signature)
run = interpreter.get_signature_runner("256x256")
output = run(image=crops[0][None].astype(np.float32) / 255)["output"]
print(output.shape, output.dtype)

# %% [markdown]
# Input and output are RGB in [0, 1]; the output is not clipped. With `io="uint8"` both are bytes.
# In Python you need none of this: a `.tflite` file is an upscaler like any preset.


# %%
def restored(preset):
    """Join three of the faces, restored by a preset, a file or a model."""
    upscaler = tfsr.load_upscaler(preset)
    return np.concatenate([upscaler(crop, SIZE) for crop in crops[:3]], axis=1)


Image.fromarray(np.concatenate([restored("bicubic"), restored(path)]))

# %% [markdown]
# ## Make it smaller
#
# | `quantize` | what it does | needs |
# |---|---|---|
# | `"float16"` | stores weights in 16 bits and computes in float32 | |
# | `"dynamic"` | stores weights in 8 bits | |
# | `"int8"` | computes in 8 bits: the fastest on a processor | images to calibrate with |
#
# The calibration images should be of the kind that the app will see: at least a hundred faces, of
# which 16 are chosen. Here the faces of one photograph have to do. PSNR is between the file's
# output and that of the Keras model.

# %%
for quantize in ("float16", "dynamic", "int8"):
    path = OUT / f"face-{quantize}.tflite"
    path.unlink(missing_ok=True)
    calibration = sorted(OUT.glob("face-*.png")) if quantize == "int8" else ()
    report = tfsr.exporters.tflite(
        model, path, lr_size=LR, sizes=[SIZE], quantize=quantize, calibration=calibration
    )
    print(f"{quantize:8}{report.bytes / 2**20:6.2f} MiB {report.psnr_vs_model:6.1f} dB")

# %% [markdown]
# The last output once more, by the file in 8 bits, below that of the Keras model:

# %%
Image.fromarray(np.concatenate([restored(model), restored(OUT / "face-int8.tflite")]))

# %% [markdown]
# ## Into the app
#
# - [Phones and servers](../phones-and-servers.md): which file to choose; SavedModels for servers.
# - [Kotlin and Swift](../../export/mobile/README.md): code that calls the file on Android and iOS.
# - [The phone page](../../export/web/README.md): the same file in a browser, offline (`make web`).
# - [What each file costs](../../export/README.md): size, time, memory and decibels.
