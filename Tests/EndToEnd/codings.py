"""Content codings as a client makes and reads them: gzip and deflate (RFC 9110, section 8.4.1)."""

import random
import struct
import zlib

GZIP, ZLIB, RAW = 31, 15, -15  # zlib's window bits for the formats.
WINDOW_BITS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB}


def compress(content, coding="gzip", level=6, strategy=zlib.Z_DEFAULT_STRATEGY):
    """One gzip member or zlib stream; `coding` may also be the window bits."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, WINDOW_BITS.get(coding, coding), 9, strategy)
    return compressor.compress(content) + compressor.flush()


def decompress(content, coding):
    """The content of exactly one complete stream, with nothing behind it."""
    decompressor = zlib.decompressobj(WINDOW_BITS[coding])
    decoded = decompressor.decompress(content) + decompressor.flush()
    assert decompressor.eof, "the coded content is cut"
    assert not decompressor.unused_data, "there are bytes behind the coded content"
    return decoded


def decoded(response):
    """The content of a Response without its coding."""
    coding = response["content-encoding"]
    return decompress(response.content, coding) if coding else response.content


def gzip_member(content, flags=0, fields=b"", method=8, magic=b"\x1f\x8b", crc=None, size=None):
    """A gzip member put together by hand, as RFC 1952 has it; CRC and ISIZE can be wrong."""
    crc = zlib.crc32(content) if crc is None else crc
    size = len(content) if size is None else size
    head = magic + bytes([method, flags]) + bytes(4) + b"\0\xff" + fields
    return head + compress(content, RAW) + struct.pack("<II", crc, size)


def chunks(content, *sizes):
    """Chunked content whose chunks have these sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(content):
        piece = content[at : at + sizes[turn % len(sizes)]]
        pieces.append(b"%x\r\n%b\r\n" % (len(piece), piece))
        at, turn = at + len(piece), turn + 1
    return b"".join(pieces) + b"0\r\n\r\n"


def coded_request(content, coding="gzip", *fields, sizes=None):
    """A POST of content that is coded already; in chunks of `sizes` if there are any."""
    lines = ["POST /normalize HTTP/1.1", "Host: normserve", *fields]
    lines += [f"Content-Encoding: {coding}"] if coding else []
    lines += ["Transfer-Encoding: chunked"] if sizes else [f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (chunks(content, *sizes) if sizes else content)


def zeros(mebibytes, coding="gzip"):
    """Zeros without end, nearly a thousandth of the size; the checksum is missing, so it must be refused before."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, WINDOW_BITS[coding])
    head = compressor.compress(b"") + compressor.flush(zlib.Z_FULL_FLUSH)
    piece = compressor.compress(bytes(1 << 20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return head + piece * mebibytes


def random_coding(rng, content):
    """`content` coded in one of many ways that all mean the same, and the coding's name."""
    coding = rng.choice(["gzip", "x-gzip", "deflate", "GZip", "Deflate"])
    level, strategy = rng.randrange(10), rng.choice([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE])
    if coding.lower() == "deflate":
        return compress(content, ZLIB, level, strategy), coding
    cuts = sorted(random.Random(rng.random()).sample(range(len(content) + 1), rng.randrange(4)))
    parts = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)])]
    return b"".join(compress(part, GZIP, level, strategy) for part in parts), coding
