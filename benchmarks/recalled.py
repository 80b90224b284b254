"""`python -m benchmarks.recalled`: what recall finds, how fast and at what cost, written to docs/recall.md.

Conversations are LoCoMo's (Maharana et al., ACL 2024), whose licence forbids to ship them: they are measured where the
file is present, else left out. Notes with a paraphrase each are in trading_paraphrases.txt.
"""

import gzip
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from agent_memory import MemoryManager
from agent_memory.core.extras import MissingExtra
from agent_memory.memory.ranking import Weights
from agent_memory.memory.text_index import HEADING_WEIGHT, K1, B
from agent_memory.model.memories import Memory
from agent_memory.ports.embedder import Embedder
from agent_memory.ports.stores import Stores
from agent_memory.storage.dynamodb.items import memory_item
from agent_memory.storage.embedders import embedder_of
from agent_memory.storage.factory import in_memory_stores, open_stores

PAGE = Path(__file__).parents[1] / "docs" / "recall.md"
CONVERSATIONS = Path(__file__).parents[2] / "shared" / "data" / "locomo_dev.jsonl.gz"
PAIRS = Path(__file__).with_name("trading_paraphrases.txt")
_SIZES = (1_000, 10_000, 100_000)
_QUERIES = 30
_ENTRIES_WITH_VECTORS = 10_000
_DIMENSIONS = 384


Table = list[tuple[str, ...]]


def pairs() -> list[tuple[str, str]]:
    """The notes, each with a question that means it in other words."""
    lines = PAIRS.read_text(encoding="utf-8").splitlines()
    return [(note.strip(), question.strip()) for note, _, question in (line.partition("|") for line in lines)]


def local_embedder() -> Embedder | None:
    """The local model, or None where the extra `embed` is not installed."""
    embedder = embedder_of("local")
    try:
        embedder.embed(["a first text, which loads the model"])
    except MissingExtra:
        return None
    return embedder


def paraphrases_found(embedder: Embedder | None, top_k: int) -> float:
    """The share of questions whose note is among the first."""
    memory = MemoryManager("notes", stores=_stores(embedder)).sync
    for number, (note, _) in enumerate(pairs()):
        memory.store_ltm("LESSON", f"n{number}", {"description": note})
    found = [_ids(memory.recall(question, top_k=top_k)) for _, question in pairs()]
    return sum(f"n{number}" in ids for number, ids in enumerate(found)) / len(found)


def evidence_found(path: Path, embedder: Embedder | None, cuts: Sequence[int]) -> dict[int, float]:
    """The mean share of a question's evidence among the first turns, for each number of turns."""
    memories: dict[str, Any] = {}
    shares: dict[int, list[float]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        if row["kind"] == "turn":
            agent = f"c{row['conversation']}"
            if agent not in memories:
                memories[agent] = MemoryManager(agent, stores=_stores(embedder)).sync
            data = {name: row[name] for name in ("speaker", "time", "text")}
            memories[agent].store_ltm("TURN", row["id"].replace(":", "-"), data)
    for row in rows:
        if row["kind"] == "question":
            found = _ids(memories[f"c{row['conversation']}"].recall(row["question"], top_k=max(cuts)))
            evidence = {one.replace(":", "-") for one in row["evidence"]}
            for cut in cuts:
                shares[cut].append(len(evidence & set(found[:cut])) / len(evidence))
    return {cut: sum(shares[cut]) / len(shares[cut]) for cut in cuts}


def quality() -> Table:
    """What is found, by words and with the local model."""
    rows: Table = []
    for name, embedder in (("words", None), ("words and local model", local_embedder())):
        if name != "words" and embedder is None:
            continue
        hits = [f"{paraphrases_found(embedder, top_k):.0%}" for top_k in (1, 5)]
        rows.append((f"trading notes, {name}", *hits))
        if CONVERSATIONS.is_file():
            found = evidence_found(CONVERSATIONS, embedder, (5, 10))
            rows.append((f"conversations, {name}", f"{found[5]:.3f}", f"{found[10]:.3f}"))
    return rows


def latency() -> Table:
    """Median milliseconds of a warm recall, by the number of memories."""
    rows: Table = []
    for size in _SIZES:
        by_words = f"{_timed(_filled(size, None).recall):.1f}"
        by_meaning = f"{_timed(_filled(size, _Random()).recall):.1f}" if size <= _ENTRIES_WITH_VECTORS else "–"
        rows.append((f"{size:,}", by_words, by_meaning))
    return rows


def cost() -> Table:
    """Requests and read units of a recall over a thousand memories on DynamoDB, cold and warm."""
    import boto3  # noqa: PLC0415  under moto
    from moto import mock_aws  # noqa: PLC0415

    from agent_memory import AWSMemoryClients  # noqa: PLC0415

    with mock_aws():
        client = boto3.client("dynamodb", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")  # noqa: S106  moto's
        AWSMemoryClients.create_tables_if_not_exist("agent-memory", dynamodb_client=client)
        meter = _Meter(client)
        memory = MemoryManager("agent", stores=open_stores(dynamodb_client=client)).sync
        # Moto copies all tables for a transaction, so that a thousand `store_ltm` would take minutes.
        for first in range(0, 1_000, 25):
            puts: Any = [{"PutRequest": {"Item": memory_item(_memory(first + n))}} for n in range(25)]
            client.batch_write_item(RequestItems={"agent-memory-agent_memory_ltm": puts})
        meter.start()
        rows: Table = []
        for name in ("cold", "warm"):
            memory.recall(_text(random.Random(1), 3))  # noqa: S311  synthetic words
            rows.append((name, *meter.take()))
    return rows


def _memory(number: int) -> Memory:
    data = {"description": _text(random.Random(number), 12), "confidence": 0.5}  # noqa: S311  synthetic words
    now_ms = round(time.time() * 1000)
    return Memory("agent", "PATTERN", f"p{number}", 0.5, data, now_ms, now_ms, 1)


class _Meter:
    """Counts requests and the read units of what they return, as DynamoDB does for consistent reads."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._requests = 0
        self._units = 0.0

    def start(self) -> None:
        self._client.meta.events.register("after-call.dynamodb", self._count)

    def take(self) -> tuple[str, str]:
        taken = f"{self._requests}", f"{self._units:,.0f}"
        self._requests, self._units = 0, 0.0
        return taken

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self._requests += 1
        if model.name == "BatchGetItem":
            items = [item for found in parsed["Responses"].values() for item in found]
            self._units += sum(_units(len(json.dumps(item))) for item in items)
        else:
            items = parsed.get("Items") or [parsed.get("Item", {})]
            self._units += _units(sum(len(json.dumps(item)) for item in items))


def _units(size: int) -> int:
    return max(1, -(-size // 4_096))


class _Random:
    """Vectors as long as those of the local model, at no cost."""

    name = "random"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        generator = random.Random("".join(texts))  # noqa: S311
        return [[generator.random() - 0.5 for _ in range(_DIMENSIONS)] for _ in texts]


def _filled(size: int, embedder: Embedder | None) -> Any:
    memory = MemoryManager("agent", stores=_stores(embedder)).sync
    for number, text in enumerate(_texts(size)):
        memory.store_ltm("PATTERN", f"p{number}", {"description": text, "confidence": 0.5})
    memory.recall("w1")
    return memory


def _timed(recall: Callable[[str], Any]) -> float:
    queries = [_text(random.Random(-seed), 3) for seed in range(_QUERIES)]  # noqa: S311  synthetic words
    times = []
    for query in queries:
        started = time.perf_counter()
        recall(query)
        times.append((time.perf_counter() - started) * 1e3)
    return median(times)


def _stores(embedder: Embedder | None) -> Stores:
    return replace(in_memory_stores(), embedder=embedder)


def _ids(found: Sequence[Any]) -> list[str]:
    return [one["memory"]["pattern_id"] for one in found]


def _texts(count: int) -> Iterator[str]:
    generator = random.Random(7)  # noqa: S311  synthetic words
    return (_text(generator, 12) for _ in range(count))


def _text(generator: random.Random, words: int) -> str:
    """Words with the frequencies of natural text: the n-th most common 1/n as frequent as the first (Zipf)."""
    return " ".join(f"w{int(50_000 ** generator.random())}" for _ in range(words))


def _markdown(header: Sequence[str], rows: Table) -> str:
    lines = [f"| {' | '.join(header)} |", f"| --- |{' --: |' * (len(header) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def page() -> str:
    """The page with its figures."""
    return f"""# What recall finds

`make bench-recall` writes this page. Reasons are in [0062](decisions/0062-recall-by-a-kept-index.md) and
[0063](decisions/0063-recall-by-meaning.md).

## Questions answered

Trading notes: {len(pairs())} notes of one sentence, each with a question that shares hardly a word with it
([trading_paraphrases.txt](../benchmarks/trading_paraphrases.txt)); the share of questions whose note is the first, and
among the first five. Conversations: LoCoMo, 760 questions over five conversations of about 550 turns, each a memory;
the mean share of a question's evidence among the first five and ten. The conversations are not part of this project.

{_markdown(("", "first 1 / 5", "first 5 / 10"), quality())}

BM25 with k₁ {K1} and b {B}; words of a heading count {HEADING_WEIGHT:g} times; meaning weighs {Weights().meaning:g}.

## Time

Median milliseconds of a warm recall by three words, stores in memory, two shared cores, Python
{sys.version_info.major}.{sys.version_info.minor}; texts of twelve words with the frequencies of natural text. With
vectors of {_DIMENSIONS} dimensions, without the time of the embedder.

{_markdown(("memories", "words", "words and vectors"), latency())}

## Cost on DynamoDB

One recall of five over a thousand memories without decisions, under moto; read units by the size of what was read.

{_markdown(("", "requests", "read units"), cost())}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")  # noqa: T201  a command
