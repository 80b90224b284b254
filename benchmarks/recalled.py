"""`python -m benchmarks.recalled`: what recall finds, how fast and at what cost, written to docs/recall.md.

Conversations are LoCoMo's (Maharana et al., ACL 2024), whose licence forbids to ship them: they are measured where the
file is present, else left out. Notes with a question each are in trading_paraphrases.txt, by which the glossary and the
weights were improved in part, and in trading_questions.txt, which nobody looked at for that.
"""

import gzip
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from threading import Lock
from typing import Any

import numpy as np

from agent_memory import MemoryManager
from agent_memory.core.extras import MissingExtra
from agent_memory.memory.ranking import TEXT_EXPONENT
from agent_memory.memory.text_index import K1, B
from agent_memory.memory.text_words import HEADING_WEIGHT, stored_words
from agent_memory.model.memories import Memory
from agent_memory.model.recall_weights import Weights
from agent_memory.model.recalled_parts import memory_texts
from agent_memory.ports.embedder import Embedder
from agent_memory.ports.stores import Stores
from agent_memory.storage.dynamodb.items import memory_item
from agent_memory.storage.embedders import embedder_of
from agent_memory.storage.factory import in_memory_stores, open_stores

PAGE = Path(__file__).parents[1] / "docs" / "recall.md"
CONVERSATIONS = Path(__file__).parents[2] / "shared" / "data" / "locomo_dev.jsonl.gz"
PAIRS = Path(__file__).with_name("trading_paraphrases.txt")
UNSEEN_PAIRS = Path(__file__).with_name("trading_questions.txt")
_SIZES = (1_000, 10_000, 100_000)
_QUERIES = 30
_MEANING_ALONE = {"importance": 0.0, "text": 0.0, "meaning": 1.0}
_DIMENSIONS = 384
_LETTERS = str.maketrans("0123456789", "bcdfghjklm")


Table = list[tuple[str, ...]]


def pairs(path: Path = PAIRS) -> list[tuple[str, str]]:
    """The notes of a file, each with a question that means it in other words."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(note.strip(), question.strip()) for note, _, question in (line.partition("|") for line in lines)]


def local_embedder() -> Embedder | None:
    """The local model, or None where the extra `embed` is not installed."""
    try:
        embedder = embedder_of("local")
    except MissingExtra:
        return None
    embedder.embed(["a first text, which loads the model"])
    return embedder


def places_of_notes(path: Path, embedder: Embedder | None, weights: Mapping[str, float] | None) -> list[int]:
    """The place of each question's note among those that are found for it, from 1 on; all notes are found."""
    memory = MemoryManager("notes", stores=_stores(embedder)).sync
    asked = pairs(path)
    for number, (note, _) in enumerate(asked):
        memory.store_ltm("LESSON", f"n{number}", {"description": note})
    found = [_ids(memory.recall(question, top_k=len(asked), weights=weights)) for _, question in asked]
    return [(ids.index(f"n{number}") if f"n{number}" in ids else len(ids)) + 1 for number, ids in enumerate(found)]


def evidence_found(
    path: Path, embedder: Embedder | None, weights: Mapping[str, float] | None, cuts: Sequence[int]
) -> dict[int, float]:
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
            recall = memories[f"c{row['conversation']}"].recall
            found = _ids(recall(row["question"], top_k=max(cuts), weights=weights))
            evidence = {one.replace(":", "-") for one in row["evidence"]}
            for cut in cuts:
                shares[cut].append(len(evidence & set(found[:cut])) / len(evidence))
    return {cut: sum(shares[cut]) / len(shares[cut]) for cut in cuts}


class Remembering:
    """An embedder that embeds no text twice."""

    def __init__(self, embedder: Embedder) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._vectors: dict[str, Sequence[float]] = {}

    def embed(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """See `Embedder`."""
        new = [one for one in dict.fromkeys(texts) if one not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._embedder.embed(new), strict=True))
        return [self._vectors[one] for one in texts]


def quality() -> tuple[Table, Table, Table]:
    """What is found of both files of notes and of conversations: by words, with the local model, by the model alone."""
    model = local_embedder()
    ways: list[tuple[str, Embedder | None, Mapping[str, float] | None]] = [("words", None, None)]
    if model is not None:
        embedder = Remembering(model)
        ways += [("words and local model", embedder, None), ("local model alone", embedder, _MEANING_ALONE)]
    notes: Table = []
    unseen: Table = []
    conversations: Table = []
    for name, embedder_of_way, weights in ways:
        places = places_of_notes(PAIRS, embedder_of_way, weights)
        notes.append((name, *_shares(places), f"{_share(places[1::2], 5):.0%}"))
        unseen.append((name, *_shares(places_of_notes(UNSEEN_PAIRS, embedder_of_way, weights))))
        if CONVERSATIONS.is_file():
            found = evidence_found(CONVERSATIONS, embedder_of_way, weights, (5, 10))
            conversations.append((name, f"{found[5]:.3f}", f"{found[10]:.3f}"))
    return notes, unseen, conversations


def _shares(places: Sequence[int]) -> list[str]:
    return [f"{_share(places, first):.0%}" for first in (1, 5, 10)]


def _share(places: Sequence[int], first: int) -> float:
    return sum(place <= first for place in places) / len(places)


def latency() -> Table:
    """Median milliseconds of a warm recall by the number of memories, and of the processor's time for it."""
    rows: Table = []
    for size in _SIZES:
        recall = _filled(size, _Random()).recall
        by_words, by_meaning = _timed(partial(recall, weights={"meaning": 0})), _timed(recall)
        rows.append((f"{size:,}", *(f"{one:.1f}" for one in (*by_words, *by_meaning))))
    return rows


def cost() -> Table:
    """Requests and read units of a recall on DynamoDB, cold and warm, by the number of memories."""
    return [row for size in _SIZES for row in _cost_of(size)]


def _cost_of(size: int) -> Table:
    import boto3  # noqa: PLC0415  under moto
    from moto import mock_aws  # noqa: PLC0415

    from agent_memory import AWSMemoryClients  # noqa: PLC0415

    with mock_aws():
        client = boto3.client("dynamodb", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")  # noqa: S106  moto's
        AWSMemoryClients.create_tables_if_not_exist("agent-memory", dynamodb_client=client)
        meter = _Meter(client)
        memory = MemoryManager("agent", stores=open_stores(dynamodb_client=client)).sync
        # Moto copies all tables for a transaction, so that a thousand `store_ltm` would take minutes.
        for first in range(0, size, 25):
            puts: Any = [{"PutRequest": {"Item": memory_item(_memory(first + n))}} for n in range(25)]
            client.batch_write_item(RequestItems={"agent-memory-agent_memory_ltm": puts})
        meter.start()
        rows: Table = []
        for name in ("cold", "warm"):
            memory.recall(_text(random.Random(1), 3))  # noqa: S311  synthetic words
            rows.append((f"{size:,}, {name}", *meter.take()))
    return rows


def _memory(number: int) -> Memory:
    data = {"description": _text(random.Random(number), 12), "confidence": 0.5}  # noqa: S311  synthetic words
    now_ms = round(time.time() * 1000)
    words = stored_words(*memory_texts(f"p{number}", data))
    return Memory("agent", "PATTERN", f"p{number}", 0.5, data, now_ms, now_ms, 1, words=words)


class _Meter:
    """Counts requests and the read units of what they return, as DynamoDB does for consistent reads.

    Requests are sent one after the other: reading a table of moto may change it.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._requests = 0
        self._units = 0.0
        self._turn = Lock()

    def start(self) -> None:
        events = self._client.meta.events
        events.register("before-call.dynamodb", self._wait)
        events.register("after-call.dynamodb", self._count)

    def take(self) -> tuple[str, str]:
        taken = f"{self._requests}", f"{self._units:,.0f}"
        self._requests, self._units = 0, 0.0
        return taken

    def _wait(self, **_: Any) -> None:
        self._turn.acquire()

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self._turn.release()
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

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        vectors: list[list[float]] = (
            np.random.default_rng(len(texts[0])).normal(size=(len(texts), _DIMENSIONS)).tolist()
        )
        return vectors


def _filled(size: int, embedder: Embedder) -> Any:
    memory = MemoryManager("agent", stores=_stores(embedder)).sync
    for number, text in enumerate(_texts(size)):
        memory.store_ltm("PATTERN", f"p{number}", {"description": text, "confidence": 0.5})
    memory.recall("bc")
    return memory


def _timed(recall: Callable[[str], Any]) -> tuple[float, float]:
    """Median milliseconds by the clock, and of the processor."""
    queries = [_text(random.Random(-seed), 3) for seed in range(_QUERIES)]  # noqa: S311  synthetic words
    times = []
    for query in queries:
        started, used = time.perf_counter(), time.process_time()
        recall(query)
        times.append((time.perf_counter() - started, time.process_time() - used))
    by_clock, by_processor = zip(*times, strict=True)
    return median(by_clock) * 1e3, median(by_processor) * 1e3


def _stores(embedder: Embedder | None) -> Stores:
    return replace(in_memory_stores(), embedder=embedder)


def _ids(found: Sequence[Any]) -> list[str]:
    return [one["memory"]["pattern_id"] for one in found]


def _texts(count: int) -> Iterator[str]:
    generator = random.Random(7)  # noqa: S311  synthetic words
    return (_text(generator, 12) for _ in range(count))


def _text(generator: random.Random, words: int) -> str:
    """Words with the frequencies of natural text: the n-th most common 1/n as frequent as the first (Zipf)."""
    return " ".join(str(int(50_000 ** generator.random())).translate(_LETTERS) for _ in range(words))


def _markdown(header: Sequence[str], rows: Table) -> str:
    lines = [f"| {' | '.join(header)} |", f"| --- |{' --: |' * (len(header) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def page() -> str:
    """The page with its figures."""
    notes, unseen, conversations = quality()
    return f"""# What recall finds

`make bench-recall` writes this page. Reasons are in [0062](decisions/0062-recall-by-a-kept-index.md),
[0063](decisions/0063-recall-by-meaning.md), [0077](decisions/0077-words-and-meaning-together.md) and
[0079](decisions/0079-a-glossary-of-trading.md). Older decisions are ranked by
[digests](decisions/0080-digests-of-decisions.md), which have words and no vectors.

## Questions answered

Notes of traders, each with a question that shares hardly a word with it; the share of questions whose note is the
first, and among the first five and ten.

{len(pairs(UNSEEN_PAIRS))} notes ([trading_questions.txt](../benchmarks/trading_questions.txt)), written when the
glossary was finished:

{_markdown(("notes that nothing was fitted to", "1", "5", "10"), unseen)}

{len(pairs())} notes ([trading_paraphrases.txt](../benchmarks/trading_paraphrases.txt)). The weights were chosen by
every second note, and the glossary was extended by what was not found of these; the last column is of the others alone.

{_markdown(("other notes", "1", "5", "10", "5, other half"), notes)}

Conversations: LoCoMo, 760 questions over five conversations of about 550 turns, each a memory of speaker, time and
text; the mean share of a question's evidence among the first five and ten. The conversations are not part of this
project.

{_markdown(("conversations", "5", "10"), conversations)}

BM25 with k₁ {K1} and b {B}; words of a heading count {HEADING_WEIGHT:g} times. Meaning weighs {Weights().meaning:g},
words count by their power of {TEXT_EXPONENT:g} then.

## Time

Milliseconds of a warm recall by three words: medians of {_QUERIES}, by the clock and of the processor's time. Stores in
memory, two cores that other processes shared, Python {".".join(map(str, sys.version_info[:2]))}, NumPy; texts of twelve
words with the frequencies of natural text, vectors of {_DIMENSIONS} dimensions, without the time of the embedder.

{_markdown(("memories", "words", "processor", "with vectors", "processor"), latency())}

## Cost on DynamoDB

One recall of five without decisions, under moto; read units by the size of what was read.

{_markdown(("memories", "requests", "read units"), cost())}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")  # noqa: T201  a command
