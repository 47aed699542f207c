"""Does the input pipeline keep the training step busy?

    python benchmarks/input_pipeline.py recipes/arasfsr-compact-faces.yaml --data DIR

Times, in one process, the pipeline alone, the training step alone on batches made beforehand, and
the two together as in training: there, the idle share is the part of the time that the step waits
for its batch.

    python benchmarks/input_pipeline.py recipes/arasfsr-compact-faces.yaml --data DIR --processes 2

Times the samples alone, once every image is decoded: in this process, and in so many of their own;
and says what 16 cores would make at the cost that one core was measured to have.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

from tfsr.cli.startup import import_keras

import_keras()

import keras  # noqa: E402

from tfsr.data import Sampler  # noqa: E402
from tfsr.data.processes import SampleProcesses  # noqa: E402
from tfsr.training import recipe_files as recipes  # noqa: E402
from tfsr.training.compilation import compiled_model  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--data", required=True, help="folder of training images")
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--processes", type=int, help="time the samples of so many processes")
    arguments = parser.parse_args()
    if arguments.processes:
        time_processes(arguments)
    else:
        time_pipeline(arguments)


def time_processes(arguments) -> None:
    """Rates of one process and of several, in batches a second."""
    recipe = recipes.load(arguments.recipe)
    sampler = Sampler(arguments.data, recipe.data.sampling, recipe.seed)
    for path in sampler.paths:
        sampler.images.read(path)
    count = arguments.batches
    _, one = timed(lambda: sampler.batch(count), count)
    print(f"this process  {1 / one:6.1f} batches/s of {recipe.data.sampling.batch}")
    for processes in sorted({1, arguments.processes}):
        with SampleProcesses(sampler, processes) as samples:
            threads = ThreadPoolExecutor(2 * processes)
            list(threads.map(samples.batch, range(4 * processes)))
            start = time.perf_counter()
            list(threads.map(samples.batch, range(processes * count)))
            rate = processes * count / (time.perf_counter() - start)
        print(
            f"{processes} process{'es' if processes > 1 else '  '}   {rate:6.1f} batches/s", end=""
        )
        print(f", {rate * one:.2f} x this one; 16 cores: {16 * rate / processes:.0f}/s")


def time_pipeline(arguments) -> None:
    """The pipeline, the step, and the two together, in samples a second."""
    from tfsr.data.tf_dataset import dataset

    recipe = recipes.load(arguments.recipe)
    sampler = Sampler(arguments.data, recipe.data.sampling, recipe.seed)
    # Every image once: later epochs find them decoded, and an epoch is short beside a run.
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
