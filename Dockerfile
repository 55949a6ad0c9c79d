# Two stages: the first builds a virtual environment, the second has that and Python, and nothing to build with.
ARG BASE=docker.io/library/python:3.13-slim
FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY templates templates
COPY static static
# Without pip in it: nothing is ever installed into a running container.
RUN python -m venv --without-pip /opt/easel \
 && python -m pip --python /opt/easel/bin/python install --no-cache-dir --disable-pip-version-check \
      --constraint constraints.txt .

FROM ${BASE}
COPY --from=build /opt/easel /opt/easel
RUN mkdir -m 700 /data && chown 10001:10001 /data
# By number: `runAsNonRoot` and a bind mount's owner need no user's name.
USER 10001:10001
ENV EASEL_DATA=/data EASEL_HOST=0.0.0.0 PYTHONUNBUFFERED=1 HOME=/tmp
VOLUME /data
EXPOSE 8484
# Not urllib: Docker may set http_proxy in every container, and urllib would ask that.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/opt/easel/bin/python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8484, timeout=4); c.request('GET', '/health'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["/opt/easel/bin/easel"]
CMD ["serve", "--no-browser"]
