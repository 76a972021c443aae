# The tag names the compiler that the project is tested with.
FROM swift:6.3.1-bookworm AS build

RUN test -s /etc/ssl/certs/ca-certificates.crt -a -e /usr/include/openssl/ssl.h -a -e /usr/include/zlib.h \
    || { apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl-dev zlib1g-dev; }

WORKDIR /source
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
COPY openapi.yaml ./
RUN swift build -c release --product normserve --static-swift-stdlib -Xlinker -s

# All that the executable needs, under the paths at which the dynamic linker looks for it.
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN install -D "$(swift build -c release --show-bin-path)/normserve" /image/usr/bin/normserve; \
    ldd /image/usr/bin/normserve | grep -o '/[^ ]*' | xargs cp --dereference --parents --target-directory /image; \
    cp --dereference --parents /etc/ssl/certs/ca-certificates.crt /image; \
    echo 'normserve:x:10001:10001:normserve:/:/sbin/nologin' > /image/etc/passwd; \
    echo 'normserve:x:10001:' > /image/etc/group

FROM scratch
COPY --from=build /image /
USER 10001:10001
ENV NORMSERVE_HOST=0.0.0.0 NORMSERVE_PORT=8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=3s CMD ["/usr/bin/normserve", "health"]
ENTRYPOINT ["/usr/bin/normserve"]
CMD ["serve"]
