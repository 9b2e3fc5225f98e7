/** No test may reach the Docker Engine of the person who runs it, whichever that is. Runs before each test file. */
for (const name of ['DOCKER_CONTEXT', 'DOCKER_TLS', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_SSH_OPTS']) {
  delete process.env[name];
}
process.env['DOCKER_HOST'] = 'unix:///nowhere/docker.sock';
process.env['DOCKER_CONFIG'] = '/nowhere/docker';
// Nor their stacks: below a file that is no folder nobody makes one.
process.env['XDG_STATE_HOME'] = '/dev/null/state';
