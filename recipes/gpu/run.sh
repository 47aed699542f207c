#!/usr/bin/env bash
# Train for a number of minutes on one rented GPU, by JAX and without TensorFlow:
#
#   recipes/gpu/run.sh RECIPE DATA OUTPUT MINUTES [KEY=VALUE ...]
#
# RECIPE    as `tfsr train` takes it; each KEY=VALUE changes a key of it.
# DATA      a folder of images, of which up to 12 are set aside for validation; or one with the
#           folders train/ and val/.
# OUTPUT    the run's directory: best/ (a preset), checkpoints/, history.csv, log.txt. The same
#           command resumes what is there.
# MINUTES   until the end, installation and compilation included.
#
# The number of steps follows from the measured speed, with the cosine's end at the end of the time.
# Packages come from the wheels in $WHEELS (default: wheels/ beside DATA) if that folder exists,
# else from what $PYTHON (default: python3) has, else from pip. On a CPU it is a rehearsal:
#
#   recipes/gpu/run.sh RECIPE DATA OUTPUT 2 training.precision=float32
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
[[ $minutes =~ ^[1-9][0-9]*$ ]] || usage "MINUTES must be a whole number above 0; got $minutes"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=${PYTHON:-python3}
wheels=${WHEELS:-$data/../wheels}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$output"
exec > >(tee -a "$output/log.txt") 2>&1

modules="jax keras numpy PIL tifffile h5py yaml rich typer"
has_modules() {
    "$python" -c "import importlib.util as u, sys
sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))" $modules
}
export PYTHONPATH=$root KERAS_BACKEND=jax PYTHONUNBUFFERED=1
if [ -d "$wheels" ]; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --upgrade \
        --target "$scratch/site" "$wheels"/*.whl
    export PYTHONPATH=$scratch/site:$root
elif ! has_modules; then
    "$python" -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    jax=jax
    if command -v nvidia-smi >/dev/null; then jax="jax[cuda13]"; fi
    "$python" -m pip install --quiet "$jax" "keras>=3.15" numpy pillow tifffile h5py pyyaml rich typer
fi

train=$data/train validation=$data/val
if [ ! -d "$train" ]; then
    train=$scratch/train validation=$scratch/val
    "$python" - "$data" "$train" "$validation" <<'SPLIT'
import os, sys
data, train, validation = sys.argv[1:]
names = sorted(n for n in os.listdir(data) if os.path.isfile(os.path.join(data, n)))
every = max(2, len(names) // 12)
for folder in (train, validation):
    os.mkdir(folder)
for i, name in enumerate(names):
    folder = validation if i % every == 0 and i // every < 12 else train
    os.symlink(os.path.join(os.path.abspath(data), name), os.path.join(folder, name))
SPLIT
fi

changes=()
for change in training.steps=auto training.steps_per_epoch=auto training.steps_per_execution=10 \
    training.checkpoint_minutes=2 "$@"; do
    changes+=(--set "$change")
done
echo "installed after $SECONDS s"
"$python" -m tfsr train "$recipe" -o "$output" --data "$train" --validation "$validation" \
    --max-time "$((60 * minutes - SECONDS))s" "${changes[@]}"
