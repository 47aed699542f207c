#!/usr/bin/env bash
# Train for a number of minutes on one rented GPU, by JAX and without TensorFlow:
#
#   recipes/gpu/run.sh RECIPE DATA OUTPUT MINUTES [KEY=VALUE ...]
#
# RECIPE    as `tfsr train` takes it; each KEY=VALUE changes a key of it.
# DATA      a folder of images, of which up to 12 are set aside for validation; or one with the
#           folders train/ and val/. Where train/ holds folders, they are those of the recipe, in the
#           order of their names: train/1-faces512, train/2-faces256.
# OUTPUT    the run's directory: best/ (a preset), checkpoints/, history.csv, log.txt. The same
#           command resumes it.
# MINUTES   until the end, installation and compilation included.
#
# The number of steps follows from the measured speed, with the cosine's end at the end of the time.
# Packages come from the wheels in $WHEELS (default: wheels/ beside DATA) if that folder exists,
# else from what $PYTHON (default: python3) has, else from pip. On a CPU it is a rehearsal:
#
#   recipes/gpu/run.sh RECIPE DATA OUTPUT 5 training.precision=float32
set -euo pipefail

usage() {
    echo "run.sh: $1; usage: run.sh RECIPE DATA OUTPUT MINUTES [KEY=VALUE ...]" >&2
    exit 2
}
[ $# -ge 4 ] || usage "4 arguments are needed, $# were given"
recipe=$1 data=$2 output=$3 minutes=$4
shift 4
[ -f "$recipe" ] || usage "RECIPE must be a file; got $recipe"
[ -d "$data" ] || usage "DATA must be a folder; got $data"
[[ $minutes =~ ^[1-9][0-9]*$ ]] || usage "MINUTES must be an integer above 0; got $minutes"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mkdir -p "$output"
output=$(cd "$output" && pwd)
exec 9>"$output/.lock"
flock --nonblock 9 || { echo "run.sh: $output: another run writes there" >&2; exit 1; }
# Not ended by Ctrl-C, so that the last lines are not lost.
exec > >(trap '' INT; tee -a "$output/log.txt") 2>&1

python=${PYTHON:-python3}
wheels=${WHEELS:-$data/../wheels}
# Kept for the next start with this OUTPUT.
packages=${TMPDIR:-/tmp}/tfsr-gpu-$(cksum <<<"$output" | cut -d ' ' -f 1)
gpu=$(command -v nvidia-smi || true)
export PYTHONPATH=$root KERAS_BACKEND=jax PYTHONUNBUFFERED=1

has_packages() {
    "$python" -c "import importlib.util as u, sys
sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))" \
        jax keras numpy PIL scipy tifffile h5py lazy_loader pydantic yaml rich typer
}
if [ -d "$wheels" ]; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --upgrade \
        --target "$packages" "$wheels"/*.whl
    export PYTHONPATH=$packages:$root
elif ! has_packages; then
    "$python" -m venv "$packages"
    python=$packages/bin/python
    jax=jax
    if [ -n "$gpu" ]; then
        cuda=$("$gpu" | sed -n 's/.*CUDA Version: \([0-9]*\).*/\1/p')
        jax="jax[cuda${cuda:-12}]"
    fi
    "$python" -m pip install --quiet "$jax" "keras>=3.15" numpy pillow scipy tifffile h5py lazy-loader pydantic pyyaml rich typer
fi
execution=1
if [ -n "$gpu" ]; then
    execution=10
    "$python" -c "import jax, sys; sys.exit(jax.default_backend() == 'cpu')" ||
        { echo "run.sh: there is a GPU, and this JAX cannot use it: install jax[cuda12]"; exit 1; }
fi

train=$data/train validation=$data/val
if [ ! -d "$train" ]; then
    # Links, made once: a resumed run has the same images.
    train=$output/data/train validation=$output/data/val
    [ -d "$train" ] || "$python" - "$data" "$output/data" <<'SPLIT'
import os, sys

data, output = (os.path.abspath(path) for path in sys.argv[1:])
kinds = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".avif")
names = sorted(name for name in os.listdir(data) if name.lower().endswith(kinds))
every = max(10, len(names) // 12)
os.makedirs(os.path.join(output, "val"))
os.makedirs(os.path.join(output, "part"))
for i, name in enumerate(names):
    folder = "val" if i % every == 0 and i // every < 12 else "part"
    os.symlink(os.path.join(data, name), os.path.join(output, folder, name))
os.rename(os.path.join(output, "part"), os.path.join(output, "train"))
SPLIT
fi

left=$((60 * minutes - SECONDS))
echo "installed after $SECONDS s"
if [ "$left" -le 0 ]; then
    echo "run.sh: installing took all of the $minutes minutes; the same command resumes from here"
    exit 1
fi
changes=()
for change in training.steps=auto training.steps_per_epoch=auto \
    training.steps_per_execution=$execution training.checkpoint_minutes=2 "$@"; do
    changes+=(--set "$change")
done
folders=()
for folder in "$train"/*/; do
    [ ! -d "$folder" ] || folders+=(--data "${folder%/}")
done
[ ${#folders[@]} -gt 0 ] || folders=(--data "$train")
exec "$python" -m tfsr train "$recipe" -o "$output" "${folders[@]}" \
    --validation "$validation" --max-time "${left}s" "${changes[@]}"
