# The server. Node and PostgreSQL's binaries come from elsewhere here, so what `npm ci` would fetch of them is left out.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY chaincode/package.json chaincode/
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY chaincode/package.json chaincode/
COPY chaincode/src chaincode/src
COPY src src
COPY fhir-profiles fhir-profiles
RUN mkdir /data && chown node:node /data
USER node
ENV HOST=0.0.0.0 MEDSEAL_DATA=/data
EXPOSE 8080
VOLUME /data
HEALTHCHECK --interval=10s --timeout=3s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-old-space-size=270", "--max-semi-space-size=16", "--heap-growing-percent=70", "--v8-pool-size=1", "src/main.ts"]
