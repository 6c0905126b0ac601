# One image for web, worker, set-up and (in a demo) the sandbox. Two stages: what compiles stays behind.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
RUN python -m venv /venv
COPY requirements.txt /tmp/
# --no-deps: Djongo's own bounds are overridden (pyproject.toml); every hash is pinned.
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r /tmp/requirements.txt

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --user-group --home-dir /app --shell /usr/sbin/nologin coursehub \
    && mkdir -p /var/lib/coursehub && chown coursehub:coursehub /var/lib/coursehub
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 COURSEHUB_VAR=/var/lib/coursehub STATIC_ROOT=/app/static
WORKDIR /app
COPY --from=build /venv /venv
COPY . /app
# Static files need settings, settings need a key; this one lives in this line only.
RUN SECRET_KEY=collectstatic python manage.py collectstatic --noinput --verbosity 0
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:%s/healthz' % os.environ.get('PORT', '8000'), timeout=4)"]
CMD ["python", "-m", "coursehub.web"]
