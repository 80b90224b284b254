"""`python -m agent_memory.memory.glossary_source`: makes `trading_glossary.tsv` of `trading_glossary.txt`."""

from pathlib import Path

from agent_memory.core.stems import stemmer
from agent_memory.memory.words import terms_of

SOURCE = Path(__file__).with_name("trading_glossary.txt")
COMPILED = SOURCE.with_suffix(".tsv")
_SEPARATORS = str.maketrans("-/&+.'", "      ")


def compiled(source: str) -> str:
    """The glossary as it is read: a line for each entry, with forms and explanation as stems, separated by tabs.

    Raises:
        ValueError: an entry without forms or explanation, or with a form that another one has; names the line.
    """
    lines: list[str] = []
    known: dict[str, int] = {}
    for number, line in enumerate(source.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        given, _, explanation = map(str.strip, line.partition("|"))
        forms = list(dict.fromkeys(map(_form, given.split(","))))
        if not all(forms) or not explanation:
            raise ValueError(f"line {number}: expected `form, form | explanation`, got {line!r}")
        for form in forms:
            if known.setdefault(form, number) != number:
                raise ValueError(f"line {number}: {form!r} stands in line {known[form]} already")
        stems = dict.fromkeys(stem for stem, _ in terms_of(explanation))
        lines.append(f"{','.join(forms)}\t{' '.join(stems)}\t{explanation}\n")
    return "".join(lines)


def _form(text: str) -> str:
    return " ".join(map(stemmer().stem, text.casefold().translate(_SEPARATORS).split()))


if __name__ == "__main__":
    COMPILED.write_text(compiled(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
