import { StatusLines } from '../../ops/support/status-lines';
import { screen } from '../support/screen';

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

describe('at a terminal', () => {
  test('each has a line, which is rewritten in place, four times a second at most', () => {
    const shown = lines(true, 80);
    expect(screen(written.join(''))).toEqual(['phoenix  asking', 'alloy    asking', '']);
    for (let bytes = 0; bytes < 1000; bytes += 1) {
      state['phoenix'] = `${bytes} of 980 MB`;
      jest.advanceTimersByTime(1);
    }
    expect(written).toHaveLength(5);
    expect(screen(written.join(''))).toEqual(['phoenix  999 of 980 MB', 'alloy    asking', '']);
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
    expect(screen(written.join(''))).toEqual(['phoenix  12 of 980 MB', 'alloy    pulled', '']);
  });

  test.each([[20, 'phoenix  a very lon'], [0, `phoenix  ${'a very long text '.repeat(5)}`.slice(0, 79)]])('of %i columns no line wraps', (columns, first) => {
    state['phoenix'] = 'a very long text '.repeat(5);
    const shown = lines(true, columns);
    expect(screen(written.join(''))[0]).toBe(first);
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
