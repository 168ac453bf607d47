# A static program in an empty image, run without privileges:
#
#   docker build -t quorate .
#   docker run --read-only --stop-timeout 30 --cap-drop=ALL --security-opt=no-new-privileges \
#     -v quorate:/data -v ./passphrase:/run/secrets/passphrase:ro quorate
#
# The node is made once with `init`, that of a robot with `init --robot`; see docs/packaging.md
# and docs/robot.md.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0 GOTOOLCHAIN=local
COPY go.mod go.sum ./
RUN go mod download && go mod verify
# With .git: the compiler stamps the commit into the program.
COPY . .
RUN scripts/package binary /out && mkdir /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/quorate /usr/bin/quorate
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
USER 65532:65532
ENV QUORATE_DATA_DIR=/data QUORATE_PASSPHRASE_FILE=/run/secrets/passphrase
VOLUME /data
EXPOSE 9781/tcp 9781/udp
STOPSIGNAL SIGTERM
# No shell is needed: the program asks the node.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["/usr/bin/quorate", "status", "--ready"]
ENTRYPOINT ["/usr/bin/quorate"]
CMD ["start"]
