"""Peak memory of upscaling a picture with a preset.

    python benchmarks/upscale_memory.py --side 1024 --scale 4

Runs `tfsr upscale` in a process of its own and reports the most memory it ever held.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=1024, help="height and width of the picture")
    parser.add_argument("--scale", type=float, default=4)
    parser.add_argument("--preset")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.png"
        shape = (arguments.side, arguments.side, 3)
        noise = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
        Image.fromarray(noise).save(source)
        command = [Path(sys.executable).with_name("tfsr"), "upscale", source]
        command += ["-o", Path(folder) / "out.png", "--scale", str(arguments.scale)]
        command += ["--preset", arguments.preset] if arguments.preset else []
        subprocess.run(command, check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"peak memory {peak * 1024 / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
