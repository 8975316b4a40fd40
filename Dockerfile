# A container image that runs dltrain: slim, not root, with data and runs on volumes.
#
#   docker build -t dltrain .                              for CPU
#   docker build -t dltrain:gpu --build-arg VARIANT=gpu .  with CUDA's libraries
#
# Changing code rebuilds only the small layers at the end: the layer that holds TensorFlow depends
# on the list of requirements alone, not on the code, nor on the rest of pyproject.toml.

FROM python:3.12-slim-bookworm AS base


FROM base AS requirements
# "cpu" or "gpu"; anything else stops the build.
ARG VARIANT=cpu
WORKDIR /src
COPY scripts/list_requirements.py scripts/
COPY pyproject.toml ./
RUN python scripts/list_requirements.py "${VARIANT}" > requirements.txt


FROM base AS wheel
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY dltrain dltrain
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .


FROM base
LABEL org.opencontainers.image.title="dltrain" \
      org.opencontainers.image.description="Train, evaluate and compare Keras models described in one YAML file" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.12-slim-bookworm"

# The uid is fixed, so that files in volumes keep their owner from one image to the next.
# /app/runs leads to the volume, so that the default of `dltrain fit` lands there.
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin dltrain \
    && install --directory --owner=dltrain --group=dltrain /data /runs /app \
    && ln --symbolic /runs /app/runs

COPY --from=requirements /src/requirements.txt /app/
RUN pip install --no-cache-dir --requirement /app/requirements.txt

RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-deps /wheels/*.whl
COPY configs /app/configs

# Matplotlib, which Keras imports, warns of a home that it can't write to (docker run --user).
ENV DLTRAIN_DATA_DIR=/data \
    MPLCONFIGDIR=/tmp/matplotlib
VOLUME ["/data", "/runs"]
WORKDIR /app
USER 10001
ENTRYPOINT ["dltrain"]
CMD ["--help"]
