import pytest

from tfsr.errors import InvalidArgument
from tfsr.registry import Registry


class Thing:
    def __init__(self, width=3, depth=1, **kwargs):
        self.width = width
        self.depth = depth
        self.kwargs = kwargs

    def get_config(self):
        return {"width": self.width, "depth": self.depth, "dtype": "float32"}


@pytest.fixture
def registry():
    registry = Registry("thing", Thing)
    registry.add("thing", Thing)
    registry.add("deep-thing", Thing, depth=9)
    return registry


def test_names_are_sorted(registry):
    assert registry.names() == ["deep-thing", "thing"]


def test_a_name_stands_for_its_arguments(registry):
    assert registry.build("thing").depth == 1
    assert registry.build("deep-thing").depth == 9


def test_a_mapping_changes_some_of_them_and_is_left_as_it_was(registry):
    config = {"name": "deep-thing", "width": 5}
    thing = registry.build(config, dtype="float32")
    assert (thing.width, thing.depth, thing.kwargs) == (5, 9, {"dtype": "float32"})
    assert config == {"name": "deep-thing", "width": 5}


def test_an_object_is_returned_as_it_is(registry):
    thing = Thing()
    assert registry.build(thing) is thing


def test_config_of_is_what_build_takes(registry):
    config = registry.config_of(registry.build({"name": "deep-thing", "width": 5}))
    assert config == {"name": "thing", "width": 5, "depth": 9}
    assert registry.config_of(registry.build(config)) == config


def test_an_unknown_name_is_refused_with_the_nearest_known_one(registry):
    with pytest.raises(
        InvalidArgument, match="thing must be one of .* received 'thign'.*Did you mean 'thing'"
    ):
        registry.build("thign")


def test_a_mapping_needs_a_name(registry):
    with pytest.raises(
        InvalidArgument, match="thing must be one of deep-thing, thing; received None"
    ):
        registry.build({"width": 5})


def test_an_unknown_argument_is_refused_with_the_nearest_known_one(registry):
    with pytest.raises(InvalidArgument, match="no argument 'widht'.*Did you mean 'width'"):
        registry.build({"name": "thing", "widht": 5})


def test_an_unregistered_class_has_no_config(registry):
    with pytest.raises(InvalidArgument, match="str is not a registered thing"):
        registry.config_of("something else")
