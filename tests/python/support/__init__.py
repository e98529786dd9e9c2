"""What the suites share that run the built programs: a test vault, a Valet on it, an Airflow's interpreter."""
