"""Does the input pipeline keep the training step busy?

    python benchmarks/input_pipeline.py recipes/arasfsr-compact-faces.yaml --data DIR

Times, in one process, the pipeline alone, the training step alone on batches made beforehand, and
the two together as in training: there, the idle share is the part of the time that the step waits
for its batch.
"""

import argparse
import time

from tfsr.cli.quiet import import_keras

import_keras()

import keras  # noqa: E402

from tfsr.data import Sampler  # noqa: E402
from tfsr.data.pipeline import dataset  # noqa: E402
from tfsr.training import recipe_files as recipes  # noqa: E402
from tfsr.training.compilation import compiled_model  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--data", required=True, help="folder of training pictures")
    parser.add_argument("--batches", type=int, default=40)
    arguments = parser.parse_args()

    recipe = recipes.load(arguments.recipe)
    sampler = Sampler(arguments.data, recipe.data.sampling, recipe.seed)
    # Every picture once: later epochs find them decoded, and an epoch is short beside a run.
    warm = len(sampler.paths) // recipe.data.sampling.batch + 1
    stream = iter(dataset(sampler))
    for _ in range(warm):
        next(stream)
    batches, pipeline = timed(lambda: next(stream), arguments.batches)

    model = compiled_model(recipe)
    for batch in batches[:3]:
        model.train_on_batch(*batch)
    remaining = iter(batches)
    _, step = timed(lambda: model.train_on_batch(*next(remaining)), arguments.batches)
    waits, both = timed(lambda: train_one(model, stream), arguments.batches)

    size = recipe.data.sampling.batch
    print(f"pipeline alone  {size / pipeline:8.1f} samples/s")
    print(f"training step   {size / step:8.1f} samples/s")
    print(f"together        {size / both:8.1f} samples/s")
    print(f"the pipeline is {step / pipeline:.1f} x as fast as the step")
    print(f"the step waits for its batch {100 * sum(waits) / both / len(waits):.2f} % of the time")


def train_one(model: keras.Model, stream) -> float:
    """Train one step on the stream's next batch; the seconds it waited for it."""
    start = time.perf_counter()
    batch = next(stream)
    waited = time.perf_counter() - start
    model.train_on_batch(*batch)
    return waited


def timed(function, count):
    """The results of `count` calls, and the mean seconds of one."""
    start = time.perf_counter()
    results = [function() for _ in range(count)]
    return results, (time.perf_counter() - start) / count


if __name__ == "__main__":
    main()
