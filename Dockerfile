# syntax=docker/dockerfile:1

# ---- Files for the browser, by npm ----
FROM node:22-bookworm-slim AS browser
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

# ---- Python packages and collected files ----
FROM python:3.12-slim-bookworm AS build
WORKDIR /app
COPY requirements-bootstrap.lock requirements.lock ./
RUN python -m venv /app/.venv \
    && /app/.venv/bin/pip install --no-cache-dir --require-hashes -r requirements-bootstrap.lock \
    && VIRTUAL_ENV=/app/.venv /app/.venv/bin/uv pip install --no-cache --require-hashes -r requirements.lock
COPY . .
COPY --from=browser /app/node_modules node_modules
# The key is for this step only: settings want one, and nothing signed with it leaves the step.
RUN for po in $(find locale -name '*.po'); do .venv/bin/pybabel -q compile -i "$po" -o "${po%.po}.mo"; done \
    && KRING_SECRET_KEY=only-while-building-0123456789-abcdefghijklmnopqrstuvwxyz \
       DATABASE_URL=postgresql://nobody@nowhere/nothing \
       .venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && rm -rf var/run var/mail

# ---- What runs ----
FROM python:3.12-slim-bookworm
RUN useradd --system --create-home --uid 10001 kring
WORKDIR /app
COPY --from=build --chown=root:root /app /app
RUN mkdir -p /app/var/run /app/var/mail && chown -R kring:kring /app/var/run /app/var/mail
ENV PATH="/app/.venv/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER kring
EXPOSE 8000
# The health checks and the other commands stand in docker-compose.yml.
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
