# The score server with a trained checkpoint, and (target lab) the notebooks. docker-compose.yml starts both:
#   echo "RB_API_KEY=$(openssl rand -hex 32)" > .env && docker compose up
# The server alone:
#   docker build -t rewardbook . && docker run --rm --read-only --tmpfs /tmp -e RB_API_KEY=… -p 127.0.0.1:8000:8000 -v ./checkpoints:/app/checkpoints:ro rewardbook
# What is downloaded is pinned: npm packages by the hashes of package-lock.json, TensorFlow's wheel and the default encoder by the hashes in scripts/setup,
# Python packages by those of scripts/requirements.lock; Debian's packages and the base image come as their registries have them (--build-arg NODE_IMAGE=node@sha256:…).
ARG NODE_IMAGE=node:20.20.2-bookworm-slim

FROM ${NODE_IMAGE} AS tools
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv g++ make && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .

FROM tools AS lab
RUN node scripts/setup.mjs && chown -R 1000:1000 .
USER 1000
EXPOSE 8888
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:8888/api').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "scripts/lab.mjs"]
CMD ["--no-browser", "--ip=0.0.0.0"]

FROM tools AS build
RUN node scripts/setup.mjs --server && node scripts/serverOnly.mjs /server

FROM ${NODE_IMAGE} AS server
ENV NODE_ENV=production TF_CPP_MIN_LOG_LEVEL=3
WORKDIR /app
COPY --from=build /server .
USER 1000
EXPOSE 8000
HEALTHCHECK --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:8000/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/rewardbook.cjs"]
CMD ["serve", "--checkpoint", "checkpoints/default/best", "--host", "0.0.0.0", "--port", "8000"]
