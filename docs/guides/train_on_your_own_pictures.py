# %% [markdown]
# # Train on your own pictures
#
# **Author:** the tfsr maintainers<br>
# **Date created:** 2026/11/30<br>
# **Last modified:** 2026/11/30<br>
# **Description:** Fine-tune a preset for the blur of one scanner, measure it, and use it by name.

# %% [markdown]
# ## Introduction
#
# The presets are trained on many kinds of damage, and are a compromise between them. If all of
# your pictures come from the same device, a model that is trained for that device does better.
#
# Our example is a scanner. Its lens is soft, so that each pixel is mixed with its neighbours, and
# it saves JPEG files of quality 90. We start from the preset `photos` and train for a minute, with
# Keras's own `fit`. The model should gain on scans, and lose on images without that blur.
#
# Run the guide from the root of the repository.

# %% [markdown]
# ## Setup

# %%
import os
import shutil
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

import tfsr
from tfsr.data import Sampler, SamplingConfig
from tfsr.data.tf_dataset import dataset
from tfsr.evaluation import DegradationSpec, restoration_psnr
from tfsr.losses import Charbonnier

tf.get_logger().setLevel("ERROR")
keras.utils.set_random_seed(0)

# %% [markdown]
# ## Two folders of images
#
# Training needs sharp originals, from which the small images are made. Put most of them in one
# folder, and others in a second one, to measure with. PNG, JPEG and WebP files of any size will
# do.
#
# One photograph is enough to show how it works. Use hundreds for a model that you want to keep:
# more images cost no more time per step.

# %%
IMAGES = Path("out/images")
for folder, photograph in (
    ("train", "export/web/test/photograph.jpg"),
    ("val", "tfsr/demo/page/sample.jpg"),
):
    (IMAGES / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(photograph, IMAGES / folder)
Image.open(IMAGES / "train" / "photograph.jpg")

# %% [markdown]
# ## What the scanner does
#
# A degradation is a list of steps, from the original to the low-resolution (LR) image: reduce it,
# blur it, save it as JPEG. A range, such as `{"jpeg": [80, 95]}`, is sampled anew for each image.
# [Degradations](../degradations.md) lists all steps, and the pipelines that are known by name.
#
# Compare the LR image with your real scans until they look alike: nothing matters more for the
# result.

# %%
SCANNER = ["to_lr", {"blur": 1.0}, {"jpeg": 90}]

original = tfsr.images.read(IMAGES / "val" / "sample.jpg")
pipeline = tfsr.degradations.get_pipeline(SCANNER)
scan = pipeline.degrade(original, (112, 180), np.random.default_rng(0))
Image.fromarray(tfsr.upscale(scan, scale=3, preset="bicubic"))

# %% [markdown]
# ## Samples
#
# A training sample is an LR crop of 24x24 pixels at a random scale between 1.5 and 3, with the
# colours of 576 points of the original. The points lie on 24 rows and 24 columns: on such a
# lattice, linear decoders like that of `photos` need no gather. Every sample is a function of the
# seed and the step, so two runs see the same data.

# %%
config = SamplingConfig(
    mode="random_crop",
    batch=4,
    lr_size=24,
    scale=(1.5, 3),
    num_points=576,
    points="lattice",
    degradation=SCANNER,
)
sampler = Sampler(IMAGES / "train", config, seed=0)
inputs, colours = sampler.batch(step=0)
print({name: value.shape for name, value in inputs.items()}, colours.shape)

# %% [markdown]
# ## Where we start
#
# `restoration_psnr` degrades each image, restores it, and compares the result with the original.
# We do that for scans and for images that were only reduced, at x2.

# %%
images = sorted((IMAGES / "val").iterdir())


def psnr(preset):
    """Print the mean PSNR on scans and on clean images, in dB."""
    upscaler = tfsr.load_upscaler(preset)
    for name, degradation in (("scans", SCANNER), ("clean", "bicubic")):
        spec = DegradationSpec(scale=2, degradation=degradation)
        print(f"{name}: {np.mean(restoration_psnr(upscaler, images, spec)):.2f} dB", end="  ")
    print()


for preset in ("bicubic", "photos-clean", "photos"):
    print(f"{preset:14}", end="")
    psnr(preset)

# %% [markdown]
# ## Train
#
# An `ImplicitSR` is a `keras.Model` on query points, so optimizers, schedules, callbacks and `fit`
# are Keras's own. The learning rate is a tenth of that of a training from scratch.

# %%
STEPS = 120

model = tfsr.from_preset("photos")
rate = keras.optimizers.schedules.CosineDecay(5e-4, STEPS)
model.compile(keras.optimizers.Adam(rate), Charbonnier())
start = time.monotonic()
history = model.fit(dataset(sampler), steps_per_epoch=STEPS // 4, epochs=4, verbose=0)
print("loss:", *(f"{loss:.4f}" for loss in history.history["loss"]))
print(f"{STEPS} steps in {time.monotonic() - start:.0f} s")

# %% [markdown]
# ## Where we are
#
# The gain on scans is for this scanner only: on clean images, which are not blurred, the model now
# sharpens what is sharp.

# %%
print(f"{'photos':14}", end="")
psnr("photos")
print(f"{'fine-tuned':14}", end="")
psnr(model)

# %% [markdown]
# The scan by the bicubic filter, by `photos`, and by the new model:

# %%
outputs = [
    tfsr.upscale(scan, scale=4, preset=preset)[60:360, 60:290]
    for preset in ("bicubic", "photos", model)
]
Image.fromarray(np.concatenate(outputs, axis=1))

# %% [markdown]
# ## Save it as a preset
#
# A preset is a directory with the configuration, the weights and their provenance. It is used
# wherever a preset's name is: in Python, `tfsr upscale --preset`, `tfsr evaluate` and `tfsr
# export`.

# %%
PRESET = Path("out/my-scanner")
shutil.rmtree(PRESET, ignore_errors=True)
model.save_to_preset(PRESET, {"provenance": {"licence": "my own images"}})
print(*sorted(path.name for path in PRESET.iterdir()))
print(tfsr.upscale(scan, scale=4, preset=PRESET).shape)

# %% [markdown]
# ## Longer trainings
#
# For more than an experiment use `tfsr train`. It writes checkpoints, resumes exactly where it was
# stopped, validates every epoch, keeps the best weights, and trains on several devices. The recipe
# of `photos`, with our scanner and our images:
#
#     tfsr train recipes/photos.yaml -o runs/scanner \
#         --data out/images/train --validation out/images/val \
#         --set init_from=photos --set training.steps=5000 \
#         --set "data.sampling.degradation=[to_lr, {blur: 1.0}, {jpeg: 90}]" \
#         --set "validation.degradations=[[to_lr, {blur: 1.0}, {jpeg: 90}]]"
#     tfsr save-preset runs/scanner -o my-scanner --clean photos-clean
#
# - [Training](../training.md): the keys of a recipe, and what a run writes.
# - [Recipes](../../recipes/README.md): those that made the presets.
# - [Degradations](../degradations.md): the steps, and adding one.
