"""Hours of runs through a real Airflow while everything goes wrong, held against a clean run."""
