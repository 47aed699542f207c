"""The cluster file of export/cluster, by Ray's own schema."""

import json
import shlex
from pathlib import Path

import jsonschema
import ray.autoscaler
import typer
import yaml

from tfsr.cli import app

FILE = Path(__file__).parents[2] / "export" / "cluster" / "cluster.yaml"


def test_ray_takes_the_cluster_file():
    schema = json.loads(Path(ray.autoscaler.__file__).with_name("ray-schema.json").read_text())
    config = yaml.safe_load(FILE.read_text())
    jsonschema.validate(config, schema)
    assert config["max_workers"] == len(config["provider"]["worker_ips"])


def test_its_command_is_one_of_ours():
    (line,) = [line for line in FILE.read_text().splitlines() if "tfsr upscale" in line]
    words = shlex.split(shlex.split(line.lstrip("# "))[0])
    command = typer.main.get_command(app).commands["upscale"]
    context = command.make_context("upscale", words[2:])
    assert context.params["ray"] == "auto"
