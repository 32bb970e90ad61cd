# One image for every role: web, worker, beat and migrate differ by command only (docker-compose.yml).

FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
COPY requirements/server.txt /tmp/server.txt
# --no-deps: the lock is complete, and rapidocr's opencv-python is left out on purpose (pyproject.toml).
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /tmp/server.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin preloved \
    && mkdir -p /data /run/metrics && chown preloved: /data /run/metrics
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/preloved
COPY . .
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATIC_ROOT=/srv/preloved/static \
    PRELOVED_HOME=/data \
    PROMETHEUS_MULTIPROC_DIR=/run/metrics \
    BIND=0.0.0.0:8000
# The build needs no secret: an embedded default for the length of one command.
RUN mkdir -p "$STATIC_ROOT" \
    && PRELOVED_HOME=/tmp/build PROMETHEUS_MULTIPROC_DIR= python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /tmp/build
USER preloved
VOLUME /data
EXPOSE 8000
# The web process answers without touching the database; workers and beat replace this in docker-compose.yml.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["gunicorn", "-c", "ops/gunicorn.conf.py", "config.wsgi:application"]
