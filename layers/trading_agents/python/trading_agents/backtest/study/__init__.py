"""The statistics: what memory changes in a track record, and whether chance explains it."""
