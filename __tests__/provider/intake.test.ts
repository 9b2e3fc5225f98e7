import { at } from '../../engine';
import { intake } from '../../provider/intake';
import type { IntakeInputs } from '../../components/observability-contract';

const inputs: IntakeInputs = {
  engine: at('unix:///docker.sock'), gate: 'phoenix-dev-gate', closedFile: '/tmp/closed', phoenix: 'phoenix-dev', metrics: 'http://127.0.0.1:9090/metrics', server: 'one', entrance: 'two',
};

/** An intake over a Phoenix that says this, one look after the other, and then the last of it again. */
function over(...held: readonly (number | undefined)[]): { kind: ReturnType<typeof intake>; did: string[] } {
  const did: string[] = [];
  const left = [...held];
  const kind = intake(() => ({
    open: async () => void did.push('open'),
    close: async () => void did.push('close'),
    held: async () => {
      const now = left.length > 1 ? left.shift() : left[0];
      did.push(`holds ${now}`);
      return now;
    },
    end: () => void did.push('end'),
  }), 0);
  return { kind, did };
}

test('another container of Phoenix means another intake', () => {
  expect(over(0).kind.identity).toEqual(['server']);
});

test('made and changed, it opens the gate', async () => {
  const { kind, did } = over(0);
  expect(await kind.create(inputs)).toBe(inputs);
  expect(await kind.update(inputs, { ...inputs, entrance: 'three' })).toEqual({ ...inputs, entrance: 'three' });
  expect(did).toEqual(['open', 'end', 'open', 'end']);
});

test('deleted, it closes the gate first and waits until Phoenix has held nothing five times in a row', async () => {
  const { kind, did } = over(120, 40, 0, 0, 500, 3, 0);
  await kind.delete?.(inputs);
  expect(did).toEqual(['close', 'holds 120', 'holds 40', 'holds 0', 'holds 0', 'holds 500', 'holds 3', ...Array<string>(5).fill('holds 0'), 'end']);
});

test('a Phoenix that says nothing is not waited for', async () => {
  const { kind, did } = over(7, undefined);
  await kind.delete?.(inputs);
  expect(did).toEqual(['close', 'holds 7', 'holds undefined', 'end']);
});

test('nor is one that gets nowhere for a minute; what is lost is said', async () => {
  const said = jest.spyOn(console, 'error').mockImplementation();
  let now = 0;
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => (now += 10_000));
  try {
    const { kind, did } = over(9, 8, 8);
    await kind.delete?.(inputs);
    expect(did.at(-1)).toBe('end');
    expect(said.mock.calls).toEqual([['Phoenix holds 8 spans that it has not stored for 60 s; they are lost with its container.']]);
  } finally {
    clock.mockRestore();
    said.mockRestore();
  }
});
