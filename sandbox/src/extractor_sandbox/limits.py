"""How big an archive may be; readers stop at these numbers whatever a header says."""

MIB = 1 << 20

ARCHIVE_BYTES = 500 * MIB
UNPACKED_BYTES = 500 * MIB
FILES = 1_000
ENTRIES = 2_000
NESTED_ENTRIES = 10_000
"""A checkpoint has a member for each tensor."""
RATIO = 100
RATIO_FREE_BYTES = 10 * MIB
"""Entries up to this size may compress as well as they like."""
SOURCE_BYTES = 1 * MIB
MANIFEST_BYTES = 256 << 10
FINDINGS = 200
"""A scan stops after so many: nobody reads on, and a report stays small."""
