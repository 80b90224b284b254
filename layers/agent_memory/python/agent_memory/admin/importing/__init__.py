"""Import of an agent's export: what is missing is written, what is newer is kept, what contradicts is listed.

Each kind of data has a module. All go by one rule, which makes an import repeatable after a failure: they compare what
is stored with what was exported, and write only what follows from it.

    created       was not there
    updated       the export has later changes of it
    unchanged     was there already
    newer         is kept: it has changed since the export
    conflicts     is kept: it and the export contradict each other
"""
