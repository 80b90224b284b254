"""The embedded stores under kills, many processes, a full disk and a read-only file; each also a command.

python -m tests.embedded.kills --kills 200
python -m tests.embedded.processes --processes 8 --decisions 5000
"""
