"""Every command of the command line on the deployed local cloud: the answers are those on a file."""

import json
from functools import partial

import pytest

from agent_memory.cli import main
from tests.command_walk import walk

pytestmark = [pytest.mark.slow, pytest.mark.local_cloud]


def test_commands_answer_on_the_deployment_as_on_a_file(local_cloud, tmp_path, capsys, monkeypatch):
    for name, value in local_cloud.environment().items():
        monkeypatch.setenv(name, value)

    def call(options, *arguments, code):
        assert main([*arguments, *options, "--json"]) == code, capsys.readouterr().err
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return found if arguments[:2] == ("decisions", "list") else found[0]

    answers = []
    for name, options in (
        ("file", ["--store", f"sqlite:///{tmp_path}/memory.db"]),
        ("cloud", ["--endpoint-url", local_cloud.endpoint_url]),
    ):
        folder = tmp_path / name
        folder.mkdir()
        answers.append(walk(partial(call, options), folder))
        (recalled,) = answers[-1]["memory recall"]
        del recalled["statistics"]["ranked_at"]  # now
    on_file, on_cloud = answers
    assert on_cloud.keys() == on_file.keys()
    for command, answer in on_file.items():
        assert on_cloud[command] == answer, command
