"""A DAG of many tasks against a vault that serves few requests."""
