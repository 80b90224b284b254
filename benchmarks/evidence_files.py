"""Synthetic evidence of any size, drawn and written to Parquet by DuckDB."""

from pathlib import Path

import duckdb

from benchmarks.synthetic_records import FACTS, HOUR_MS, SOURCES, START_MS

DAYS = 90
"""The time that the evidence covers, however many decisions it has."""
_SOURCE_SHARE = 0.5


def write_evidence(path: Path, count: int, *, part: int = 0, parts: int = 1) -> None:
    """Write `count` decisions of two types with 41 features, eight combinations of which change the success rate.

    Args:
        path: of the file.
        count: number of decisions.
        part: of a record in several files, which file this is, from 0; each covers a part of the time.
        parts: number of files.
    """
    columns = [_one_of(n, key, values, weights) for n, (key, values, weights) in enumerate(FACTS)]
    first = len(FACTS)
    sources = [f"CASE WHEN r{first + n} < {_SOURCE_SHARE} THEN 'source={name}' END" for n, name in enumerate(SOURCES)]
    outcome = first + len(SOURCES)
    numbers = ", ".join(f"random() AS r{n}" for n in range(outcome + 1))
    facts = f"list_sort(list_filter([{', '.join(columns + sources)}], lambda fact: fact IS NOT NULL))"
    connection = duckdb.connect(config={"threads": "1"})
    connection.execute(f"SELECT setseed({0.5 / (part + 1)})")
    connection.execute(
        f"""
        COPY (
            SELECT 'decision-' || i AS decision_id,
                   CASE WHEN i % 2 = 0 THEN 'SIGNAL_GENERATION' ELSE 'SOURCE_SELECTION' END AS decision_type,
                   {START_MS} + i * {DAYS * 24 * HOUR_MS} // {count * parts} AS timestamp_ms,
                   r{outcome} < {_rate(first)} AS success,
                   {facts} AS features
            FROM (SELECT i, {numbers} FROM range({part * count}, {(part + 1) * count}) AS numbers(i)) ORDER BY i
        ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"""  # noqa: S608  constants of this module
    )
    connection.close()


def _one_of(n: int, key: str, values: tuple[str, ...], weights: tuple[float, ...]) -> str:
    """SQL that draws one of the values by the random number `r{n}`."""
    cases, below = [], 0.0
    for value, weight in zip(values[:-1], weights[:-1], strict=True):
        below += weight
        cases.append(f"WHEN r{n} < {below} THEN '{key}={value}'")
    return f"CASE {' '.join(cases)} ELSE '{key}={values[-1]}' END"


def _rate(source: int) -> str:
    """SQL of the success rate: 55 %, changed by four single features, three pairs and a triple."""
    changes = [
        (0.10, "r1 < 0.4"),
        (-0.06, f"r{source} < {_SOURCE_SHARE}"),
        (0.05, "r5 < 0.2"),
        (-0.05, "r8 < 0.4"),
        (0.08, "r0 < 0.3 AND r2 < 0.25"),
        (-0.08, f"r3 < 0.33 AND r{source + 1} < {_SOURCE_SHARE}"),
        (0.08, "r7 < 0.3 AND r6 < 0.25"),
        (0.10, "r4 < 0.25 AND r9 < 0.9 AND r10 < 0.3"),
    ]
    return "0.55" + "".join(f" + ({change}) * ({where})::INTEGER" for change, where in changes)
