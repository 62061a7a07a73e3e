"""
Everything local of one checkout, supervised: Prefect, Prometheus, Alertmanager, blackbox exporter, healer.

Top layer, beside the CLI: it starts the programs that compose the folders below it.
"""
