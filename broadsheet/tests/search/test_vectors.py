"""Vectors on disk: what is found, what a crash leaves, what damage does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.search.dense import calibration, scan, segment, store
from broadsheet.search.dense.segment import Segment
from broadsheet.search.dense.store import Damaged, Vectors
from broadsheet.search.embedding import Floats

WIDTH = 96


def directions(count: int, *, seed: int = 0, width: int = WIDTH) -> Floats:
    """Vectors of length one, the same every time."""
    drawn = np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)
    lengths: Floats = np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn / lengths


def opened(folder: Path) -> Vectors:
    """The vectors in a folder."""
    return Vectors(folder, fingerprint="test", dimensions=WIDTH)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers look for news at every question."""
    monkeypatch.setattr(store, "RELOAD_AFTER", 0.0)


# --- Scanning ---------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=4), st.integers(0, 200), st.integers(0, 5))
def test_nearest_by_signs_are_as_many_as_asked_and_none_is_nearer(sizes: list[int], count: int, seed: int) -> None:
    """Over all blocks together."""
    blocks = [scan.packed(directions(size, seed=seed + place)) for place, size in enumerate(sizes)]
    query = directions(1, seed=99)[0]
    chosen = scan.nearest_by_signs([block.bits for block in blocks], query, count)
    assert sum(map(len, chosen)) == min(count, sum(sizes))
    near, far = [], []
    for place, (size, rows) in enumerate(zip(sizes, chosen, strict=True)):
        signs = directions(size, seed=seed + place) > 0
        distances = (signs != (query > 0)).sum(axis=1)
        near += distances[rows].tolist()
        far += np.delete(distances, rows).tolist()
    assert not near or not far or max(near) <= min(far)


def test_eight_bits_tell_a_vector_well() -> None:
    """The error of a number is at most half a step, and products are those of what is unpacked."""
    vectors = directions(50)
    block = scan.packed(vectors)
    again = scan.unpacked(block, slice(None))
    assert np.all(np.abs(again - vectors) <= block.scales[:, None] * 0.501)
    query = directions(1, seed=9)[0]
    rows = np.array([3, 7, 20])
    assert scan.products(block, query, rows) == pytest.approx(again[rows] @ query, abs=1e-5)


def test_a_vector_without_direction_is_no_error() -> None:
    """All zeros, as the only vector of a collection is when its mean is taken off."""
    block = scan.packed(np.zeros((2, WIDTH), np.float32))
    assert scan.products(block, directions(1)[0], np.arange(2)).tolist() == [0.0, 0.0]


def test_best_takes_the_first_of_equals() -> None:
    """So that an answer is the same every time."""
    scores = np.array([1, 5, 5, 2, 5, 0], np.float32)
    assert [scan.best(scores, count).tolist() for count in (0, 1, 2, 4, 9)] == [
        [],
        [1],
        [1, 2],
        [1, 2, 4, 3],
        [1, 2, 4, 3, 0, 5],
    ]


def test_signs_are_measured_before_they_are_trusted() -> None:
    """Directions all over are told apart by their signs; those that differ in one number only are not."""
    real = directions(3_000, width=20) @ directions(20, width=384)
    assert calibration.measured(scan.packed(real)).factor == 10
    alike = np.full((3_000, 64), 0.01, np.float32)
    alike[:, 0] = np.linspace(0.5, 1.0, 3_000)
    assert calibration.measured(scan.packed(alike)).factor is None


# --- Segments ---------------------------------------------------------------------------------------------------------


def of(pks: list[int], digest: int, seed: int) -> Segment:
    """A segment with these papers."""
    made = scan.packed(directions(len(pks), seed=seed))
    return Segment(np.array(pks, np.int64), np.full(len(pks), digest, np.int64), made)


def test_segments_become_one(tmp_path: Path) -> None:
    """Sorted by paper; of one in two segments, what the later says."""
    parts = [of([2, 5, 9], 1, 1), of([1, 5], 2, 2)]
    rows, checksum = segment.write(tmp_path / "x", parts)
    assert (rows, checksum) == (4, segment.checksum(tmp_path / "x"))
    whole = segment.mapped(tmp_path / "x", 4, WIDTH)
    assert whole.pks.tolist() == [1, 2, 5, 9]
    assert whole.digests.tolist() == [2, 1, 2, 1]
    origin = [(1, 0), (0, 0), (1, 1), (0, 2)]
    for row, (part, old) in enumerate(origin):
        assert np.array_equal(whole.block.rows[row], parts[part].block.rows[old])
        assert np.array_equal(whole.block.bits[:, row], parts[part].block.bits[:, old])
        assert whole.block.scales[row] == parts[part].block.scales[old]


def test_file_of_another_length_is_refused(tmp_path: Path) -> None:
    """Cut off, or of more papers than were promised."""
    segment.write(tmp_path / "x", [of([1, 2], 1, 1)])
    for count in (1, 3):
        with pytest.raises(ValueError, match="bytes instead of"):
            segment.mapped(tmp_path / "x", count, WIDTH)


@pytest.mark.parametrize(
    ("place", "octets"),
    [
        pytest.param(8, (0).to_bytes(8, sys.byteorder), id="keys do not rise"),
        pytest.param(16 * 2 + 16 * 2, np.float32(np.nan).tobytes(), id="a scale is no number"),
        pytest.param(16 * 2 + 16 * 2, np.float32(np.inf).tobytes(), id="a scale without end"),
        pytest.param(16 * 2 + 16 * 2 + 4, np.float32(-1).tobytes(), id="a scale below nought"),
    ],
)
def test_file_of_other_content_is_refused(tmp_path: Path, place: int, octets: bytes) -> None:
    """As far as keys and scales tell, which are looked at whenever a file is opened."""
    segment.write(tmp_path / "x", [of([1, 2], 1, 1)])
    content = bytearray((tmp_path / "x").read_bytes())
    content[place : place + len(octets)] = octets
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match="x is not what was written"):
        segment.mapped(tmp_path / "x", 2, WIDTH)


# --- A folder of vectors ----------------------------------------------------------------------------------------------


def test_nothing_is_made_by_asking(tmp_path: Path) -> None:
    """A folder that is not there holds no vectors."""
    vectors = opened(tmp_path / "vectors")
    query = directions(1)[0]
    assert vectors.count() == len(vectors.nearest(query, 5).pks) == len(vectors.cosines(query, [1]).pks) == 0
    assert (vectors.vector(1), vectors.digests([1])) == (None, {})
    assert not (tmp_path / "vectors").exists()


@pytest.mark.parametrize("sizes", [[1], [5, 1, 1, 1], [700, 40, 3], [300] * 9], ids=str)
def test_what_was_added_is_found(tmp_path: Path, sizes: list[int]) -> None:
    """With its cosine, as far as 8 bits tell, however many batches it came in; also by whoever opens the folder."""
    vectors = opened(tmp_path)
    known = directions(sum(sizes))
    begin = 0
    for size in sizes:
        rows = np.arange(begin, begin + size)[::-1]
        vectors.add((rows + 1).tolist(), (rows * 2).tolist(), known[rows])
        begin += size
    for reader in (vectors, opened(tmp_path)):
        assert reader.count() == begin
        for query in directions(3, seed=5):
            found = reader.nearest(query, 20)
            exact = known @ query
            assert found.cosines.tolist() == sorted(found.cosines.tolist(), reverse=True)
            assert found.cosines == pytest.approx(exact[found.pks - 1], abs=0.01)
            assert np.all(exact[found.pks - 1] >= np.sort(exact)[::-1][: len(found.pks)][-1] - 0.02)
            assert found.digests.tolist() == ((found.pks - 1) * 2).tolist()
        some = reader.cosines(known[0], [1, 999_999, begin])
        assert dict(zip(some.pks.tolist(), some.cosines.tolist(), strict=True)) == pytest.approx(
            {pk: float(known[pk - 1] @ known[0]) for pk in {1, begin}}, abs=0.01
        )
        digest, vector = reader.vector(begin) or (None, known[0])
        assert digest == (begin - 1) * 2
        assert float(vector @ known[begin - 1]) == pytest.approx(1, abs=0.001)


def test_new_vector_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """Once, whatever segment it lies in; the paper is counted once."""
    vectors = opened(tmp_path)
    old, new = directions(400), directions(1, seed=7)
    vectors.add(list(range(400)), [1] * 400, old)
    vectors.add([3], [2], new)
    assert len(vectors.digests(range(400))) == vectors.count() == 400
    assert vectors.digests([3, 4]) == {3: 2, 4: 1}
    found = vectors.nearest(old[3], 400)
    assert sorted(found.pks.tolist()) == list(range(400))
    assert vectors.nearest(new[0], 1).pks.tolist() == [3]


def test_nearest_among_some(tmp_path: Path) -> None:
    """The same as the nearest of all, without the others; papers that have no vector are no matter."""
    vectors = opened(tmp_path)
    known = directions(2_500, width=20) @ directions(20)
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    for begin in (0, 2_400):
        rows = range(begin, len(known))
        vectors.add(list(rows), [begin] * len(rows), known[begin:])
    query = known[3]
    among = [*range(0, 2_500, 7), 9_999]
    everything = [pk for pk in vectors.nearest(query, 2_600).pks.tolist() if pk in set(among)]
    found = vectors.nearest(query, 20, among=among)
    assert len(set(found.pks.tolist()) & set(everything[:20])) >= 18
    assert vectors.nearest(query, 500, among=among).pks.tolist() == everything
    assert all(digest == (2_400 if pk >= 2_400 else 0) for pk, digest in zip(found.pks, found.digests, strict=True))
    assert len(vectors.nearest(query, 20, among=[]).pks) == 0


def test_segments_stay_few(tmp_path: Path) -> None:
    """A thousand small batches are not a thousand files."""
    vectors = opened(tmp_path)
    known = directions(1_000)
    for row in range(0, 1_000, 5):
        vectors.add(list(range(row, row + 5)), [0] * 5, known[row : row + 5])
        assert len(list(tmp_path.glob("*.vectors"))) <= 5
    assert vectors.count() == 1_000
    assert (np.mean([vectors.nearest(known[row], 1).pks[0] == row for row in range(0, 1_000, 50)])) == 1


@pytest.mark.usefixtures("impatient")
def test_reader_follows_the_writer(tmp_path: Path) -> None:
    """While segments are replaced under it."""
    writer, reader = opened(tmp_path), opened(tmp_path)
    known = directions(300)
    for row in range(300):
        writer.add([row], [row], known[row : row + 1])
        assert reader.nearest(known[row], 1).pks.tolist() == [row]
    reader.close()
    assert reader.count() == 300


WRITE_FOR_EVER = """
import pathlib, sys
import numpy as np
from broadsheet.search.dense.store import Vectors
vectors = Vectors(pathlib.Path(sys.argv[1]), fingerprint="test", dimensions=96)
batch = vectors.count() // 10
while True:
    batch += 1
    drawn = np.random.default_rng(batch).standard_normal((10, 96)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    vectors.add(list(range(10 * batch, 10 * batch + 10)), [batch] * 10, drawn)
    print(batch, flush=True)
"""


@pytest.mark.process
def test_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half(tmp_path: Path) -> None:
    """kill -9 at some moment, several times: batches are there whole, in the order in which they were made."""
    acknowledged = 0
    for moment in (0.0, 0.001, 0.004, 0.009, 0.017, 0.003, 0.006, 0.002, 0.03, 0.013):
        command = [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                acknowledged = int(line)
                if acknowledged % 3 == 0:
                    break
            time.sleep(moment)
            process.kill()
            rest = process.stdout.read()
        acknowledged = max([acknowledged, *map(int, rest.split())])
        vectors = opened(tmp_path)
        last = vectors.count() // 10
        assert acknowledged <= last <= acknowledged + 1
        assert vectors.digests(range(10, 10 * last + 30)) == {pk: pk // 10 for pk in range(10, 10 * last + 10)}
        acknowledged = last
    vectors.add([1], [1], directions(1))
    named = json.loads((tmp_path / "manifest.json").read_bytes())["segments"]
    assert {path.stem for path in tmp_path.glob("*.vectors")} == {name for name, _rows in named}


FULL_DISK = """
import pathlib, resource, sys
import numpy as np
from broadsheet.search.dense.store import Vectors
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
vectors = Vectors(pathlib.Path(sys.argv[1]), fingerprint="test", dimensions=96)
drawn = np.random.default_rng(0).standard_normal((2_000, 96)).astype(np.float32)
try:
    vectors.add(list(range(2_000)), [5] * 2_000, drawn)
except OSError as error:
    print(error.errno)
print(vectors.count())
"""


@pytest.mark.process
def test_no_room_on_the_disk(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk. What was there stays, and works again afterwards."""
    vectors = opened(tmp_path)
    vectors.add([7], [1], directions(1))
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["27", "1"], done.stderr
    vectors.add([8], [1], directions(1))
    assert len(list(tmp_path.glob("*.vectors"))) == 1
    assert opened(tmp_path).digests([7, 8]) == {7: 1, 8: 1}


def _manifest(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        said = json.loads((folder / "manifest.json").read_bytes())
        change(said)
        (folder / "manifest.json").write_text(json.dumps(said))

    return damage


def _cut(folder: Path) -> None:
    for path in folder.glob("*.vectors"):
        path.write_bytes(path.read_bytes()[:-1])


def _gone(folder: Path) -> None:
    for path in folder.glob("*.vectors"):
        path.unlink()


def _noise(folder: Path) -> None:
    for path in folder.glob("*.vectors"):
        path.write_bytes(np.random.default_rng(3).bytes(path.stat().st_size))


def _mean(value: float) -> Callable[[Path], None]:
    return _manifest(lambda said: said.update(mean=np.full(WIDTH, value, np.float32).tobytes().hex()))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda folder: (folder / "manifest.json").write_bytes(b""), id="empty manifest"),
        pytest.param(lambda folder: (folder / "manifest.json").write_bytes(b"[1, 2]"), id="manifest is a list"),
        pytest.param(lambda folder: (folder / "manifest.json").write_bytes(b"\xff" * 99), id="manifest is noise"),
        pytest.param(_manifest(lambda said: said.update(format=99)), id="another format"),
        pytest.param(_manifest(lambda said: said.update(fingerprint="x")), id="another model"),
        pytest.param(_manifest(lambda said: said.update(mean="00")), id="mean is too short"),
        pytest.param(_manifest(lambda said: said.update(segments=[["../../x", 3]])), id="a file outside"),
        pytest.param(_manifest(lambda said: said.update(segments=[["000001", 10**9]])), id="too many papers"),
        pytest.param(_manifest(lambda said: said.pop("papers")), id="papers are not counted"),
        pytest.param(_manifest(lambda said: said.update(shortcut={"factor": 3})), id="half a shortcut"),
        pytest.param(_manifest(lambda said: said.update(papers="x")), id="papers are a word"),
        pytest.param(_manifest(lambda said: said.update(papers=2.5)), id="half a paper"),
        pytest.param(_manifest(lambda said: said.update(papers=4)), id="more papers than vectors"),
        pytest.param(_manifest(lambda said: said.update(papers=2)), id="fewer papers than vectors"),
        pytest.param(_manifest(lambda said: said.update(mean_of="x")), id="mean of a word"),
        pytest.param(_manifest(lambda said: said.update(mean_of=None)), id="mean of nothing"),
        pytest.param(_mean(float("nan")), id="mean is no number"),
        pytest.param(_mean(float("inf")), id="mean without end"),
        pytest.param(_mean(1.0), id="mean is too long"),
        pytest.param(_manifest(lambda said: said.update(segments=[["000001", float("inf")]])), id="rows without end"),
        pytest.param(
            _manifest(lambda said: said.update(shortcut={"factor": "x", "recall": 1, "vectors": 1})),
            id="shortcut by a word",
        ),
        pytest.param(_manifest(lambda said: said.update(checksums=[1])), id="checksums are a list"),
        pytest.param(lambda folder: (folder / "manifest.json").write_bytes(b"[" * 99_999), id="manifest is too deep"),
        pytest.param(_noise, id="segment is noise"),
        pytest.param(_cut, id="segment is cut"),
        pytest.param(_gone, id="segment is gone"),
    ],
)
def test_damage_is_seen(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """When the folder is opened; a writer is refused too."""
    opened(tmp_path).add([1, 2, 3], [1, 1, 1], directions(3))
    damage(tmp_path)
    vectors = opened(tmp_path)
    asks: tuple[Callable[[], object], ...] = (
        vectors.count,
        lambda: vectors.nearest(directions(1)[0], 1),
        lambda: vectors.vector(1),
        lambda: vectors.digests([1]),
        lambda: vectors.add([4], [1], directions(1)),
    )
    for ask in asks:
        with pytest.raises(Damaged):
            ask()


@pytest.mark.usefixtures("impatient")
def test_one_wrong_bit_is_seen_by_comparing_checksums(tmp_path: Path) -> None:
    """In any segment: those that were written together with others, and those that were kept."""
    vectors = opened(tmp_path)
    known = directions(700)
    for begin, end in ((0, 600), (600, 650), (650, 651), (651, 700)):
        vectors.add(list(range(begin, end)), [0] * (end - begin), known[begin:end])
    files = list(tmp_path.glob("*.vectors"))
    assert len(files) > 1
    for path in files:
        whole = path.read_bytes()
        opened(tmp_path).verify()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        vectors = opened(tmp_path)
        vectors.count()
        with pytest.raises(Damaged, match=rf"{path.name} of the vectors is not what was written"):
            vectors.verify()
        path.write_bytes(whole)


def test_vectors_of_a_version_without_checksums_are_read(tmp_path: Path) -> None:
    """And what is written from then on has one."""
    opened(tmp_path).add(list(range(50)), [1] * 50, directions(50))
    _manifest(lambda said: said.pop("checksums"))(tmp_path)
    vectors = opened(tmp_path)
    vectors.verify()
    assert vectors.count() == 50
    vectors.add([77], [1], directions(1))
    said = json.loads((tmp_path / "manifest.json").read_bytes())
    assert set(said["checksums"]) <= {name for name, _rows in said["segments"]}
    assert said["checksums"]
