"""Columns of times from text: ISO 8601, epochs of any unit, compact dates, day and month in either order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from trading_agents.bars.table import Table
from trading_agents.core.arrays import TimeArray

_EPOCH_UNITS = ((1e8, 1e11, "s", 1_000_000), (1e11, 1e14, "ms", 1_000), (1e14, 1e17, "us", 1),
                (1e17, 1e20, "ns", 0.001))  # fmt: skip
"""Numbers from, numbers below, unit, microseconds: every unit reaches from 1973 into the next millennium."""

_DIGITS = re.compile(r"-?\d+(\.\d*)?([eE]\+?\d+)?")
_DIGITS_WITH_COMMA = re.compile(r"-?\d+,\d*([eE]\+?\d+)?")
_COMPACT = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f",
            20: "%Y%m%d%H%M%S%f"}  # fmt: skip
_LIKE_AN_EPOCH = {10: ("%y%m%d%H%M", "%d%m%Y%H", "%m%d%Y%H"), 12: ("%y%m%d%H%M%S", "%d%m%Y%H%M", "%m%d%Y%H%M")}
"""Dates without separators that are as long as an epoch time."""

_ENOUGH_TIMES = 3
_SAMPLE = 20
_OLDEST, _NEWEST = 1900, 2100
_TICKS = (("1973-11-01", "1974-12-31", "1601, as Windows"), ("1989-12-01", "1990-12-31", "the year 1, as .NET"))
"""First and last day that times of 1990 (Windows) or 2000 (.NET) to 2100 in ticks of 100 ns have if read as ns."""

_FIRST_YEAR, _LAST_YEAR = 1800, 2200
_SPREADSHEET_DAYS = (15_000, 80_000)
_OFFSET = re.compile(r"(?:Z|(?<=[:T ]\d{2})(?:[+-]\d{2}:?\d{2}|[+-]\d{2})|\.\d+[+-]\d{2}(?::?\d{2})?)$")
_ZONE_NAME = re.compile(r"^(.*\d)\s+([A-Za-z]+/[A-Za-z_/]+|UTC|GMT)$")
_ZONE_ABBREVIATION = re.compile(r":\d{2}\s+([A-Z]{3,4})$")
_UTC_IN_TITLE = re.compile(r"(?:utc|gmt)(?:\s*([+-]\d{1,2})(?::?(\d{2}))?)?", re.IGNORECASE)
_ZONE_IN_TITLE = re.compile(r"\(([A-Za-z]+/[A-Za-z_/]+|[CEMW]ET)\)")
_UNCLEAR_ZONE_IN_TITLE = re.compile(r"\(([A-Z]{1,3}T|MSK|(?i:exchange|local|market))(?i: time)?\)")
_HALF_OF_DAY = re.compile(r"(\d)\s*([AaPp])\.?[Mm]\.?$")
_TIME_OF_DAY = re.compile(r"^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s*[AaPp]\.?[Mm]\.?)?$|^\d{1,6}$")
_YEAR_FIRST = re.compile(r"^(\d{4})[./](\d{1,2})[./](\d{1,2})(?=$|[ T])")
_YEAR_LAST = re.compile(r"^(\d{1,2})([./-])(\d{1,2})[./-](\d{4}|\d{2})(?=$|[ T,])")
_FORMATS = (
    "%Y%m%d %H%M%S", "%Y%m%d %H%M", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M", "%Y%m%d-%H:%M:%S", "%Y%m%dT%H%M%S",
    "%Y-%m-%d %I-%p", "%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %I:%M %p", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y",
    "%d %b %Y", "%d %B %Y", "%d%b%Y", "%Y-%b-%d", "%b %d, %Y %H:%M", "%d-%b-%Y %H:%M:%S", "%d %b %Y %H:%M",
    "%d %b %Y %H:%M:%S", "%b %d %Y %H:%M:%S", "%b %d %Y",
)  # fmt: skip
_MAX_MONTH, _MAX_DAY = 12, 31
_NO_TIME = "is not a date or time; write ISO 8601, as 2026-01-31 09:30"


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Times of rows.

    Attributes:
        values: datetime64[us]; in UTC, or as a clock on the wall shows them.
        are_utc: whether they are in UTC, by their offset or as an epoch.
        zone: the time zone that the file itself names, or an empty text.
        unclear_zone: what a title names instead, such as ET, which is no zone of the IANA; or an empty text.
        description: how they are written, if not in ISO 8601.
    """

    values: Any
    are_utc: bool
    zone: str = ""
    description: str = ""
    unclear_zone: str = ""


def read_times(table: Table, column: int, time_of_day: int | None = None) -> Times:
    """Return the times of every row of a table.

    Args:
        table: the cells.
        column: the dates or times.
        time_of_day: the column with the time of the day, if `column` has only dates.

    Raises:
        BarsError: a cell is no time, or can be read in two ways; names line, column and what to write.
    """
    cells = [_HALF_OF_DAY.sub(r"\1 \2M", " ".join(cell.split())) for cell in table.columns[column]]
    if time_of_day is not None:
        _check_time_of_day(table, time_of_day)
        cells = _joined(cells, [_HALF_OF_DAY.sub(r"\1 \2M", cell.strip()) for cell in table.columns[time_of_day]])
    if cells and _DIGITS_WITH_COMMA.fullmatch(cells[0]):
        cells = [cell.replace(",", ".") for cell in cells]
    if all(_DIGITS.fullmatch(cell) for cell in cells[:1]):
        return _from_digits(table, column, cells)
    times = _from_text(table, column, cells)
    if times.are_utc or times.zone:
        return times
    titles = [table.titles[index] for index in (column, time_of_day) if index is not None]
    return _in_zone_of_title(times, " ".join(titles))


def _in_zone_of_title(times: Times, title: str) -> Times:
    """Return times with the zone that a title names: `Gmt time`, `date_utc`, `Time (UTC+2)`, `Time (EET)`.

    Abbreviations such as EST are no zones: titles name them for New York all the year, too.
    """
    if utc := _UTC_IN_TITLE.search(title):
        hours, minutes = int(utc.group(1) or 0), int(utc.group(2) or 0)
        ahead = np.timedelta64(60 * abs(hours) + minutes, "m") * (-1 if (utc.group(1) or "").startswith("-") else 1)
        return replace(times, values=times.values - ahead, are_utc=True)
    if unclear := _UNCLEAR_ZONE_IN_TITLE.search(title):
        times = replace(times, unclear_zone=unclear.group(1))
    match = _ZONE_IN_TITLE.search(title)
    try:
        return replace(times, zone=str(ZoneInfo(match.group(1)))) if match else times
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return replace(times, unclear_zone=match.group(1) if match else "")


def _check_time_of_day(table: Table, column: int) -> None:
    """Raise `BarsError` if times of the day are numbers of one or two digits: hours, or minutes after midnight."""
    texts = [cell.strip() for cell in table.columns[column]]
    if all(text.isdigit() and len(text) < len("930") for text in texts) and any(int(text) for text in texts):
        raise table.error(0, column, "can be an hour or minutes after midnight; write 09:30")


def is_time_of_day(cells: Sequence[str]) -> bool:
    """Whether the cells of a column are times of the day, without a date."""
    return all(_TIME_OF_DAY.match(cell.strip()) for cell in cells[:20])


def to_utc(table: Table, column: int, values: Any, time_zone: str) -> Any:
    """Convert times on a wall clock to UTC; an hour that a clock shows twice is told apart by the order of the rows.

    Args:
        table: the rows of one symbol, of the shape of `values`.
        column: of the times, for messages.
        values: datetime64[us].
        time_zone: an IANA name.

    Raises:
        BarsError: a time does not exist in the zone, or exists twice and the order of the rows does not tell which.
    """
    import pandas as pd  # noqa: PLC0415  # 0.3 s, and only files need it

    is_descending = len(values) > 1 and values[0] > values[-1]
    index = pd.DatetimeIndex(values[::-1] if is_descending else values)
    zone = ZoneInfo(time_zone)
    missing = index.tz_localize(zone, nonexistent="NaT", ambiguous=np.ones(len(index), dtype=bool)).isna()
    if missing.any():
        row = int(np.argmax(missing))
        row = len(values) - 1 - row if is_descending else row
        raise table.error(
            row, column, f"does not exist in {time_zone}: clocks are put forward over it; write UTC offsets"
        )
    doubtful = index.tz_localize(zone, ambiguous="NaT").isna()
    # In order of time, clocks go back into the hour that they show twice, and nowhere else.
    is_in_order = not ((np.diff(index) < np.timedelta64(0)) & ~doubtful[1:]).any()
    try:
        localized = index.tz_localize(zone, ambiguous="infer" if is_in_order else "raise")
    except ValueError:
        row = int(np.argmax(doubtful))
        row = len(values) - 1 - row if is_descending else row
        raise table.error(
            row, column, f"exists twice in {time_zone}, when clocks are put back; write UTC offsets"
        ) from None
    utc = localized.tz_convert("UTC").tz_localize(None).as_unit("us").to_numpy()
    return utc[::-1] if is_descending else utc


def _joined(dates: Sequence[str], times: Sequence[str]) -> list[str]:
    """Return date and time of the day in one text; a time without colons is filled with zeros: 930, 93000."""
    if all(time.isdigit() for time in times):
        width = 4 if max(map(len, times)) <= 4 else 6  # noqa: PLR2004  # HHMM or HHMMSS
        times = [":".join(re.findall("..", time.zfill(width))) for time in times]
    if all(re.fullmatch(r"\d{8}", date) for date in dates):
        dates = [f"{date[:4]}-{date[4:6]}-{date[6:]}" for date in dates]
    return [f"{date} {time}" for date, time in zip(dates, times, strict=True)]


# --- digits -------------------------------------------------------------------------------------


def _from_digits(table: Table, column: int, cells: list[str]) -> Times:
    compact = _from_compact(table, column, cells)
    if compact is not None:
        return Times(compact, are_utc=False, description="dates without separators")
    values = np.empty(len(cells), dtype=np.int64)
    units = set()
    for row, cell in enumerate(cells):
        if not _DIGITS.fullmatch(cell):
            raise table.error(row, column, "is not an epoch time like the lines before; write ISO 8601")
        unit, values[row] = _since_epoch(table, column, row, cell)
        units.add(unit)
    times = values.astype("datetime64[us]")
    _check_epoch(table, column, cells, times, units)
    written = " and ".join(unit for _, _, unit, _ in _EPOCH_UNITS if unit in units)
    return Times(times, are_utc=True, description=f"epoch {written}")


def _from_compact(table: Table, column: int, cells: list[str]) -> Any:
    """Return the times of digits such as 20240131 or 2024013109; None if they are none."""
    width = len(cells[0])
    if width not in _COMPACT or not cells[0].isdigit():
        return None
    (first,) = _parsed(cells[:1], _COMPACT[width])
    if np.isnat(first) or not _FIRST_YEAR <= int(first.astype("datetime64[Y]").astype(int)) + 1970 <= _LAST_YEAR:
        return None
    values = _parsed(cells, _COMPACT[width])
    is_time = ~np.isnat(values)
    if width == len("2024013109") and not is_time.all():  # from 2030 on, some seconds since the epoch look the same
        return None
    table.check(is_time, column, f"is not a time like {cells[0]}")
    return values


def _check_epoch(table: Table, column: int, cells: list[str], times: TimeArray, units: set[str]) -> None:
    """Raise `BarsError` if digits that were read as an epoch can be something else, or are no time of our age."""
    forms = _LIKE_AN_EPOCH.get(len(cells[0]), ()) if len(set(cells)) >= _ENOUGH_TIMES else ()
    if any(_are_recent(_parsed(cells[:_SAMPLE], form)) and _are_recent(_parsed(cells, form)) for form in forms):
        raise table.error(0, column, "can be an epoch time or a date without separators; write ISO 8601")
    years = times.astype("datetime64[Y]").astype(int) + 1970
    in_range = (years >= _FIRST_YEAR) & (years <= _LAST_YEAR)
    table.check(in_range, column, "is no epoch time in s, ms, us or ns; write ISO 8601")
    for first, last, since in _TICKS:
        if units == {"ns"} and ((np.datetime64(first) <= times) & (times <= np.datetime64(last))).all():
            raise table.error(0, column, f"can be ns since 1970 or ticks of 100 ns since {since}; write ISO 8601")


def _since_epoch(table: Table, column: int, row: int, cell: str) -> tuple[str, int]:
    """Return the unit of an epoch time and its microseconds; the unit is the one in which it lies in our age."""
    size = abs(float(cell))
    if table.unit == "line" and "e" in cell.lower():
        raise table.error(
            row,
            column,
            "is in scientific notation, which drops digits of a time; write the number in full, or ISO 8601",
        )
    for least, below, unit, microseconds in _EPOCH_UNITS:
        if least <= size < below:
            is_whole = re.fullmatch(r"-?\d+", cell) is not None
            if is_whole and unit == "ns":
                return unit, int(cell) // 1_000
            return unit, int(cell) * int(microseconds) if is_whole else round(float(cell) * microseconds)
    if _SPREADSHEET_DAYS[0] <= size < _SPREADSHEET_DAYS[1]:
        raise table.error(
            row, column, "looks like the number of a day in a spreadsheet; write ISO 8601, as 2026-01-31 09:30"
        )
    raise table.error(
        row, column, "is neither a date nor an epoch time (s, ms, us, ns), rather a row number; write ISO 8601"
    )


def _are_recent(times: TimeArray) -> bool:
    """Return whether all are times, of 1900 to 2100."""
    years = times[~np.isnat(times)].astype("datetime64[Y]").astype(int) + 1970
    return len(years) == len(times) and bool(((years >= _OLDEST) & (years <= _NEWEST)).all())


# --- text ---------------------------------------------------------------------------------------


def _from_text(table: Table, column: int, cells: list[str]) -> Times:
    zone, cells = _named_zone(table, column, cells)
    cells = [_YEAR_FIRST.sub(r"\1-\2-\3", cell.replace("GMT+", "+").replace("GMT-", "-")) for cell in cells]
    description = ""
    if _YEAR_LAST.match(cells[0]):
        cells, description = _year_first(table, column, cells)
    cells = [_padded(cell) for cell in cells]
    with_offset = [bool(_OFFSET.search(cell)) for cell in cells]
    if len(set(with_offset)) > 1:
        other = with_offset.index(not with_offset[0])
        for row in (0, other):
            if np.isnat(_parsed([cells[row]], None)[0]):
                raise table.error(row, column, _NO_TIME)
        raise table.error(
            other,
            column,
            f"{'has no' if with_offset[0] else 'has a'} UTC offset, unlike the {table.unit}s before; write it in all",
        )
    if abbreviation := _ZONE_ABBREVIATION.search(cells[0]):
        zone_name = abbreviation.group(1)
        raise table.error(
            0,
            column,
            f"has the abbreviation {zone_name} of a time zone; remove it and pass --time-zone, or write UTC offsets",
        )
    values = _parsed(cells, None)
    if np.isnat(values).any():
        values = _by_a_format(cells, values)
        description = description or "dates in words or compact"
    table.check(~np.isnat(values), column, _NO_TIME)
    years = values.astype("datetime64[Y]").astype(int) + 1970
    table.check((years >= _FIRST_YEAR) & (years <= _LAST_YEAR), column, "is not in a year from 1800 to 2200")
    return Times(values, are_utc=with_offset[0] or zone in {"UTC", "GMT"}, zone=zone, description=description)


def _named_zone(table: Table, column: int, cells: list[str]) -> tuple[str, list[str]]:
    """Return the zone that is written behind every time, and the times without it."""
    match = _ZONE_NAME.match(cells[0])
    if not match:
        return "", cells
    zone = match.group(2)
    rest = []
    for row, cell in enumerate(cells):
        if not cell.endswith(" " + zone):
            raise table.error(row, column, f"is not in {zone}, unlike the lines before; write UTC offsets")
        rest.append(cell[: -len(zone) - 1])
    return zone, rest


def _year_first(table: Table, column: int, cells: list[str]) -> tuple[list[str], str]:
    """Return dates such as 31/01/2026 with the year first; day and month are told apart by a number above 12.

    Raises:
        BarsError: no number is above 12, numbers above 12 stand in both places, or a year of two digits can be either
            the first or the last number.
    """
    parts = []
    for row, cell in enumerate(cells):
        match = _YEAR_LAST.match(cell)
        if not match:
            raise table.error(row, column, f"is not a date like {cells[0]!r}; write ISO 8601")
        parts.append((int(match.group(1)), int(match.group(3)), match.group(4), cell[match.end() :]))
    has_points = cells[0][len(re.match(r"\d+", cells[0]).group())] == "."  # type: ignore[union-attr]  # it matched above
    if len(parts[0][2]) == 2:  # noqa: PLR2004  # a year of two digits
        dates = [(first, second, int(last)) for first, second, last, _ in parts]
        if _is_wider_by_day(dates) if has_points else _year_is_first(table, column, dates):
            rewritten = [
                f"{_full_year(f'{year:02}')}-{month:02}-{day:02}{part[3]}"
                for (year, month, day), part in zip(dates, parts, strict=True)
            ]
            return rewritten, "year/month/day"
    first_is_day = max(part[0] for part in parts) > _MAX_MONTH
    second_is_day = max(part[1] for part in parts) > _MAX_MONTH
    if first_is_day and second_is_day:
        row = next(row for row, part in enumerate(parts) if part[1] > _MAX_MONTH)
        raise table.error(row, column, "has the day in another place than other lines; write ISO 8601, as 2026-01-31")
    if not first_is_day and not second_is_day and not has_points:
        raise table.error(
            0, column, "can be day/month or month/day, and no line tells which; write ISO 8601, as 2026-01-31"
        )
    day_first = not second_is_day
    rewritten = []
    for first, second, year, rest in parts:
        day, month = (first, second) if day_first else (second, first)
        rewritten.append(f"{_full_year(year)}-{month:02}-{day:02}{rest.replace(',', '')}")
    return rewritten, "day/month/year" if day_first else "month/day/year"


def _full_year(year: str) -> str:
    """Return a year with four digits, as POSIX completes one of two."""
    return year if len(year) > 2 else ("19" if int(year) > 68 else "20") + year  # noqa: PLR2004


def _year_is_first(table: Table, column: int, dates: Sequence[tuple[int, int, int]]) -> bool:
    """Return whether the first number is the year: of the readings without an impossible date, one is in order of time.

    Raises:
        BarsError: both places are possible.
    """
    ends = [(last, second, first) for first, second, last in dates]  # day/month/year
    american = [(last, first, second) for first, second, last in dates]  # month/day/year
    possible = [
        reading
        for reading in (dates, ends, american)
        if all(1 <= month <= _MAX_MONTH and 1 <= day <= _MAX_DAY for _, month, day in reading)
    ]
    in_order = [reading for reading in possible if list(reading) in (sorted(reading), sorted(reading, reverse=True))]
    remaining = in_order or possible
    if dates in remaining and len(remaining) > 1:
        raise table.error(0, column, "can have the year first or last; write years of four digits, as 2026-01-31")
    return dates in remaining


def _is_wider_by_day(dates: Sequence[tuple[int, int, int]]) -> bool:
    """Return whether dates such as 24.01.31 reach over a shorter time with the year first, than with the day first."""
    days = [
        [372 * year + 31 * month + day for year, month, day in reading]
        for reading in (dates, [(last, second, first) for first, second, last in dates])
    ]
    year_first, day_first = (max(one) - min(one) for one in days)
    return year_first < day_first


def _padded(cell: str) -> str:
    """Write `2024-1-2 9:30` as `2024-01-02 09:30`, as ISO 8601 wants it."""
    match = re.match(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:([ T])(\d{1,2})(:.*))?$", cell)
    if not match:
        return cell.replace(" +", "+").replace(" -", "-") if re.search(r"\d [+-]\d{2}:?\d{2}$", cell) else cell
    year, month, day, separator, hour, rest = match.groups()
    date = f"{year}-{month:>02}-{day:>02}"
    time = f"{separator}{hour:>02}{rest.replace(' +', '+').replace(' -', '-')}" if hour else ""
    return date + time


def _by_a_format(cells: list[str], iso: Any) -> Any:
    """Return the times by the format that reads most of them."""
    sample = cells[:_SAMPLE]
    forms = [form for form in _FORMATS if not np.isnat(_parsed(sample, form)).all()]
    readings = [iso, *(_parsed(cells, form) for form in forms)]
    return min(readings, key=lambda values: int(np.isnat(values).sum()))


def _parsed(cells: Sequence[str], form: str | None) -> TimeArray:
    """Return the times of text by a format, None for ISO 8601; NaT where a text is none."""
    import pandas as pd  # noqa: PLC0415  # 0.3 s, and only files need it

    parsed = pd.to_datetime(list(cells), format=form or "ISO8601", errors="coerce", utc=True)
    values: TimeArray = parsed.tz_localize(None).as_unit("us").to_numpy()
    return values
