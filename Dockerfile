# Node.js and npm come from BASE, and what is left of it in the end runs on RUNTIME: two images of one release of
# Debian. Who wants the same bytes each time gives both by digest: --build-arg BASE=node@sha256:…
ARG BASE=node:24.21.0-trixie-slim
ARG RUNTIME=debian:trixie-slim

FROM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY run.mjs tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM ${BASE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# The optional ones are Node.js itself, for machines whose own is too old. Of SQLite, what is built for this one stays.
RUN npm ci --omit=dev --omit=optional \
 && rm -rf node_modules/better-sqlite3/deps \
 && find node_modules/better-sqlite3/prebuilds -type f ! -name 'linux-*' -delete

FROM ${RUNTIME}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="keywarden" \
      org.opencontainers.image.description="An API-key authority: issues, verifies, rotates and revokes API keys." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /opt/keywarden
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY LICENSE README.md CHANGELOG.md package.json run.mjs ./
COPY bin bin
COPY drizzle drizzle
COPY examples/connect2print.yaml examples/connect2print.yaml
# A number, because Kubernetes cannot tell from a name that it is not root. What is mounted must be open to it.
RUN install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/keywarden \
 && ln -s /opt/keywarden/bin/keywarden.mjs /usr/local/bin/keywarden
USER 65532:65532
WORKDIR /var/lib/keywarden
# Where the token is, not what it is.
# hadolint ignore=DL3064
ENV KEYWARDEN_STORE=sqlite:/var/lib/keywarden/keywarden.db \
    KEYWARDEN_TOKEN_FILE=/var/lib/keywarden/admin-token
VOLUME ["/var/lib/keywarden"]
# Nobody outside of the container reaches them before the settings say so: docs/deploy.md.
EXPOSE 50051 50052 8080 8081
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
  CMD ["node", "/opt/keywarden/dist/main.js", "health", "--quiet"]
# No launcher and no shell between: the server itself gets the signals.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/keywarden/dist/main.js"]
CMD ["serve"]
