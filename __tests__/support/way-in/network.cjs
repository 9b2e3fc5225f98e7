/**
 * The network of a Node process under test, loaded before it: each name of THE_NETWORK leads to a port of loopback, or is not known.
 * What a hosts file and a firewall do elsewhere, without root.
 */
const net = require('node:net');

const network = JSON.parse(process.env.THE_NETWORK ?? '{}');
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  const port = options?.host && network[options.host];
  if (port === 'unknown') {
    options.lookup = (host, _options, callback) => callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host }));
  } else if (port) {
    Object.assign(options, { host: '127.0.0.1', port });
  }
  return connect.apply(this, args);
};
