/** Whether this process has a terminal, as tests say: on that of whoever runs them the commands would ask. */
export function ownTerminal(usually: boolean): { is: (value: boolean, only?: NodeJS.WriteStream | NodeJS.ReadStream) => void } {
  const streams = [process.stdin, process.stderr];
  const before = streams.map((stream) => Object.getOwnPropertyDescriptor(stream, 'isTTY') ?? { value: undefined, configurable: true, writable: true });
  const is = (value: boolean, only?: NodeJS.WriteStream | NodeJS.ReadStream): void =>
    streams.forEach((stream, index) => (only === undefined || only === stream) && Object.defineProperty(stream, 'isTTY', { ...before[index], value }));
  beforeEach(() => is(usually));
  afterAll(() => streams.forEach((stream, index) => Object.defineProperty(stream, 'isTTY', before[index] ?? {})));
  return { is };
}
