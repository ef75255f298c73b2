# What sets up the consortium of docker-compose.yml: fabric/docker/setup.ts and Fabric's own programs, as released.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY chaincode/package.json chaincode/
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM debian:bookworm-slim AS fabric
ARG TARGETARCH=amd64
ARG FABRIC_VERSION=3.1.5
ADD https://github.com/hyperledger/fabric/releases/download/v${FABRIC_VERSION}/hyperledger-fabric-linux-${TARGETARCH}-${FABRIC_VERSION}.tar.gz /fabric.tar.gz
RUN mkdir /fabric && tar -xzf /fabric.tar.gz -C /fabric bin builders

FROM node:24-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=fabric /fabric /opt/fabric
COPY package.json ./
COPY chaincode/package.json chaincode/
COPY chaincode/src chaincode/src
COPY src src
COPY fabric fabric
# It hands every organisation its files, so it begins as root, and ends when that is done.
ENV PATH=/opt/fabric/bin:$PATH
