# ftpconform alone: a static program, nobody's user, and nothing else. "make image"
# builds the program and hands it over as the whole context.
#
#   docker run --rm ftpconform:dev run                                   the reference server inside
#   docker run --rm --network host ftpconform:dev run ftp://user:password@host/
#
# Active mode needs the host's network: a server cannot connect to a container
# behind the engine's NAT. That is a finding about the engine and not the server.
FROM scratch
COPY ftpconform /ftpconform
USER 65534:65534
ENTRYPOINT ["/ftpconform"]
