import { StatusLines } from '../../ops/support/status-lines';

let written: string[];
let state: Record<string, string>;
beforeEach(() => {
  jest.useFakeTimers();
  written = [];
  state = { phoenix: 'asking', alloy: 'asking' };
});
afterEach(() => jest.useRealTimers());

function lines(terminal: boolean, columns?: number): StatusLines {
  const asked = Object.fromEntries(Object.keys(state).map((name) => [name, () => state[name] ?? '']));
  return new StatusLines(asked, { terminal, columns, write: (text) => written.push(text) });
}

/** What a terminal shows in the end: it knows up (`CSI n A`), erase to the end (`CSI J`) and lines. */
function screen(): string[] {
  const rows: string[] = [''];
  for (const part of written.join('').split(/(\u001b\[\d*[AJ]|\n)/)) {
    const up = /^\u001b\[(\d+)A$/.exec(part)?.[1];
    if (up !== undefined) {
      // The lines below are erased right after.
      rows.length = Math.max(1, rows.length - Number(up));
      rows[rows.length - 1] = '';
    } else if (part === '\n') {
      rows.push('');
    } else if (part !== '\u001b[J') {
      rows[rows.length - 1] += part;
    }
  }
  return rows;
}

describe('at a terminal', () => {
  test('each has a line, which is rewritten in place, four times a second at most', () => {
    const shown = lines(true, 80);
    expect(screen()).toEqual(['phoenix  asking', 'alloy    asking', '']);
    for (let bytes = 0; bytes < 1000; bytes += 1) {
      state['phoenix'] = `${bytes} of 980 MB`;
      jest.advanceTimersByTime(1);
    }
    expect(written).toHaveLength(5);
    expect(screen()).toEqual(['phoenix  999 of 980 MB', 'alloy    asking', '']);
    shown.end();
  });

  test('what has not changed is not written again', () => {
    const shown = lines(true, 80);
    jest.advanceTimersByTime(60_000);
    expect(written).toHaveLength(1);
    shown.end();
  });

  test('the last word stays, and nothing is rewritten after the end', () => {
    const shown = lines(true, 80);
    shown.done('alloy', 'pulled');
    state['phoenix'] = '12 of 980 MB';
    shown.end();
    state['phoenix'] = '13 of 980 MB';
    jest.advanceTimersByTime(60_000);
    expect(screen()).toEqual(['phoenix  12 of 980 MB', 'alloy    pulled', '']);
  });

  test.each([[20, 'phoenix  a very lon'], [0, `phoenix  ${'a very long text '.repeat(5)}`.slice(0, 79)]])('of %i columns no line wraps', (columns, first) => {
    state['phoenix'] = 'a very long text '.repeat(5);
    const shown = lines(true, columns);
    expect(screen()[0]).toBe(first);
    shown.end();
  });
});

describe('elsewhere', () => {
  test('a line at the start, every 15 s, and at the end', () => {
    const shown = lines(false);
    expect(written).toEqual(['phoenix  asking\n', 'alloy    asking\n']);
    state['phoenix'] = '12 of 980 MB';
    jest.advanceTimersByTime(14_999);
    expect(written).toHaveLength(2);
    shown.done('alloy', 'pulled');
    jest.advanceTimersByTime(1);
    jest.advanceTimersByTime(15_000);
    shown.done('phoenix', 'pulled');
    shown.end();
    jest.advanceTimersByTime(60_000);
    expect(written.slice(2)).toEqual(['alloy    pulled\n', 'phoenix  12 of 980 MB\n', 'phoenix  12 of 980 MB\n', 'phoenix  pulled\n']);
  });
});
