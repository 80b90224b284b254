"""Reads pages: the tables with their rows, and the figures, each as the value that the page was given."""

import json
from html.parser import HTMLParser


class Parsed(HTMLParser):
    """One page. `tables` has for each name its rows as dictionaries of the values of cells; `figures` the others."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        self.tables, self.figures, self.scripts, self.tags, self.links = {}, {}, [], [], []
        self._table = self._key = None
        self._tag = ""
        self._shown = []
        self.feed(text)

    @property
    def plots(self):
        """What each plot is drawn from."""
        return [json.loads(one["data-plot"]) for _, one in self.tags if "data-plot" in one]

    @property
    def visible(self):
        """The text that the page shows."""
        return "".join(self._shown)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append((tag, values))
        if "data-table" in values:
            self._table = self.tables.setdefault(values["data-table"], [])
        if tag == "tr" and self._table is not None:
            self._table.append({})
        if tag == "td" and self._table and "data-key" in values:
            self._key = values["data-key"]
            self._table[-1][self._key] = json.loads(values["data-value"]) if "data-value" in values else ""
        elif "data-value" in values and tag != "td":
            self.figures[values["data-key"]] = json.loads(values["data-value"])
        elif "data-value" in values and self._table:
            self._table[-1].setdefault("values", []).append(json.loads(values["data-value"]))
        if tag == "small" and "data-low" in values and self._table:
            self._table[-1] |= {name: json.loads(values[f"data-{name}"]) for name in ("low", "high")}
        if tag == "a":
            self.links.append(values.get("href"))
        if tag == "script":
            self.scripts.append(values)
        self._tag = tag

    def handle_endtag(self, tag):
        if tag == "table":
            self._table = None
        if tag == "td":
            self._key = None

    def handle_data(self, data):
        if self._tag not in ("script", "style"):
            self._shown.append(data)
        if self._key and self._table and isinstance(self._table[-1][self._key], str):
            self._table[-1][self._key] += data.strip()

    def rows(self, name):
        """The rows of a table without its heading."""
        return [row for row in self.tables[name] if row]
