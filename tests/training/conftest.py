"""One tiny run, trained once, that the tests of this folder look at."""

import pytest
import tiny


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """The directory of a finished run of two epochs; `recipe.yaml` lies beside it too."""
    from tfsr.training.trainer import train

    base = tmp_path_factory.mktemp("run")
    images = tiny.folder(base / "images")
    content = tiny.recipe(images)
    content["validation"]["lr_sizes"] = [24, 16]
    recipe = tiny.write_recipe(base / "recipe.yaml", content)
    train(recipe, base / "run")
    return base / "run"
