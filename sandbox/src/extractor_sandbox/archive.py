"""Tell the format of an archive by its first bytes, and list its members."""

from typing import BinaryIO

from extractor_sandbox import limits, tar_reader, zip_reader
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Refused
from extractor_sandbox.member import Member


def read(archive: Extent, scratch: BinaryIO) -> list[Member]:
    """List the members of a zip or tar.gz. Raises Refused if it is neither, or not a plain one."""
    if archive.size > limits.ARCHIVE_BYTES:
        raise Refused("Z11", f"the archive is {archive.size} bytes; the limit is {limits.ARCHIVE_BYTES}")
    start = archive.at(0, 4)
    if start in zip_reader.MAGIC:
        return zip_reader.read(archive)
    if start.startswith(tar_reader.MAGIC):
        return tar_reader.read(archive, scratch)
    raise Refused("Z01", "the file is neither a zip nor a tar.gz")
