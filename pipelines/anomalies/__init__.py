"""Baselines, anomalies and level shifts of any series of numbers, online and with one setting for all.

Belongs here: learning what to expect of a series from its own past, and telling what lies outside it. Does not
belong here: where series come from, and who is told.

Why our own: this is the product's core, and what the dependencies offer does not serve. statsforecast's intervals are
fitted to whole series and refit at every step when run online, and assume the Gaussian tails that traffic and cost do
not have; numpy has the pieces only. Every figure here is a rolling quantile, a rolling median or an exponential mean
of rows before the one judged, so Polars does the work for all series at once and nothing can look ahead.
"""
