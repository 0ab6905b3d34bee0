"""Which modules a manifest's dependencies open for import."""

import re
import sys
from collections.abc import Iterable

_ROOTS_BY_DISTRIBUTION = {
    "attrs": "attr",
    "beautifulsoup4": "bs4",
    "faiss-cpu": "faiss",
    "faiss-gpu": "faiss",
    "ffmpeg-python": "ffmpeg",
    "llama-cpp-python": "llama_cpp",
    "onnxruntime-gpu": "onnxruntime",
    "openai-whisper": "whisper",
    "opencv-contrib-python": "cv2",
    "opencv-contrib-python-headless": "cv2",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "pdfminer-six": "pdfminer",
    "pillow": "PIL",
    "pymupdf": "fitz",
    "pypdf2": "PyPDF2",
    "python-dateutil": "dateutil",
    "python-docx": "docx",
    "python-magic": "magic",
    "python-pptx": "pptx",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "umap-learn": "umap",
}


def find_roots(dependencies: Iterable[str], allowed: frozenset[str]) -> frozenset[str]:
    """Name the import roots of those distributions that are on the allowed list (``*`` allows all).

    A distribution is imported by its own name, in lower case or as written, with underscores, unless the
    table says otherwise. One that is named like a module of the standard library does not open that module.
    """
    names = {normalize(name) for name in allowed}
    roots: set[str] = set()
    for dependency in dependencies:
        name = normalize(dependency)
        if "*" in allowed or name in names:
            known = _ROOTS_BY_DISTRIBUTION.get(name)
            roots |= {known} if known else {name.replace("-", "_"), re.sub(r"[-.]", "_", dependency)}
    return frozenset(roots - sys.stdlib_module_names)


def normalize(distribution: str) -> str:
    """Spell a distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
