"""One tiny run, trained once, that the tests of this folder look at."""

import pytest
import tiny


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """The directory of a finished run of two epochs; `recipe.yaml` lies beside it too."""
    from tfsr.training.trainer import train

    base = tmp_path_factory.mktemp("run")
    images = tiny.folder(base / "images")
    recipe = tiny.write_recipe(base / "recipe.yaml", tiny.recipe(images))
    train(recipe, base / "run")
    return base / "run"
