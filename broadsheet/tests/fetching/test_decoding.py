"""Decompressing in small steps."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.fetching.decoding import Body, Broken, TooLarge, Unknown

_MEBIBYTE = 1024 * 1024


def _raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    " GZip ": gzip.compress,
    "deflate": zlib.compress,
}


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[place : place + size] for place in range(0, len(data), size)]


@given(st.binary(max_size=5000), st.sampled_from(sorted(PACKERS)), st.integers(1, 700))
def test_what_was_packed_comes_out_again_in_pieces_of_any_size(data: bytes, encoding: str, size: int) -> None:
    body = Body(encoding, limit=5000, ratio=2000)
    for piece in _pieces(PACKERS[encoding](data), size):
        body.add(piece)
    assert body.whole() == data


@pytest.mark.parametrize("size", [1, 3, 100_000])
def test_deflate_without_its_header_is_understood_as_servers_send_both(size: int) -> None:
    body = Body("deflate", limit=100_000, ratio=2000)
    for piece in _pieces(_raw(b"Meadows " * 5000), size):
        body.add(piece)
    assert body.whole() == b"Meadows " * 5000


def test_gzip_in_several_members_is_one_answer() -> None:
    body = Body("gzip", limit=100, ratio=200)
    body.add(gzip.compress(b"A Lamp ", mtime=0) + gzip.compress(b"for Every Step"))
    assert body.whole() == b"A Lamp for Every Step"


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        pytest.param("gzip", gzip.compress(b"Meadows" * 100, mtime=0)[:-9], id="gzip cut off"),
        pytest.param("gzip", b"Meadows", id="no gzip at all"),
        pytest.param("gzip", gzip.compress(b"Meadows", mtime=0)[:-8] + bytes(8), id="gzip with a wrong checksum"),
        pytest.param("gzip", gzip.compress(b"Meadows", mtime=0) + b"Meadows", id="gzip with something behind it"),
        pytest.param("gzip", gzip.compress(b"", mtime=0) * 2000, id="gzip in thousands of members"),
        pytest.param("deflate", zlib.compress(b"Meadows") * 2, id="deflate twice"),
        pytest.param("deflate", zlib.compress(b"Meadows" * 100)[:-3], id="deflate cut off"),
    ],
)
def test_broken_compression_is_said_to_be_broken(encoding: str, data: bytes) -> None:
    with pytest.raises(Broken):
        _read(encoding, data)


def _read(encoding: str, data: bytes, *, limit: int = _MEBIBYTE) -> bytes:
    body = Body(encoding, limit=limit, ratio=200)
    body.add(data)
    return body.whole()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "identity;q=1"])
def test_what_was_not_offered_is_not_read(encoding: str) -> None:
    with pytest.raises(Unknown):
        Body(encoding, limit=1, ratio=1)


@pytest.mark.parametrize("encoding", sorted(PACKERS))
@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
def test_the_limit_counts_bytes_after_decompression(encoding: str, size: int, fits: bool) -> None:
    data = PACKERS[encoding](bytes(size))
    if fits:
        assert _read(encoding, data, limit=1000) == bytes(size)
        return
    with pytest.raises(TooLarge):
        _read(encoding, data, limit=1000)


def test_what_is_compressed_beyond_reason_is_given_up_early() -> None:
    with pytest.raises(TooLarge, match="compressed more than 200 times"):
        _read("gzip", gzip.compress(bytes(20 * _MEBIBYTE)), limit=64 * _MEBIBYTE)


def test_an_endless_stream_of_nothing_ends() -> None:
    """Empty blocks of deflate take bytes and give none."""
    head, block = gzip.compress(b"", mtime=0)[:10], b"\x00\x00\x00\xff\xff" * 100_000
    body = Body("gzip", limit=1000, ratio=200)
    body.add(head)
    body.add(block)
    body.add(block)
    with pytest.raises(TooLarge):
        body.add(block)


def test_a_bomb_takes_no_more_memory_than_its_limit() -> None:
    packed = gzip.compress(bytes(64 * _MEBIBYTE))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            Body("gzip", limit=2 * _MEBIBYTE, ratio=10_000).add(packed)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * _MEBIBYTE


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_read_or_broken(data: bytes, encoding: str) -> None:
    try:
        _read(encoding, data)
    except (Broken, TooLarge):
        return
