# cnnbench with the interpreters that the stacks of 2018 need, where they cannot be installed.
#
#     docker build --tag cnnbench .
#     docker run --rm --volume cnnbench:/data cnnbench run --stack all
#
# What it measures is the container's share of the machine: give it whole CPUs (--cpuset-cpus).
FROM debian:bookworm-slim AS pythons
RUN apt-get update && apt-get install --yes --no-install-recommends \
        build-essential ca-certificates curl git libbz2-dev libffi-dev liblzma-dev libsqlite3-dev \
        libssl-dev xz-utils zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
ENV PYENV_ROOT=/opt/pyenv
RUN git clone --depth 1 https://github.com/pyenv/pyenv.git "$PYENV_ROOT" \
    # Compilers of today turn what 3.6 does into crashes at their usual optimisation.
    && CFLAGS=-O1 "$PYENV_ROOT/bin/pyenv" install 3.6.15 \
    && "$PYENV_ROOT/bin/pyenv" install 3.8.18

FROM python:3.12-slim-bookworm
RUN apt-get update && apt-get install --yes --no-install-recommends \
        git libbz2-1.0 libffi8 libgomp1 liblzma5 libsqlite3-0 libssl3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --home-dir /data bench
COPY --from=pythons /opt/pyenv /opt/pyenv
ENV PYENV_ROOT=/opt/pyenv \
    PATH=/opt/pyenv/versions/3.6.15/bin:/opt/pyenv/versions/3.8.18/bin:$PATH \
    CNNBENCH_CACHE_DIR=/data/cache \
    CNNBENCH_STORE=/data/runs.sqlite
COPY . /src
RUN /usr/local/bin/python -m pip install --no-cache-dir --require-hashes --requirement /src/requirements/run.txt \
    && /usr/local/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation /src
USER bench
WORKDIR /data
ENTRYPOINT ["/usr/local/bin/cnnbench"]
CMD ["--help"]
