import pytest
from torch_files import ONE_STORAGE, write_archive


@pytest.fixture
def save(tmp_path):
    """Write an archive of a pickle and its storages, and return its path."""

    def save(pickled, storages=ONE_STORAGE, **options):
        return write_archive(tmp_path / "model.pth", pickled, storages, **options)

    return save
