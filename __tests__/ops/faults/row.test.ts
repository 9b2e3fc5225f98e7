import { faults, named } from '../../../ops/support/faults/faults';
import { cells, counts, isGood, line, markdown, type Row } from '../../../ops/support/faults/row';

const fault = { name: 'phoenix-sigkill', about: 'Phoenix is killed by SIGKILL' };
const row: Row = { fault, sent: 1200, accepted: 1100, stored: 1100, lost: 0, duplicated: 0, refused: new Map([['503', 90], ['no answer', 10]]), mayLose: 0, wholeAfter: 21.4 };

test('lost is what was accepted and is not stored; what is stored without a 200 makes up for none of it', () => {
  const sender = { sent: 4, accepted: ['a1', 'a2', 'a3'], refused: new Map([['no answer', 1]]) };
  expect(counts({ sender, stored: { ids: new Set(['a1', 'a3', 'a4']), duplicates: 2 } })).toEqual({ sent: 4, accepted: 3, stored: 3, lost: 1, duplicated: 2, refused: sender.refused });
});

test.each<[boolean, string, Partial<Row>]>([
  [true, 'refused spans are with who has sent them', {}],
  [false, 'a span is lost', { lost: 1 }],
  [true, 'what the bound allows is lost', { lost: 30, mayLose: 30 }],
  [false, 'more than that', { lost: 31, mayLose: 30 }],
  [false, 'a span is there twice', { duplicated: 1 }],
  [false, 'it never went on', { wholeAfter: undefined }],
  [false, 'somebody had to help', { repaired: 'the queue file was removed' }],
])('%s: %s', (good, _, change) => expect(isGood({ ...row, ...change })).toBe(good));

test('a row in words', () => {
  expect(line(row)).toBe('sent 1,200, accepted 1,100, stored 1,100, lost 0, duplicated 0, refused 90 (503), 10 (no answer), whole again after 21 s');
  expect(cells({ ...row, fault: { ...fault, bound: 'what waited in the queue' }, lost: 5, mayLose: 9, wholeAfter: undefined }).slice(4)).toEqual(['5 (bound: 9, what waited in the queue)', '0', '90 (503), 10 (no answer)', 'never']);
  expect(cells({ ...row, repaired: 'the queue file was removed' }).at(-1)).toBe('not by itself (the queue file was removed): 21 s');
});

test('the table, with and without the docker-compose set-up beside it', () => {
  const other: Row = { ...row, fault: { name: 'gate-sigkill', about: 'the gate is killed' }, refused: new Map() };
  expect(markdown([row], new Map())).toBe([
    '| fault | sent | accepted | stored | lost | duplicated | refused | whole again after |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    '| Phoenix is killed by SIGKILL | 1,200 | 1,100 | 1,100 | 0 | 0 | 90 (503), 10 (no answer) | 21 s |',
  ].join('\n'));
  expect(markdown([row, other], new Map([[fault.name, { ...row, lost: 400 }]])).split('\n')).toEqual([
    expect.stringMatching(/ \| lost by docker-compose \|$/),
    expect.any(String),
    expect.stringMatching(/ \| 400 of 1,100 \|$/),
    expect.stringMatching(/ \| – \|$/),
  ]);
});

describe('which faults', () => {
  test('each has a name of its own', () => expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length));
  test('all, or those that are named, in the order of the list', () => {
    expect(named([], true)).toEqual(faults);
    expect(named(['gate-sigkill', 'phoenix-pause'], false).map(({ name }) => name)).toEqual(['phoenix-pause', 'gate-sigkill']);
  });
  test('those of the engine only where that is asked for', () => {
    expect(named([], false)).toEqual(faults.filter(({ name }) => !name.startsWith('engine-')));
    expect(faults.length - named([], false).length).toBe(2);
    expect(() => named(['gate-sigkill', 'engine-sigkill'], false)).toThrow('engine-sigkill stops every container of this machine for some seconds.\n    npm run faults -- --only gate-sigkill,engine-sigkill --engine');
  });
  test('no others', () => expect(() => named(['gate-sigkill', 'moon'], false)).toThrow("There is no fault 'moon'.\n    npm run faults -- --list"));
});
