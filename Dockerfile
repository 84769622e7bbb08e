# One image for every part: Airflow's components, the command line, the simulated platforms.
FROM apache/airflow:3.3.2-python3.11

# What the bulletin needs and pip cannot bring: Chinese fonts, and the library that sets the PDF's lines.
USER root
RUN apt-get update \
 && apt-get install --yes --no-install-recommends fonts-noto-cjk libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/*
USER airflow

# A lock with hashes: --no-deps, because every package is in it and the image's own are replaced where they differ.
COPY --chown=airflow:0 requirements.lock /opt/pls/
RUN pip install --no-cache-dir --no-deps --require-hashes -r /opt/pls/requirements.lock

COPY --chown=airflow:0 . /opt/pls/source/
RUN cd /opt/pls/source \
 && pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
 && pip install --no-cache-dir --no-deps /tmp/wheel/*.whl \
 && mkdir -p /opt/airflow/config /opt/airflow/dags /opt/airflow/private /opt/pls/home \
 && cp local/config/airflow_local_settings.py /opt/airflow/config/ \
 && cp dags/*.py /opt/airflow/dags/ \
 && mv simulator /opt/pls/ \
 && rm -rf /opt/pls/source /tmp/wheel

ENV PLS_HOME=/opt/pls/home GX_ANALYTICS_ENABLED=False
