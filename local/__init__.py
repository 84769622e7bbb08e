"""What runs the project on one machine: Airflow for people, the demo. The package `etl` never imports it."""
