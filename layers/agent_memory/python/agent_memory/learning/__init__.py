"""Statistics that turn an agent's decisions into patterns, and that say when a pattern stops holding.

How a pattern is found, module by module:

    evidence          a decision with a known outcome as a row of facts
    evidence_table    the rows of one decision type as arrays
    feature_matrix    the facts that are worth counting, one boolean array each
    dataset           one decision type, split by time into train and holdout
    counting          how often each combination of facts occurs and succeeds
    discovery         which combinations differ from the rest in the train part
    identification    which of them the holdout confirms, as `patterns`

What follows:

    lifecycle, monitoring, cusum    whether a known pattern still holds
    performance                     success of strategies and sources, recurrence of market conditions
    forecasts, calibration          whether stated probabilities came true
    permutation                     the negative control: the same data with its outcomes permuted

The statistics that these rest on: `comparison`, `design_effect`, `intervals`, `posterior`, `significance`.

`evidence`, `intervals`, `lifecycle` and `permutation` import neither numpy nor SciPy.
"""
