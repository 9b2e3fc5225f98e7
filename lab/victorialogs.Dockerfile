# The official VictoriaLogs image where it matters to this stack: nothing but the binary, as root and without a shell. The build
# context holds only the binary.
FROM scratch

COPY victoria-logs-prod /victoria-logs-prod
# An archive that is cut short fails here and not when a stack starts it.
RUN ["/victoria-logs-prod", "-version"]

EXPOSE 9428
ENTRYPOINT ["/victoria-logs-prod"]
