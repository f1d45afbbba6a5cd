# The score server with a trained checkpoint: docker build -t rewardbook . && docker run -p 8000:8000 -v ./checkpoints:/app/checkpoints rewardbook
FROM node:22-bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN node scripts/setup.mjs && rm -rf .venv && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
ENV NODE_ENV=production TF_CPP_MIN_LOG_LEVEL=3
WORKDIR /app
COPY --from=build --chown=node:node /app .
USER node
EXPOSE 8000
HEALTHCHECK --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:8000/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/rewardbook.cjs"]
CMD ["serve", "--checkpoint", "checkpoints/default/best", "--host", "0.0.0.0", "--port", "8000"]
