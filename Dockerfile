# Two stages: the first builds a virtual environment, the second has that and Python, and nothing to build with.
ARG BASE=docker.io/library/python:3.13-slim
FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY templates templates
COPY static static
RUN python -m venv /opt/easel && /opt/easel/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM ${BASE}
COPY --from=build /opt/easel /opt/easel
RUN mkdir -m 700 /data && chown 10001:10001 /data
USER 10001:10001
ENV EASEL_DATA=/data EASEL_HOST=0.0.0.0 PYTHONUNBUFFERED=1 HOME=/tmp
VOLUME /data
EXPOSE 8484
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/opt/easel/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8484/health', timeout=4)"]
ENTRYPOINT ["/opt/easel/bin/easel"]
CMD ["serve", "--no-browser"]
