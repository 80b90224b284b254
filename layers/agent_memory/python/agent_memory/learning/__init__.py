"""Statistics that turn an agent's decisions into patterns, and that say when a pattern stops holding.

How a pattern is found, module by module:

    evidence          a decision as a row of facts, with what has become known of its outcome
    evidence_table    the rows of one decision type as arrays
    outcome_delays    which decisions are old enough, and what their missing outcomes could make up
    feature_matrix    the facts that are worth counting, one boolean array each
    clusters          which decisions may share their luck
    dataset           one decision type, prepared for what follows
    counting          how often each combination of facts occurs and succeeds
    effect_tests      whether a combination differs from comparable decisions
    discovery         the combinations that do, one after the other
    identification    those that still hold, as `patterns`

What follows:

    persistence                     the probability that an effect lasts
    lifecycle, monitoring, cusum    whether a known pattern still holds
    performance                     success of strategies and sources, recurrence of market conditions
    estimates, estimate_rows        what to expect of each option; expected_results reads it, choosing chooses by it
    forecasts, calibration          whether stated probabilities came true
    uplift, confidence_sequences    what memory earns, in experiments that withhold it
    policy_evaluation               what another policy would have achieved

The statistics that these rest on: `comparison`, `design_effect`, `intervals`, `posterior`, `significance`.

`choosing`, `confidence_sequences`, `evidence`, `expected_results`, `intervals`, `lifecycle`, `policy_evaluation` and
`uplift` import neither numpy nor SciPy.
"""
