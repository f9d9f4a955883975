"""Samples on disk."""

from pathlib import Path

import numpy as np
import pytest

from dadeum.core.errors import ArtifactError
from dadeum.data.samples import Entry, Samples
from tests.data.small import write_samples


def entries(count: int) -> list[Entry]:
    draw = np.random.default_rng(3)
    return [
        Entry(
            draw.integers(0, 32000, n % 17 + 1).astype(np.int32), draw.random(n % 17 + 1).astype(np.float32), n * 3, n
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, 1000, 2501])
def test_what_is_written_comes_back(tmp_path: Path, count: int) -> None:
    written = entries(count)
    assert write_samples(tmp_path / "f.arrow", iter(written)) == count
    samples = Samples.open(tmp_path / "f.arrow")
    assert len(samples) == count and samples.lengths.tolist() == [len(e.input_ids) for e in written]
    for ours, entry in zip(samples, written, strict=True):
        assert np.array_equal(ours.input_ids, entry.input_ids) and ours.input_ids.dtype == np.int32
        assert np.array_equal(ours.weights, entry.weights) and ours.weights.dtype == np.float32
        assert ours[2:] == entry[2:]
    if count:
        assert samples[-1].source_row == written[-1].source_row
    with pytest.raises(IndexError):
        samples[count]


def test_pages_are_mapped_not_copied(tmp_path: Path) -> None:
    write_samples(tmp_path / "f.arrow", entries(1500))
    first = Samples.open(tmp_path / "f.arrow")[0]
    assert not first.input_ids.flags.owndata and not first.input_ids.flags.writeable


@pytest.mark.parametrize("data", [b"", b"ARROW1 nothing"])
def test_damaged_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "f.arrow").write_bytes(data)
    with pytest.raises(ArtifactError, match="cannot be read as samples"):
        Samples.open(tmp_path / "f.arrow")
    with pytest.raises(ArtifactError, match="cannot be read as samples"):
        Samples.open(tmp_path / "absent.arrow")
