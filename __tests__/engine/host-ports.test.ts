import { spawn } from 'node:child_process';
import * as net from 'node:net';
import * as os from 'node:os';
import { holderOf, isHeld } from '../../engine/host-ports';
import { freePort } from '../../lab';
import { heldPort } from '../support/held-port';

describe('isHeld', () => {
  test('a listener holds its port at its address', async () => {
    const port = await heldPort('127.0.0.1');
    expect(await isHeld('127.0.0.1', port)).toBe(true);
  });

  test('a listener on every address holds it at each', async () => {
    const port = await heldPort('0.0.0.0');
    expect(await isHeld('127.0.0.1', port)).toBe(true);
    expect(await isHeld('0.0.0.0', port)).toBe(true);
  });

  test('a listener on one address stands in the way of one on all', async () => {
    const port = await heldPort('127.0.0.1');
    expect(await isHeld('0.0.0.0', port)).toBe(true);
  });

  test('a free port stays free', async () => {
    const port = await freePort();
    expect(await isHeld('127.0.0.1', port)).toBe(false);
    expect(await isHeld('127.0.0.1', port)).toBe(false);
  });

  test('an address of another machine says nothing of the port', async () => {
    const port = await heldPort('127.0.0.1');
    expect(await isHeld('192.0.2.7', port)).toBe(false);
  });
});

const tells = os.platform() === 'linux' ? describe : describe.skip;
tells('holderOf', () => {
  test('names the process and its number', async () => {
    const port = await heldPort('127.0.0.1');
    expect(await holderOf(port)).toMatch(new RegExp(`^\\S.* \\(pid ${process.pid}\\)$`));
  });

  test('also over IPv6, and when it is another process', async () => {
    const child = spawn(process.execPath, ['-e', `const s = require('net').createServer().listen(0, () => console.log(s.address().port));`]);
    try {
      const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
      expect(await holderOf(port)).toBe(`node (pid ${child.pid})`);
    } finally {
      child.kill();
    }
  });

  test('nobody is nobody, and a connection to the port is no listener', async () => {
    expect(await holderOf(await freePort())).toBeUndefined();
    const port = await heldPort('127.0.0.1');
    const client = net.connect(port, '127.0.0.1');
    await new Promise((resolve) => client.once('connect', resolve));
    const { localPort = 0 } = client;
    expect(await holderOf(localPort)).toBeUndefined();
    client.destroy();
  });
});
