"""The console's pages, each a function of a `Visit`, under the paths of the HTTP API."""

from agent_memory.cli.console.pages.alarms import alarms_page
from agent_memory.cli.console.pages.archive import archive_page, start_restore, start_verification
from agent_memory.cli.console.pages.cost import cost_page, estimate_page
from agent_memory.cli.console.pages.decision import decision_page, seal_page
from agent_memory.cli.console.pages.decisions import decisions_page
from agent_memory.cli.console.pages.earnings import earnings_page
from agent_memory.cli.console.pages.experiments import experiments_page
from agent_memory.cli.console.pages.memories import memories_page
from agent_memory.cli.console.pages.memory import (
    correct,
    history_page,
    influence_page,
    memory_page,
    named_memory_page,
    quarantine,
    release,
)
from agent_memory.cli.console.pages.nightly import learned_page, nightly_page, start_job
from agent_memory.cli.console.pages.overview import overview_page, performance_page
from agent_memory.cli.console.pages.playground import advise_page, recall_page
from agent_memory.cli.console.pages.trading import trading_page, trading_part

PAGES = (
    ("", overview_page),
    ("/performance", performance_page),
    ("/alarms", alarms_page),
    ("/decisions", decisions_page),
    ("/decisions/{decision_id}", decision_page),
    ("/decisions/{decision_id}/seal", seal_page),
    ("/memories", memories_page),
    ("/earnings", earnings_page),
    ("/learned", learned_page),
    ("/memory-named/{pattern_id:path}", named_memory_page),
    ("/influence/{pattern_id:path}", influence_page),
    ("/history/{memory_type}/{pattern_id:path}", history_page),
    ("/memories/{memory_type}/{pattern_id:path}", memory_page),
    ("/recall", recall_page),
    ("/advise", advise_page),
    ("/nightly", nightly_page),
    ("/archive", archive_page),
    ("/experiments", experiments_page),
    ("/trading", trading_page),
    ("/trading/memories", trading_part),
    ("/cost", cost_page),
    ("/estimate", estimate_page),
)
ACTIONS = (
    ("/memories/quarantine", quarantine),
    ("/memories/release", release),
    ("/memories/correct", correct),
    ("/nightly/run", start_job),
    ("/archive/verify", start_verification),
    ("/archive/restore", start_restore),
)
SECTIONS = (
    ("", "Overview"),
    ("/decisions", "Decisions"),
    ("/memories", "Memory"),
    ("/recall", "Recall"),
    ("/advise", "Advise"),
    ("/experiments", "Experiments"),
    ("/nightly", "Nightly jobs"),
    ("/archive", "Archive"),
    ("/trading", "Trading memory"),
    ("/cost", "Cost"),
)
